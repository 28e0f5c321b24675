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
  std::optional<model::ProxyTls> tls = {};
  std::optional<model::ProxyUpstreamTls> upstream_tls = {};
};

Result<ServerTls> server_tls_of(const model::ProxyUpstreamTls& said) {
  ServerTls tls{
      .ca = said.ca(), .cert = said.cert(), .key = said.key(), .server_name = said.server_name()};
  if (said.verify().empty()) return tls;
  const auto verify = model::verify_from_name(said.verify());
  if (!verify) {
    return fail(Code::kInvalid, fmt::format("verify \"{}\" of a server's TLS: it is none, chain or "
                                            "full",
                                            said.verify()));
  }
  tls.verify = *verify;
  return tls;
}

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
  if (route.tls) listener.tls = ClientTls{.cert = route.tls->cert(), .key = route.tls->key()};
  if (route.upstream_tls) {
    MISRULE_TRY(listener.upstream_tls, server_tls_of(*route.upstream_tls));
  }
  return listener;
}

bool take_prefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
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
  if (take_prefix(route.listen, "tls:")) route.tls.emplace();
  if (take_prefix(route.upstream, "tls:")) route.upstream_tls.emplace();
  if (parts.size() == 4) {
    const std::size_t dot = parts[3].find('.');
    route.service = parts[3].substr(0, dot);
    if (dot != std::string::npos) route.interface = parts[3].substr(dot + 1);
  }
  return route;
}

/// Relative paths of the file are from its own folder.
std::string beside(const std::string& file, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(file).parent_path() / path).string();
}

Route route_of(const model::ProxyRoute& said, const std::string& file) {
  Route route{.listen = said.listen(),
              .protocol = said.protocol(),
              .upstream = said.upstream(),
              .service = said.service(),
              .interface = said.interface()};
  if (said.has_tls()) {
    model::ProxyTls& tls = route.tls.emplace(said.tls());
    tls.set_cert(beside(file, tls.cert()));
    tls.set_key(beside(file, tls.key()));
    tls.set_ca_out(beside(file, tls.ca_out()));
  }
  if (said.has_upstream_tls()) {
    model::ProxyUpstreamTls& tls = route.upstream_tls.emplace(said.upstream_tls());
    tls.set_ca(beside(file, tls.ca()));
    tls.set_cert(beside(file, tls.cert()));
    tls.set_key(beside(file, tls.key()));
  }
  return route;
}

/// What --tls and its like say.
void take_tls(const StandaloneTls& said, Route& route) {
  if (said.on || !said.cert.empty() || !said.key.empty() || !said.ca_out.empty()) {
    model::ProxyTls& tls = route.tls.emplace();
    tls.set_cert(said.cert);
    tls.set_key(said.key);
    tls.set_ca_out(said.ca_out);
  }
  const std::string* words[] = {&said.upstream_ca, &said.upstream_cert, &said.upstream_key,
                                &said.upstream_name, &said.upstream_verify};
  const auto is_said = [](const std::string* word) { return !word->empty(); };
  if (!said.upstream && std::ranges::none_of(words, is_said)) return;
  model::ProxyUpstreamTls& tls = route.upstream_tls.emplace();
  tls.set_ca(said.upstream_ca);
  tls.set_cert(said.upstream_cert);
  tls.set_key(said.upstream_key);
  tls.set_server_name(said.upstream_name);
  tls.set_verify(said.upstream_verify);
}

Result<std::vector<Route>> routes_of(const StandaloneArguments& arguments,
                                     const model::ProxyFile& file) {
  std::vector<Route> routes;
  for (const model::ProxyRoute& route : file.proxies()) {
    routes.push_back(route_of(route, arguments.config));
  }
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
    take_tls(arguments.tls, routes.back());
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

bool needs_authority(const Settings& settings) {
  return std::ranges::any_of(settings.listeners, [](const Listener& listener) {
    return listener.tls && listener.tls->cert.empty();
  });
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
    if (route.tls && !route.tls->ca_out().empty()) settings.ca_outs.push_back(route.tls->ca_out());
  }
  MISRULE_TRY_VOID(name_services(settings.listeners));
  MISRULE_TRY_VOID(settle_rest(arguments, file, settings));
  return settings;
}

}  // namespace misrule::proxy
