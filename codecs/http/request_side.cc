#include "codecs/http/request_side.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "codecs/http/field_lines.h"
#include "codecs/http/head_edit.h"
#include "codecs/http/head_fields.h"
#include "codecs/http/path.h"

namespace misrule::codecs::http {
namespace {

using Kind = Verb::Kind;

bool reaches_server(Kind kind) {
  return kind != Kind::kReplace && kind != Kind::kPoison && kind != Kind::kRespond &&
         kind != Kind::kSwallow && kind != Kind::kClose && kind != Kind::kReset;
}

bool changes_request(const Verb& verb) {
  const bool either = verb.kind == Kind::kCorrupt || verb.kind == Kind::kTruncate;
  return either && verb.plan->of_request;
}

// HTTP/1.1, and "Connection: close" is all that it says of its connection.
bool only_asks_to_end(ByteView head) {
  if (!head.substr(0, head.find("\r\n")).ends_with("HTTP/1.1")) return false;
  bool asks = false;
  FieldLines lines(head);
  while (const auto line = lines.next()) {
    if (!equal_without_case(line->name, "connection")) continue;
    if (asks || !equal_without_case(line->value, "close")) return false;
    asks = true;
  }
  return asks;
}

}  // namespace

Step RequestSide::walk(ByteView unread) {
  Step step;
  if (held_.has_value()) return step;
  while (!step.act.has_value() && advance(unread.substr(step.pass), step)) {
  }
  return step;
}

std::optional<Act> RequestSide::ended() {
  if (session_.closed) return std::nullopt;
  std::string last = std::exchange(partial_, {});
  std::string gathered = std::exchange(current_.gathered, {});
  if (mode_ == Mode::kGather) {
    last = std::move(gathered);
    if (current_.decided && !session_.requests_raw) {
      skip("the request did not end");
      owed().fate = Owed::Fate::kForwarded;
    }
    mode_ = Mode::kDiscard;
  }
  if (last.empty()) return std::nullopt;
  return Substitute{.with = std::move(last)};
}

void RequestSide::released(Released why) {
  if (!held_.has_value()) return;
  if (why != Released::kDue) session_.host().hold_ended(*held_, why);
  held_.reset();
}

bool RequestSide::advance(ByteView rest, Step& step) {
  if (session_.closed || mode_ == Mode::kDiscard) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (session_.websocket != nullptr) return false;
  if (cuts_) return cut(step);
  if (session_.requests_raw) {
    partial_.clear();
    if (read_ahead()) {
      step.act = Substitute{.with = std::exchange(current_.gathered, {})};
    } else {
      step.pass += rest.size();
    }
    return false;
  }
  switch (mode_) {
    case Mode::kGather:
      return gather(rest, step);
    case Mode::kGathered:
      return decide_gathered(step);
    case Mode::kDecided:
      return carry_out(rest, step);
    case Mode::kBody:
      return pass_body(rest, step);
    case Mode::kDrain:
      return drain_body(rest, step);
    default:
      return read_head(rest, step);
  }
}

bool RequestSide::read_head(ByteView rest, Step& step) {
  if (rest.empty()) return false;
  if (session_.switch_pending) {
    partial_.clear();
    session_.requests_opaque("bytes after a request to switch protocols, before its answer");
    return true;
  }
  const auto next = decoder_.next(rest);
  if (const auto* more = std::get_if<NeedMore>(&next)) {
    partial_.append(rest.substr(partial_.size()));
    step.need = more->bytes_min;
    return false;
  }
  partial_.clear();
  if (const auto* error = std::get_if<DecodeError>(&next)) {
    session_.requests_opaque("request: " + error->what);
    return true;
  }
  if (std::holds_alternative<EmptyLine>(next)) {
    step.pass += 2;
    return true;
  }
  return take_request(std::get<RequestHead>(next), step);
}

RequestSide::Current RequestSide::describe(const RequestHead& head) {
  const bool is_head = head.method == "HEAD";
  const bool old_keep_alive = head.minor == 0 && head.fields.keep_alive;
  return {.head_bytes = head.wire.size(),
          .body = head.body(),
          .reply_to = {.head = is_head, .old_keep_alive = old_keep_alive, .close = head.closes()},
          .expects_continue = head.fields.expects_continue,
          .persists = head.minor == 1 && !head.closes(),
          .accepts_events = head.fields.accepts_events,
          .owed = {.close_after = head.closes(),
                   .old_keep_alive = old_keep_alive,
                   .head = is_head,
                   .connect = head.method == "CONNECT",
                   .upgrade = head.fields.upgrade,
                   .websocket = head.fields.websocket}};
}

bool RequestSide::take_request(const RequestHead& head, Step& step) {
  const std::size_t pipelined_max = session_.limits().pipelined_max;
  if (session_.ledger().size() >= pipelined_max) {
    session_.requests_opaque(fmt::format("more than {} requests unanswered", pipelined_max));
    return true;
  }
  const HeadFields& fields = head.fields;
  const bool is_simple = !fields.upgrade && !fields.expects_continue && !fields.accepts_events &&
                         head.method != "CONNECT";
  if (is_simple && session_.host().is_idle()) return pass_untouched(head, step);
  current_ = describe(head);
  // Whoever waits for a 100 sends nothing that could be read ahead.
  const bool has_body = current_.body.kind != BodyFraming::Kind::kNone;
  if (has_body && !current_.expects_continue && session_.host().wants(Detail::kBody)) {
    current_.asked = Asked::of(head);
    begin_gathering(head.wire, step);
    return false;
  }
  std::string storage;
  decide({.protocol = "http",
          .operation = head.method,
          .subject = normal_path(head.target, storage),
          .text = head.target},
         RequestDetails(head.wire, head.target, {}));
  remember(&head);
  return settle(head.wire, step);
}

// A request that no rule can be about, and that asks for nothing but its reply.
bool RequestSide::pass_untouched(const RequestHead& head, Step& step) {
  session_.host().passed(1);
  if (std::exchange(current_.decided, false)) current_ = {};
  session_.ledger().push({.fate = Owed::Fate::kForwarded,
                          .unit = session_.next_unit(),
                          .close_after = head.closes(),
                          .old_keep_alive = head.minor == 0 && head.fields.keep_alive,
                          .head = head.method == "HEAD"});
  step.pass += head.wire.size();
  change_.reset();
  body_.start(head.body());
  mode_ = body_.done() ? Mode::kHead : Mode::kBody;
  session_.switch_pending = false;
  session_.awaits_continue = 0;
  session_.body_uncertain = false;
  return true;
}

void RequestSide::begin_gathering(ByteView head, Step& step) {
  current_.gathered = head;
  body_.start(current_.body);
  mode_ = Mode::kGather;
  step.act = Substitute{.bytes = head.size()};
}

bool RequestSide::gather(ByteView rest, Step& step) {
  if (rest.empty()) return false;
  const Limits& limits = session_.limits();
  const std::size_t bytes = body_.advance(rest, &payload_);
  current_.gathered += rest.substr(0, bytes);
  bool enough = current_.gathered.size() - current_.head_bytes > limits.whole_bytes_max;
  if (!current_.decided) {
    std::string& seen = current_.asked->body;
    for (const ByteView part : payload_) seen += part;
    enough = enough || seen.size() >= limits.peek_bytes_max;
    seen.resize(std::min(seen.size(), limits.peek_bytes_max));
  }
  payload_.clear();
  step.act = Substitute{.bytes = bytes};
  if (body_.done() || body_.error().has_value() || enough) {
    mode_ = current_.decided ? Mode::kDecided : Mode::kGathered;
  }
  return false;
}

bool RequestSide::decide_gathered(Step& step) {
  const Asked& asked = *current_.asked;
  decide(asked.facts(Phase::kRequest, 0), RequestDetails(asked));
  remember(nullptr);
  return settle({}, step);
}

void RequestSide::decide(Facts facts, const RequestDetails& details) {
  facts.unit = current_.owed.unit = session_.next_unit();
  facts.details = &details;
  current_.verb = session_.host().decide(facts);
  current_.owed.tag = current_.verb.tag;
  current_.decided = true;
}

/// Keeps what was asked, if its reply or messages after it are to be decided.
void RequestSide::remember(const RequestHead* head) {
  const Verb& verb = current_.verb;
  ConversationHost& host = session_.host();
  const bool asks_again = verb.kind == Kind::kForward && !verb.hold_reply && !verb.hold_is_loss;
  const bool needed = current_.owed.websocket || current_.accepts_events ||
                      (asks_again && host.wants(Phase::kReply)) || host.wants(Phase::kSse);
  if (!needed || !reaches_server(verb.kind)) return;
  current_.owed.asked = current_.asked != nullptr ? std::move(current_.asked) : Asked::of(*head);
}

bool RequestSide::settle(ByteView rest, Step& step) {
  plan_reply();
  const Verb& verb = current_.verb;
  const std::uint64_t unit = current_.owed.unit;
  const bool hold_reply = verb.hold_reply && reaches_server(verb.kind);
  if (hold_reply) current_.owed.hold_reply = verb.hold;
  session_.ledger().push(std::move(current_.owed));
  if (verb.hold == Duration::zero() || hold_reply) return carry_out(rest, step);
  mode_ = Mode::kDecided;
  held_ = unit;
  step.act = Hold{.for_at_most = verb.hold, .unit = unit};
  return false;
}

void RequestSide::plan_reply() {
  const Verb& verb = current_.verb;
  const bool of_reply = verb.kind == Kind::kLose || verb.kind == Kind::kMask ||
                        verb.kind == Kind::kRewrite || verb.kind == Kind::kCorrupt ||
                        verb.kind == Kind::kTruncate;
  if (of_reply && !changes_request(verb)) current_.owed.on_reply = std::make_unique<Verb>(verb);
}

bool RequestSide::carry_out(ByteView rest, Step& step) {
  // A client that left meanwhile may have taken its request with it.
  if (!read_ahead() && rest.size() < current_.head_bytes) return false;
  switch (current_.verb.kind) {
    case Kind::kDuplicate:
      return duplicate(rest, step);
    case Kind::kRewrite:
    case Kind::kCorrupt:
    case Kind::kTruncate:
    case Kind::kForward:
    case Kind::kLose:
    case Kind::kMask:
      return forward(rest, step);
    case Kind::kRespond:
    case Kind::kReplace:
    case Kind::kPoison:
      return replace(step);
    case Kind::kSwallow:
      owed().fate = Owed::Fate::kNever;
      break;
    case Kind::kClose:
      owed().fate = Owed::Fate::kClose;
      break;
    case Kind::kReset:
      owed().fate = Owed::Fate::kReset;
      break;
  }
  mode_ = Mode::kDiscard;
  drop_and_emit(read_ahead() ? 0 : current_.head_bytes, step);
  return false;
}

std::string_view RequestSide::why_not_twice(ByteView head) const {
  const Owed& first = session_.ledger().back();
  if (!current_.persists && !only_asks_to_end(head)) {
    return "the connection ends after this request";
  }
  if (first.connect || first.upgrade) return "the request is for another protocol";
  if (current_.expects_continue) return "the client waits for 100 before it sends the body";
  const bool sized = current_.body.kind == BodyFraming::Kind::kLength;
  const std::size_t limit = session_.limits().whole_bytes_max;
  const bool beyond = read_ahead() && current_.gathered.size() - current_.head_bytes > limit;
  if (beyond || (sized && current_.body.length > limit)) return "the request is too long";
  if (read_ahead() && body_.error().has_value()) return "the request's end cannot be found";
  return {};
}

bool RequestSide::duplicate(ByteView rest, Step& step) {
  const ByteView head =
      (read_ahead() ? ByteView(current_.gathered) : rest).substr(0, current_.head_bytes);
  if (const std::string_view why = why_not_twice(head); !why.empty()) {
    skip(why);
    return forward(rest, step);
  }
  const bool has_body = current_.body.kind != BodyFraming::Kind::kNone;
  if (has_body && !read_ahead()) {
    begin_gathering(rest.substr(0, current_.head_bytes), step);
    return false;
  }
  if (has_body && !body_.done()) {
    mode_ = Mode::kGather;
    return true;
  }
  const std::size_t unread = read_ahead() ? 0 : current_.head_bytes;
  const std::string last = read_ahead() ? std::exchange(current_.gathered, {}) : std::string(head);
  std::string wire = last;
  if (!current_.persists) {
    // The first one lets the connection live on for the second.
    HeadEdit edit(ByteView(last).substr(0, current_.head_bytes));
    edit.remove("Connection");
    wire = edit.take() + last.substr(current_.head_bytes);
  }
  owed().fate = Owed::Fate::kForwarded;
  const bool ends = std::exchange(owed().close_after, false);
  session_.ledger().push(
      {.fate = Owed::Fate::kForwarded, .close_after = ends, .head = owed().head, .repeated = true});
  wire += last;
  step.act = Substitute{.bytes = unread, .with = std::move(wire)};
  session_.body_uncertain = false;
  session_.awaits_continue = 0;
  mode_ = Mode::kHead;
  return false;
}

bool RequestSide::forward(ByteView rest, Step& step) {
  owed().fate = Owed::Fate::kForwarded;
  const ByteView head =
      (read_ahead() ? ByteView(current_.gathered) : rest).substr(0, current_.head_bytes);
  const std::optional<std::string> instead = change_request(head);
  if (read_ahead()) {
    step.act = Substitute{.with = flow_gathered(instead.value_or(std::string(head)))};
  } else if (instead.has_value()) {
    body_.start(current_.body);
    step.act = Substitute{.bytes = current_.head_bytes, .with = *instead};
  } else {
    body_.start(current_.body);
    step.pass += current_.head_bytes;
  }
  // Behind a body whose length was made wrong nobody finds the next head.
  mode_ = body_.done() && !breaks_framing_ ? Mode::kHead : Mode::kBody;
  session_.switch_pending = owed().connect || owed().upgrade;
  session_.awaits_continue = current_.expects_continue && !body_.done() ? owed().unit : 0;
  session_.body_uncertain = false;
  return !step.act.has_value();
}

/// What was read ahead of the body follows `out`, changed if it is to be.
std::string RequestSide::flow_gathered(std::string out) {
  const std::string gathered = std::exchange(current_.gathered, {});
  const ByteView wire = ByteView(gathered).substr(current_.head_bytes);
  if (change_ == nullptr) {
    out += wire;
    return out;
  }
  body_.start(current_.body);
  const std::size_t bytes = body_.advance(wire, &payload_);
  cuts_ =
      !change_->take({.wire = wire.substr(0, bytes), .payload = payload_, .reader = body_}, out);
  payload_.clear();
  if (body_.done() && !cuts_) finish_change(out);
  return out;
}

std::optional<std::string> RequestSide::change_request(ByteView head) {
  change_.reset();
  breaks_framing_ = false;
  const Verb& verb = current_.verb;
  if (owed().websocket && session_.host().wants(Phase::kWebSocket)) {
    // Compressed messages could not be matched.
    HeadEdit edit(head);
    edit.remove("Sec-WebSocket-Extensions");
    return edit.take();
  }
  if (!changes_request(verb)) return std::nullopt;
  const bool cuts = verb.kind == Kind::kTruncate;
  const std::string why = cuts ? why_not_cut(current_.body, verb.plan->bytes)
                               : why_not_damaged(current_.body, *verb.plan);
  if (!why.empty()) {
    skip(why);
    return std::nullopt;
  }
  breaks_framing_ = !cuts && verb.plan->framing;
  if (breaks_framing_ && current_.body.kind == BodyFraming::Kind::kLength) {
    return with_wrong_length(head, current_.body);
  }
  change_ = cuts ? cut_body(verb.plan->bytes) : damage_body(verb, current_.body);
  return std::nullopt;
}

void RequestSide::finish_change(std::string& out) {
  change_->end(true, out);
  if (!change_->given_up().empty()) skip(change_->given_up());
  change_.reset();
}

void RequestSide::skip(std::string_view why) {
  const std::uint64_t unit = owed().unit;
  // The server may have answered before it had the whole request.
  const bool open =
      std::ranges::any_of(session_.ledger(), [&](const Owed& owed) { return owed.unit == unit; });
  if (open) session_.host().skipped(unit, why);
}

bool RequestSide::pass_body(ByteView rest, Step& step) {
  if (body_.error().has_value()) {
    session_.requests_opaque("request body: " + body_.error()->what);
    return true;
  }
  if (body_.done() && breaks_framing_) {
    session_.requests_opaque("a request whose framing a rule broke");
    return true;
  }
  if (rest.empty()) return false;
  if (session_.body_uncertain) {
    session_.requests_opaque("bytes after a final reply to Expect: 100-continue");
    return true;
  }
  session_.awaits_continue = 0;
  if (change_ != nullptr) return change_body(rest, step);
  step.pass += body_.advance(rest);
  if (body_.error().has_value()) return true;
  if (!body_.done()) return false;
  if (!breaks_framing_) mode_ = Mode::kHead;
  return true;
}

bool RequestSide::change_body(ByteView rest, Step& step) {
  const std::size_t bytes = body_.advance(rest, &payload_);
  Substitute flow = {.bytes = bytes};
  cuts_ = !change_->take({.wire = rest.substr(0, bytes), .payload = payload_, .reader = body_},
                         flow.with);
  payload_.clear();
  if (body_.done() && !cuts_) {
    finish_change(flow.with);
    if (!breaks_framing_) mode_ = Mode::kHead;
  }
  step.act = std::move(flow);
  return false;
}

bool RequestSide::cut(Step& step) {
  session_.finish_all();
  session_.closed = true;
  change_.reset();
  step.act = Close{};
  return false;
}

}  // namespace misrule::codecs::http
