#pragma once

// Walks through one answer that is there whole, value by value. Version 2 alone: it is what is
// spoken on connections on which nobody has asked for another.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace misrule::codecs::redis {

/// Once it has failed, everything it gives is nothing.
class ToldValues {
 public:
  explicit ToldValues(ByteView reply) : left_(reply) {}

  // The next value; nothing, and it is passed by, if it is of another kind.
  std::optional<std::size_t> array();
  std::optional<std::int64_t> number();
  std::optional<std::string_view> text();

  void skip();
  /// So many values.
  void skip(std::size_t count);
  bool failed() const { return failed_; }
  /// Nothing is left.
  bool at_end() const { return left_.empty(); }

 private:
  struct Head {
    char type = 0;
    std::string_view line = {};
    std::int64_t number = 0;
  };
  std::optional<Head> head();
  std::optional<std::string_view> payload(const Head& head);
  void skip_rest(const Head& head);
  void fail();

  ByteView left_;
  bool failed_ = false;
};

}  // namespace misrule::codecs::redis
