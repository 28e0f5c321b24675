#pragma once

// Answers that a real server could have sent.

#include <string>
#include <string_view>

#include "codecs/facts.h"

namespace misrule::codecs::http {

/// What the answer must fit.
struct ReplyTo {
  bool head = false;            ///< HEAD: the same fields, no body.
  bool old_keep_alive = false;  ///< HTTP/1.0 that asked to stay: it must be told that it may.
  bool close = false;           ///< The connection ends after this answer.
};

/// "503 Service Unavailable" without a body has none; an unknown status has no phrase.
std::string_view reason_phrase(unsigned status);

void append_reply(std::string& out, const ErrorText& error, const ReplyTo& to);
/// In the same way, what a rule made up.
void append_reply(std::string& out, const ReplyPlan& plan, const ReplyTo& to);
/// What a verb that stands in for the server tells the client.
void append_told(std::string& out, const Verb& verb, const ReplyTo& to);
unsigned told_status(const Verb& verb);

}  // namespace misrule::codecs::http
