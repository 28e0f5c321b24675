#pragma once

// A head with some of its fields changed: all others stay as they were sent, in their order.

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codecs/value.h"

namespace misrule::codecs::http {

class HeadEdit {
 public:
  explicit HeadEdit(ByteView head) : head_(head) {}

  /// The first field of this name gets the value, others of it go; at the end, if there was none.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  /// Null removes, everything else sets.
  void apply(const ValueMap& fields);
  /// Of a reply, with the phrase that belongs to it.
  void set_status(unsigned status);

  const std::string& text() const { return head_; }
  std::string take() { return std::move(head_); }

 private:
  std::string head_;
};

/// A field's text for a value that a rule names.
std::string field_text(const Value& value);

}  // namespace misrule::codecs::http
