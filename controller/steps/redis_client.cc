#include "controller/steps/redis_client.h"

#include <utility>

#include "controller/steps/redis_connection.h"
#include "controller/steps/row_json.h"

namespace misrule::controller {
namespace {

void append_json(std::string& out, const redisReply& reply, bool pairs);

void append_elements(std::string& out, const redisReply& reply, bool pairs) {
  out += pairs ? '{' : '[';
  for (std::size_t i = 0; i < reply.elements; ++i) {
    const redisReply& element = *reply.element[i];
    const bool is_name = pairs && i % 2 == 0;
    if (i > 0) out += pairs && !is_name ? ':' : ',';
    append_json(out, element, false);
  }
  out += pairs ? '}' : ']';
}

void append_json(std::string& out, const redisReply& reply, bool pairs) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      out += std::to_string(reply.integer);
      return;
    case REDIS_REPLY_NIL:
      out += "null";
      return;
    case REDIS_REPLY_ARRAY:
      append_elements(out, reply, pairs && reply.elements % 2 == 0);
      return;
    default:
      append_json_string(out, text_of(reply));
      return;
  }
}

dsl::StepReply reply_from(const redisReply& reply, bool pairs) {
  dsl::StepReply out;
  if (reply.type == REDIS_REPLY_ERROR) {
    out.error = text_of(reply);
    out.code = out.error.substr(0, out.error.find(' '));
    return out;
  }
  out.ok = true;
  append_json(out.data.text, reply, pairs);
  const bool is_text = reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS;
  out.body = is_text ? std::string(text_of(reply)) : out.data.text;
  return out;
}

}  // namespace

dsl::StepReply run_redis(const dsl::RedisStep& step, const StepTarget& target,
                         const Patience& patience) {
  auto socket = connect_tcp(target, patience);
  if (!socket) return {.error = socket.error().what};
  RedisConnection connection(*std::move(socket));
  if (!target.password.empty()) {
    const auto allowed = connection.ask({"AUTH", target.password}, patience);
    if (!allowed) return {.error = allowed.error().what};
    if ((*allowed)->type == REDIS_REPLY_ERROR) return reply_from(**allowed, false);
  }
  const auto reply = connection.ask(step.words, patience);
  if (!reply) return {.error = reply.error().what};
  return reply_from(**reply, step.pairs);
}

}  // namespace misrule::controller
