#include "proxy/rules/compile_rule.h"

#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/duration_text.h"
#include "codecs/http/path.h"
#include "codecs/postgres/sql.h"
#include "codecs/postgres/sqlstate.h"
#include "proxy/proxy.h"
#include "proxy/rules/redis_legality.h"
#include "proxy/rules/reply_plan.h"
#include "proxy/rules/words.h"
#include "spec/model/link_text.h"

namespace misrule::rules {
namespace {

using model::Protocol;

std::string drop_text(const model::Drop& drop) {
  if (drop.reset()) return drop.side() == "reply" ? "reset(reply)" : "reset";
  if (drop.side() == "reply") return "drop(connection, reply)";
  return fmt::format("drop({})", drop.has_mode() ? drop.mode() : "connection");
}

bool loses_message(const model::Rule& rule) {
  const model::Drop& drop = rule.drop();
  return rule.redis().has_channel() && !drop.has_mode() && !drop.has_side() && !drop.reset();
}

DelayShape delay_shape(const model::Delay& delay) {
  using Distribution = DelayShape::Distribution;
  return {.duration = std::chrono::microseconds(delay.duration_us()),
          .jitter = std::chrono::microseconds(delay.jitter_us()),
          .distribution =
              distribution_from_name(delay.distribution()).value_or(Distribution::kUniform)};
}

SessionMatch session_match(const model::PostgresMatch& match) {
  SessionMatch session;
  if (match.has_user()) session.user = match.user();
  if (match.has_database()) session.database = match.database();
  if (match.has_application_name()) session.application_name = match.application_name();
  if (match.has_in_transaction()) session.in_transaction = match.in_transaction();
  return session;
}

std::string_view side_text(const std::string& side) { return side == "request" ? ", request" : ""; }

std::string action_text(const model::Rule& rule) {
  switch (rule.action_case()) {
    case model::Rule::kRespond: {
      const model::Respond& respond = rule.respond();
      if (respond.has_status()) return fmt::format("respond({})", respond.status());
      if (respond.has_tag()) return fmt::format("respond({})", respond.tag());
      if (respond.columns_size() != 0) return fmt::format("respond({} rows)", respond.rows_size());
      return "respond";
    }
    case model::Rule::kRewrite:
      return "rewrite";
    case model::Rule::kDuplicate:
      return "duplicate";
    case model::Rule::kCorrupt:
      return fmt::format("corrupt({}{})", rule.corrupt().framing() ? "framing" : "payload",
                         side_text(rule.corrupt().side()));
    case model::Rule::kTruncate:
      return fmt::format("truncate({}{})", rule.truncate().bytes(),
                         side_text(rule.truncate().side()));
    default:
      return rule.hold().side() == "reply" ? "hold(reply)" : "hold";
  }
}

std::string decision_text(const model::Rule& rule) {
  if (rule.has_delay()) return delay_text(delay_shape(rule.delay()));
  if (rule.has_drop()) return loses_message(rule) ? "drop(message)" : drop_text(rule.drop());
  if (rule.has_link()) return model::link_text(rule.link());
  if (!rule.has_error()) return action_text(rule);
  const std::string mode = rule.error().mode() == "mask" ? ", mask" : "";
  if (rule.error().has_code()) return fmt::format("error({}{})", rule.error().code(), mode);
  return fmt::format("error({}{})", rule.error().status(), mode);
}

std::string_view action_word(const model::Rule& rule) {
  switch (rule.action_case()) {
    case model::Rule::kRespond:
      return "respond";
    case model::Rule::kRewrite:
      return "rewrite";
    case model::Rule::kDuplicate:
      return "duplicate";
    case model::Rule::kCorrupt:
      return "corrupt";
    case model::Rule::kTruncate:
      return "truncate";
    case model::Rule::kHold:
      return "hold";
    default:
      break;
  }
  if (rule.has_delay()) return "delay";
  if (rule.has_link()) return "link";
  return rule.has_drop() ? "drop" : "error";
}

codecs::Verb error_verb(const model::ErrorReply& error, Protocol protocol) {
  codecs::Verb verb;
  if (protocol == Protocol::kPostgres) {
    verb.kind = codecs::Verb::Kind::kPoison;
    verb.error.code = error.code();
    verb.error.message = error.message();
    const bool fatal = codecs::postgres::ends_connection(error.code());
    verb.error.severity = fatal ? "FATAL" : "ERROR";
    verb.after_rows = error.after_rows();
    if (error.mode() == "mask") verb.kind = codecs::Verb::Kind::kMask;
    return verb;
  }
  const bool masks = error.mode() == "mask";
  if (protocol == Protocol::kRedis) {
    verb.kind = masks ? codecs::Verb::Kind::kMask : codecs::Verb::Kind::kPoison;
    verb.error.code = error.code();
    verb.error.message = error.message();
    return verb;
  }
  verb.kind = masks ? codecs::Verb::Kind::kMask : codecs::Verb::Kind::kReplace;
  verb.error.status = error.status();
  verb.error.message = error.message();
  verb.error.body = error.has_body() ? error.body() : error.message();
  return verb;
}

/// As good as for ever: the connection, or the rule, ends first.
constexpr Duration kForEver = std::chrono::hours(24 * 365);

codecs::Verb drop_verb(const model::Rule& rule) {
  using Kind = codecs::Verb::Kind;
  const model::Drop& drop = rule.drop();
  codecs::Verb verb;
  // What is published can be lost alone.
  if (loses_message(rule)) {
    verb.kind = Kind::kSwallow;
    return verb;
  }
  const bool loses_reply = drop.mode() == "reply" || drop.side() == "reply";
  verb.kind = loses_reply ? Kind::kLose : (drop.reset() ? Kind::kReset : Kind::kClose);
  verb.resets = drop.reset();
  if (!drop.has_mode() || drop.mode() == "connection") return verb;
  verb.hold = kForEver;
  verb.hold_is_loss = true;
  verb.hold_reply = loses_reply;
  return verb;
}

codecs::Verb::Kind plan_kind(const model::Rule& rule) {
  using Kind = codecs::Verb::Kind;
  if (rule.has_respond()) return Kind::kRespond;
  if (rule.has_rewrite()) return Kind::kRewrite;
  if (rule.has_duplicate()) return Kind::kDuplicate;
  return rule.has_corrupt() ? Kind::kCorrupt : Kind::kTruncate;
}

codecs::Verb verb_of(const model::Rule& rule, Protocol protocol) {
  if (rule.has_error()) return error_verb(rule.error(), protocol);
  codecs::Verb verb;
  if (rule.has_delay()) {
    verb.hold = std::chrono::microseconds(rule.delay().duration_us());
    verb.hold_reply = rule.delay().side() == "reply";
    return verb;
  }
  if (rule.has_hold()) {
    verb.hold = kForEver;
    verb.hold_reply = rule.hold().side() == "reply";
    return verb;
  }
  if (auto plan = reply_plan(rule)) {
    verb.kind = plan_kind(rule);
    verb.plan = std::move(plan);
    return verb;
  }
  return drop_verb(rule);
}

// Patterns take the normal form of what they are compared with. What begins a comment in SQL does
// not in a pattern ("*/*" is three wildcards and slashes): such a one is left as it is.
std::string normalised_query(std::string_view query) {
  while (query.ends_with(' ') || query.ends_with(';')) query.remove_suffix(1);
  const bool comment =
      query.find("/*") != std::string_view::npos || query.find("--") != std::string_view::npos;
  return comment ? std::string(query) : codecs::postgres::normal_form(query);
}

}  // namespace

Result<std::vector<LegalRule>> legalise_rules(const model::RuleSet& rules,
                                              const model::Topology& topology) {
  std::vector<LegalRule> legal;
  std::unordered_set<std::string_view> ids;
  for (const model::Rule& rule : rules.rules()) {
    if (rule.has_syscall()) continue;
    if (rule.id().empty()) return fail(Code::kInvalid, "a rule has no id");
    if (!ids.insert(rule.id()).second) {
      return fail(Code::kInvalid, fmt::format("two rules have the id '{}'", rule.id()));
    }
    LegalRule& completed = legal.emplace_back();
    completed.rule = rule;
    auto targets = legalise(topology, completed.rule);
    if (!targets) {
      return std::unexpected(std::move(targets).error().with(fmt::format("rule '{}'", rule.id())));
    }
    completed.targets = *std::move(targets);
  }
  return legal;
}

RuleState name_rule(const model::Rule& rule) {
  RuleState state;
  state.name = {.id = rule.id(),
                .label = rule.label(),
                .action = std::string(action_word(rule)),
                .decision = decision_text(rule)};
  if (rule.has_position()) {
    state.name.position = {rule.position().file(), rule.position().line(),
                           rule.position().column()};
  }
  state.wording = rule.SerializeAsString();
  state.trigger = trigger_of(rule.trigger());
  return state;
}

CompiledRule compile_rule(const model::Rule& rule, Protocol protocol) {
  CompiledRule compiled;
  compiled.protocol = protocol;
  compiled.source = rule.source();
  if (rule.has_link()) {
    compiled.link = link_shapes(rule.link());
    return compiled;
  }
  compiled.verb = verb_of(rule, protocol);
  if (rule.has_delay()) compiled.delay = delay_shape(rule.delay());
  compiled.details = detail_matches(rule);
  compiled.phase = phase_of(rule);
  if (protocol == Protocol::kRedis && is_told_at_connect(rule)) {
    compiled.phase = codecs::Phase::kStartup;
  }
  if (const model::PostgresMatch& match = rule.postgres();
      match.has_user() || match.has_database() || match.has_application_name() ||
      match.has_in_transaction()) {
    compiled.session = session_match(match);
  }
  if (rule.has_http()) {
    compiled.method = in_capitals(rule.http().method());
    // A pattern with an encoded byte is about the path as it was sent: one of `details`.
    const bool decoded = !codecs::http::has_encoded_byte(rule.http().path());
    if (rule.http().has_path() && decoded) compiled.glob.emplace(rule.http().path());
  } else if (rule.has_redis()) {
    const model::RedisMatch& match = rule.redis();
    if (match.has_command()) compiled.command.emplace(match.command(), GlobCase::kInsensitive);
    if (match.has_key()) compiled.glob.emplace(match.key());
    if (match.has_channel()) compiled.glob.emplace(match.channel());
  } else if (rule.postgres().has_query()) {
    compiled.glob.emplace(normalised_query(rule.postgres().query()), GlobCase::kInsensitive);
  }
  return compiled;
}

}  // namespace misrule::rules

namespace misrule::proxy {

Status check_rule(const model::Topology& topology, model::Rule& rule) {
  if (rule.has_syscall()) return {};
  MISRULE_TRY_VOID(rules::check_source(topology, rule));
  MISRULE_TRY(const auto targets, rules::legalise(topology, rule));
  static_cast<void>(targets);
  return {};
}

}  // namespace misrule::proxy
