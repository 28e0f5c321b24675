#include "controller/starter/compose.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "controller/starter/compose_file.h"
#include "controller/starter/compose_values.h"

namespace misrule::controller {

namespace {

namespace fs = std::filesystem;

struct KnownImage {
  std::string_view name;
  std::string_view protocol;
  std::uint16_t port;
};
constexpr std::array<KnownImage, 11> kImages = {{{"postgres", "postgres", 5432},
                                                 {"postgis", "postgres", 5432},
                                                 {"redis", "redis", 6379},
                                                 {"valkey", "redis", 6379},
                                                 {"mysql", "tcp", 3306},
                                                 {"mariadb", "tcp", 3306},
                                                 {"mongo", "tcp", 27017},
                                                 {"rabbitmq", "tcp", 5672},
                                                 {"memcached", "tcp", 11211},
                                                 {"nats", "tcp", 4222},
                                                 {"kafka", "tcp", 9092}}};

std::vector<std::string> words_of(const YAML::Node& node) {
  if (node.IsScalar()) return split_words(node.Scalar());
  std::vector<std::string> words;
  if (node.IsSequence()) {
    for (const YAML::Node& word : node) words.push_back(text_of(word));
  }
  return words;
}

/// "docker.io/library/postgres:16" is "postgres".
std::string_view image_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  if (slash != std::string_view::npos) image.remove_prefix(slash + 1);
  return image.substr(0, image.find(':'));
}

/// With what variables are when nobody sets them.
std::string with_defaults(const std::string& text) {
  std::string out;
  for (const ValuePiece& piece : split_variables(text)) out += piece.text;
  return out;
}

class Reader {
 public:
  explicit Reader(const std::string& spec_folder) : spec_folder_(fs::absolute(spec_folder)) {}

  void read(ComposeFile file);
  StarterProject take();

 private:
  void remark(unsigned line, std::string text) {
    project_.remarks.push_back({.line = line, .text = std::move(text), .file = file_});
  }
  std::string relative(const std::string& path) const {
    const fs::path where = (folder_ / path).lexically_normal();
    std::string text = where.lexically_relative(spec_folder_.lexically_normal()).string();
    if (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text.starts_with(".") ? text : "./" + text;
  }
  void read_key(StarterService& service, const std::string& key, const YAML::Node& value,
                unsigned line);
  bool read_network_key(StarterService& service, const std::string& key, const YAML::Node& value);
  void read_build(StarterService& service, const YAML::Node& node);
  void read_env(StarterService& service, const YAML::Node& node);
  void read_ports(StarterService& service, const YAML::Node& node);
  void read_healthcheck(StarterService& service, const YAML::Node& node);
  void read_health_test(StarterService& service, const YAML::Node& node, unsigned line);
  void read_service(const std::string& name, const YAML::Node& node, unsigned line);
  void give_port(const StarterService& service, std::uint16_t& port);
  void read_depends_on(StarterService& service, const YAML::Node& node);
  void read_volumes(StarterService& service, const YAML::Node& node);
  void complete(StarterService& service, unsigned line);
  void choose_command(StarterService& service, unsigned line);
  void part_ports();

  std::string file_ = {};  ///< Of the service that is read.
  fs::path folder_ = {};
  fs::path spec_folder_;
  StarterProject project_ = {};
  std::vector<std::string> entrypoint_ = {};
  std::vector<std::string> command_ = {};
  std::uint16_t health_port_ = 0;
  std::set<std::uint16_t> taken_ = {};
};

void Reader::read_build(StarterService& service, const YAML::Node& node) {
  if (node.IsScalar()) service.build = relative(node.Scalar());
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned line) {
    if (key == "context") {
      service.build = relative(text_of(value));
    } else {
      remark(line, fmt::format("{}: build.{} is not used: nothing is built", service.name, key));
    }
  });
}

void Reader::read_env(StarterService& service, const YAML::Node& node) {
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned) {
    service.env.emplace_back(key, value.IsNull() ? "${" + key + "}" : text_of(value));
  });
  if (!node.IsSequence()) return;
  for (const YAML::Node& entry : node) {
    const std::string text = text_of(entry);
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    service.env.emplace_back(
        name, equals == std::string::npos ? "${" + name + "}" : text.substr(equals + 1));
  }
}

void Reader::read_ports(StarterService& service, const YAML::Node& node) {
  for (const YAML::Node& entry : node) {
    const std::string text = entry.IsMap() ? text_of(entry["target"]) : text_of(entry);
    const auto port = container_port(text);
    if (!port) {
      remark(line_of(entry), fmt::format("{}: port {} is not understood", service.name, text));
    } else if (std::ranges::find(service.ports, *port) == service.ports.end()) {
      service.ports.push_back(*port);
    }
  }
}

void Reader::read_health_test(StarterService& service, const YAML::Node& node, unsigned line) {
  if (const auto url = find_http_url(fmt::format("{}", fmt::join(words_of(node), " ")))) {
    service.health_path = url->path;
    health_port_ = url->port;
  } else if (!service.is_server()) {
    remark(line, fmt::format("{}: a healthcheck that is a command is not run; misrule asks "
                             "whether the port answers",
                             service.name));
  }
}

/// How often and how long is not asked: misrule asks until there is an answer, 30 s at most.
void Reader::read_healthcheck(StarterService& service, const YAML::Node& node) {
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned line) {
    if (key == "test") read_health_test(service, value, line);
    if (key == "disable") {
      remark(line, fmt::format("{}: healthcheck.disable is not used", service.name));
    }
  });
}

void Reader::read_depends_on(StarterService& service, const YAML::Node& node) {
  if (node.IsSequence()) service.depends_on = words_of(node);
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned line) {
    const std::string condition = value.IsMap() ? text_of(value["condition"]) : "";
    if (condition == "service_completed_successfully") {
      remark(line, fmt::format("{}: {} is a job that ends; say seed= where its work belongs",
                               service.name, key));
    } else {
      service.depends_on.push_back(key);
    }
  });
}

void Reader::read_volumes(StarterService& service, const YAML::Node& node) {
  for (const YAML::Node& entry : node) {
    const std::string text = text_of(entry);
    const std::string from = text.substr(0, text.find(':'));
    const bool prepares = text.find(":/docker-entrypoint-initdb.d") != std::string::npos;
    if (prepares && from.ends_with(".sql") && service.seed.empty()) {
      service.seed = relative(from);
    } else {
      remark(line_of(entry),
             fmt::format("{}: volume {} is not used: every test begins with empty "
                         "data{}",
                         service.name, text, prepares ? "; seed= takes one .sql file" : ""));
    }
  }
}

bool Reader::read_network_key(StarterService& service, const std::string& key,
                              const YAML::Node& value) {
  if (key == "ports" || key == "expose") {
    read_ports(service, value);
  } else if (key == "healthcheck") {
    read_healthcheck(service, value);
  } else if (key == "depends_on") {
    read_depends_on(service, value);
  } else if (key == "volumes") {
    read_volumes(service, value);
  } else {
    return false;
  }
  return true;
}

void Reader::read_key(StarterService& service, const std::string& key, const YAML::Node& value,
                      unsigned line) {
  if (read_network_key(service, key, value)) return;
  if (key == "build") {
    read_build(service, value);
  } else if (key == "command") {
    command_ = words_of(value);
  } else if (key == "entrypoint") {
    entrypoint_ = words_of(value);
  } else if (key == "environment") {
    read_env(service, value);
  } else if (key != "image" && key != "container_name") {
    remark(line, fmt::format("{}: {} is not used", service.name, key));
  }
}

/// The command that stands in for an image or a build directory.
void Reader::choose_command(StarterService& service, unsigned line) {
  if (service.is_server()) {
    service.args = command_;
    const bool names_it = !service.args.empty() && !service.args.front().starts_with("-");
    if (names_it) service.args.erase(service.args.begin());
    return;
  }
  service.wants_stand_in = true;
  std::vector<std::string> words = entrypoint_;
  words.insert(words.end(), command_.begin(), command_.end());
  if (words.empty() && !service.build.empty()) {
    std::ifstream file(spec_folder_ / service.build / "Dockerfile");
    std::stringstream text;
    text << file.rdbuf();
    words = dockerfile_command(text.str());
  }
  // As images call it; Debian does not.
  if (!words.empty() && words.front() == "python") words.front() = "python3";
  service.command = words;
  if (words.empty()) {
    remark(line,
           fmt::format("{}: nothing says what runs; write it into misrule.toml", service.name));
  }
}

void Reader::complete(StarterService& service, unsigned line) {
  if (service.protocol.empty()) service.protocol = "http";
  if (service.ports.empty() && health_port_ != 0) service.ports = {health_port_};
  const auto asked = std::ranges::find(service.ports, health_port_);
  // The interface that is asked for health is the first.
  if (asked != service.ports.end()) std::iter_swap(service.ports.begin(), asked);
  if (service.ports.empty()) {
    remark(line, fmt::format("{}: no port is known; it has no interface", service.name));
  } else if (service.protocol == "http" && service.health_path.empty()) {
    remark(line,
           fmt::format("{}: no healthcheck names a URL; its scenario asks for /", service.name));
  }
  choose_command(service, line);
}

void Reader::read_service(const std::string& name, const YAML::Node& node, unsigned line) {
  StarterService service = {.name = name};
  entrypoint_.clear();
  command_.clear();
  health_port_ = 0;
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned) {
    if (key == "image") service.image = with_defaults(text_of(value));
  });
  bool builds = false;
  for_each_entry(node, [&](const std::string& key, const YAML::Node&, unsigned) {
    builds = builds || key == "build";
  });
  if (builds) service.image.clear();
  for (const KnownImage& known : kImages) {
    if (image_name(service.image) != known.name) continue;
    service.protocol = known.protocol;
    service.ports = {known.port};
  }
  for_each_entry(node, [&](const std::string& key, const YAML::Node& value, unsigned at) {
    read_key(service, key, value, at);
  });
  complete(service, line);
  project_.services.push_back(std::move(service));
}

void Reader::read(ComposeFile file) {
  project_.remarks = std::move(file.remarks);
  for (const ComposeService& service : file.services) {
    file_ = service.file;
    folder_ = service.folder;
    read_service(service.name, service.node, service.line);
  }
  file_.clear();
}

void Reader::give_port(const StarterService& service, std::uint16_t& port) {
  const std::uint16_t wanted = port;
  while (!taken_.insert(port).second) ++port;
  if (port == wanted) return;
  remark(0, fmt::format("{} cannot have port {}, another service has it: it must listen on {} here "
                        "(say so in its env= or in misrule.toml)",
                        service.name, wanted, port));
}

/// All services of a test share one network: a port that two want is given to the first.
void Reader::part_ports() {
  for (StarterService& service : project_.services) {
    for (std::uint16_t& port : service.ports) give_port(service, port);
  }
}

StarterProject Reader::take() {
  part_ports();
  std::ranges::sort(project_.remarks, {}, [](const StarterRemark& remark) {
    return std::tuple<std::string_view, unsigned, std::string_view>(remark.file, remark.line,
                                                                    remark.text);
  });
  return std::move(project_);
}

}  // namespace

Result<StarterProject> read_compose(const std::string& file, const std::string& spec_folder) {
  Reader reader(spec_folder);
  try {
    MISRULE_TRY(ComposeFile compose, load_compose(file));
    reader.read(std::move(compose));
  } catch (const YAML::BadFile&) {
    return fail(Code::kNotFound, fmt::format("{}: cannot be read", file));
  } catch (const YAML::Exception& problem) {
    return fail(Code::kInvalid, fmt::format("{}:{}:{}: {}", file, problem.mark.line + 1,
                                            problem.mark.column + 1, problem.msg));
  }
  StarterProject project = reader.take();
  if (project.services.empty()) {
    return fail(Code::kInvalid, fmt::format("{}: there are no services in it", file));
  }
  return project;
}

}  // namespace misrule::controller
