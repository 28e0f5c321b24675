#include "proxy/net/name_lookup.h"

#include <array>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include <netdb.h>
#include <sys/socket.h>

namespace misrule::proxy {

namespace {

constexpr auto kWait = std::chrono::milliseconds(100);
constexpr auto kFresh = std::chrono::seconds(5);
constexpr int kEndsWithinS = 1;

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
  if (found == nullptr) return std::nullopt;
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
  std::condition_variable changed = {};
  std::map<std::string, Name> names = {};
  std::deque<std::string> asked = {};
  bool ended = false;

  void work();
};

// The thread that looks up, one name after the other.
void NameLookup::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return ended || !asked.empty(); });
    if (ended) return;
    const std::string name = std::move(asked.front());
    asked.pop_front();
    lock.unlock();
    std::optional<std::string> address = resolver(name);
    lock.lock();
    Name& found = names[name];
    // What was known holds until there is something better.
    if (address || !found.known) found.address = std::move(address);
    found.known = true;
    found.asking = false;
    found.known_since = clock.now();
    changed.notify_all();
  }
}

void* NameLookup::run(void* state) {
  const std::unique_ptr<std::shared_ptr<State>> own(static_cast<std::shared_ptr<State>*>(state));
  (*own)->work();
  return nullptr;
}

NameLookup::NameLookup() : NameLookup(ask_the_system, kWait, kFresh) {}

NameLookup::NameLookup(Resolver resolver, Duration wait, Duration fresh)
    : state_(std::make_shared<State>(std::move(resolver), wait, fresh)) {}

// A name server may take half a minute, and nobody waits for that when the proxy ends.
NameLookup::~NameLookup() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
    state_->changed.notify_all();
  }
  if (!runs_) return;
  timespec until{};
  ::clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kEndsWithinS;
  if (::pthread_timedjoin_np(thread_, nullptr, &until) != 0) ::pthread_detach(thread_);
}

bool NameLookup::start() {
  auto own = std::make_unique<std::shared_ptr<State>>(state_);
  std::shared_ptr<State>* const given = own.release();
  if (::pthread_create(&thread_, nullptr, run, given) == 0) return true;
  own.reset(given);
  return false;
}

std::optional<std::string> NameLookup::find(const std::string& name) {
  if (!may_be_name(name)) return std::nullopt;
  std::unique_lock lock(state_->mutex);
  if (!state_->names.contains(name) && state_->names.size() >= kNamesMax) return std::nullopt;
  if (!runs_) runs_ = start();
  if (!runs_) return std::nullopt;
  State::Name& wanted = state_->names[name];
  const bool is_fresh = wanted.known && state_->clock.now() - wanted.known_since < state_->fresh;
  if (!is_fresh && !std::exchange(wanted.asking, true)) {
    state_->asked.push_back(name);
    state_->changed.notify_all();
  }
  if (!wanted.known) {
    state_->changed.wait_for(lock, state_->wait, [&] { return wanted.known; });
  }
  return wanted.address;
}

}  // namespace misrule::proxy
