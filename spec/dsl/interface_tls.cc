#include "spec/dsl/interface_tls.h"

#include <filesystem>

#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Value;

namespace {

class TlsReader {
 public:
  explicit TlsReader(const star::Args& args) : args_(args) {}
  void read(const Value& value, model::Interface& declared) const;

 private:
  using Take = std::function<void(std::string_view key, const Value& value)>;
  /// Calls `take` for each key of a dict, all of which are `known`.
  void each_key(const Value& dict, const std::string& where, const std::vector<std::string>& known,
                const Take& take) const;
  void read_client(const Value& dict, model::Interface& declared) const;
  void take_server_key(std::string_view key, const Value& said, model::ServerTls& tls) const;
  model::ServerTls read_server(const Value& value) const;
  bool flag(std::string_view key, const Value& value) const;
  std::string text(std::string_view key, const Value& value) const;
  std::string file(std::string_view key, const Value& value) const;
  void check_pair(const std::string& cert, const std::string& key) const;
  [[noreturn]] void fail(const std::string& message, std::string help = {}) const {
    const auto index = args_.find_keyword("tls");
    args_.fail_at(index ? args_.keyword_value_span(*index) : args_.call_span(), star::code::kValue,
                  message, std::move(help));
  }

  const star::Args& args_;
};

void TlsReader::each_key(const Value& dict, const std::string& where,
                         const std::vector<std::string>& known, const Take& take) const {
  if (dict.as_dict() == nullptr) {
    fail(fmt::format("{}: got {}, want True or a dict", where, dict.type_name()));
  }
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = dict.as_dict()->table().next(cursor)) {
    const std::string key(entry->key.as_string().value_or(""));
    if (std::ranges::find(known, key) == known.end()) {
      fail(fmt::format("{}: unknown key {}{}", where, entry->key.repr(), did_you_mean(key, known)),
           "it takes " + listed(known));
    }
    take(key, entry->value);
  }
}

bool TlsReader::flag(std::string_view key, const Value& value) const {
  const auto said = value.as_bool();
  if (!said) fail(fmt::format("tls: {}: got {}, want True or False", key, value.type_name()));
  return *said;
}

std::string TlsReader::text(std::string_view key, const Value& value) const {
  const auto said = value.as_string();
  if (!said || said->empty()) {
    fail(fmt::format("tls: {}: got {}, want a string", key, value.type_name()));
  }
  return std::string(*said);
}

std::string TlsReader::file(std::string_view key, const Value& value) const {
  const std::string said = text(key, value);
  const std::string& folder = session_of(args_).folder;
  const auto path = (std::filesystem::path(folder) / said).lexically_normal();
  std::error_code problem;
  if (!std::filesystem::is_regular_file(path, problem)) {
    fail(fmt::format("tls: {}: \"{}\": there is no such file", key, said),
         "paths are relative to the spec's folder, " + folder);
  }
  return path.string();
}

void TlsReader::check_pair(const std::string& cert, const std::string& key) const {
  if (cert.empty() != key.empty()) fail("tls: a certificate and its key come together");
}

void TlsReader::take_server_key(std::string_view key, const Value& said,
                                model::ServerTls& tls) const {
  if (key == "ca") tls.ca = file(key, said);
  if (key == "cert") tls.cert = file(key, said);
  if (key == "key") tls.key = file(key, said);
  if (key == "server_name") tls.server_name = text(key, said);
  if (key != "verify") return;
  const auto verify = model::verify_from_name(text(key, said));
  if (!verify) {
    fail(fmt::format("tls: verify: unknown {}", said.repr()),
         "one of \"none\", \"chain\", \"full\"");
  }
  tls.verify = *verify;
}

model::ServerTls TlsReader::read_server(const Value& value) const {
  model::ServerTls tls;
  each_key(value, "tls: upstream", {"ca", "cert", "key", "server_name", "verify"},
           [&](std::string_view key, const Value& said) { take_server_key(key, said, tls); });
  check_pair(tls.cert, tls.key);
  return tls;
}

void TlsReader::read_client(const Value& dict, model::Interface& declared) const {
  model::ClientTls tls;
  bool speaks = true;
  each_key(dict, "tls", {"cert", "key", "client", "upstream"},
           [&](std::string_view key, const Value& said) {
             if (key == "cert") tls.cert = file(key, said);
             if (key == "key") tls.key = file(key, said);
             if (key == "client") speaks = flag(key, said);
             if (key != "upstream" || !said.truth()) return;
             if (said.as_bool()) {
               declared.upstream_tls.emplace();
             } else {
               declared.upstream_tls = read_server(said);
             }
           });
  check_pair(tls.cert, tls.key);
  if (speaks) declared.tls = std::move(tls);
}

void TlsReader::read(const Value& value, model::Interface& declared) const {
  if (!value.truth()) return;
  if (value.as_bool().value_or(false)) {
    declared.tls.emplace();
  } else {
    read_client(value, declared);
  }
}

}  // namespace

void take_interface_tls(const star::Args& args, const Value& value, model::Interface& declared) {
  TlsReader(args).read(value, declared);
}

}  // namespace misrule::dsl
