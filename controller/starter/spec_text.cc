#include "controller/starter/spec_text.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controller/starter/compose_values.h"

namespace misrule::controller {

namespace {

// What a service's variable must not hide, and what the language keeps to itself.
constexpr std::array<std::string_view, 44> kTaken = {
    "http",   "tcp",     "service",  "interface", "error",    "delay",  "deny",  "drop",  "link",
    "env",    "events",  "monitor",  "scenario",  "fault",    "fail",   "log",   "hold",  "release",
    "reset",  "close",   "respond",  "rewrite",   "parallel", "before", "until", "count", "always",
    "never",  "answers", "recovers", "and",       "break",    "def",    "for",   "if",    "in",
    "lambda", "load",    "not",      "or",        "pass",     "return", "while", "with"};

std::string variable_for(const std::string& name) {
  std::string variable;
  for (const char c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    variable += plain ? c : '_';
  }
  const bool starts_well = !variable.empty() && (variable[0] < '0' || variable[0] > '9');
  if (!starts_well) variable.insert(0, "s_");
  if (std::ranges::find(kTaken, variable) != kTaken.end()) variable += "_service";
  return variable;
}

bool is_host_char(char c) {
  return c == '-' || c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z');
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::vector<std::string> quoted_words;
  quoted_words.reserve(words.size());
  for (const std::string& word : words) quoted_words.push_back(quoted(word));
  return fmt::format("[{}]", fmt::join(quoted_words, ", "));
}

/// Where a service's name stands as a host in a value.
struct HostPlace {
  std::size_t begin = std::string::npos;
  std::size_t end = 0;  ///< Behind the port, if there is one.
  bool has_port = false;
};

/// After "@", "/", "," or "=", or at the very beginning; before a port, a path or the end.
HostPlace find_host(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const char before = at == 0 ? '/' : text[at - 1];
    std::size_t end = at + name.size();
    if (std::string_view("@/,=").find(before) == std::string_view::npos) continue;
    if (end < text.size() && is_host_char(text[end])) continue;
    HostPlace place = {.begin = at, .end = end};
    if (end + 1 < text.size() && text[end] == ':' && text[end + 1] >= '0' && text[end + 1] <= '9') {
      place.has_port = true;
      for (++end; end < text.size() && text[end] >= '0' && text[end] <= '9';) ++end;
      place.end = end;
      return place;
    }
    // A path "/db" of a URL is no host; "//db/" and "user@db/" are.
    const bool is_host =
        at == 0 ? end == text.size() : before == '@' || (at > 1 && text.substr(at - 2, 2) == "//");
    if (is_host) return place;
  }
  return {};
}

bool names_a_place(std::string_view key) {
  return std::ranges::any_of(std::array{"HOST", "ADDR", "SERVER", "URL", "BROKER"},
                             [&](const char* word) { return key.find(word) != key.npos; });
}

}  // namespace

void prepare_for_spec(StarterProject& project) {
  std::set<std::string> used;
  std::vector<StarterService> waiting;
  for (StarterService& service : project.services) {
    service.variable = variable_for(service.name);
    while (!used.insert(service.variable).second) service.variable += "_";
    waiting.push_back(std::move(service));
  }
  project.services.clear();
  const auto can_be_declared = [&](const StarterService& service) {
    return std::ranges::none_of(waiting, [&](const StarterService& other) {
      if (other.name == service.name) return false;
      const bool needed =
          std::ranges::find(service.depends_on, other.name) != service.depends_on.end();
      return needed || std::ranges::any_of(service.env, [&](const auto& entry) {
               return find_host(entry.second, other.name).begin != std::string::npos;
             });
    });
  };
  while (!waiting.empty()) {
    auto next = std::ranges::find_if(waiting, can_be_declared);
    if (next == waiting.end()) next = waiting.begin();  // A circle.
    project.services.push_back(std::move(*next));
    waiting.erase(next);
    StarterService& added = project.services.back();
    std::erase_if(added.depends_on, [&](const std::string& name) {
      return name == added.name || project.find(name) == nullptr;
    });
  }
}

namespace {

class SpecText {
 public:
  explicit SpecText(const StarterProject& project) : project_(project) {}
  std::string text();

 private:
  std::string value_text(const std::string& key, const std::string& value) const;
  std::string host_text(const std::string& key, std::string_view text) const;
  std::string interfaces_of(const StarterService& service) const;
  void add_service(const StarterService& service);
  void add_env(const StarterService& service);
  void add_scenario(const StarterService& service);
  std::vector<const StarterService*> dependencies_of(const StarterService& service) const;
  std::string assumption_name(const StarterService& service, const StarterService& needed) const;
  void add_assumptions(const StarterService& service, const StarterService& needed);
  void add_matrix(const StarterService& service);
  bool is_declared(const std::string& name) const {
    return std::ranges::find(declared_, name) != declared_.end();
  }
  static bool is_asked(const StarterService& service) {
    return service.protocol == "http" && !service.ports.empty();
  }

  const StarterProject& project_;
  std::vector<std::string> declared_ = {};
  std::string out_ = {};
};

/// Text as an expression, with the names of services as the places where they are in a test.
std::string SpecText::host_text(const std::string& key, std::string_view text) const {
  std::vector<std::string> parts;
  const auto add = [&parts](std::string_view plain) {
    if (!plain.empty()) parts.push_back(quoted(plain));
  };
  for (bool found = true; found;) {
    found = false;
    HostPlace first;
    const StarterService* host = nullptr;
    for (const StarterService& service : project_.services) {
      const HostPlace place = find_host(text, service.name);
      const bool whole = place.begin == 0 && place.end == text.size() && !place.has_port;
      if (place.begin >= first.begin || (whole && !names_a_place(key))) continue;
      first = place;
      host = &service;
    }
    if (host == nullptr) break;
    add(text.substr(0, first.begin));
    if (first.has_port && is_declared(host->name) && !host->ports.empty()) {
      parts.push_back(fmt::format("{}.main.internal_addr", host->variable));
    } else if (first.has_port && !host->ports.empty()) {
      add(fmt::format("localhost:{}", host->ports.front()));
    } else {
      add("localhost");
    }
    text.remove_prefix(first.end);
    found = true;
  }
  add(text);
  return parts.empty() ? "\"\"" : fmt::format("{}", fmt::join(parts, " + "));
}

std::string SpecText::value_text(const std::string& key, const std::string& value) const {
  std::vector<std::string> parts;
  for (const ValuePiece& piece : split_variables(value)) {
    parts.push_back(piece.variable.empty()
                        ? host_text(key, piece.text)
                        : fmt::format("env({}, {})", quoted(piece.variable), quoted(piece.text)));
  }
  return fmt::format("{}", fmt::join(parts, " + "));
}

std::string SpecText::interfaces_of(const StarterService& service) const {
  std::string out;
  for (std::size_t at = 0; at < service.ports.size(); ++at) {
    out += fmt::format("    interface({}, {}, {}),\n",
                       at == 0 ? "\"main\"" : fmt::format("\"port{}\"", service.ports[at]),
                       quoted(at == 0 ? service.protocol : "tcp"), service.ports[at]);
  }
  return out;
}

void SpecText::add_env(const StarterService& service) {
  if (service.env.empty()) return;
  out_ += "    env = {\n";
  for (const auto& [key, value] : service.env) {
    out_ += fmt::format("        {}: {},\n", quoted(key), value_text(key, value));
  }
  out_ += "    },\n";
}

void SpecText::add_service(const StarterService& service) {
  out_ += fmt::format("{} = service({},\n{}", service.variable, quoted(service.name),
                      interfaces_of(service));
  if (!service.image.empty()) out_ += fmt::format("    image = {},\n", quoted(service.image));
  if (!service.build.empty()) out_ += fmt::format("    build = {},\n", quoted(service.build));
  if (!service.binary.empty()) out_ += fmt::format("    binary = {},\n", quoted(service.binary));
  if (!service.args.empty()) out_ += fmt::format("    args = {},\n", quoted_list(service.args));
  add_env(service);
  std::vector<std::string> needed;
  for (const std::string& name : service.depends_on) {
    if (is_declared(name)) needed.push_back(project_.find(name)->variable);
  }
  if (!needed.empty()) out_ += fmt::format("    depends_on = [{}],\n", fmt::join(needed, ", "));
  if (!service.ports.empty()) {
    out_ += service.health_path.empty()
                ? fmt::format("    healthcheck = tcp(\"localhost:{}\"),\n", service.ports.front())
                : fmt::format("    healthcheck = http(\"localhost:{}{}\"),\n",
                              service.ports.front(), service.health_path);
  }
  if (!service.seed.empty()) out_ += fmt::format("    seed = {},\n", quoted(service.seed));
  out_ += ")\n\n";
  declared_.push_back(service.name);
}

void SpecText::add_scenario(const StarterService& service) {
  const bool known = !service.health_path.empty();
  const std::string_view good = known ? "status == 200" : "status in range(100, 500)";
  out_ += fmt::format(
      R"(def {0}_health():
    return {0}.main.get(path = {1})

scenario({0}_health)

def test_{0}_is_healthy():
    """Nothing goes wrong, and {0} says so."""
    resp = {0}_health()
    assert_true(resp.{2}, "got %s %s" % (resp.status, resp.error))

)",
      service.variable, quoted(known ? service.health_path : "/"), good);
}

std::vector<const StarterService*> SpecText::dependencies_of(const StarterService& service) const {
  std::vector<const StarterService*> needed;
  for (const std::string& name : service.depends_on) {
    const StarterService* other = project_.find(name);
    if (other != nullptr && !other->ports.empty()) needed.push_back(other);
  }
  return needed;
}

/// "db", or "api_db" where several services need it.
std::string SpecText::assumption_name(const StarterService& service,
                                      const StarterService& needed) const {
  const auto who = std::ranges::count_if(project_.services, [&](const StarterService& other) {
    return is_asked(other) &&
           std::ranges::find(other.depends_on, needed.name) != other.depends_on.end();
  });
  return who > 1 ? service.variable + "_" + needed.variable : needed.variable;
}

struct Actions {
  std::string slow = {};
  std::string error = {};
};

Actions actions_on(const std::string& protocol) {
  if (protocol == "postgres") {
    return {.slow = R"(delay("500ms", query = "*", optional = True))",
            .error = R"(error(query = "*", message = "out of order", optional = True))"};
  }
  if (protocol == "redis") {
    return {.slow = R"(delay("500ms", command = "*", optional = True))",
            .error = R"(error(command = "*", message = "out of order", optional = True))"};
  }
  if (protocol == "http") {
    return {.slow = R"(delay("500ms", path = "*", optional = True))",
            .error = R"(error(path = "*", status = 503, optional = True))"};
  }
  return {.slow = R"(link(latency = "500ms", optional = True))",
          .error = R"(link(reset_after = 1, optional = True))"};
}

void SpecText::add_assumptions(const StarterService& service, const StarterService& needed) {
  const std::string name = assumption_name(service, needed);
  const Actions actions = actions_on(needed.protocol);
  out_ += fmt::format(
      R"({0}_down = fault_assumption("{0}_down",
    target = {1}, to = {2}, connect = deny("ECONNREFUSED", optional = True),
    description = "{2} refuses every connection of {1}.")
{0}_slow = fault_assumption("{0}_slow",
    target = {2}.main, source = {1}, rules = [{3}],
    description = "Everything that {1} asks of {2} takes half a second longer.")
{0}_error = fault_assumption("{0}_error",
    target = {2}.main, source = {1}, rules = [{4}],
    description = "{2} fails whatever {1} asks.")

)",
      name, service.variable, needed.variable, actions.slow, actions.error);
}

void SpecText::add_matrix(const StarterService& service) {
  std::vector<std::string> faults;
  for (const StarterService* needed : dependencies_of(service)) {
    const std::string name = assumption_name(service, *needed);
    for (const char* kind : {"_down", "_slow", "_error"}) faults.push_back(name + kind);
  }
  out_ += fmt::format(R"(fault_matrix(
    scenarios = [{0}_health],
    faults = [{1}],
    default_expect = lambda r: (answers(r), recovers({0}_health)),
)
)",
                      service.variable, fmt::join(faults, ", "));
}

constexpr std::string_view kHead =
    R"(# What this system is, what may go wrong in it, and what must stay true all the same.
#
#   misrule test misrule.star              runs all of it
#   misrule test misrule.star --watch      again and again, whenever something changes
#
# Written by `misrule init`; it is yours now. Next: a scenario for what your users do.

)";
constexpr std::string_view kOracles =
    R"(# A service that lacks something it needs may say so (503); but it says so, and not too late.
def answers(resp):
    assert_true(resp.status > 0, "no answer: %s" % resp.error)
    assert_true(resp.duration_ms < 10000, "an answer after %d ms" % resp.duration_ms)

# Once the fault is over everything is as before; a pool of connections may need some time.
def recovers(health):
    wait_until(lambda: health().status in range(100, 500), within = "30s",
               msg = "still ill after the fault")

# optional = True: a health endpoint that does not look at what it needs leaves these cells "not
# exercised". Take it away once a scenario of yours uses it: a fault that never fires then fails.
)";

std::string SpecText::text() {
  out_ = kHead;
  for (const StarterService& service : project_.services) add_service(service);
  bool has_faults = false;
  for (const StarterService& service : project_.services) {
    if (!is_asked(service)) continue;
    add_scenario(service);
    has_faults = has_faults || !dependencies_of(service).empty();
  }
  if (!has_faults) return out_;
  out_ += kOracles;
  for (const StarterService& service : project_.services) {
    if (!is_asked(service)) continue;
    for (const StarterService* needed : dependencies_of(service)) add_assumptions(service, *needed);
  }
  for (const StarterService& service : project_.services) {
    if (is_asked(service) && !dependencies_of(service).empty()) add_matrix(service);
  }
  return out_;
}

}  // namespace

std::string starter_spec(const StarterProject& project) { return SpecText(project).text(); }

std::string starter_project_file(const StarterProject& project) {
  std::string out;
  std::set<std::string> written;
  for (const StarterService& service : project.services) {
    const std::string& key = service.build.empty() ? service.image : service.build;
    if (!service.wants_stand_in || key.empty() || !written.insert(key).second) continue;
    std::vector<std::string> command = service.command;
    if (command.empty()) command = {"echo", "misrule.toml does not say yet what runs " + key};
    out += fmt::format("[stand-ins.{}]\ncommand = {}\n\n", quoted(key), quoted_list(command));
  }
  if (out.empty()) return out;
  out.pop_back();
  return "# Misrule starts no containers: what runs here for each image, or directory to be "
         "built.\n"
         "# cwd, env and setup (a build, an installation) can stand beside command.\n\n" +
         out;
}

}  // namespace misrule::controller
