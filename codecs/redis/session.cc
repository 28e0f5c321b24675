#include "codecs/redis/session.h"

#include <utility>

namespace misrule::codecs::redis {
namespace {

using Fate = Touched::Fate;

std::string first_word(std::string_view text) {
  return std::string(text.substr(0, text.find(' ')));
}

}  // namespace

void Session::tell(const Owed& owed, Exchange exchange) {
  if (owed.told || owed.fate() == Fate::kSecond || !host.follows()) return;
  exchange.unit = owed.unit;
  exchange.tag = owed.tag();
  host.exchanged(exchange);
}

void Session::tell_answered(const Owed& owed, std::string reply, bool is_error) {
  if (!host.follows()) return;
  Exchange exchange{.failed = is_error,
                    .server = is_error ? ServerOutcome::kDidNot : ServerOutcome::kDid};
  if (is_error) exchange.code = first_word(reply);
  exchange.reply = std::move(reply);
  tell(owed, std::move(exchange));
}

void Session::tell_injected(const Owed& owed, ServerOutcome server) {
  Exchange exchange{.failed = true, .server = server};
  if (owed.touched->error.empty()) {
    const bool is_reset = owed.fate() == Fate::kReset || owed.touched->resets;
    exchange.reply = is_reset ? "connection reset" : "connection closed";
  } else {
    exchange.reply = owed.touched->error;
    exchange.code = first_word(exchange.reply);
  }
  tell(owed, std::move(exchange));
}

void Session::tell_made_up(const Owed& owed, std::string reply, ServerOutcome server) {
  tell(owed, {.reply = std::move(reply), .server = server});
}

void Session::tell_cut_off(const Owed& owed) {
  tell(owed, {.reply = "cut off", .failed = true, .server = ServerOutcome::kDid});
}

void Session::skip(Owed& owed, std::string_view why) {
  host.skipped(owed.unit, why);
  owed.touched->fate = Fate::kForward;
  owed.touched->tag = 0;
}

void Session::note_quiet() {
  if (!ledger.empty()) return;
  expects_transaction = in_transaction;
  if (!in_transaction) expects_db = db;
}

void Session::tell_silent(const Owed& owed) {
  tell(owed, {.reply = "no answer wanted", .server = ServerOutcome::kUnknown});
}

void Session::tell_queue_undone(bool is_failure) {
  while (!queue.empty()) {
    tell(queue.take_unit(), {.reply = "discarded with its transaction",
                             .failed = is_failure,
                             .server = ServerOutcome::kDidNot});
  }
}

void Session::tell_queue_untold() {
  while (!queue.empty()) {
    const Owed owed = queue.take_unit();
    // In the place of some the server did something else.
    const bool was_asked = reaches_server(owed.fate());
    tell(owed, {.reply = "lost with its transaction's answer",
                .failed = true,
                .server = was_asked ? ServerOutcome::kDid : ServerOutcome::kDidNot});
  }
}

void Session::tell_unanswered(const Owed& owed, std::string_view reply) {
  const bool forwarded = reaches_server(owed.fate());
  tell(owed, {.reply = std::string(reply),
              .failed = true,
              .server = forwarded ? ServerOutcome::kUnknown : ServerOutcome::kDidNot});
}

void Session::tell_all_unanswered(std::string_view reply) {
  while (!queue.empty()) tell_unanswered(queue.take_unit(), reply);
  while (!ledger.empty()) tell_unanswered(ledger.take_unit(), reply);
}

bool Session::owes_injection() const {
  const auto is_injected = [](const Owed& owed) { return owed.fate() != Fate::kForward; };
  return ledger.any(is_injected) || queue.any(is_injected);
}

void Session::requests_opaque(std::string_view why) {
  requests_raw = true;
  if (!std::exchange(opaque_told_, true)) host.went_opaque(why);
}

void Session::all_opaque(std::string_view why) {
  replies_raw = true;
  requests_opaque(why);
}

}  // namespace misrule::codecs::redis
