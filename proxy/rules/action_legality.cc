#include "proxy/rules/action_legality.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/delay_shape.h"
#include "proxy/rules/http_legality.h"
#include "proxy/rules/postgres_legality.h"
#include "proxy/rules/redis_legality.h"

namespace misrule::rules {
namespace {

using model::Protocol;
constexpr std::uint64_t kDelayMaxUs = 24ULL * 3600 * 1'000'000;

Status check_error_mode(const model::ErrorReply& error) {
  const std::string& mode = error.mode();
  if (!error.has_mode() || mode == "reject" || mode == "mask") return {};
  if (mode == "fake") {
    return fail(
        Code::kInvalid,
        "mode=\"fake\" is the opposite of an error: respond() has the server do nothing and "
        "tells the client that it succeeded. There are mode=\"reject\": the server does "
        "nothing and the client is told so, and mode=\"mask\": the server does it and the "
        "client is told that it failed",
        "mode");
  }
  return fail(Code::kInvalid,
              fmt::format("mode=\"{}\" is none of \"reject\", \"mask\", \"fake\"", mode), "mode");
}

Status legalise_error(Protocol protocol, model::Rule& rule) {
  model::ErrorReply& error = *rule.mutable_error();
  MISRULE_TRY_VOID(check_error_mode(error));
  if (protocol == Protocol::kPostgres) return legalise_postgres_error(error);
  if (error.has_after_rows()) {
    return fail(Code::kInvalid, "after_rows= is for postgres, whose replies have rows",
                "after_rows");
  }
  if (protocol == Protocol::kHttp) return legalise_http_error(rule);
  if (protocol == Protocol::kRedis) return legalise_redis_error(rule);
  return fail(Code::kInvalid,
              "error() needs a protocol in which a server can say no; plain tcp has none: use "
              "drop() or delay()");
}

Status check_delay(Protocol protocol, const model::Delay& delay) {
  if (delay.duration_us() == 0) {
    return fail(Code::kInvalid, "delay() of no time does nothing: give a duration such as \"3s\"",
                "duration");
  }
  if (delay.duration_us() > kDelayMaxUs || delay.jitter_us() > kDelayMaxUs) {
    return fail(Code::kInvalid, "delay() of more than 24 hours: use drop() to let nothing through",
                "duration");
  }
  if (delay.has_distribution() && !distribution_from_name(delay.distribution())) {
    return fail(Code::kInvalid,
                fmt::format("distribution=\"{}\" is none of \"uniform\", \"normal\", \"pareto\"",
                            delay.distribution()),
                "distribution");
  }
  if (delay.has_distribution() && delay.jitter_us() == 0) {
    return fail(Code::kInvalid, "distribution= wants jitter=, which it distributes",
                "distribution");
  }
  if (!delay.has_side() || delay.side() == "request") return {};
  if (delay.side() != "reply") {
    return fail(Code::kInvalid,
                fmt::format("side=\"{}\" is neither \"request\" nor \"reply\"", delay.side()),
                "side");
  }
  if (protocol != Protocol::kTcp) return {};
  return fail(Code::kInvalid,
              "side=\"reply\" needs a protocol with replies; plain tcp has none: leave side= out",
              "side");
}

Status check_drop(Protocol protocol, const model::Drop& drop) {
  const std::string mode = drop.has_mode() ? drop.mode() : "connection";
  if (mode != "connection" && mode != "request" && mode != "reply" && mode != "blackhole") {
    return fail(Code::kInvalid,
                fmt::format("mode=\"{}\" is none of \"connection\", \"request\", \"reply\", "
                            "\"blackhole\"",
                            mode),
                "mode");
  }
  if (drop.has_side() && drop.side() != "request" && drop.side() != "reply") {
    return fail(Code::kInvalid,
                fmt::format("side=\"{}\" is neither \"request\" nor \"reply\"", drop.side()),
                "side");
  }
  if (drop.has_side() && mode != "connection") {
    return fail(Code::kInvalid,
                fmt::format("side= says in place of what the connection ends; mode=\"{}\" leaves "
                            "it open",
                            mode),
                "side");
  }
  if (protocol == Protocol::kTcp && (mode != "connection" || drop.has_side())) {
    return fail(Code::kInvalid,
                "plain tcp has no requests and no replies to lose: link(blackhole=True) loses "
                "everything, link(direction=\"to_client\", blackhole=True) what the server says",
                drop.has_side() ? "side" : "mode");
  }
  return {};
}

constexpr std::uint64_t kBytesPerSecondMin = 1;

Status check_link_direction(const model::LinkFault& link) {
  const std::string& direction = link.direction();
  if (!link.has_direction() || direction == "both" || direction == "to_server" ||
      direction == "to_client") {
    return {};
  }
  return fail(
      Code::kInvalid,
      fmt::format("direction=\"{}\" is none of \"to_server\", \"to_client\", \"both\"", direction),
      "direction");
}

Status check_link(const model::Rule& rule) {
  const model::LinkFault& link = rule.link();
  if (rule.has_postgres() || rule.has_http() || rule.has_redis()) {
    return fail(Code::kInvalid,
                "link() is about a connection's bytes, whatever they mean: query=, path= and "
                "method= are for delay() and drop()");
  }
  const bool any = link.has_latency_us() || link.has_jitter_us() || link.has_bandwidth() ||
                   link.has_slice_bytes() || link.has_close_after() || link.has_reset_after() ||
                   link.has_slow_close_us() || link.blackhole() || link.half_close() ||
                   link.stall();
  if (!any) {
    return fail(Code::kInvalid,
                "link() without a fault does nothing: say latency=, jitter=, bandwidth=, slice=, "
                "close_after=, reset_after=, slow_close=, blackhole=True, half_close=True or "
                "stall=True");
  }
  if (link.has_bandwidth() && link.bandwidth() < kBytesPerSecondMin) {
    return fail(Code::kInvalid, "bandwidth=0 lets nothing through: that is blackhole=True",
                "bandwidth");
  }
  if (link.has_slice_bytes() && link.slice_bytes() == 0) {
    return fail(Code::kInvalid, "slice=0 lets nothing through: that is blackhole=True", "slice");
  }
  if (link.has_slice_delay_us() && !link.has_slice_bytes()) {
    return fail(Code::kInvalid, "slice_delay= wants slice=, the bytes between two delays",
                "slice_delay");
  }
  for (const std::uint64_t us :
       {link.latency_us(), link.jitter_us(), link.slice_delay_us(), link.slow_close_us()}) {
    if (us > kDelayMaxUs) {
      return fail(Code::kInvalid,
                  "a link's times end at 24 hours: blackhole=True lets nothing "
                  "through");
    }
  }
  return check_link_direction(link);
}

Status check_side(const std::string& side) {
  if (side.empty() || side == "request" || side == "reply") return {};
  return fail(Code::kInvalid, fmt::format("side=\"{}\" is neither \"request\" nor \"reply\"", side),
              "side");
}

Status check_corruption(const model::Rule& rule) {
  if (rule.has_truncate() && !rule.truncate().has_bytes()) {
    return fail(Code::kInvalid, "truncate() wants bytes=: how much of the payload passes", "bytes");
  }
  const bool nothing =
      rule.has_corrupt() && rule.corrupt().has_bytes() && rule.corrupt().bytes() == 0;
  if (nothing) return fail(Code::kInvalid, "corrupt() of no bytes does nothing", "bytes");
  return check_side(rule.has_corrupt() ? rule.corrupt().side() : rule.truncate().side());
}

// What changes or makes up messages, which only a protocol that is decoded has.
Status legalise_message_action(Protocol protocol, model::Rule& rule) {
  if (rule.has_corrupt() || rule.has_truncate()) MISRULE_TRY_VOID(check_corruption(rule));
  if (rule.has_hold()) MISRULE_TRY_VOID(check_side(rule.hold().side()));
  switch (protocol) {
    case Protocol::kPostgres:
      return legalise_postgres_action(rule);
    case Protocol::kHttp:
      return legalise_http_action(rule);
    case Protocol::kRedis:
      return legalise_redis_action(rule);
    default:
      break;
  }
  if (rule.has_hold() && rule.hold().side() != "reply") return {};
  return fail(Code::kInvalid,
              "plain tcp has no messages to make up, change or repeat: link() is for bytes, drop() "
              "and hold() for connections");
}

}  // namespace

Status legalise_action(Protocol protocol, model::Rule& rule) {
  if (protocol == Protocol::kHttp) MISRULE_TRY_VOID(check_http_moment(rule));
  if (protocol == Protocol::kPostgres) MISRULE_TRY_VOID(check_postgres_moment(rule));
  switch (rule.action_case()) {
    case model::Rule::kError:
      return legalise_error(protocol, rule);
    case model::Rule::kDelay:
      return check_delay(protocol, rule.delay());
    case model::Rule::kDrop:
      return check_drop(protocol, rule.drop());
    case model::Rule::kLink:
      return check_link(rule);
    case model::Rule::kDeny:
      return fail(Code::kInvalid,
                  "deny() fails a system call and needs one: connect=deny(\"ECONNREFUSED\"); what "
                  "a server answers is error(), and drop() ends the connection");
    case model::Rule::kRespond:
    case model::Rule::kRewrite:
    case model::Rule::kDuplicate:
    case model::Rule::kCorrupt:
    case model::Rule::kTruncate:
    case model::Rule::kHold:
      return legalise_message_action(protocol, rule);
    case model::Rule::ACTION_NOT_SET:
      break;
  }
  return fail(Code::kInvalid, "the rule has no action: error(), delay(), drop() or link()");
}

}  // namespace misrule::rules
