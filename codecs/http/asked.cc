#include "codecs/http/asked.h"

#include "codecs/http/field_lines.h"
#include "codecs/http/head_fields.h"
#include "codecs/http/path.h"

namespace misrule::codecs::http {
namespace {

using Wants = std::function<bool(std::string_view)>;

bool any_header(ByteView head, std::string_view name, const Wants& wants) {
  FieldLines lines(head);
  while (const auto line = lines.next()) {
    if (equal_without_case(line->name, name) && wants(line->value)) return true;
  }
  return false;
}

// Who is asked: an absolute target says it first (RFC 9112, 3.2.2).
bool any_host(ByteView head, ByteView target, const Wants& wants) {
  const ByteView authority = authority_of(target);
  return authority.empty() ? any_header(head, "host", wants) : wants(authority);
}

bool any_parameter(ByteView target, std::string_view name, const Wants& wants) {
  const std::size_t mark = target.find('?');
  if (mark == ByteView::npos) return false;
  ByteView left = target.substr(mark + 1);
  left = left.substr(0, left.find('#'));
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('&'), left.size());
    const ByteView one = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    if (decoded_parameter(one.substr(0, equals)) != name) continue;
    if (wants(decoded_parameter(one.substr(std::min(equals + 1, one.size()))))) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Asked> Asked::of(const RequestHead& request) {
  auto asked = std::make_unique<Asked>(Asked{.head = std::string(request.wire),
                                             .method = std::string(request.method),
                                             .target = std::string(request.target)});
  std::string storage;
  asked->path = normal_path(asked->target, storage);
  return asked;
}

Facts Asked::facts(Phase phase, std::uint64_t unit) const {
  return {.unit = unit,
          .protocol = "http",
          .operation = method,
          .subject = path,
          .text = target,
          .phase = phase};
}

RequestDetails& RequestDetails::with_status(unsigned status) {
  status_ = std::to_string(status);
  return *this;
}

RequestDetails& RequestDetails::with_message(std::optional<ByteView> text,
                                             std::string_view direction) {
  message_ = text;
  direction_ = direction;
  return *this;
}

bool RequestDetails::any(Detail what, std::string_view key, const Wants& wants) const {
  switch (what) {
    case Detail::kHost:
      return any_host(head_, target_, wants);
    case Detail::kHeader:
      return any_header(head_, key, wants);
    case Detail::kQueryParameter:
      return any_parameter(target_, key, wants);
    case Detail::kBody:
      return wants(body_);
    case Detail::kReplyStatus:
      return !status_.empty() && wants(status_);
    case Detail::kMessage:
      return message_.has_value() && wants(*message_);
    case Detail::kDirection:
      return !direction_.empty() && wants(direction_);
    case Detail::kText:
      return wants(target_);
    case Detail::kRawPath:
      return wants(raw_path(target_));
    default:
      return false;
  }
}

}  // namespace misrule::codecs::http
