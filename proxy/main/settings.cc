#include "proxy/main/settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/nearest.h"
#include "spec/model/yaml/rule_text.h"

namespace misrule::proxy {

namespace {

constexpr std::string_view kProtocols[] = {"auto", "postgres", "http", "redis", "tcp"};
constexpr std::string_view kFormats[] = {"text", "json"};
constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};

template <std::size_t N>
Status check_word(std::string_view option, std::string_view word,
                  const std::string_view (&known)[N]) {
  if (std::ranges::find(known, word) != std::end(known)) return {};
  return fail(Code::kInvalid, fmt::format("{} {}: unknown{}; there are: {}", option, word,
                                          did_you_mean(word, known), fmt::join(known, ", ")));
}

/// One proxy as text, wherever it was written.
struct Route {
  std::string listen = {};
  std::string protocol = {};
  std::string upstream = {};
  std::string service = {};
  std::string interface = {};
};

/// A port alone is one of loopback.
Result<Endpoint> parse_listen(std::string_view text) {
  std::string_view port = text;
  if (port.starts_with(':')) port.remove_prefix(1);
  const bool is_port =
      !port.empty() && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return is_port ? parse_endpoint(fmt::format("127.0.0.1:{}", port)) : parse_endpoint(text);
}

Result<Listener> listener_of(const Route& route) {
  const std::string protocol = route.protocol.empty() ? "auto" : route.protocol;
  MISRULE_TRY_VOID(check_word("--protocol", protocol, kProtocols));
  Listener listener;
  listener.sniffs = protocol == "auto";
  if (!listener.sniffs) listener.protocol = *model::protocol_from_name(protocol);
  MISRULE_TRY(listener.listen, parse_listen(route.listen));
  MISRULE_TRY(listener.upstream, parse_endpoint(route.upstream));
  listener.service = route.service;
  listener.interface = route.interface.empty() ? "main" : route.interface;
  return listener;
}

/// LISTEN,PROTOCOL,UPSTREAM[,SERVICE[.INTERFACE]]
Result<Route> parse_route(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (parts.size() < 3 || parts.size() > 4) {
    return fail(Code::kInvalid, fmt::format("--route {}: want LISTEN,PROTOCOL,UPSTREAM, such as "
                                            "6432,postgres,127.0.0.1:5432",
                                            text));
  }
  Route route{.listen = parts[0], .protocol = parts[1], .upstream = parts[2]};
  if (parts.size() == 4) {
    const std::size_t dot = parts[3].find('.');
    route.service = parts[3].substr(0, dot);
    if (dot != std::string::npos) route.interface = parts[3].substr(dot + 1);
  }
  return route;
}

Route route_of(const model::ProxyRoute& route) {
  return {.listen = route.listen(),
          .protocol = route.protocol(),
          .upstream = route.upstream(),
          .service = route.service(),
          .interface = route.interface()};
}

Result<std::vector<Route>> routes_of(const StandaloneArguments& arguments,
                                     const model::ProxyFile& file) {
  std::vector<Route> routes;
  for (const model::ProxyRoute& route : file.proxies()) routes.push_back(route_of(route));
  for (const std::string& text : arguments.routes) {
    MISRULE_TRY(Route route, parse_route(text));
    routes.push_back(std::move(route));
  }
  if (!arguments.upstream.empty()) {
    routes.push_back({.listen = arguments.listen,
                      .protocol = arguments.protocol,
                      .upstream = arguments.upstream,
                      .service = arguments.service,
                      .interface = arguments.interface});
  }
  if (!routes.empty()) return routes;
  return fail(Code::kInvalid,
              "no server is named: say --upstream HOST:PORT, --route or --config (--help has "
              "examples)");
}

/// Names that nobody gave are "upstream", "upstream2"...
Status name_services(std::vector<Listener>& listeners) {
  std::set<std::pair<std::string, std::string>> names;
  std::size_t number = 0;
  for (Listener& listener : listeners) {
    ++number;
    if (listener.service.empty()) {
      listener.service = number == 1 ? "upstream" : fmt::format("upstream{}", number);
    }
    if (names.emplace(listener.service, listener.interface).second) continue;
    return fail(Code::kInvalid,
                fmt::format("two proxies are called {}.{}: give one of them another name, "
                            "SERVICE.INTERFACE",
                            listener.service, listener.interface));
  }
  return {};
}

/// Relative paths of the file are from its own folder.
std::string beside(const std::string& file, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(file).parent_path() / path).string();
}

Result<model::ProxyFile> read_config(const std::string& path) {
  if (path.empty()) return model::ProxyFile();
  MISRULE_TRY(const std::string text, read_text_file(path));
  MISRULE_TRY(model::ProxyFile file, model::proxies_from_yaml(text, path));
  file.set_rules(beside(path, file.rules()));
  return file;
}

/// Whom rules are for, and when they end.
Status settle_rest(const StandaloneArguments& arguments, const model::ProxyFile& file,
                   Settings& settings) {
  const auto first = [](const std::string& said, const std::string& filed) {
    return said.empty() ? filed : said;
  };
  settings.rules_file = first(arguments.rules, file.rules());
  settings.watches_rules = !arguments.no_rules_watch;
  settings.admin_allow_remote = arguments.admin_allow_remote;
  if (const std::string admin = first(arguments.admin, file.admin()); !admin.empty()) {
    MISRULE_TRY(settings.admin, parse_listen(admin));
  }
  if (const std::string drain = first(arguments.drain, file.drain()); !drain.empty()) {
    MISRULE_TRY(settings.drain, parse_duration(drain));
  }
  settings.loops = arguments.loops != 0 ? arguments.loops : std::max(file.loops(), 1U);
  settings.seed = arguments.seed != 0 ? arguments.seed : std::max<std::uint64_t>(file.seed(), 1);
  settings.record_all = arguments.record_all;
  return {};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::int64_t kMax = 1'000'000;
  const bool bounded = error == std::errc() && count >= 0 && count <= kMax;
  if (bounded && unit == "ms") return std::chrono::milliseconds(count);
  if (bounded && unit == "s") return std::chrono::seconds(count);
  if (bounded && unit == "m") return std::chrono::minutes(count);
  return fail(Code::kInvalid, fmt::format("\"{}\" is no duration: write 30s, 500ms or 2m", text));
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || !std::filesystem::is_regular_file(path)) {
    return fail(Code::kNotFound, fmt::format("cannot read {}: is there such a file, and may you "
                                             "read it?",
                                             path));
  }
  return text;
}

Result<Settings> settle(const StandaloneArguments& arguments) {
  Settings settings;
  MISRULE_TRY_VOID(check_word("--log-level", arguments.log_level, kLevels));
  MISRULE_TRY_VOID(check_word("--log-format", arguments.log_format, kFormats));
  settings.log = {.level = *log_level_from_name(arguments.log_level),
                  .json = arguments.log_format == "json"};
  MISRULE_TRY(const model::ProxyFile file, read_config(arguments.config));
  MISRULE_TRY(const std::vector<Route> routes, routes_of(arguments, file));
  for (const Route& route : routes) {
    MISRULE_TRY(Listener listener, listener_of(route));
    settings.listeners.push_back(std::move(listener));
  }
  MISRULE_TRY_VOID(name_services(settings.listeners));
  MISRULE_TRY_VOID(settle_rest(arguments, file, settings));
  return settings;
}

}  // namespace misrule::proxy
