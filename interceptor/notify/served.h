#pragma once

// What the supervisor knows about a service and about each listener that it serves.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "interceptor/decide/facts.h"
#include "interceptor/notify/filter.h"
#include "interceptor/notify/held_calls.h"
#include "interceptor/notify/listener.h"
#include "interceptor/notify/process.h"

namespace misrule::interceptor {

struct ServedService {
  ServiceId id = {};
  std::string name = {};
  ProcessTree tree;
  bool told_io_uring = false;
  std::map<std::string, std::uint64_t> undeclared = {};  ///< Connects by destination.
};

struct Served {
  ListenerId id = {};
  Listener listener;
  FilterScope scope = {};
  std::shared_ptr<ServedService> service = {};
};

}  // namespace misrule::interceptor
