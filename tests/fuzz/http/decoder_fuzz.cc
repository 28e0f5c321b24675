// Heads and bodies from hostile bytes: what is found does not depend on how the bytes arrive, lies
// within them, and is within the limits.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/message_head.h"

namespace misrule::codecs::http {
namespace {

constexpr Limits kLimits = {
    .head_bytes_max = 512, .chunk_line_bytes_max = 64, .trailer_bytes_max = 128};

// What a decoder found, without views: 0 nothing yet, 1 an error, else the size of the head and
// more.
template <class Next>
std::size_t outcome(const Next& next) {
  if (std::holds_alternative<NeedMore>(next)) return 0;
  if (std::holds_alternative<DecodeError>(next)) return 1;
  return 2;
}

template <class Decoder, class Head>
void compare_cuts(std::string_view bytes) {
  Decoder whole(kLimits);
  const auto at_once = whole.next(bytes);
  Decoder growing(kLimits);
  auto last = growing.next(bytes.substr(0, 0));
  std::size_t size = 0;
  while (std::holds_alternative<NeedMore>(last) && size < bytes.size()) {
    const std::size_t wanted = std::get<NeedMore>(last).bytes_min;
    MISRULE_CHECK(wanted > size);
    size = std::min(wanted, bytes.size());
    last = growing.next(bytes.substr(0, size));
  }
  MISRULE_CHECK(outcome(at_once) == outcome(last));
  if (const auto* head = std::get_if<Head>(&at_once)) {
    MISRULE_CHECK(head->wire == bytes.substr(0, head->wire.size()));
    MISRULE_CHECK(head->wire.size() <= kLimits.head_bytes_max);
    MISRULE_CHECK(head->wire == std::get<Head>(last).wire);
  }
}

void compare_body_cuts(std::string_view bytes) {
  BodyReader whole(kLimits);
  whole.start({.kind = BodyFraming::Kind::kChunked});
  const std::size_t at_once = whole.advance(bytes);
  MISRULE_CHECK(at_once <= bytes.size());
  BodyReader slow(kLimits);
  slow.start({.kind = BodyFraming::Kind::kChunked});
  std::size_t used = 0;
  while (used < bytes.size() && slow.advance(bytes.substr(used, 1)) == 1) ++used;
  MISRULE_CHECK(used == at_once);
  MISRULE_CHECK(slow.done() == whole.done());
  MISRULE_CHECK(slow.error().has_value() == whole.error().has_value());
}

}  // namespace
}  // namespace misrule::codecs::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  compare_cuts<RequestDecoder, RequestHead>(bytes);
  compare_cuts<ResponseDecoder, ResponseHead>(bytes);
  compare_body_cuts(bytes);
  return 0;
}
