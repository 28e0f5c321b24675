#pragma once

// What reaches the other side of a message that a rule changes, while its bytes come.
//
// A change is given each byte of the body once, and owns what it keeps back. What it says depends
// on the bytes alone, not on how they arrive.

#include <memory>
#include <span>
#include <string>

#include "codecs/facts.h"
#include "codecs/http/body_reader.h"
#include "codecs/http/limits.h"
#include "codecs/http/message_head.h"

namespace misrule::codecs::http {

class BodyChange {
 public:
  struct Part {
    ByteView wire = {};
    std::span<const ByteView> payload = {};  ///< Parts of `wire`.
    const BodyReader& reader;                ///< After them.
  };

  BodyChange() = default;
  virtual ~BodyChange() = default;
  BodyChange(const BodyChange&) = delete;
  BodyChange& operator=(const BodyChange&) = delete;

  /// Appends to `out` what flows in the place of the part. False: the connection ends behind it.
  virtual bool take(const Part& part, std::string& out) = 0;
  /// The body is complete; or it is not, and nothing more of it will come.
  virtual void end(bool complete, std::string& out) = 0;
  /// Not empty: it cannot be carried out, and everything so far is in `out` as it came.
  const std::string& given_up() const { return given_up_; }
  /// For events: what it did, "rewritten". Empty if it has said so otherwise.
  const std::string& what() const { return what_; }

 protected:
  std::string given_up_;
  std::string what_;
};

/// Nothing of it flows; `told` does at the end.
std::unique_ptr<BodyChange> swallow_body(std::string told);
/// The payload ends after so many bytes, and the connection with it.
std::unique_ptr<BodyChange> cut_body(std::uint64_t bytes);
/// Bytes of the payload, or of a chunked body's framing, are others.
std::unique_ptr<BodyChange> damage_body(const Verb& verb, const BodyFraming& framing);
/// The whole reply, changed as `plan` says.
std::unique_ptr<BodyChange> rewrite_body(const ResponseHead& head, const BodyFraming& framing,
                                         std::shared_ptr<const ReplyPlan> plan,
                                         const Limits& limits);

/// Why the change cannot be made, where the head says so already; empty if it may go well.
std::string why_not_cut(const BodyFraming& framing, std::uint64_t bytes);
std::string why_not_damaged(const BodyFraming& framing, const ReplyPlan& plan);
std::string why_not_rewritten(const ResponseHead& head, const BodyFraming& framing,
                              const ReplyPlan& plan, const Limits& limits);

/// A head with a length that is too short for its body; the same head if it names none.
std::string with_wrong_length(ByteView head, const BodyFraming& framing);

}  // namespace misrule::codecs::http
