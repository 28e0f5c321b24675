#include "codecs/postgres/startup.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/codecs/postgres/wire.h"

namespace misrule::codecs::postgres {
namespace {

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

}  // namespace
}  // namespace misrule::codecs::postgres
