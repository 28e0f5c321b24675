#include "codecs/redis/to_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "codecs/redis/addresses.h"

namespace misrule::codecs::redis {
namespace {

using Fate = Touched::Fate;

bool confirms(const PubsubMessage& message, CommandKind kind) {
  return (kind == CommandKind::kSubscribe && message.kind == PubsubMessage::Kind::kSubscribed) ||
         (kind == CommandKind::kUnsubscribe && message.kind == PubsubMessage::Kind::kUnsubscribed);
}

bool is_lost(const Owed& owed) { return owed.is_lost(); }

bool is_lost_by_reset(const Owed& owed) { return owed.is_lost() && owed.touched->resets; }

bool is_select(const Owed& owed) { return owed.kind == CommandKind::kSelect; }

bool is_client_reply(const Owed& owed) { return owed.kind == CommandKind::kClientReply; }

bool says_queued(char type, std::string_view text) { return type == '+' && text == "QUEUED"; }

}  // namespace

Step ToClient::walk(ByteView unread) {
  Step step;
  while (!held_ && !step.act && advance(unread.substr(step.pass), step)) {
  }
  session_.replies_at_border = !flowing_ && !in_exec_;
  return step;
}

void ToClient::released(Released why) {
  const auto unit = std::exchange(held_, std::nullopt);
  if (unit && why != Released::kDue) session_.host.hold_ended(*unit, why);
}

std::optional<Act> ToClient::ended() {
  session_.tell_all_unanswered("connection closed");
  session_.requests_raw = true;
  session_.replies_raw = true;
  if (partial_.empty()) return std::nullopt;
  return Substitute{.with = std::exchange(partial_, {})};
}

Owed* ToClient::head() {
  Ledger& ledger = in_exec_ ? session_.queue : session_.ledger;
  return ledger.empty() ? nullptr : &ledger.front();
}

Owed ToClient::take_head() {
  return in_exec_ ? session_.queue.take_unit() : session_.ledger.take_unit();
}

bool ToClient::advance(ByteView rest, Step& step) {
  if (session_.closed) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (flowing_) return !rest.empty() && flow_on(rest, step);
  if (session_.requests_raw && session_.ledger.empty()) session_.replies_raw = true;
  if (session_.replies_raw) {
    partial_.clear();
    step.pass += rest.size();
    return false;
  }
  if (Owed* const next = head(); next != nullptr && next->ends_connection()) {
    return end_in_place(step);
  }
  if (rest.empty()) return false;
  if (pass_ordinary(rest, step)) return true;
  if (begins_snapshot(rest)) return begin_snapshot();
  const bool exec = scanned_ == 0 && !in_exec_ && rest.front() == '*' && head() != nullptr &&
                    head()->kind == CommandKind::kExec && head()->fate() == Fate::kForward;
  return exec ? begin_exec(rest, step) : read_value(rest, step);
}

// SYNC is answered with a snapshot whose end is not said, and with newlines until that is ready.
bool ToClient::begins_snapshot(ByteView rest) {
  const Owed* const next = head();
  return scanned_ == 0 && next != nullptr && next->kind == CommandKind::kReplicate &&
         (rest.front() == '$' || rest.front() == '\n');
}

bool ToClient::begin_snapshot() {
  answered({.answers = true, .type = '$', .text = "a snapshot"});
  return true;
}

bool ToClient::end_in_place(Step& step) {
  const Owed owed = take_head();
  session_.tell_injected(owed);
  return end_with({}, owed.fate() == Fate::kReset, step);
}

// A command in the transaction is to lose its answer: all of EXEC's goes with it.
bool ToClient::lose_exec(Step& step) {
  const bool by_reset = session_.queue.any(is_lost_by_reset);
  session_.tell_queue_untold();
  return end_with({}, by_reset, step);
}

std::size_t ToClient::gather_max() {
  const Limits& limits = session_.limits;
  const Owed* const next = head();
  const bool whole = push_ || (next != nullptr && next->wants_whole());
  return std::max(scanned_, whole ? limits.whole_reply_bytes_max : limits.reply_bytes_max);
}

bool ToClient::read_value(ByteView rest, Step& step) {
  // What is known of a long value does not depend on how it arrives.
  const std::size_t bytes_max = gather_max();
  scanned_ += scanner_.advance(rest.substr(scanned_, bytes_max - scanned_));
  if (scanner_.error()) return lose_track("from the server: " + scanner_.error()->what, step);
  if (!scanner_.done() && scanned_ < bytes_max) {
    keep_partial(rest);
    return false;
  }
  const ByteView gathered = rest.substr(0, scanned_);
  const char type = gathered.front();
  const bool ordinary = scanner_.done() && type != '>' && type != '|' && answers_ordinary();
  return ordinary ? take_ordinary(gathered, step) : take_value(gathered, step);
}

// Values that were asked for are nothing but answers to commands that no rule touched.
bool ToClient::answers_ordinary() {
  if (in_exec_ || monitoring_ || subscriptions_.any()) return false;
  const Owed* const next = head();
  return next != nullptr && next->is_ordinary() && !next->queued;
}

// Answers of which nobody wants to hear: only their ends are looked for.
bool ToClient::pass_ordinary(ByteView rest, Step& step) {
  if (scanned_ > 0 || !answers_ordinary() || session_.host.follows()) return false;
  const std::uint64_t owed = head()->units;
  std::uint64_t answered = 0;
  std::size_t bytes = 0;
  for (; answered < owed; ++answered) {
    const ByteView value = rest.substr(bytes);
    if (value.starts_with('-')) break;  // It may speak of another server.
    const std::size_t whole = ValueScanner::whole(value);
    if (whole == 0) break;
    bytes += whole;
  }
  if (answered == 0) return false;
  session_.ledger.drop_units(answered);
  step.pass += bytes;
  session_.note_quiet();
  return true;
}

bool ToClient::take_ordinary(ByteView value, Step& step) {
  const Reply reply = read_reply(value);
  if (reply.type == '-' && is_redirection(reply.line)) return redirect(reply, step);
  session_.tell_answered(take_head(), text_of(reply), reply.is_error());
  step.pass += scanned_;
  start_value();
  session_.note_quiet();
  return true;
}

void ToClient::keep_partial(ByteView rest) { partial_.append(rest.substr(partial_.size())); }

bool ToClient::flow_on(ByteView rest, Step& step) {
  const std::size_t bytes = scanner_.advance(rest);
  if (swallowing_) {
    step.act = Substitute{.bytes = bytes};
  } else {
    step.pass += bytes;
  }
  if (scanner_.error()) return lose_track("from the server: " + scanner_.error()->what, step);
  if (!scanner_.done()) return false;
  value_ended(std::exchange(meaning_, {}));
  return true;
}

// The head of EXEC's answer alone: its items are answered one by one.
bool ToClient::begin_exec(ByteView rest, Step& step) {
  constexpr std::size_t kLineMax = 24;
  const std::size_t end = rest.substr(0, kLineMax).find('\n');
  if (end == ByteView::npos && rest.size() < kLineMax) {
    keep_partial(rest);
    return false;
  }
  std::uint64_t items = 0;
  const Reply reply = read_reply(rest.substr(0, end));
  const auto read =
      std::from_chars(reply.line.data(), reply.line.data() + reply.line.size(), items);
  const bool is_count = end != ByteView::npos && rest[end - 1] == '\r' && read.ec == std::errc() &&
                        read.ptr == reply.line.data() + reply.line.size();
  if (!is_count) return read_value(rest, step);  // Nil, or nothing that can be read.
  if (hold_reply(*head(), step)) return false;
  if (session_.queue.any(is_client_reply)) {
    return lose_track("CLIENT REPLY within a transaction", step);
  }
  if (items != session_.queue.units()) {
    return lose_track(
        fmt::format("EXEC answers {} commands, but {} were queued", items, session_.queue.units()),
        step);
  }
  if (session_.queue.any(is_lost)) return lose_exec(step);
  exec_text_ = text_of(reply);
  partial_.clear();
  step.pass += end + 1;
  in_exec_ = true;
  value_ended({});
  return true;
}

std::optional<PubsubMessage> ToClient::pubsub_of(ByteView value, char type) {
  if (type == '>') return read_pubsub(value);
  if (type != '*' || version_ != 2) return std::nullopt;
  const Owed* const next = head();
  const bool about = next != nullptr && (next->kind == CommandKind::kSubscribe ||
                                         next->kind == CommandKind::kUnsubscribe);
  return about || subscriptions_.any() ? read_pubsub(value) : std::nullopt;
}

bool ToClient::is_unasked(const Reply& reply, const std::optional<PubsubMessage>& message) {
  const Owed* const next = head();
  if (message) return next == nullptr || !confirms(*message, next->kind);
  return reply.type == '>' || (monitoring_ && is_monitor_line(reply));
}

void ToClient::drop_silent_heads(const std::optional<PubsubMessage>& message) {
  for (Owed* next = head(); next != nullptr && next->told; next = head()) {
    if (message &&
        (message->kind == PubsubMessage::Kind::kPublished || confirms(*message, next->kind))) {
      return;
    }
    take_head();
  }
}

bool ToClient::take_value(ByteView gathered, Step& step) {
  gathered_ = gathered;
  const ByteView value = gathered_value();
  if (value.front() == '|') {
    return lose_track("from the server: an attribute is too long", step);
  }
  const Reply reply = read_reply(value);
  const std::optional<PubsubMessage> message = pubsub_of(value, reply.type);
  if (message && message->kind != PubsubMessage::Kind::kPublished && !scanner_.done()) {
    return lose_track("from the server: the name of a channel is too long", step);
  }
  if (!(reply.type == '>' && !message)) drop_silent_heads(message);
  if (is_unasked(reply, message)) {
    if (message) note(*message, reply.type);
    const bool is_published =
        message ? message->kind == PubsubMessage::Kind::kPublished : reply.type == '>';
    return is_published ? push(value, step) : pass_value({}, step);
  }
  Owed* const next = head();
  // A server may say goodbye at any time.
  if (next == nullptr && reply.is_error()) return pass_value({}, step);
  if (next == nullptr) return lose_track("from the server: nothing was asked", step);
  if (hold_reply(*next, step)) return false;
  return take_answer(reply, message, step);
}

bool ToClient::take_answer(const Reply& reply, const std::optional<PubsubMessage>& message,
                           Step& step) {
  Owed& next = *head();
  const bool queues = next.queued && says_queued(reply.type, reply.line);
  if (next.fate() != Fate::kForward && !queues) return take_touched(reply, step);
  if (reply.type == '-' && is_redirection(reply.line)) return redirect(reply, step);
  if (next.kind == CommandKind::kAddresses && !queues && scanner_.done()) {
    return readdress(reply, step);
  }
  bool ends = true;
  if (message) {
    note(*message, reply.type);
    ends = ends_answer(next, *message);
  }
  return pass_value({.answers = ends, .type = reply.type, .text = text_of(reply)}, step);
}

bool ToClient::ends_answer(Owed& head, const PubsubMessage& message) {
  if (head.answers > 0) return --head.answers == 0;
  return subscriptions_.of(message.of) == 0;
}

void ToClient::note(const PubsubMessage& message, char type) {
  version_ = type == '>' ? 3 : 2;
  if (message.kind != PubsubMessage::Kind::kPublished) subscriptions_.confirmed(message);
}

bool ToClient::hold_reply(Owed& head, Step& step) {
  if (!head.touched || head.touched->hold_reply == Duration::zero()) return false;
  held_ = head.unit;
  step.act = Hold{.for_at_most = std::exchange(head.touched->hold_reply, {}), .unit = head.unit};
  return true;
}

bool ToClient::pass_value(Meaning meaning, Step& step) {
  step.pass += scanned_;
  if (scanner_.done()) {
    value_ended(std::move(meaning));
  } else {
    meaning_ = std::move(meaning);
    scanned_ = 0;
    partial_.clear();
    flowing_ = true;
  }
  return true;
}

void ToClient::start_value() {
  scanner_.restart();
  scanned_ = 0;
  flowing_ = swallowing_ = false;
  partial_.clear();
  push_.reset();
}

void ToClient::value_ended(Meaning meaning) {
  start_value();
  if (meaning.answers) answered(std::move(meaning));
  if (in_exec_ && session_.queue.empty()) {
    in_exec_ = false;
    answered({.answers = true, .type = '*', .text = std::exchange(exec_text_, {})});
  }
  session_.note_quiet();
}

void ToClient::answered(Meaning meaning) {
  Owed owed = take_head();
  if (owed.queued && says_queued(meaning.type, meaning.text)) {
    owed.queued = false;
    session_.queue.push(std::move(owed));
    return;
  }
  if (owed.kind != CommandKind::kPlain) settle(owed, meaning);
  const bool is_error = meaning.type == '-' || meaning.type == '!';
  session_.tell_answered(owed, std::move(meaning.text), is_error);
}

void ToClient::settle(const Owed& owed, const Meaning& meaning) {
  const bool agreed = meaning.type == '+';
  switch (owed.kind) {
    case CommandKind::kHello:
      if (meaning.type == '%') version_ = 3;
      if (meaning.type == '*') version_ = 2;
      return;
    case CommandKind::kMulti:
      session_.in_transaction = session_.in_transaction || agreed;
      return;
    case CommandKind::kExec:
      return transaction_ended(meaning.type == '-');
    case CommandKind::kDiscard:
      if (agreed) transaction_ended(false);
      return;
    case CommandKind::kReset:
      if (!agreed) return;
      transaction_ended(false);
      session_.db = 0;
      version_ = 2;
      subscriptions_.clear();
      monitoring_ = false;
      return;
    case CommandKind::kSelect:
      if (agreed) session_.db = owed.answers;
      if (!agreed && !session_.ledger.any(is_select)) session_.expects_db = session_.db;
      return;
    case CommandKind::kMonitor:
      monitoring_ = monitoring_ || agreed;
      return;
    case CommandKind::kReplicate:
      // Then come a snapshot and a stream of commands: no conversation any more.
      if (meaning.type == '-') return;
      session_.requests_raw = true;
      session_.replies_raw = true;
      return;
    default:
      return;
  }
}

void ToClient::transaction_ended(bool is_failure) {
  session_.in_transaction = false;
  session_.tell_queue_undone(is_failure);
}

bool ToClient::lose_track(std::string_view why, Step& step) {
  const bool must_end = session_.owes_injection();
  session_.tell_all_unanswered(must_end ? "connection closed" : "not decoded");
  in_exec_ = false;
  flowing_ = false;
  session_.all_opaque(why);
  if (must_end) {
    session_.closed = true;
    step.act = Close{};
  }
  return true;
}

}  // namespace misrule::codecs::redis
