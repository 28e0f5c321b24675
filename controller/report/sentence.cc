#include "controller/report/sentence.h"

#include <algorithm>

#include <fmt/format.h>

#include "controller/report/text.h"

namespace misrule::controller {

namespace {

using model::Event;

std::string field(const Event& event, std::string_view name) {
  const model::Field* found = event.find(name);
  return found == nullptr ? std::string() : printable(model::field_text(*found));
}

/// "a b" without the blank where one of them is empty.
std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : first + " " + second;
}

std::string from_to(const std::string& from, const std::string& to) {
  return to.empty() ? from : fmt::format("{} → {}", from, to);
}

/// SQL text, or method and path, or whatever operation there was.
std::string request_text(const Event& event) {
  if (std::string query = field(event, "query"); !query.empty()) return query;
  if (std::string path = field(event, "path"); !path.empty()) {
    return joined(field(event, "method"), path);
  }
  return field(event, "operation");
}

std::string_view server_text(const Event& event) {
  const std::string server = field(event, "server");
  if (server == "did_not") return " (server did nothing)";
  if (server == "did") return " (server did it)";
  return server == "unknown" ? " (whether the server did it is unknown)" : "";
}

/// What the rule did, in its own words; the reply says more than "error".
std::string rule_text(const Event& event) {
  const std::string rule = field(event, "rule");
  if (rule.empty()) return "";
  const std::string reply = field(event, "reply");
  std::string did =
      field(event, "action") == "error" && !reply.empty() ? reply : field(event, "decision");
  if (did.empty()) did = field(event, "action");
  return fmt::format("rule {}: {}{}", rule, did, server_text(event));
}

/// A word of the proxy about a connection, not a request with its reply.
std::string remark_text(const Event& event) {
  const std::string action = field(event, "action");
  if (action == "opaque") return "cannot be decoded from here on: " + field(event, "reason");
  if (action == "tls_failed") return "no TLS: " + field(event, "reason");
  return action == "released" ? "goes on: " + field(event, "reason") : "";
}

Sentence proxy_sentence(const Event& event) {
  if (std::string remark = remark_text(event); !remark.empty()) {
    const std::string rule = field(event, "rule");
    return {.who = from_to(event.service, field(event, "to")),
            .what = std::move(remark),
            .rule = rule.empty() ? "" : "rule " + rule};
  }
  Sentence sentence = {.who = from_to(event.service, field(event, "to")),
                       .what = request_text(event),
                       .rule = rule_text(event)};
  const std::string reply = field(event, "reply");
  if (sentence.rule.empty() && !reply.empty()) sentence.rule = "⇒ " + reply;
  return sentence;
}

Sentence syscall_sentence(const Event& event) {
  const std::string name = field(event, "name");
  const std::string& call = name.empty() ? field(event, "syscall") : name;
  const std::string path = field(event, "path");
  const std::string to = field(event, "to");
  Sentence sentence = {.who = event.service, .what = joined(call, path), .rule = rule_text(event)};
  if (path.empty() && !to.empty()) sentence.what = fmt::format("{} to {}", call, to);
  if (sentence.rule.empty()) sentence.rule = field(event, "decision");
  return sentence;
}

Sentence answer_sentence(const Event& event) {
  const std::string error = field(event, "error");
  const std::string status = field(event, "status");
  std::string what = status.empty() || status == "0" ? "ok" : status;
  if (!error.empty()) what = joined(field(event, "code"), error);
  if (const std::string took = field(event, "duration_ms"); !took.empty()) {
    what += fmt::format(" after {} ms", took);
  }
  return {.who = from_to(field(event, "to"), event.service), .what = what};
}

std::string exit_text(const Event& event) {
  if (const std::string signal = field(event, "signal"); !signal.empty() && signal != "0") {
    return "was ended by signal " + signal;
  }
  return "exited with code " + field(event, "code");
}

Sentence lifecycle_sentence(const Event& event) {
  const std::string action = field(event, "action");
  std::string what = action == "exited" ? exit_text(event) : action;
  std::ranges::replace(what, '_', ' ');
  if (const std::string took = field(event, "duration_ms"); !took.empty()) {
    what += fmt::format(" after {} ms", took);
  }
  if (const std::string detail = field(event, "detail"); !detail.empty()) what += ": " + detail;
  Sentence sentence = {.who = event.service, .what = what};
  if (const std::string rule = field(event, "rule"); !rule.empty()) sentence.rule = "rule " + rule;
  if (const std::string why = field(event, "explained_by"); !why.empty()) {
    sentence.rule = fmt::format("explained by rule {}", why);
  }
  return sentence;
}

Sentence unknown_sentence(const Event& event) {
  std::string what = event.type;
  for (const auto& [name, value] : event.fields) {
    what += fmt::format(" {}={}", name, printable(model::field_text(value)));
  }
  return {.who = event.service, .what = what};
}

/// "rule test_x/1: ..." of test_x becomes "rule 1: ...".
void shorten_rule(std::string& rule, std::string_view test) {
  const std::string prefix = fmt::format("rule {}/", test);
  const std::size_t at = test.empty() ? std::string::npos : rule.find(prefix);
  if (at != std::string::npos) rule.replace(at, prefix.size(), "rule ");
}

std::string time_text(const Event& event) {
  const std::int64_t at = event.source_time_ns != 0 ? event.source_time_ns : event.time_ns;
  return fmt::format("{:7.3f} s", static_cast<double>(at) / 1e9);
}

}  // namespace

Sentence sentence_of(const Event& event) {
  if (event.type == "step_send") {
    return {.who = from_to(event.service, field(event, "to")), .what = request_text(event)};
  }
  if (event.type == "step_recv") return answer_sentence(event);
  if (event.type == "proxy") return proxy_sentence(event);
  if (event.type == "syscall") return syscall_sentence(event);
  if (event.type == "lifecycle") return lifecycle_sentence(event);
  if (event.type == "stdout" || event.type == "stderr") {
    return {.who = event.service, .what = "printed: " + field(event, "body")};
  }
  if (event.type == "file") {
    return {.who = event.service,
            .what = fmt::format("wrote to {}: {}", field(event, "path"), field(event, "body"))};
  }
  return unknown_sentence(event);
}

std::string short_rule_id(std::string_view rule, std::string_view test) {
  const bool own = !test.empty() && rule.size() > test.size() + 1 && rule.starts_with(test) &&
                   rule[test.size()] == '/';
  return std::string(own ? rule.substr(test.size() + 1) : rule);
}

std::vector<std::string> story_lines(const std::vector<Event>& story, const StoryLook& look) {
  constexpr std::size_t kWhatMin = 24;
  std::vector<Sentence> sentences;
  std::size_t who = 0;
  std::size_t what = 0;
  for (const Event& event : story) {
    sentences.push_back(sentence_of(event));
    shorten_rule(sentences.back().rule, look.test);
    who = std::max(who, text_columns(sentences.back().who));
    what = std::max(what, text_columns(sentences.back().what));
  }
  const std::size_t before = 9 + 2 + who + 2;
  const std::size_t room = look.columns > before + kWhatMin ? look.columns - before : kWhatMin;
  what = std::min(what, std::max(kWhatMin, room / 2));

  std::vector<std::string> lines;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const Sentence& s = sentences[i];
    std::string line = fmt::format("{}  {}  ", time_text(story[i]), padded(s.who, who));
    if (s.rule.empty()) {
      lines.push_back(line + cut_to(s.what, room));
    } else if (what + 2 + text_columns(s.rule) <= room) {
      lines.push_back(line + padded(cut_to(s.what, what), what) + "  " + s.rule);
    } else {
      lines.push_back(line + cut_to(s.what, room));
      lines.push_back(std::string(before + 2, ' ') + s.rule);
    }
  }
  return lines;
}

}  // namespace misrule::controller
