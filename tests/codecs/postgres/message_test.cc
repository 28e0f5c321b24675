#include "codecs/postgres/message.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

std::string with_length(char type, std::uint32_t length) {
  std::string bytes(1, type);
  append_u32(bytes, length);
  return bytes;
}

template <class Wanted, class Frame>
Wanted must_be(const Decoded<Frame>& decoded) {
  const auto* const found = std::get_if<Wanted>(&decoded);
  EXPECT_NE(found, nullptr) << "another answer: " << decoded.index();
  return found == nullptr ? Wanted{} : *found;
}

TEST(Message, HeadIsBoundedAndTheRestStreams) {
  Limits limits{.text_bytes_max = 10};
  const std::string at_limit = wire::query("select 12");  // Ten bytes with its NUL.
  auto message = must_be<Message>(decode_message(at_limit, Sender::kClient, limits));
  EXPECT_EQ(message.rest_bytes, 0U);
  const std::string above = wire::query("select 123");
  message = must_be<Message>(decode_message(above, Sender::kClient, limits));
  EXPECT_EQ(message.head, "select 123");
  EXPECT_EQ(message.rest_bytes, 1U);
}

TEST(Message, HostileLengthsAreRefusedOrStreamed) {
  must_be<DecodeError>(decode_message(with_length('Q', 3), Sender::kClient, {}));
  must_be<DecodeError>(decode_message(with_length('Q', 0x80000000U), Sender::kClient, {}));
  must_be<DecodeError>(decode_message(with_length('?', 4), Sender::kClient, {}));
  must_be<DecodeError>(decode_message("?", Sender::kServer, {}));
  const auto row =
      must_be<Message>(decode_message(with_length('D', 0x7fffffff), Sender::kServer, {}));
  EXPECT_EQ(row.wire_bytes, 5U);
  EXPECT_EQ(row.rest_bytes, 0x7fffffffU - 4);
  const auto more =
      must_be<NeedMore>(decode_message(with_length('Q', 0x7fffffff), Sender::kClient, {}));
  EXPECT_EQ(more.bytes_min, 5 + Limits{}.text_bytes_max);
}

}  // namespace
}  // namespace misrule::codecs::postgres
