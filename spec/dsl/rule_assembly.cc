#include "spec/dsl/rule_assembly.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace misrule::dsl {
namespace {

std::unexpected<Error> refuse(std::string what, std::string_view field = {}) {
  return fail(Code::kInvalid, std::move(what), field);
}

/// The first keyword that only traffic has; empty if there is none.
std::string_view traffic_word(const RuleDraft& draft) {
  if (!draft.traffic.said.empty()) return draft.traffic.said.front().keyword;
  return draft.side_said ? "side" : "";
}

Status check_family_action(const RuleDraft& draft, const std::string& family) {
  const bool calls = draft.verb == ActionVerb::kDeny || draft.verb == ActionVerb::kDelay;
  if (!calls) {
    return refuse(
        fmt::format("{}() acts on traffic, not on the system call {}: give it without a keyword, "
                    "or fail the call "
                    "with {}=deny(\"EIO\")",
                    verb_name(draft.verb), family, family));
  }
  if (const std::string_view field = traffic_word(draft); !field.empty()) {
    return refuse(
        fmt::format("{}= is for traffic; a system call is matched by path= and fd_kind=", field),
        field);
  }
  if (draft.rule.has_source()) {
    return refuse(
        fmt::format("source= is for traffic; {}= is about the target's own calls", family),
        "source");
  }
  return {};
}

Status check_connect_words(const RuleDraft& draft, const RuleUse& use) {
  const bool is_connect = use.family == "connect";
  if (is_connect && (draft.path || draft.fd_kind)) {
    const std::string_view field = draft.path ? "path" : "fd_kind";
    return refuse(fmt::format("{}= can never match a connect; to= says where to", field), field);
  }
  if (!is_connect && (draft.to || draft.established)) {
    const std::string_view field = draft.to ? "to" : "established";
    return refuse(
        fmt::format("{}= is for connect; {} is matched by path= and fd_kind=", field, use.family),
        field);
  }
  return {};
}

/// Paths of files are absolute and canonical when they are compared.
Status check_file_path(const std::string& path) {
  if (path.empty()) return refuse("path= is empty: no file is called so", "path");
  if (!std::string_view("/*?\\").contains(path.front())) {
    return refuse(fmt::format("path=\"{}\" can never match: paths of files are absolute; did you "
                              "mean \"*/{}\"?",
                              path, path),
                  "path");
  }
  const std::string whole = path + "/";
  if (whole.contains("/../") || whole.contains("/./") || path.contains("//")) {
    return refuse(fmt::format("path=\"{}\" can never match: paths of files are compared without "
                              "\"//\", \"/./\" and \"/../\"",
                              path),
                  "path");
  }
  return {};
}

Status check_fd_kind(const RuleDraft& draft, const RuleUse& use) {
  if (!draft.fd_kind || use.family == "read" || use.family == "write") return {};
  return refuse(fmt::format("fd_kind= narrows read= and write=, not {}=", use.family), "fd_kind");
}

Status check_process(const Session& session, const RuleUse& use) {
  const model::Service* service = session.find_service(use.target.service());
  if (use.target.has_interface()) {
    return refuse(fmt::format(
        "{}= is about the processes of a service: the target is {}, not {}.{}", use.family,
        use.target.service(), use.target.service(), use.target.interface()));
  }
  if (service != nullptr && !service->remote.empty()) {
    return refuse(fmt::format("{} runs elsewhere (remote=): its system calls are out of reach",
                              service->name));
  }
  return {};
}

Result<model::Rule> assemble_syscall_rule(const Session& session, const RuleDraft& draft,
                                          const RuleUse& use) {
  MISRULE_TRY_VOID(check_process(session, use));
  MISRULE_TRY_VOID(check_family_action(draft, use.family));
  MISRULE_TRY_VOID(check_connect_words(draft, use));
  MISRULE_TRY_VOID(check_fd_kind(draft, use));
  model::Rule rule = draft.rule;
  model::SyscallMatch& match = *rule.mutable_syscall();
  match.set_family(use.family);
  if (draft.path) match.set_path(*draft.path);
  if (draft.fd_kind) match.set_fd_kind(*draft.fd_kind);
  if (draft.established) match.set_established(*draft.established);
  if (draft.to) {
    *match.mutable_to() = *draft.to;
  } else if (use.to && use.family == "connect") {
    *match.mutable_to() = *use.to;
  }
  return rule;
}

/// A service that reaches its own port is its inner life; no proxy sees it.
Status check_two_ends(const model::Rule& rule) {
  const std::string& target = rule.target().service();
  if (rule.has_source() && rule.source() == target) {
    return refuse(fmt::format("source= is the target itself: what {} sends to itself passes no "
                              "proxy, so the rule can never match",
                              target),
                  "source");
  }
  if (rule.has_syscall() && rule.syscall().has_to() && rule.syscall().to().service() == target) {
    return refuse(fmt::format("to= is the target itself: a connection of {} to itself is never "
                              "denied or delayed",
                              target),
                  "to");
  }
  return {};
}

/// The protocol of the target, where it is one.
std::optional<model::Protocol> protocol_of(const Session& session, const model::Target& target) {
  const model::Service* service = session.find_service(target.service());
  if (service == nullptr) return std::nullopt;
  if (target.has_interface()) {
    const model::Interface* interface = service->find_interface(target.interface());
    return interface == nullptr ? std::nullopt : std::optional(interface->protocol);
  }
  if (service->interfaces.size() != 1) return std::nullopt;
  return service->interfaces.front().protocol;
}

void set_match_of_protocol(model::Protocol protocol, model::Rule& rule) {
  if (protocol == model::Protocol::kPostgres) {
    rule.mutable_postgres();
  } else if (protocol == model::Protocol::kHttp) {
    rule.mutable_http();
  } else if (protocol == model::Protocol::kRedis) {
    rule.mutable_redis();
  } else {
    rule.mutable_tcp();
  }
}

/// "query= is for postgres, path= is for http: a rule is for one of them".
std::string protocols_text(const RuleDraft& draft) {
  std::vector<std::string> parts;
  parts.reserve(draft.traffic.said.size() + 1);
  for (const TrafficWord& word : draft.traffic.said) {
    parts.push_back(fmt::format("{}= is for {}", word.keyword, protocol_name(word.protocol)));
  }
  if (draft.path) parts.emplace_back("path= is for http");
  return fmt::format("{}: a rule is for one of them", fmt::join(parts, ", "));
}

Status check_traffic_words(const RuleDraft& draft) {
  if (draft.verb == ActionVerb::kDeny) {
    return refuse(
        "deny() fails a system call: say which, as in write=deny(\"EIO\") or "
        "connect=deny(\"ECONNREFUSED\"); what a server answers is error()");
  }
  if (draft.fd_kind || draft.established || draft.to) {
    const std::string_view field = draft.fd_kind ? "fd_kind" : draft.to ? "to" : "established";
    return refuse(
        fmt::format("{}= is for system calls, as in write={}(...)", field, verb_name(draft.verb)),
        field);
  }
  const TrafficMatch& said = draft.traffic;
  const int protocols = int{said.is_about(model::Protocol::kPostgres)} +
                        int{draft.path || said.is_about(model::Protocol::kHttp)} +
                        int{said.is_about(model::Protocol::kRedis)};
  if (protocols > 1) return refuse(protocols_text(draft), said.said.back().keyword);
  return {};
}

Result<model::Rule> assemble_traffic_rule(const Session& session, const RuleDraft& draft,
                                          const RuleUse& use) {
  MISRULE_TRY_VOID(check_traffic_words(draft));
  model::Rule rule = draft.rule;
  if (!rule.has_source() && use.source) rule.set_source(*use.source);
  const TrafficMatch& said = draft.traffic;
  if (said.is_about(model::Protocol::kPostgres)) *rule.mutable_postgres() = said.postgres;
  if (said.is_about(model::Protocol::kHttp)) *rule.mutable_http() = said.http;
  if (said.is_about(model::Protocol::kRedis)) *rule.mutable_redis() = said.redis;
  if (draft.path) rule.mutable_http()->set_path(*draft.path);
  const bool is_link = draft.verb == ActionVerb::kLink;  // About bytes, whatever they mean.
  if (rule.match_case() == model::Rule::MATCH_NOT_SET && !is_link) {
    if (const auto protocol = protocol_of(session, use.target))
      set_match_of_protocol(*protocol, rule);
  }
  return rule;
}

}  // namespace

Status check_can_match(const model::Rule& rule) {
  if (rule.syscall().has_path()) MISRULE_TRY_VOID(check_file_path(rule.syscall().path()));
  return rule.target().service().empty() ? Status() : check_two_ends(rule);
}

Result<model::Rule> assemble_rule(const Session& session, const RuleDraft& draft,
                                  const RuleUse& use) {
  MISRULE_TRY(model::Rule rule, use.family.empty() ? assemble_traffic_rule(session, draft, use)
                                                   : assemble_syscall_rule(session, draft, use));
  *rule.mutable_target() = use.target;
  set_position(draft.at, rule);
  MISRULE_TRY_VOID(check_can_match(rule));
  const bool known_source = !rule.has_source() || rule.source() == "test" ||
                            session.find_service(rule.source()) != nullptr;
  if (!known_source) {
    std::vector<std::string> known = {"test"};
    for (const model::Service& service : session.topology.services) known.push_back(service.name);
    return refuse(fmt::format("source=\"{}\" is no service; \"test\" is the test itself{}",
                              rule.source(), did_you_mean(rule.source(), known)),
                  "source");
  }
  if (session.options.check_rule) {
    MISRULE_TRY_VOID(session.options.check_rule(session.topology, rule));
  }
  return rule;
}

void set_position(star::Span at, model::Rule& rule) {
  const model::SourcePosition from = position_of(at);
  model::Position& position = *rule.mutable_position();
  position.set_file(from.file);
  position.set_line(from.line);
  position.set_column(from.column);
  if (at) position.set_column_end(column_end_of(at));
}

star::Complaint rule_complaint(const Error& error, const RuleDraft& draft, const RuleUse& use,
                               star::Span used) {
  star::Complaint complaint = {.message = "fault: " + error.what};
  if (error.field == "source" && !draft.rule.has_source() && use.source_at) {
    complaint.at = use.source_at;
    return complaint;
  }
  const star::Span whole = draft.at ? draft.at : used;
  const auto written = draft.written.find(error.field);
  complaint.at = written == draft.written.end() ? whole : written->second;
  const bool here = whole.file == used.file && used.lo <= whole.lo && whole.hi <= used.hi;
  if (!here && used) complaint.labels.push_back({used, "used here"});
  return complaint;
}

}  // namespace misrule::dsl
