#include "codecs/redis/to_server.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "codecs/redis/errors.h"

namespace misrule::codecs::redis {
namespace {

using Fate = Touched::Fate;

// A server that has never heard of a command refuses it before it looks at anything else, and a
// transaction that it is part of is refused when it is to be carried out.
constexpr std::string_view kUnknownCommand = "*1\r\n$16\r\nMISRULE.INJECTED\r\n";
// Is queued in a transaction, changes nothing, and fails when it is carried out.
constexpr std::string_view kFailsLate = "*2\r\n$4\r\nSCAN\r\n$16\r\nmisrule.injected\r\n";
constexpr std::string_view kDiscard = "*1\r\n$7\r\nDISCARD\r\n";

Fate fate_of(Verb::Kind kind) {
  switch (kind) {
    case Verb::Kind::kPoison:
    case Verb::Kind::kReplace:
      return Fate::kPoison;
    case Verb::Kind::kClose:
    case Verb::Kind::kSwallow:  // A command without any answer: the connection ends instead.
      return Fate::kClose;
    case Verb::Kind::kReset:
      return Fate::kReset;
    case Verb::Kind::kMask:
      return Fate::kMask;
    case Verb::Kind::kLose:
      return Fate::kLose;
    case Verb::Kind::kRespond:
    case Verb::Kind::kRewrite:
    case Verb::Kind::kDuplicate:
    case Verb::Kind::kCorrupt:
    case Verb::Kind::kTruncate:
    case Verb::Kind::kForward:
      break;
  }
  return Fate::kForward;
}

bool is_forwarded(Fate fate) {
  return fate == Fate::kForward || fate == Fate::kMask || fate == Fate::kLose;
}

ReplyMode::Said said_by(const Command& command, CommandKind kind) {
  if (kind == CommandKind::kReset) return ReplyMode::Said::kReset;
  if (kind != CommandKind::kClientReply || command.words.size() != 3) {
    return ReplyMode::Said::kNothing;
  }
  if (is_word(command.words[2], "OFF")) return ReplyMode::Said::kOff;
  if (is_word(command.words[2], "SKIP")) return ReplyMode::Said::kSkip;
  return is_word(command.words[2], "ON") ? ReplyMode::Said::kOn : ReplyMode::Said::kNothing;
}

// A command with a number of arguments that is refused has no effect of its own.
CommandKind kind_of(const Command& command, const CommandName& name) {
  const CommandKind kind = name.kind();
  const std::uint64_t count = command.count;
  switch (kind) {
    case CommandKind::kMulti:
    case CommandKind::kDiscard:
    case CommandKind::kReset:
    case CommandKind::kMonitor:
      return count == 1 ? kind : CommandKind::kPlain;
    case CommandKind::kSubscribe:
      return count > 1 ? kind : CommandKind::kPlain;
    case CommandKind::kClientReply:
      return count == 3 ? kind : CommandKind::kPlain;
    case CommandKind::kReplconf: {
      const bool acknowledges = command.words.size() > 1 && is_word(command.words[1], "ACK");
      return acknowledges ? kind : CommandKind::kPlain;
    }
    default:
      return kind;
  }
}

bool is_about_subscriptions(CommandKind kind) {
  return kind == CommandKind::kSubscribe || kind == CommandKind::kUnsubscribe;
}

std::uint32_t answers_of(const Command& command, CommandKind kind) {
  if (!is_about_subscriptions(kind)) return 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(command.count - 1, UINT32_MAX));
}

}  // namespace

Step ToServer::walk(ByteView unread) {
  Step step;
  if (held_) return step;
  while (!step.act && advance(unread.substr(step.pass), step)) {
  }
  return step;
}

void ToServer::released(Released why) {
  const auto unit = std::exchange(held_, std::nullopt);
  if (unit && why != Released::kDue) session_.host.hold_ended(*unit, why);
}

void ToServer::ended() {
  if (!pending_) return;
  session_.tell_unanswered(std::exchange(pending_, std::nullopt)->owed, "connection closed");
  held_.reset();
}

bool ToServer::advance(ByteView rest, Step& step) {
  if (session_.closed || drops_all_) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (session_.requests_raw) {
    step.pass += rest.size();
    return false;
  }
  if (pending_) return carry_out(rest, step);
  if (rest.empty()) return false;
  return decoder_.in_rest() ? pass_rest(rest, step) : read_command(rest, step);
}

bool ToServer::pass_rest(ByteView rest, Step& step) {
  const std::size_t bytes = decoder_.rest(rest);
  if (decoder_.error()) session_.requests_opaque("from the client: " + decoder_.error()->what);
  if (drops_rest_) {
    step.act = Substitute{.bytes = bytes};
  } else {
    step.pass += bytes;
  }
  return true;
}

bool ToServer::read_command(ByteView rest, Step& step) {
  const auto decoded = decoder_.next(rest);
  if (const auto* more = std::get_if<NeedMore>(&decoded)) {
    step.need = more->bytes_min;
    return false;
  }
  if (const auto* error = std::get_if<DecodeError>(&decoded)) {
    session_.requests_opaque("from the client: " + error->what);
    return true;
  }
  const auto& command = std::get<Command>(decoded);
  if (command.count == 0) {
    step.pass += command.wire.size();
    return true;
  }
  if (command.words.empty()) {
    session_.requests_opaque("from the client: a command's name is too long");
    return true;
  }
  return take_command(command, step);
}

Verb ToServer::decide(const Command& command, const CommandName& name) {
  keys_.clear();
  if (name.traits() != nullptr) append_keys(*name.traits(), command.words, command.count, keys_);
  return session_.host.decide({.unit = ++session_.units,
                               .protocol = "redis",
                               .operation = name.text(),
                               .subject = keys_.empty() ? std::string_view() : keys_.front(),
                               .state = session_.expects_transaction ? "transaction" : "idle",
                               .keys = keys_,
                               .arguments = command.count - 1});
}

bool ToServer::take_command(const Command& command, Step& step) {
  if (session_.ledger.size() >= session_.limits.owed_max) {
    session_.requests_opaque(
        fmt::format("more than {} commands unanswered", session_.limits.owed_max));
    return true;
  }
  const CommandName name(command.words);
  Verb verb = decide(command, name);
  const CommandKind kind = kind_of(command, name);
  const bool untouched =
      verb.tag == 0 && verb.kind == Verb::Kind::kForward && verb.hold == Duration::zero();
  if (untouched && kind == CommandKind::kPlain) return forward_plain(command.wire.size(), step);
  Pending pending{
      .bytes = command.wire.size(),
      .whole = command.whole,
      .owed = {.kind = kind, .answers = answers_of(command, kind), .unit = session_.units},
      .said = said_by(command, kind)};
  if (untouched) return forward(std::move(pending), step);
  auto touched = std::make_unique<Touched>(Touched{.fate = fate_of(verb.kind), .tag = verb.tag});
  if (touched->fate == Fate::kPoison || touched->fate == Fate::kMask) {
    touched->error = error_line(verb.error, name.text());
    pending.told_late = is_told_late(verb.error);
  }
  if (verb.hold_reply && is_forwarded(touched->fate)) {
    touched->hold_reply = std::exchange(verb.hold, Duration::zero());
  }
  pending.owed.touched = std::move(touched);
  pending_ = std::move(pending);
  if (verb.hold == Duration::zero()) return carry_out(command.wire, step);
  held_ = session_.units;
  step.act =
      Hold{.for_at_most = verb.hold, .unit = session_.units, .cancellable = !verb.hold_is_loss};
  return false;
}

bool ToServer::carry_out(ByteView rest, Step& step) {
  // A client that left meanwhile may have taken its command with it.
  if (rest.size() < pending_->bytes) return false;
  Pending pending = *std::exchange(pending_, std::nullopt);
  switch (pending.owed.fate()) {
    case Fate::kPoison:
    case Fate::kDiscard:
      return poison(std::move(pending), step);
    case Fate::kClose:
    case Fate::kReset:
      return end_connection(std::move(pending), step);
    case Fate::kForward:
    case Fate::kMask:
    case Fate::kLose:
      break;
  }
  return forward(std::move(pending), step);
}

bool ToServer::is_queued(const Owed& owed) const {
  if (!session_.expects_transaction) return false;
  switch (owed.kind) {
    case CommandKind::kMulti:
    case CommandKind::kExec:
    case CommandKind::kDiscard:
    case CommandKind::kWatch:
    case CommandKind::kReset:
    case CommandKind::kQuit:
      return false;
    default:
      return true;
  }
}

void ToServer::expect_state_after(const Owed& owed) {
  if (owed.kind == CommandKind::kMulti) session_.expects_transaction = true;
  const bool ends = owed.kind == CommandKind::kExec || owed.kind == CommandKind::kDiscard ||
                    owed.kind == CommandKind::kReset;
  if (ends) session_.expects_transaction = false;
}

bool ToServer::forward_plain(std::size_t bytes, Step& step) {
  step.pass += bytes;
  drops_rest_ = false;
  Owed owed{.queued = session_.expects_transaction, .unit = session_.units};
  if (mode_.answers(ReplyMode::Said::kNothing)) {
    session_.ledger.push(std::move(owed));
  } else {
    owe_without_answer(std::move(owed));
  }
  return true;
}

bool ToServer::forward(Pending pending, Step& step) {
  Owed& owed = pending.owed;
  owed.queued = is_queued(owed);
  const bool answers = mode_.answers(owed.queued ? ReplyMode::Said::kNothing : pending.said);
  expect_state_after(owed);
  step.pass += pending.bytes;
  drops_rest_ = false;
  const bool is_acknowledgement = owed.kind == CommandKind::kReplconf && !owed.queued;
  if (answers && !is_acknowledgement) {
    session_.ledger.push(std::move(owed));
  } else {
    owe_without_answer(std::move(owed));
  }
  return true;
}

void ToServer::owe_without_answer(Owed owed) {
  session_.tell_silent(owed);
  owed.told = true;
  // Confirmations come all the same.
  if (is_about_subscriptions(owed.kind) && !owed.queued) session_.ledger.push(std::move(owed));
}

bool ToServer::poison(Pending pending, Step& step) {
  Owed& owed = pending.owed;
  std::string_view with = kUnknownCommand;
  owed.queued = is_queued(owed);
  if (owed.kind == CommandKind::kExec && session_.expects_transaction) {
    owed.touched->fate = Fate::kDiscard;
    with = kDiscard;
    session_.expects_transaction = false;
  } else {
    if (owed.queued && pending.told_late) with = kFailsLate;
    owed.kind = CommandKind::kPlain;
  }
  step.act = Substitute{.bytes = pending.bytes, .with = std::string(with)};
  drops_rest_ = !pending.whole;
  if (mode_.answers(ReplyMode::Said::kNothing)) {
    session_.ledger.push(std::move(owed));
  } else {
    session_.tell_injected(owed);
  }
  return false;
}

bool ToServer::end_connection(Pending pending, Step& step) {
  drops_all_ = true;
  if (session_.ledger.empty() && session_.replies_at_border) {
    session_.tell_injected(pending.owed);
    session_.closed = true;
    step.act = Close{.reset = pending.owed.fate() == Fate::kReset};
    return false;
  }
  session_.ledger.push(std::move(pending.owed));
  step.act = Substitute{.bytes = pending.bytes};
  return false;
}

}  // namespace misrule::codecs::redis
