#pragma once

// What all loops share of one listener: who it is for, and upstreams that were connected in
// advance.

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

class LearnedCommands;
class TlsListener;

class ListenerRecord {
 public:
  explicit ListenerRecord(Listener listener);
  ListenerRecord(Listener listener, std::unique_ptr<TlsListener> tls);
  ~ListenerRecord();
  ListenerRecord(const ListenerRecord&) = delete;
  ListenerRecord& operator=(const ListenerRecord&) = delete;

  const Listener& listener() const { return listener_; }
  /// Null where none is spoken.
  TlsListener* tls() const { return tls_.get(); }
  /// What a Redis server behind it has told of its commands.
  LearnedCommands& commands() const { return *commands_; }
  /// The how-manieth connection this is, from 1.
  std::uint64_t next_connection() { return ++connections_; }

  /// Kept for the next connection, at most until `until`.
  void offer_upstream(UniqueFd fd, TimePoint until);
  std::optional<UniqueFd> claim_upstream(TimePoint now);
  /// Closes what nobody claimed in time.
  void drop_unclaimed(TimePoint now);

 private:
  struct Offered {
    UniqueFd fd;
    TimePoint until;
  };
  const Listener listener_;
  const std::unique_ptr<TlsListener> tls_;
  const std::unique_ptr<LearnedCommands> commands_;
  std::atomic<std::uint64_t> connections_ = 0;
  std::mutex mutex_;
  std::deque<Offered> offered_;
};

}  // namespace misrule::proxy
