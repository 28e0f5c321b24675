#include "proxy/net/connection_host.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "proxy/net/acceptor.h"
#include "proxy/net/command_learner.h"
#include "proxy/net/event_text.h"
#include "proxy/net/shard.h"
#include "proxy/net/sockets.h"

namespace misrule::proxy {

namespace {

std::string actor_name(const Listener& listener, ListenerRecord& record) {
  const std::string who = listener.consumer.empty() ? "client" : listener.consumer;
  return fmt::format("{}#{}", who, record.next_connection());
}

const char* outcome_name(codecs::ServerOutcome outcome) {
  switch (outcome) {
    case codecs::ServerOutcome::kDid:
      return "did";
    case codecs::ServerOutcome::kDidNot:
      return "did_not";
    case codecs::ServerOutcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* release_reason(codecs::Released why) {
  switch (why) {
    case codecs::Released::kCancelled:
      return "the client asked for cancellation";
    case codecs::Released::kByHand:
      return "it was released";
    default:
      return "the rule ended";
  }
}

void set_subject(model::Event& event, const codecs::Facts& facts) {
  if (facts.protocol == "postgres") {
    event.set("query", event_text(facts.text.empty() ? facts.subject : facts.text));
    event.set("statement", event_text(facts.subject));
    if (!facts.state.empty()) event.set("state", std::string(facts.state));
  } else if (facts.protocol == "http") {
    event.set("method", event_text(facts.operation));
    event.set("path", event_text(facts.subject));
  } else if (facts.protocol == "redis") {
    event.set("command", event_text(facts.operation));
    if (!facts.keys.empty()) event.set("key", event_text(facts.subject));
    if (facts.keys.size() > 1) event.set("keys", static_cast<std::int64_t>(facts.keys.size()));
    event.set("arguments", static_cast<std::int64_t>(facts.arguments));
    if (facts.state == "transaction") event.set("state", std::string(facts.state));
  }
}

void set_code(model::Event& event, std::string_view protocol, const std::string& code) {
  if (code.empty()) return;
  std::int64_t status = 0;
  std::from_chars(code.data(), code.data() + code.size(), status);
  if (protocol == "http") {
    event.set("status", status);
  } else {
    event.set("code", code);
  }
}

}  // namespace

ConnectionHost::ConnectionHost(Shard& shard, const Acceptor& acceptor, std::uint64_t connection,
                               int client)
    : shard_(shard),
      acceptor_(acceptor),
      connection_(connection),
      client_(client),
      actor_(actor_name(acceptor.listener(), acceptor.record())) {
  if (!acceptor.listener().sniffs) protocol_ = acceptor.listener().protocol;
}

ConnectionHost::~ConnectionHost() = default;

codecs::Verb ConnectionHost::decide(const codecs::Facts& facts) {
  const bool again = facts.phase == codecs::Phase::kReply;
  if (!again) shard_.counts().messages_total.add(1);
  if (is_idle()) return {};
  const rules::Scope& scope = acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp));
  rules::Decision decision = scope.decide(facts, actor_, shard_.loop().now());
  if (again) {
    const auto open = std::ranges::find(open_, facts.unit, &OpenUnit::unit);
    if (open != open_.end()) {
      if (decision.verb.tag != 0) add_rule(*open, decision);
      return std::move(decision.verb);
    }
    if (decision.verb.tag != 0) open_unit(facts, decision);
    return std::move(decision.verb);
  }
  if (decision.verb.tag != 0 || shard_.options().record_all) open_unit(facts, decision);
  return std::move(decision.verb);
}

bool ConnectionHost::is_idle() const {
  return acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp)).idle() &&
         !shard_.options().record_all;
}

void ConnectionHost::passed(std::uint64_t units) { shard_.counts().messages_total.add(units); }

void ConnectionHost::open_unit(const codecs::Facts& facts, const rules::Decision& decision) {
  model::Event event = begin_event();
  event.set("operation", event_text(facts.operation));
  set_subject(event, facts);
  event.set("action", decision.rule == nullptr ? "forward" : decision.rule->action);
  if (decision.rule != nullptr) {
    event.set("rule", decision.rule->id);
    if (!decision.rule->label.empty()) event.set("label", decision.rule->label);
  }
  event.set("decision", decision.rule == nullptr ? "forward" : decision.rule->decision);
  open_.push({.unit = facts.unit,
              .tag = decision.verb.tag,
              .spent = decision.spent,
              .began = shard_.loop().now(),
              .event = std::move(event)});
}

/// A rule on the reply of a unit that was let through, or held, on its way there.
void ConnectionHost::add_rule(OpenUnit& open, const rules::Decision& decision) {
  open.tag = decision.verb.tag;
  open.spent = decision.spent;
  open.event.put("action", decision.rule->action).put("rule", decision.rule->id);
  open.event.remove("label");
  if (!decision.rule->label.empty()) open.event.set("label", decision.rule->label);
  open.event.put("decision", decision.rule->decision);
}

bool ConnectionHost::wants(codecs::Detail what) const {
  return acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp)).wants(what);
}

bool ConnectionHost::wants(codecs::Phase phase) const {
  return acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp)).wants(phase);
}

void ConnectionHost::skipped(std::uint64_t unit, std::string_view why) {
  const auto open = std::ranges::find(open_, unit, &OpenUnit::unit);
  if (open == open_.end() || open->tag == 0) return;
  model::Event event = begin_event();
  event.set("action", "skipped").set("reason", event_text(why));
  if (const rules::RuleName* rule = shard_.book().find(open->tag); rule != nullptr) {
    event.set("rule", rule->id);
    if (!rule->label.empty()) event.set("label", rule->label);
  }
  shard_.book().take_back(open->spent, actor_);
  open->tag = 0;
  open->event.put("action", "forward").put("decision", "forward");
  open->event.remove("rule");
  open->event.remove("label");
  shard_.options().sink.emit(std::move(event));
}

model::Event ConnectionHost::begin_event() const {
  const Listener& listener = acceptor_.listener();
  model::Event event;
  event.service = listener.consumer.empty() ? "client" : listener.consumer;
  event.type = "proxy";
  event.set("from", event.service);
  event.set("to", listener.service);
  event.set("interface", listener.interface);
  event.set("protocol", std::string(protocol_name()));
  event.set("connection", actor_.name());
  return event;
}

void ConnectionHost::exchanged(const codecs::Exchange& exchange) {
  const auto it = std::ranges::find(open_, exchange.unit, &OpenUnit::unit);
  if (it == open_.end()) return;
  OpenUnit open = std::move(*it);
  open_.erase(it, it + 1);
  tell(open, exchange);
}

void ConnectionHost::passes(codecs::Direction direction) {
  const Listener& listener = acceptor_.listener();
  const auto& tell_passing = shard_.options().passes;
  if (!tell_passing || listener.consumer.empty()) return;
  const bool to_server = direction == codecs::Direction::kToServer;
  tell_passing(to_server ? listener.consumer : listener.service,
               to_server ? listener.service : listener.consumer);
}

void ConnectionHost::tell(OpenUnit& open, const codecs::Exchange& exchange) {
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(shard_.loop().now() - open.began);
  model::Event& event = open.event;
  event.set("reply", event_text(exchange.reply));
  set_code(event, protocol_name(), exchange.code);
  if (exchange.rows >= 0) event.set("rows", exchange.rows);
  event.set("server", outcome_name(exchange.server));
  event.set("failed", exchange.failed);
  event.set("duration_ms", std::int64_t{took.count()});
  // A reply that the server sent, not one that is made up.
  if (walked_ == codecs::Direction::kToClient) passes(walked_);
  shard_.options().sink.emit(std::move(event));
}

void ConnectionHost::hold_ended(std::uint64_t unit, codecs::Released why) {
  model::Event event = begin_event();
  event.set("action", "released");
  if (const rules::RuleName* rule = shard_.book().find(tag_of(unit)); rule != nullptr) {
    event.set("rule", rule->id);
    if (!rule->label.empty()) event.set("label", rule->label);
  }
  event.set("reason", release_reason(why));
  shard_.options().sink.emit(std::move(event));
}

void ConnectionHost::hold_began(std::uint64_t unit) {
  const auto open = std::ranges::find(open_, unit, &OpenUnit::unit);
  if (open == open_.end()) return;
  const rules::RuleName* rule = shard_.book().find(open->tag);
  if (rule == nullptr || rule->action != "hold") return;
  model::Event event = open->event;
  event.put("action", "held");
  shard_.options().sink.emit(std::move(event));
}

std::string_view ConnectionHost::protocol_name() const {
  return protocol_ ? model::protocol_name(*protocol_) : "unknown";
}

void ConnectionHost::speaks(std::string_view protocol) {
  protocol_ = model::protocol_from_name(protocol);
}

std::string ConnectionHost::route_to(std::string_view node) {
  return shard_.route_to(acceptor_.record(), local_end_of(client_), node);
}

const codecs::redis::ServerCommands* ConnectionHost::server_commands() const {
  return acceptor_.learner().known();
}

void ConnectionHost::met_unknown_command(std::string_view name) { acceptor_.learner().ask(name); }

void ConnectionHost::went_opaque(std::string_view why) {
  opaque_ = true;
  shard_.counts().connections_opaque.add(1);
  acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp)).saw_opaque(why);
  model::Event event = begin_event();
  event.set("action", "opaque").set("reason", event_text(why));
  shard_.options().sink.emit(std::move(event));
}

void ConnectionHost::tls_failed(std::string_view why) {
  if (why.empty()) return;
  acceptor_.scope_of(protocol_.value_or(model::Protocol::kTcp)).saw_opaque(why);
  model::Event event = begin_event();
  event.set("action", "tls_failed").set("reason", event_text(why));
  shard_.options().sink.emit(std::move(event));
}

void ConnectionHost::cancellable_by(std::string_view key) {
  cancel_keys_.emplace_back(key);
  shard_.cancel_keys().add(key, {.shard = &shard_, .connection = connection_});
}

bool ConnectionHost::cancel_held(std::string_view key) { return shard_.cancel_keys().cancel(key); }

rules::LinkShapes ConnectionHost::link_faults() {
  const rules::LinkDecision decision = acceptor_.scope().links(actor_, shard_.loop().now());
  for (const rules::RuleName* rule : decision.begun) {
    model::Event event = begin_event();
    event.set("operation", "connection").set("action", rule->action).set("rule", rule->id);
    if (!rule->label.empty()) event.set("label", rule->label);
    event.set("decision", rule->decision);
    shard_.options().sink.emit(std::move(event));
  }
  return decision.shapes;
}

std::uint64_t ConnectionHost::tag_of(std::uint64_t unit) const {
  const auto it = std::ranges::find(open_, unit, &OpenUnit::unit);
  return it == open_.end() ? 0 : it->tag;
}

void ConnectionHost::set_held(bool held) {
  for (const std::string& key : cancel_keys_) shard_.cancel_keys().set_held(key, held);
}

void ConnectionHost::connection_ended() {
  walked_ = codecs::Direction::kToServer;
  for (OpenUnit& open : open_) {
    tell(open, {.unit = open.unit,
                .reply = "connection closed",
                .failed = true,
                .server = codecs::ServerOutcome::kUnknown,
                .tag = open.tag});
  }
  open_ = {};
  for (const std::string& key : cancel_keys_) shard_.cancel_keys().remove(key);
  cancel_keys_.clear();
}

}  // namespace misrule::proxy
