// service(), interface(), healthchecks, env(), scenario(): what the system under test is.

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "spec/dsl/arguments.h"
#include "spec/dsl/assumption.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/interface_tls.h"
#include "spec/dsl/observers.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

namespace {

constexpr std::string_view kNotYet = "is not in this version yet";
constexpr std::size_t kNameBytesMax = 100;

Span value_span(const Args& args, std::string_view keyword) {
  const auto index = args.find_keyword(keyword);
  return index ? args.keyword_value_span(*index) : args.call_span();
}

model::Protocol protocol_argument(const Args& args, const std::string& name, Span at) {
  const auto protocol = model::protocol_from_name(name);
  if (!protocol) {
    const std::vector<std::string> known = {"postgres", "http", "redis", "tcp"};
    args.fail_at(at, star::code::kValue,
                 fmt::format("unknown protocol \"{}\"{}", name, did_you_mean(name, known)),
                 "protocols: " + listed(known));
  }
  if (*protocol != model::Protocol::kPostgres && *protocol != model::Protocol::kHttp &&
      *protocol != model::Protocol::kRedis && *protocol != model::Protocol::kTcp) {
    args.fail_at(at, star::code::kValue, fmt::format("protocol \"{}\" {}", name, kNotYet),
                 "\"tcp\" carries it undecoded: connections, delays and drops, no messages");
  }
  return *protocol;
}

/// Where an argument was written, by position or by keyword.
Span argument_span(const Args& args, std::size_t index, std::string_view keyword) {
  return index < args.size() ? args.span(index) : value_span(args, keyword);
}

}  // namespace

void check_name(const Args& args, std::string_view name, Span at) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (name.size() <= kNameBytesMax && std::ranges::all_of(name, plain)) return;
  args.fail_at(at, star::code::kValue,
               name.size() > kNameBytesMax
                   ? fmt::format("a name of {} bytes exceeds {}", name.size(), kNameBytesMax)
                   : fmt::format("the name {} holds more than letters, digits, - and _",
                                 Value::string(name).repr()));
}

Value declare_interface(Args& args) {
  std::string name;
  std::string protocol;
  std::int64_t port = 0;
  Value tls;
  args.unpack({star::required("name", name), star::required("protocol", protocol),
               star::required("port", port), star::optional("tls", tls).by_keyword()});
  if (name.empty() || is_step_name(name)) {
    args.fail_at(argument_span(args, 0, "name"), star::code::kValue,
                 name.empty() ? std::string("the name is empty")
                              : fmt::format("\"{}\" is the name of a step", name));
  }
  check_name(args, name, argument_span(args, 0, "name"));
  if (port < 1 || port > 65535) {
    args.fail_at(argument_span(args, 2, "port"), star::code::kValue,
                 fmt::format("port {} is not between 1 and 65535", port));
  }
  model::Interface declared{
      .name = name,
      .protocol = protocol_argument(args, protocol, argument_span(args, 1, "protocol")),
      .port = static_cast<std::uint16_t>(port),
      .position = position_of(args.call_span())};
  take_interface_tls(args, tls, declared);
  return Value::object(star::make<InterfaceDeclaration>(std::move(declared), args.call_span()));
}

namespace {

/// "localhost:8080/health" into host, port, path.
model::Healthcheck address_argument(const Args& args, const std::string& text) {
  model::Healthcheck check;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string address = text.substr(0, slash);
  const std::size_t colon = address.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos) {
    const char* end = address.data() + address.size();
    const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error != std::errc() || stop != end || port > 65535) port = 0;
  }
  if (port == 0 || colon == 0) {
    args.fail_at(
        argument_span(args, 0, "address"), star::code::kValue,
        fmt::format("\"{}\" is not host:port{}", text,
                    text.find("://") != std::string::npos ? " (no scheme)" : ""),
        args.name() == "http" ? "such as \"localhost:8080/health\"" : "such as \"localhost:5432\"");
  }
  check.host = address.substr(0, colon);
  check.port = static_cast<std::uint16_t>(port);
  check.path = text.substr(slash);
  return check;
}

Value make_healthcheck(Args& args, model::Healthcheck::Kind kind) {
  std::string address;
  DurationText timeout{std::chrono::seconds(30)};
  args.unpack(
      {star::required("address", address), star::optional("timeout", timeout).by_keyword()});
  model::Healthcheck check = address_argument(args, address);
  check.kind = kind;
  check.timeout = timeout.value;
  if (kind == model::Healthcheck::Kind::kTcp && !check.path.empty()) {
    args.fail_at(argument_span(args, 0, "address"), star::code::kValue, "a path needs http(...)");
  }
  if (kind == model::Healthcheck::Kind::kHttp && check.path.empty()) check.path = "/";
  return Value::object(star::make<HealthcheckValue>(std::move(check)));
}

}  // namespace

Value tcp_healthcheck(Args& args) { return make_healthcheck(args, model::Healthcheck::Kind::kTcp); }
Value http_healthcheck(Args& args) {
  return make_healthcheck(args, model::Healthcheck::Kind::kHttp);
}

Value read_env(Args& args) {
  std::string name;
  Value fallback = Value::unbound();
  args.unpack({star::required("name", name), star::optional("default", fallback)});
  session_of(args).settings.insert(name);
  for (const auto& [key, value] : session_of(args).options.set) {
    if (key == name) return Value::string(value);
  }
  if (const char* value = std::getenv(name.c_str()); value != nullptr) return Value::string(value);
  if (fallback.is_unbound()) {
    args.fail_at(argument_span(args, 0, "name"), star::code::kValue,
                 fmt::format("{} is not set", name),
                 fmt::format("--set {}=..., or env(\"{}\", \"default\")", name, name));
  }
  return fallback;
}

Value declare_scenario(Args& args) {
  star::Callable function;
  args.unpack({star::required("fn", function)});
  const star::Function* written = function.value.as_function();
  if (written == nullptr || written->is_lambda() || !written->accepts(0)) {
    args.fail_at(argument_span(args, 0, "fn"), star::code::kValue,
                 "wants a def without parameters: its name is the scenario's name");
  }
  session_of(args).scenarios.push_back({std::string(written->name()), args.call_span()});
  return function.value;
}

namespace {

/// The arguments of one service(...), before they are checked together.
struct ServiceArguments {
  std::optional<std::string> image = {};
  std::optional<std::string> build = {};
  std::optional<std::string> remote = {};
  std::optional<std::string> binary = {};
  std::optional<StringList> args = {};
  StringPairs env = {};
  std::optional<std::string> cwd = {};
  std::optional<std::string> user = {};
  std::optional<star::Iterable> depends_on = {};
  std::optional<HealthcheckValue*> healthcheck = {};
  std::optional<Value> seed = {};
  std::optional<Value> reset = {};
  std::optional<std::string> restart = {};
  std::optional<StringList> intercept = {};
  std::optional<star::Iterable> observe = {};
};

void take_keywords(const Args& args, ServiceArguments& given) {
  using star::optional;
  unpack_keywords(
      args, {optional("image", given.image), optional("build", given.build),
             optional("remote", given.remote), optional("binary", given.binary),
             optional("args", given.args), optional("env", given.env), optional("cwd", given.cwd),
             optional("user", given.user), optional("depends_on", given.depends_on),
             optional("healthcheck", given.healthcheck), optional("seed", given.seed),
             optional("reset", given.reset), optional("restart", given.restart),
             optional("intercept", given.intercept), optional("observe", given.observe)});
}

class ServiceBuilder {
 public:
  explicit ServiceBuilder(const Args& args) : args_(args), session_(session_of(args)) {}
  model::Service build();

 private:
  void take_name();
  void take_interfaces();
  void take_origin();
  void refuse_process_words(const std::string& origin) const;
  void take_dependencies();
  std::optional<model::Seed> take_statements(const char* keyword, const std::optional<Value>& given,
                                             std::vector<Value>& callables) const;
  void take_restart();
  void take_intercept();
  void take_observers();
  void check_ports(const InterfaceDeclaration& declaration, Span at);
  [[noreturn]] void fail(std::string_view keyword, const std::string& message,
                         std::string help = {}) const {
    args_.fail_at(value_span(args_, keyword), star::code::kValue, "" + message, std::move(help));
  }

  const Args& args_;
  Session& session_;
  ServiceArguments given_;
  model::Service service_;
};

model::Service ServiceBuilder::build() {
  take_name();
  take_interfaces();
  take_keywords(args_, given_);
  take_origin();
  take_dependencies();
  service_.seed = take_statements("seed", given_.seed, session_.seeds);
  service_.reset = take_statements("reset", given_.reset, session_.resets);
  take_restart();
  take_intercept();
  take_observers();
  if (given_.args) service_.args = given_.args->items;
  service_.env = given_.env.items;
  service_.cwd = given_.cwd.value_or("");
  service_.user = given_.user.value_or("");
  if (given_.healthcheck) service_.healthcheck = (*given_.healthcheck)->check();
  service_.position = position_of(args_.call_span());
  return service_;
}

void ServiceBuilder::take_name() {
  const auto name = args_.size() > 0 ? args_[0].as_string() : std::nullopt;
  if (!name || name->empty()) {
    args_.fail(star::code::kArgument, "the first argument is the service's name");
  }
  service_.name = *name;
  check_name(args_, service_.name, args_.span(0));
  if (service_.name == "test") {
    args_.fail_at(args_.span(0), star::code::kValue,
                  "\"test\" is what events call the test itself");
  }
  for (std::size_t i = 0; i < session_.topology.services.size(); ++i) {
    if (session_.topology.services[i].name != service_.name) continue;
    star::raise({.code = star::code::kValue,
                 .message = fmt::format("service: \"{}\" is declared twice", service_.name),
                 .at = args_.span(0),
                 .labels = {{session_.service_spans[i], "first declared here"}}});
  }
}

void ServiceBuilder::take_interfaces() {
  for (std::size_t i = 1; i < args_.size(); ++i) {
    const auto* declaration = args_[i].as<InterfaceDeclaration>();
    if (declaration == nullptr) {
      args_.fail_at(
          args_.span(i), star::code::kArgument,
          fmt::format("got {}, want interface(name, protocol, port)", args_[i].type_name()));
    }
    if (service_.find_interface(declaration->declared().name) != nullptr) {
      args_.fail_at(args_.span(i), star::code::kValue,
                    fmt::format("two interfaces are called \"{}\"", declaration->declared().name));
    }
    check_ports(*declaration, args_.span(i));
    service_.interfaces.push_back(declaration->declared());
  }
}

void ServiceBuilder::check_ports(const InterfaceDeclaration& declaration, Span at) {
  const auto refuse = [&](const std::string& owner, const model::Interface& other) {
    args_.fail_at(
        at, star::code::kValue,
        fmt::format("port {} is taken by {}.{}", other.port, owner, other.name),
        "every test has one network in which each port stands for one interface; give one "
        "of them another port");
  };
  const std::uint16_t port = declaration.declared().port;
  for (const model::Interface& other : service_.interfaces) {
    if (other.port == port) refuse(service_.name, other);
  }
  for (const model::Service& service : session_.topology.services) {
    for (const model::Interface& other : service.interfaces) {
      if (other.port == port && service.remote.empty()) refuse(service.name, other);
    }
  }
}

void ServiceBuilder::take_origin() {
  const std::pair<const char*, const std::optional<std::string>*> ways[] = {
      {"image", &given_.image},
      {"build", &given_.build},
      {"remote", &given_.remote},
      {"binary", &given_.binary}};
  std::vector<std::string> said;
  for (const auto& [name, value] : ways) {
    if (*value && (*value)->empty()) fail(name, fmt::format("{}= is empty", name));
    if (*value) said.emplace_back(name);
  }
  if (said.size() != 1) {
    args_.fail_at(args_.callee_span(), star::code::kArgument,
                  said.empty() ? fmt::format("\"{}\" does not say what runs", service_.name)
                               : fmt::format("\"{}\" says {}=: one of them", service_.name,
                                             fmt::join(said, "= and ")),
                  "image=, binary=, build= or remote=");
  }
  if (!given_.binary) refuse_process_words(said.front());
  service_.image = given_.image.value_or("");
  service_.build = given_.build.value_or("");
  service_.remote = given_.remote.value_or("");
  service_.binary = given_.binary.value_or("");
}

/// An image, built or not, says itself where its program runs and as whom; what runs elsewhere
/// takes nothing.
void ServiceBuilder::refuse_process_words(const std::string& origin) const {
  const auto refuse = [&](const char* word, bool is_given) {
    if (!is_given) return;
    fail(word, fmt::format("{}= is for binary=; {}= does not take it", word, origin),
         origin == "remote" ? "what runs elsewhere is started elsewhere"
                            : "the image says in which folder and as which user its program runs");
  };
  refuse("cwd", given_.cwd.has_value());
  refuse("user", given_.user.has_value());
  if (origin == "remote") refuse("args", given_.args.has_value());
}

void ServiceBuilder::take_dependencies() {
  if (!given_.depends_on) return;
  for (const Value& item : given_.depends_on->value.elements()) {
    auto name = service_name_of(item);
    if (const auto* interface = item.as<InterfaceValue>(); interface != nullptr) {
      name = interface->service();
    }
    if (!name) {
      fail("depends_on", fmt::format("depends_on holds {}, want services", item.type_name()));
    }
    service_.depends_on.push_back(*name);
  }
}

std::optional<model::Seed> ServiceBuilder::take_statements(const char* keyword,
                                                           const std::optional<Value>& given,
                                                           std::vector<Value>& callables) const {
  if (!given) return {};
  if (given->is_callable()) {
    const star::Function* function = given->as_function();
    if (function != nullptr && !function->accepts(0)) {
      fail(keyword, fmt::format("{}= wants a function without parameters", keyword));
    }
    callables.push_back(*given);
    return model::Seed{.callable = callables.size() - 1};
  }
  const auto text = given->as_string();
  if (!text || !text->ends_with(".sql")) {
    fail(keyword, fmt::format("{}= is an .sql file or a function without parameters", keyword));
  }
  const auto file = std::filesystem::path(session_.folder) / std::string(*text);
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    fail(keyword, fmt::format("{}= \"{}\": there is no such file", keyword, *text),
         "paths are relative to the spec's folder, " + session_.folder);
  }
  return model::Seed{.sql_file = file.lexically_normal().string()};
}

void ServiceBuilder::take_restart() {
  if (!given_.restart) return;
  const std::vector<std::string> known = {"after_fault", "never", "always"};
  const auto at = std::ranges::find(known, *given_.restart);
  if (at == known.end()) {
    fail("restart",
         fmt::format("unknown restart=\"{}\"{}", *given_.restart,
                     did_you_mean(*given_.restart, known)),
         "one of " + listed(known));
  }
  service_.restart = static_cast<model::Restart>(at - known.begin());
}

void ServiceBuilder::take_intercept() {
  if (!given_.intercept) return;
  for (const std::string& family : given_.intercept->items) {
    if (session_.is_family(family)) continue;
    const auto& known = session_.options.syscall_families;
    fail("intercept",
         fmt::format("\"{}\" is no family of system calls{}", family, did_you_mean(family, known)),
         "families: " + listed(known));
  }
  service_.intercept = given_.intercept->items;
}

void ServiceBuilder::take_observers() {
  if (!given_.observe) return;
  for (const Value& item : given_.observe->value.elements()) {
    if (const auto wrong = add_observer(service_, item)) fail("observe", wrong->what, wrong->help);
  }
  if (const auto wrong = check_observers(service_)) fail("observe", wrong->what, wrong->help);
}

}  // namespace

Value declare_service(Args& args) {
  Session& session = session_of(args);
  model::Service service = ServiceBuilder(args).build();
  const auto env = args.find_keyword("env");
  session.service_spans.push_back(args.call_span());
  session.keyword_spans.emplace_back();
  for (std::size_t k = 0; k < args.keywords().size(); ++k) {
    session.keyword_spans.back().emplace(args.keyword_name(k), args.keyword_value_span(k));
  }
  session.env_spans.push_back(env ? args.keyword_span(*env) : args.call_span());
  session.topology.services.push_back(service);
  return Value::object(star::make<ServiceValue>(std::move(service)));
}

}  // namespace misrule::dsl
