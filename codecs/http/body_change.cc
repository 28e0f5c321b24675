#include "codecs/http/body_change.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codecs/http/damage.h"
#include "codecs/http/head_edit.h"

namespace misrule::codecs::http {
namespace {

class Swallow final : public BodyChange {
 public:
  explicit Swallow(std::string told) : told_(std::move(told)) {}
  bool take(const Part&, std::string&) override { return true; }
  void end(bool, std::string& out) override { out += std::exchange(told_, {}); }

 private:
  std::string told_;
};

class Cut final : public BodyChange {
 public:
  explicit Cut(std::uint64_t bytes) : left_(bytes) {}

  bool take(const Part& part, std::string& out) override {
    for (const ByteView payload : part.payload) {
      if (payload.size() > left_) {
        const ByteView passed(part.wire.data(), payload.data() + left_);
        out += passed;
        what_ = "cut";
        return false;
      }
      left_ -= payload.size();
    }
    out += part.wire;
    return true;
  }
  void end(bool, std::string&) override {
    given_up_ = "the body is not longer than what shall pass of it";
  }

 private:
  std::uint64_t left_;
};

class DamagedPayload final : public BodyChange {
 public:
  DamagedPayload(const Verb& verb, const BodyFraming& framing)
      : damage_(verb.seed, verb.plan->bytes), kind_(framing.kind), bytes_(verb.plan->bytes) {
    what_ = "corrupted";
    if (kind_ == BodyFraming::Kind::kLength) damage_.aim(framing.length);
  }

  bool take(const Part& part, std::string& out) override {
    const std::size_t begin = out.size();
    out += part.wire;
    for (const ByteView payload : part.payload) {
      if (!damage_.aimed()) aim(part.reader);
      const auto at = static_cast<std::size_t>(payload.data() - part.wire.data());
      damage_.apply(std::span(out).subspan(begin + at, payload.size()));
    }
    return true;
  }
  void end(bool, std::string&) override {
    if (!damage_.aimed()) given_up_ = "the body has no payload";
  }

 private:
  // Of a body whose length is not known, what surely comes.
  void aim(const BodyReader& reader) {
    const bool chunked = kind_ == BodyFraming::Kind::kChunked;
    damage_.aim(chunked ? reader.first_chunk() : bytes_);
  }

  Damage damage_;
  BodyFraming::Kind kind_;
  std::uint64_t bytes_;
};

class DamagedChunk final : public BodyChange {
 public:
  DamagedChunk() { what_ = "corrupted"; }
  bool take(const Part& part, std::string& out) override {
    const std::size_t begin = out.size();
    out += part.wire;
    // No digit of a chunk's size.
    if (!std::exchange(done_, true)) out[begin] = 'z';
    return true;
  }
  void end(bool, std::string&) override {}

 private:
  bool done_ = false;
};

}  // namespace

std::unique_ptr<BodyChange> swallow_body(std::string told) {
  return std::make_unique<Swallow>(std::move(told));
}

std::unique_ptr<BodyChange> cut_body(std::uint64_t bytes) { return std::make_unique<Cut>(bytes); }

std::unique_ptr<BodyChange> damage_body(const Verb& verb, const BodyFraming& framing) {
  if (verb.plan->framing) return std::make_unique<DamagedChunk>();
  return std::make_unique<DamagedPayload>(verb, framing);
}

std::string why_not_cut(const BodyFraming& framing, std::uint64_t bytes) {
  if (framing.kind == BodyFraming::Kind::kNone) return "there is no body";
  if (framing.kind != BodyFraming::Kind::kLength || framing.length > bytes) return {};
  return fmt::format("the body has {} bytes only", framing.length);
}

std::string why_not_damaged(const BodyFraming& framing, const ReplyPlan& plan) {
  if (framing.kind == BodyFraming::Kind::kNone) return "there is no body";
  const bool unframed = framing.kind == BodyFraming::Kind::kUntilClose;
  return plan.framing && unframed ? "the body has neither length nor chunks" : "";
}

std::string with_wrong_length(ByteView head, const BodyFraming& framing) {
  HeadEdit edit(head);
  if (framing.kind == BodyFraming::Kind::kLength) {
    edit.set("Content-Length", std::to_string(framing.length / 2));
  }
  return edit.take();
}

}  // namespace misrule::codecs::http
