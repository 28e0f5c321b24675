#pragma once

// CLIENT REPLY OFF, SKIP and ON: does the server answer the next command?

#include <cstdint>

namespace misrule::codecs::redis {

class ReplyMode {
 public:
  enum class Said : std::uint8_t { kNothing, kOff, kSkip, kOn, kReset };

  /// One command reaches the server, of which these words are known. Will there be an answer?
  bool answers(Said said);
  /// Nothing was said: every command is answered.
  bool is_usual() const { return !off_ && !skip_next_; }

 private:
  bool off_ = false;
  bool skip_next_ = false;
};

inline bool ReplyMode::answers(Said said) {
  const bool skipped = skip_next_;
  skip_next_ = said == Said::kSkip && !off_;
  switch (said) {
    case Said::kOff:
      off_ = true;
      return false;
    case Said::kSkip:
      return false;
    case Said::kOn:
      off_ = false;
      return true;
    case Said::kReset:
      off_ = false;
      return !skipped;
    case Said::kNothing:
      break;
  }
  return !off_ && !skipped;
}

}  // namespace misrule::codecs::redis
