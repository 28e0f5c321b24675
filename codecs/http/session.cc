#include "codecs/http/session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace misrule::codecs::http {
namespace {

Exchange connection_closed(const Owed& owed) {
  const bool forwarded = owed.fate == Owed::Fate::kForwarded;
  return {.unit = owed.unit,
          .reply = "connection closed",
          .failed = true,
          .server = forwarded ? ServerOutcome::kUnknown : ServerOutcome::kDidNot,
          .tag = owed.tag};
}

// "HTTP/1.1 503 ...": an answer is our own, so its status stands where it always does.
std::string_view status_of(std::string_view answer) { return answer.substr(9, 3); }

Exchange answered(const Owed& owed) {
  const std::string status(status_of(owed.answer));
  return {.unit = owed.unit,
          .reply = status,
          .code = status,
          .failed = status >= "400",
          .server = ServerOutcome::kDidNot,
          .tag = owed.tag};
}

}  // namespace

Injection Session::take_ready() {
  Injection injection;
  while (!ledger_.empty() && !server_done && injection.end == Injection::End::kNone) {
    Owed& owed = ledger_.front();
    switch (owed.fate) {
      case Owed::Fate::kAnswer:
        if (!owed.ready) return injection;
        injection.bytes += owed.answer;
        if (owed.close_after) injection.end = Injection::End::kClose;
        host_.exchanged(answered(owed));
        break;
      case Owed::Fate::kClose:
      case Owed::Fate::kReset:
        injection.end =
            owed.fate == Owed::Fate::kReset ? Injection::End::kReset : Injection::End::kClose;
        host_.exchanged(connection_closed(owed));
        break;
      case Owed::Fate::kUndecided:
      case Owed::Fate::kForwarded:
      case Owed::Fate::kNever:
        return injection;
    }
    ledger_.pop();
  }
  if (injection.end != Injection::End::kNone) {
    finish_all();
    closed = true;
  }
  return injection;
}

void Session::lose_front(unsigned status, bool in_it) {
  const Owed& owed = ledger_.front();
  host_.exchanged({.unit = owed.unit,
                   .reply = in_it ? fmt::format("connection closed within {}", status)
                                  : fmt::format("connection closed in place of {}", status),
                   .failed = true,
                   .server = ServerOutcome::kDid,
                   .tag = owed.tag});
  ledger_.pop();
}

void Session::finish_front(unsigned status, const Told& told) {
  const Owed& owed = ledger_.front();
  if (!host_.follows()) return ledger_.pop();
  const unsigned seen = told.status == 0 ? status : told.status;
  std::string reply = std::to_string(seen);
  if (told.status != 0) reply += fmt::format(" in place of {}", status);
  if (!told.how.empty()) reply += fmt::format(", {}", told.how);
  if (!owed.repeated) {
    host_.exchanged({.unit = owed.unit,
                     .reply = std::move(reply),
                     .code = std::to_string(seen),
                     .failed = seen >= 400,
                     .server = ServerOutcome::kDid,
                     .tag = owed.tag});
  }
  ledger_.pop();
}

void Session::finish_all() {
  while (!ledger_.empty()) {
    if (!ledger_.front().repeated) host_.exchanged(connection_closed(ledger_.front()));
    ledger_.pop();
  }
}

void Session::finish_all_unseen() {
  for (; !ledger_.empty(); ledger_.pop()) {
    const Owed& owed = ledger_.front();
    if (owed.repeated) continue;
    host_.exchanged({.unit = owed.unit,
                     .reply = "not decoded",
                     .server = ServerOutcome::kUnknown,
                     .tag = owed.tag});
  }
}

bool Session::owes_injection() const {
  return std::ranges::any_of(ledger_, [](const Owed& owed) {
    return owed.fate != Owed::Fate::kForwarded && owed.fate != Owed::Fate::kUndecided;
  });
}

void Session::tell_opaque(std::string_view why) {
  if (!std::exchange(opaque_told_, true)) host_.went_opaque(why);
}

void Session::requests_opaque(std::string_view why) {
  requests_raw = true;
  tell_opaque(why);
}

void Session::all_opaque(std::string_view why) {
  requests_raw = true;
  replies_raw = true;
  tell_opaque(why);
}

}  // namespace misrule::codecs::http
