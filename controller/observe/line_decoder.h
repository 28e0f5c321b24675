#pragma once

// Which fields does a line have? Pure; as JSON, as logfmt, by a pattern with named groups.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/model/event.h"
#include "spec/model/observed.h"

namespace re2 {
class RE2;
}

namespace misrule::controller {

/// Thread-safe. Copies share their pattern and what they count.
class LineDecoder {
 public:
  /// Objects of JSON; what is none is a line without fields.
  LineDecoder();
  /// kInvalid: the pattern is wrong.
  static Result<LineDecoder> make(const model::LineDecoder& wanted);

  /// Sets `data` and, by the names that the event has no use of its own for, its members. What is
  /// not of the decoder's form leaves the event as it is.
  void decode(std::string_view line, model::Event& event) const;

  /// "none of 7 lines is logfmt": the decoder that somebody asked for has decoded nothing. Else
  /// empty.
  std::string doubt_text() const;

 private:
  struct Tally {
    std::atomic<std::uint64_t> lines = 0;
    std::atomic<std::uint64_t> decoded = 0;
  };

  bool decode_json(std::string_view line, model::Event& event) const;
  bool decode_logfmt(std::string_view line, model::Event& event) const;
  bool decode_regex(std::string_view line, model::Event& event) const;

  model::LineDecoder::Kind kind_ = model::LineDecoder::Kind::kJson;
  bool is_asked_for_ = false;
  std::shared_ptr<const re2::RE2> pattern_ = {};
  std::shared_ptr<Tally> tally_;
};

}  // namespace misrule::controller
