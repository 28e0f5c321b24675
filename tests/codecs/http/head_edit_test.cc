#include "codecs/http/head_edit.h"

#include <gtest/gtest.h>

namespace misrule::codecs::http {
namespace {

constexpr ByteView kHead = "HTTP/1.1 200 OK\r\nDate: x\r\na: 1\r\nB: 2\r\nA: 3\r\n\r\n";

TEST(HeadEdit, replacesTheFirstAndDropsTheOthers) {
  HeadEdit edit(kHead);
  edit.set("A", "9");
  EXPECT_EQ(edit.text(), "HTTP/1.1 200 OK\r\nDate: x\r\na: 9\r\nB: 2\r\n\r\n");
}

TEST(HeadEdit, addsAtTheEndAndRemoves) {
  HeadEdit edit(kHead);
  edit.apply({{"C", Value{std::int64_t{4}}}, {"A", Value{}}, {"D", Value{std::string("t")}}});
  EXPECT_EQ(edit.take(), "HTTP/1.1 200 OK\r\nDate: x\r\nB: 2\r\nC: 4\r\nD: t\r\n\r\n");
}

TEST(HeadEdit, aStatusHasItsPhrase) {
  HeadEdit edit("HTTP/1.0 200 All is well\r\n\r\n");
  edit.set_status(503);
  EXPECT_EQ(edit.text(), "HTTP/1.0 503 Service Unavailable\r\n\r\n");
}

}  // namespace
}  // namespace misrule::codecs::http
