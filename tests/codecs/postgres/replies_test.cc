#include "codecs/postgres/replies.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

// As a server sends it: tests/vectors holds many.
TEST(Replies, ErrorResponseByteForByte) {
  EXPECT_EQ(
      to_hex(error_response({.code = "40001", .message = "fault", .severity = "ERROR"})),
      "45 00 00 00 21 53 45 52 52 4f 52 00 56 45 52 52 4f 52 00 43 34 30 30 30 31 00 4d 66 61 "
      "75 6c 74 00 00");
}

TEST(Replies, PoisonByteForByte) {
  EXPECT_EQ(poison_statement(17), "SELECT misrule_fault_17");
  EXPECT_TRUE(poison_statement(17).contains(kPoisonMark));
  EXPECT_EQ(query_message("x"), std::string("Q\0\0\0\x06x\0", 7));
  EXPECT_EQ(poison_execute(1),
            std::string("P\0\0\0\x26_misrule\0SELECT misrule_fault_1\0\0\0", 39));
}

TEST(Replies, RollbackClosesWhatItMakes) {
  EXPECT_EQ(wire::spoken(rollback_execute(), Sender::kClient), "P(_misrule: ROLLBACK) B E C H");
  EXPECT_TRUE(rollback_execute().contains(wire::bind("_misrule", "_misrule") +
                                          wire::execute("_misrule") +
                                          wire::close_statement("_misrule") + wire::flush()));
}

}  // namespace
}  // namespace misrule::codecs::postgres
