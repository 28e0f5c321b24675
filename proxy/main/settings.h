#pragma once

// What a proxy that stands alone is to do, from its command line and its --config file.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "proxy/proxy.h"
#include "proxy/standalone.h"

namespace misrule::proxy {

struct Settings {
  std::vector<Listener> listeners = {};
  /// Where the authority's certificate is copied to.
  std::vector<std::string> ca_outs = {};
  std::string rules_file = {};
  bool watches_rules = true;
  std::optional<Endpoint> admin = {};
  bool admin_allow_remote = false;
  unsigned loops = 1;
  std::uint64_t seed = 1;
  Duration drain = std::chrono::seconds(30);
  LogSettings log = {};
  bool record_all = false;
};

/// The command line wins over the file.
Result<Settings> settle(const StandaloneArguments& arguments);

/// Some certificate is made on the fly.
bool needs_authority(const Settings& settings);

/// "30s", "500ms", "2m".
Result<Duration> parse_duration(std::string_view text);

/// The whole file; an error says what to do.
Result<std::string> read_text_file(const std::string& path);

}  // namespace misrule::proxy
