#include "codecs/http/damage.h"

#include <algorithm>

namespace misrule::codecs::http {
namespace {

constexpr std::uint64_t kPlacesMax = 65'536;

}  // namespace

// Reference: splitmix64.
std::uint64_t Damage::next_random() {
  seed_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = seed_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

char Damage::changed(char byte) {
  while (true) {
    const auto flipped = static_cast<unsigned char>(1 + next_random() % 255);
    const auto other = static_cast<char>(static_cast<unsigned char>(byte) ^ flipped);
    if (never_.find(other) == std::string_view::npos) return other;
  }
}

void Damage::aim(std::uint64_t window) {
  aimed_ = true;
  const std::uint64_t count = std::min({bytes_, window, kPlacesMax});
  if (count == 0) return;
  if (count == window) {
    for (std::uint64_t place = 0; place < count; ++place) places_.push_back(place);
    return;
  }
  // One in each of as many equal parts of the window: they differ by themselves.
  const std::uint64_t part = window / count;
  for (std::uint64_t index = 0; index < count; ++index) {
    places_.push_back(index * part + next_random() % part);
  }
}

void Damage::apply(std::span<char> payload) {
  const std::uint64_t end = position_ + payload.size();
  for (; done_ < places_.size() && places_[done_] < end; ++done_) {
    char& byte = payload[static_cast<std::size_t>(places_[done_] - position_)];
    byte = changed(byte);
  }
  position_ = end;
}

}  // namespace misrule::codecs::http
