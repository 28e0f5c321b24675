#include "controller/run/world/order.h"

#include <boost/json.hpp>

#include "controller/run/world/own_json.h"

namespace misrule::controller {
namespace {

namespace json = boost::json;

template <class T>
json::array to_array(const std::vector<T>& values) {
  json::array out;
  for (const T& value : values) out.emplace_back(value);
  return out;
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

bool flag_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::vector<std::string> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const json::value& item : value->as_array()) {
    if (item.is_string()) out.emplace_back(item.as_string());
  }
  return out;
}

json::object spawn_json(const SpawnOrder& spawn) {
  return {{"token", spawn.token},
          {"argv", to_array(spawn.argv)},
          {"env", to_array(spawn.env)},
          {"cwd", spawn.cwd},
          {"inherited_fd", spawn.inherited_fd}};
}

}  // namespace

std::string order_to_json(const WorldOrder& order) {
  return json::serialize(json::object{{"id", order.id},
                                      {"payload", order.payload},
                                      {"directory", order.directory},
                                      {"visible", to_array(order.visible)},
                                      {"ports", to_array(order.ports)},
                                      {"host_network", order.host_network}});
}

Result<WorldOrder> order_from_json(std::string_view text) {
  MISRULE_TRY(const json::object object, read_own_json(text));
  WorldOrder order = {.id = text_of(object, "id"),
                      .payload = text_of(object, "payload"),
                      .directory = text_of(object, "directory"),
                      .visible = texts_of(object, "visible"),
                      .host_network = flag_of(object, "host_network")};
  const json::value* ports = object.if_contains("ports");
  if (ports != nullptr && ports->is_array()) {
    for (const json::value& port : ports->as_array()) {
      if (port.is_int64()) order.ports.push_back(static_cast<std::uint16_t>(port.as_int64()));
    }
  }
  return order;
}

std::string request_to_json(const InitRequest& request) {
  json::object object;
  if (request.spawn) object["spawn"] = spawn_json(*request.spawn);
  if (request.kill_pid != 0) object["kill_pid"] = request.kill_pid;
  if (request.signal != 0) object["signal"] = request.signal;
  if (request.keep) object["keep"] = true;
  return json::serialize(object);
}

Result<InitRequest> request_from_json(std::string_view text) {
  MISRULE_TRY(const json::object object, read_own_json(text));
  InitRequest request = {.kill_pid = static_cast<int>(number_of(object, "kill_pid")),
                         .signal = static_cast<int>(number_of(object, "signal")),
                         .keep = flag_of(object, "keep")};
  const json::value* spawn = object.if_contains("spawn");
  if (spawn == nullptr || !spawn->is_object()) return request;
  const json::object& order = spawn->as_object();
  request.spawn = SpawnOrder{.token = static_cast<std::uint64_t>(number_of(order, "token")),
                             .argv = texts_of(order, "argv"),
                             .env = texts_of(order, "env"),
                             .cwd = text_of(order, "cwd"),
                             .inherited_fd = static_cast<int>(number_of(order, "inherited_fd"))};
  return request;
}

std::string report_to_json(const InitReport& report) {
  return json::serialize(json::object{{"token", report.token},
                                      {"pid", report.pid},
                                      {"status", report.status},
                                      {"was_told_to_end", report.was_told_to_end},
                                      {"error", report.error}});
}

Result<InitReport> report_from_json(std::string_view text) {
  MISRULE_TRY(const json::object object, read_own_json(text));
  return InitReport{.token = static_cast<std::uint64_t>(number_of(object, "token")),
                    .pid = static_cast<int>(number_of(object, "pid")),
                    .status = static_cast<int>(number_of(object, "status")),
                    .was_told_to_end = flag_of(object, "was_told_to_end"),
                    .error = text_of(object, "error")};
}

}  // namespace misrule::controller
