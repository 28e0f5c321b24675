#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "codecs/postgres/fields.h"
#include "codecs/postgres/message.h"
#include "codecs/postgres/startup.h"
#include "codecs/postgres/statement_timeout.h"
#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

using namespace std::chrono_literals;

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

TEST(FirstPacket, IsAwaitedUntilItIsWhole) {
  const std::string bytes = wire::startup({{"user", "app"}, {"options", "-c a=b"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto more = must_be<NeedMore>(decode_first_packet(bytes.substr(0, size), {}));
    EXPECT_GT(more.bytes_min, size);
    EXPECT_LE(more.bytes_min, bytes.size());
  }
  const auto packet = must_be<FirstPacket>(decode_first_packet(bytes + "more", {}));
  EXPECT_EQ(packet.wire_bytes, bytes.size());
  ASSERT_EQ(packet.parameters.size(), 2U);
  EXPECT_EQ(packet.parameters[1].second, "-c a=b");
}

TEST(FirstPacket, LengthIsBounded) {
  Limits limits;
  const std::string fitting = wire::startup({{"user", std::string(9'985, 'x')}});
  ASSERT_EQ(fitting.size(), limits.startup_bytes_max);
  must_be<FirstPacket>(decode_first_packet(fitting, limits));
  const std::string longer = wire::startup({{"user", std::string(9'986, 'x')}});
  const auto error = must_be<DecodeError>(decode_first_packet(longer, limits));
  EXPECT_EQ(error.what, "startup packet of 10001 bytes is not within 8 to 10000");
}

TEST(FirstPacket, RefusesWhatIsNoPostgres) {
  // TLS from the first byte, HTTP, protocol 2, parameters without an end.
  must_be<DecodeError>(decode_first_packet("\x16", {}));
  must_be<DecodeError>(decode_first_packet("GET / HTTP/1.1\r\n\r\n", {}));
  must_be<DecodeError>(decode_first_packet(std::string("\0\0\0\x08\0\x02\0\0", 8), {}));
  must_be<DecodeError>(decode_first_packet(std::string("\0\0\0\x0b\0\x03\0\0usr", 11), {}));
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

TEST(Fields, AreReadFromErrorsAndTags) {
  const std::string bytes = wire::error("40001", "could not serialize", "FATAL");
  const ErrorFields fields = read_error(std::string_view(bytes).substr(5));
  EXPECT_EQ(fields.as_text(), "FATAL 40001: could not serialize");
  EXPECT_TRUE(fields.is_fatal());
  EXPECT_EQ(read_error("").as_text(), " : ");
  EXPECT_EQ(rows_of_tag("SELECT 3"), 3);
  EXPECT_EQ(rows_of_tag("INSERT 0 2"), 2);
  EXPECT_EQ(rows_of_tag("CREATE TABLE"), -1);
  EXPECT_EQ(rows_of_tag("SELECT 99999999999999999999"), -1);
}

TEST(StatementTimeout, ReadsTheServersUnits) {
  EXPECT_EQ(parse_timeout("1500"), 1500ms);
  EXPECT_EQ(parse_timeout("'2s'"), 2s);
  EXPECT_EQ(parse_timeout("1.5 s"), 1500ms);
  EXPECT_EQ(parse_timeout("3min"), 3min);
  EXPECT_EQ(parse_timeout("0"), 0s);
  EXPECT_EQ(parse_timeout("2147483647"), 2147483647ms);
  EXPECT_EQ(parse_timeout("2147483648"), std::nullopt);
  EXPECT_EQ(parse_timeout("-1"), std::nullopt);
  EXPECT_EQ(parse_timeout("soon"), std::nullopt);
}

TEST(StatementTimeout, ComesFromTheStartupPacket) {
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"statement_timeout", "2s"},
           {"options", "-c search_path=x -c statement_timeout=2000"},
           {"options", "-cstatement_timeout=2s"},
           {"options", "--statement-timeout=2s"}}) {
    StatementTimeout timeout;
    timeout.start({{"user", "app"}, {name, value}});
    EXPECT_EQ(timeout.value(), 2s) << value;
  }
}

TEST(StatementTimeout, FollowsSetAndTransactions) {
  StatementTimeout timeout;
  timeout.start({{"options", "-c statement_timeout=9s"}});
  timeout.carried_out("SET statement_timeout = '2s'");
  timeout.transaction_ended(true);
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("set session statement_timeout to 500");
  EXPECT_EQ(timeout.value(), 500ms);
  timeout.transaction_ended(false);
  EXPECT_EQ(timeout.value(), 2s) << "a rollback takes SET back";
  timeout.carried_out("SET LOCAL statement_timeout = 0");
  EXPECT_EQ(timeout.value(), 0s);
  timeout.transaction_ended(true);
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("SET lock_timeout = '7s'");
  EXPECT_EQ(timeout.value(), 2s);
  timeout.carried_out("RESET statement_timeout");
  EXPECT_EQ(timeout.value(), 9s);
  timeout.carried_out("SET statement_timeout = '1s'");
  timeout.carried_out("DISCARD ALL");
  EXPECT_EQ(timeout.value(), 9s);
}

}  // namespace
}  // namespace misrule::codecs::postgres
