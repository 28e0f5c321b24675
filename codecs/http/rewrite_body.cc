// Replies that are taken whole, to be told with other fields and other values in their body.

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codecs/http/body_change.h"
#include "codecs/http/content_coding.h"
#include "codecs/http/field_lines.h"
#include "codecs/http/head_edit.h"
#include "codecs/http/head_fields.h"
#include "codecs/http/json_edit.h"
#include "codecs/http/rewrite_head.h"

namespace misrule::codecs::http {
namespace {

bool is_coded(ByteView head) {
  const auto coding = find_field(head, "content-encoding");
  return coding.has_value() && !coding->empty() && !equal_without_case(*coding, "identity");
}

class Rewrite final : public BodyChange {
 public:
  Rewrite(const ResponseHead& head, const BodyFraming& framing,
          std::shared_ptr<const ReplyPlan> plan, std::size_t bytes_max)
      : wire_(head.wire),
        head_bytes_(head.wire.size()),
        status_(head.status),
        kind_(framing.kind),
        plan_(std::move(plan)),
        bytes_max_(bytes_max) {
    what_ = "rewritten";
  }

  bool take(const Part& part, std::string& out) override {
    wire_ += part.wire;
    for (const ByteView payload : part.payload) payload_ += payload;
    tail_bytes_ = part.reader.tail_bytes();
    if (wire_.size() - head_bytes_ > bytes_max_) {
      give_up(fmt::format("the body has more than {} bytes", bytes_max_), out);
    }
    return true;
  }

  void end(bool complete, std::string& out) override {
    if (!given_up_.empty()) return;
    if (!complete) return give_up("the reply ended early", out);
    const ByteView head = ByteView(wire_).substr(0, head_bytes_);
    const bool coded = is_coded(head);
    if (coded) {
      auto plain = decode_content(*find_field(head, "content-encoding"), payload_, bytes_max_);
      if (!plain) return give_up(std::move(plain).error(), out);
      payload_ = *std::move(plain);
    }
    const auto edited = edit_json(payload_, plan_->edits);
    if (!edited) return give_up(edited.error(), out);
    append_reply(head, *edited, coded, out);
  }

 private:
  void give_up(std::string why, std::string& out) {
    given_up_ = std::move(why);
    out += std::exchange(wire_, {});
  }

  void append_reply(ByteView head, const std::string& body, bool coded, std::string& out) const {
    HeadEdit edit(head);
    // They speak of the body that the server sent.
    for (const auto* name : {"ETag", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"}) {
      edit.remove(name);
    }
    if (coded) edit.remove("Content-Encoding");
    if (kind_ == BodyFraming::Kind::kLength) {
      edit.set("Content-Length", std::to_string(body.size()));
    }
    out += rewritten_head(edit.text(), status_, *plan_, false);
    if (kind_ != BodyFraming::Kind::kChunked) {
      out += body;
      return;
    }
    if (!body.empty()) out += fmt::format("{:x}\r\n{}\r\n", body.size(), body);
    out += "0\r\n";
    out += ByteView(wire_).substr(wire_.size() - tail_bytes_);
  }

  std::string wire_;
  std::size_t head_bytes_;
  unsigned status_;
  BodyFraming::Kind kind_;
  std::shared_ptr<const ReplyPlan> plan_;
  std::size_t bytes_max_;
  std::string payload_;
  std::size_t tail_bytes_ = 0;
};

}  // namespace

std::unique_ptr<BodyChange> rewrite_body(const ResponseHead& head, const BodyFraming& framing,
                                         std::shared_ptr<const ReplyPlan> plan,
                                         const Limits& limits) {
  return std::make_unique<Rewrite>(head, framing, std::move(plan), limits.whole_bytes_max);
}

std::string why_not_rewritten(const ResponseHead& head, const BodyFraming& framing,
                              const ReplyPlan& plan, const Limits& limits) {
  if (framing.kind == BodyFraming::Kind::kNone) return "there is no body";
  if (framing.kind == BodyFraming::Kind::kLength && framing.length > limits.whole_bytes_max) {
    return fmt::format("the body has more than {} bytes", limits.whole_bytes_max);
  }
  if (head.status == 206) return "the body is a part of another one (206)";
  if (is_event_stream(head.wire)) return "the body is a stream of events, which has no end";
  const auto coding = find_field(head.wire, "content-encoding");
  if (!is_coded(head.wire)) return {};
  if (!plan.decode) {
    return fmt::format("the body is compressed ({}), and decode=True is not said", *coding);
  }
  return is_decodable(*coding) ? "" : fmt::format("the coding \"{}\" is not decoded", *coding);
}

}  // namespace misrule::codecs::http
