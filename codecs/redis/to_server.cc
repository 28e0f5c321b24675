#include "codecs/redis/to_server.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "codecs/redis/command_meaning.h"
#include "codecs/redis/errors.h"
#include "codecs/redis/payload.h"

namespace misrule::codecs::redis {
namespace {

using Fate = Touched::Fate;

// A server that has never heard of a command refuses it before it looks at anything else, and a
// transaction that it is part of is refused when it is to be carried out.
constexpr std::string_view kUnknownCommand = "*1\r\n$16\r\nMISRULE.INJECTED\r\n";
// Is queued in a transaction, changes nothing, and fails when it is carried out.
constexpr std::string_view kFailsLate = "*2\r\n$4\r\nSCAN\r\n$16\r\nmisrule.injected\r\n";
// The same, and succeeds.
constexpr std::string_view kHarmless = "*1\r\n$4\r\nPING\r\n";
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
      return Fate::kRespond;
    case Verb::Kind::kRewrite:
      return Fate::kRewrite;
    case Verb::Kind::kDuplicate:
      return Fate::kDuplicate;
    case Verb::Kind::kCorrupt:
      return Fate::kCorrupt;
    case Verb::Kind::kTruncate:
      return Fate::kTruncate;
    case Verb::Kind::kForward:
      break;
  }
  return Fate::kForward;
}

// A hold of a reply wants one that the server makes.
bool is_held_by_reply(const Verb& verb, Fate fate) {
  return verb.hold_reply && reaches_server(fate);
}

}  // namespace

Step ToServer::walk(ByteView unread) {
  Step step;
  if (held_) return step;
  const ServerCommands* const server = session_.host.server_commands();
  if (std::exchange(server_, server) != server) plain_name_.clear();
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
  if (std::exchange(closes_next_, false)) {
    session_.closed = true;
    step.act = Close{};
    return false;
  }
  if (session_.closed || drops_all_) {
    if (!rest.empty()) step.act = Substitute{.bytes = rest.size()};
    return false;
  }
  if (!std::exchange(began_, true) && decide_connection(step)) return false;
  if (session_.requests_raw) {
    step.pass += rest.size();
    return false;
  }
  if (pending_) return carry_out(rest, step);
  if (rest.empty()) return false;
  if (decoder_.in_rest()) return pass_rest(rest, step);
  return pass_plain(rest, step) || read_command(rest, step);
}

// Commands that no rule can be about, of the same name as the last: only their ends are looked for.
bool ToServer::pass_plain(ByteView rest, Step& step) {
  if (plain_name_.empty() || !mode_.is_usual() || !session_.host.is_idle()) return false;
  std::uint64_t commands = 0;
  std::size_t bytes = 0;
  while (const std::size_t whole = decoder_.whole(rest.substr(bytes), plain_name_)) {
    bytes += whole;
    ++commands;
  }
  if (commands == 0) return false;
  session_.host.passed(commands);
  session_.ledger.push(
      {.queued = session_.expects_transaction, .unit = session_.units + 1, .units = commands});
  session_.units += commands;
  step.pass += bytes;
  drops_rest_ = false;
  return true;
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
  const CommandDetails details(command, name.words(), session_.expects_db);
  return session_.host.decide(
      {.unit = ++session_.units,
       .protocol = "redis",
       .operation = name.text(),
       .subject = keys_.empty() ? std::string_view() : keys_.front(),
       .state = session_.expects_transaction ? "transaction" : "idle",
       .keys = keys_,
       .arguments = command.count - 1,
       .transaction = session_.expects_transaction ? session_.transactions : 0,
       .details = &details});
}

bool ToServer::take_command(const Command& command, Step& step) {
  if (session_.ledger.size() >= session_.limits.owed_max) {
    session_.requests_opaque(
        fmt::format("more than {} commands unanswered", session_.limits.owed_max));
    return true;
  }
  const CommandName name(command.words, server_);
  if (name.traits() == nullptr && name.words() == 1) {
    session_.host.met_unknown_command(name.text());
  }
  Verb verb = decide(command, name);
  const CommandKind kind = kind_of(command, name);
  const bool untouched =
      verb.tag == 0 && verb.kind == Verb::Kind::kForward && verb.hold == Duration::zero();
  if (untouched && kind == CommandKind::kPlain) {
    if (name.is_always_plain()) plain_name_ = command.words.front();
    return forward_plain(command.wire.size(), step);
  }
  Pending pending{
      .bytes = command.wire.size(),
      .whole = command.whole,
      .owed = {.kind = kind, .answers = answers_of(command, name, kind), .unit = session_.units},
      .said = said_by(command, kind)};
  if (untouched) return forward(std::move(pending), step);
  pending.owed.touched = touch(verb, command, name);
  pending.told_late = is_told_late(verb.error);
  pending_ = std::move(pending);
  if (verb.hold == Duration::zero()) return carry_out(command.wire, step);
  held_ = session_.units;
  step.act =
      Hold{.for_at_most = verb.hold, .unit = session_.units, .cancellable = !verb.hold_is_loss};
  return false;
}

std::unique_ptr<Touched> ToServer::touch(Verb& verb, const Command& command,
                                         const CommandName& name) {
  auto touched = std::make_unique<Touched>(Touched{.fate = fate_of(verb.kind),
                                                   .tag = verb.tag,
                                                   .plan = std::move(verb.plan),
                                                   .seed = verb.seed,
                                                   .resets = verb.resets});
  if (touched->fate == Fate::kPoison || touched->fate == Fate::kMask) {
    touched->error = error_line(verb.error, name.text());
  }
  if (touched->fate == Fate::kRespond || touched->fate == Fate::kRewrite) {
    const std::size_t words = std::min(name.words(), command.words.size());
    touched->shape = shape_of(name.real_text(), command.words.subspan(words));
    touched->in_pairs = name.real_text() == "HSCAN" || name.real_text() == "ZSCAN";
  }
  if (is_held_by_reply(verb, touched->fate)) {
    touched->hold_reply = std::exchange(verb.hold, Duration::zero());
  }
  return touched;
}

// Only what a server says to clients that it does not let in is said before anything is asked.
bool ToServer::decide_connection(Step& step) {
  if (!session_.host.wants(Phase::kStartup)) return false;
  Verb verb = session_.host.decide({.unit = ++session_.units,
                                    .protocol = "redis",
                                    .operation = "connection",
                                    .state = "idle",
                                    .phase = Phase::kStartup});
  Owed owed{.unit = session_.units};
  if (verb.kind != Verb::Kind::kPoison) {
    session_.tell_answered(owed, "accepted", false);
    return false;
  }
  owed.touched = std::make_unique<Touched>(Touched{
      .fate = Fate::kPoison, .tag = verb.tag, .error = error_line(verb.error, "connection")});
  session_.tell_injected(owed);
  session_.closed = true;
  step.act = Close{.to_client = "-" + owed.touched->error + "\r\n"};
  return true;
}

bool ToServer::carry_out(ByteView rest, Step& step) {
  // A client that left meanwhile may have taken its command with it.
  if (rest.size() < pending_->bytes) return false;
  Pending pending = *std::exchange(pending_, std::nullopt);
  switch (pending.owed.fate()) {
    case Fate::kPoison:
    case Fate::kDiscard:
      return poison(std::move(pending), step);
    case Fate::kRespond:
      return respond(std::move(pending), step);
    case Fate::kClose:
    case Fate::kReset:
      return end_connection(std::move(pending), step);
    case Fate::kDuplicate:
      return duplicate(std::move(pending), rest, step);
    case Fate::kCorrupt:
    case Fate::kTruncate:
      if (pending.owed.touched->plan->of_request) return damage(std::move(pending), rest, step);
      break;
    default:
      break;
  }
  return forward(std::move(pending), step);
}

bool ToServer::respond(Pending pending, Step& step) {
  Owed& owed = pending.owed;
  if (owed.kind == CommandKind::kExec && session_.expects_transaction) {
    return poison(std::move(pending), step);
  }
  owed.queued = is_queued(owed);
  if (session_.expects_transaction && !owed.queued) {
    session_.skip(owed, "within a transaction a server refuses it, and goes on");
    return forward(std::move(pending), step);
  }
  step.act = Substitute{.bytes = pending.bytes,
                        .with = std::string(owed.queued ? kHarmless : kUnknownCommand)};
  drops_rest_ = !pending.whole;
  if (mode_.answers(ReplyMode::Said::kNothing)) {
    session_.ledger.push(std::move(owed));
  } else {
    session_.tell_made_up(owed, "no answer wanted", ServerOutcome::kDidNot);
  }
  return false;
}

bool ToServer::duplicate(Pending pending, ByteView rest, Step& step) {
  Owed& owed = pending.owed;
  if (!pending.whole || is_queued(owed)) {
    session_.skip(owed, pending.whole ? "EXEC would answer more commands than the client has asked"
                                      : "the command is too long to be kept for a second time");
    return forward(std::move(pending), step);
  }
  const std::string command(rest.substr(0, pending.bytes));
  owed.touched->fate = Fate::kForward;
  Owed second{.unit = owed.unit};
  second.touched = std::make_unique<Touched>(Touched{.fate = Fate::kSecond});
  forward(std::move(pending), step);
  if (mode_.answers(ReplyMode::Said::kNothing)) session_.ledger.push(std::move(second));
  step.act = Substitute{.with = command};
  return false;
}

// Bytes of the request are changed, or it ends early.
bool ToServer::damage(Pending pending, ByteView rest, Step& step) {
  Owed& owed = pending.owed;
  const ReplyPlan& plan = *owed.touched->plan;
  std::string wire(rest.substr(0, pending.bytes));
  // What the command is called stays; a line that somebody types has no frame to look for.
  std::vector<PayloadSpan> spans =
      wire.starts_with('*') ? payload_of(wire) : std::vector<PayloadSpan>();
  if (!spans.empty()) spans.erase(spans.begin());
  if (owed.fate() == Fate::kTruncate) {
    const auto cut = cut_after(spans, plan.bytes);
    if (cut) {
      owed.touched->fate = Fate::kClose;
      pending.with = wire.substr(0, *cut);
      return end_connection(std::move(pending), step);
    }
  } else if (!spans.empty()) {
    if (plan.framing) {
      wire[wire.rfind('$', spans.back().at - 1)] = 'x';
    } else {
      corrupt_payload(wire, spans, plan.bytes, owed.touched->seed);
    }
    owed.touched->fate = Fate::kForward;
    const std::size_t bytes = std::exchange(pending.bytes, 0);
    forward(std::move(pending), step);
    step.act = Substitute{.bytes = bytes, .with = std::move(wire)};
    return false;
  }
  session_.skip(owed, "its arguments have too few bytes");
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
  if (owed.kind == CommandKind::kMulti && !session_.expects_transaction) {
    session_.expects_transaction = true;
    ++session_.transactions;
    db_outside_ = session_.expects_db;
  }
  if (owed.kind == CommandKind::kSelect) session_.expects_db = owed.answers;
  if (owed.kind == CommandKind::kDiscard) session_.expects_db = db_outside_;
  if (owed.kind == CommandKind::kReset) session_.expects_db = 0;
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
  if (owed.kind == CommandKind::kSelect) session_.db = owed.answers;
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
  } else if (owed.touched->plan) {
    session_.tell_made_up(owed, "no answer wanted", ServerOutcome::kDidNot);
  } else {
    session_.tell_injected(owed);
  }
  return false;
}

bool ToServer::end_connection(Pending pending, Step& step) {
  drops_all_ = true;
  if (session_.ledger.empty() && session_.replies_at_border) {
    session_.tell_injected(pending.owed);
    closes_next_ = !pending.with.empty();
    if (!closes_next_) {
      session_.closed = true;
      step.act = Close{.reset = pending.owed.fate() == Fate::kReset};
      return false;
    }
  } else {
    session_.ledger.push(std::move(pending.owed));
  }
  step.act = Substitute{.bytes = pending.bytes, .with = std::move(pending.with)};
  return false;
}

}  // namespace misrule::codecs::redis
