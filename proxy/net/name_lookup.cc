#include "proxy/net/name_lookup.h"

#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <netdb.h>
#include <sys/socket.h>

namespace misrule::proxy {

namespace {

constexpr auto kWait = std::chrono::milliseconds(100);
constexpr auto kFresh = std::chrono::seconds(5);

// Servers say what they like: nobody is asked for what cannot be one.
bool may_be_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !text.empty() && text.size() <= kLongest &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::optional<std::string> ask_the_system(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &wanted, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  // Servers are met by IPv4 where they have both, as everywhere here ("localhost").
  const addrinfo* chosen = found;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      chosen = each;
      break;
    }
  }
  std::array<char, NI_MAXHOST> text{};
  const int problem = ::getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text.data(), text.size(),
                                    nullptr, 0, NI_NUMERICHOST);
  if (problem != 0) return std::nullopt;
  return std::string(text.data());
}

}  // namespace

struct NameLookup::State {
  struct Name {
    std::optional<std::string> address = {};
    TimePoint known_since = {};
    bool known = false;
    bool asking = false;
  };
  Resolver resolver;
  Duration wait = {};
  Duration fresh = {};
  SteadyClock clock = {};
  std::mutex mutex = {};
  std::condition_variable answered = {};
  std::map<std::string, Name> names = {};
};

NameLookup::NameLookup() : NameLookup(ask_the_system, kWait, kFresh) {}

NameLookup::NameLookup(Resolver resolver, Duration wait, Duration fresh)
    : state_(std::make_shared<State>(std::move(resolver), wait, fresh)) {}

NameLookup::~NameLookup() = default;

// A name server may take half a minute, and nobody waits for that when the proxy ends.
void NameLookup::look_up(const std::shared_ptr<State>& state, const std::string& name) {
  std::thread([state, name] {
    std::optional<std::string> address = state->resolver(name);
    const std::lock_guard lock(state->mutex);
    State::Name& known = state->names[name];
    // What was known holds until there is something better.
    if (address || !known.known) known.address = std::move(address);
    known.known = true;
    known.asking = false;
    known.known_since = state->clock.now();
    state->answered.notify_all();
  }).detach();
}

std::optional<std::string> NameLookup::find(const std::string& name) {
  if (!may_be_name(name)) return std::nullopt;
  std::unique_lock lock(state_->mutex);
  if (!state_->names.contains(name) && state_->names.size() >= kNamesMax) return std::nullopt;
  State::Name& wanted = state_->names[name];
  const bool is_fresh = wanted.known && state_->clock.now() - wanted.known_since < state_->fresh;
  if (!is_fresh && !std::exchange(wanted.asking, true)) look_up(state_, name);
  if (!wanted.known) {
    state_->answered.wait_for(lock, state_->wait, [&] { return wanted.known; });
  }
  return wanted.address;
}

}  // namespace misrule::proxy
