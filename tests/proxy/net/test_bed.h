#pragma once

// A shard without a thread: time is moved by hand, every socket call can be made to fail, and the
// conversation does what the bytes themselves say.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "codecs/conversation.h"
#include "proxy/net/shard.h"
#include "spec/model/event.h"
#include "spec/model/rules.pb.h"

namespace misrule::proxy::testing {

class KeptEvents final : public model::EventSink {
 public:
  std::uint64_t emit(model::Event event) override;
  void passes(std::string_view from, std::string_view to);
  /// What `name` says in each event that has it.
  std::vector<std::string> field(std::string_view name) const;
  std::size_t size() const { return events_.size(); }
  /// In order: "api>db" where bytes pass, the reply where an event has one; since the last call.
  std::string take_course() { return std::exchange(course_, {}); }

 private:
  std::string course_ = {};
  std::vector<model::Event> events_;
};

/// The kernel's calls, of which the n-th (from 1) fails with `error`; a send takes `chunk` bytes at
/// most.
class FaultySockets final : public SocketCalls {
 public:
  std::size_t fail_at = 0;
  int error = 0;
  std::size_t chunk = static_cast<std::size_t>(-1);
  std::size_t calls = 0;

  ssize_t receive(int fd, char* into, std::size_t size) override;
  ssize_t send(int fd, const char* from, std::size_t size) override;
  int accept(int fd) override;

 private:
  bool fails();
};

/// A protocol of lines. From the client: "hold N:text" (N seconds, then it passes), "swallow:",
/// "answer:text", "swap:text", "close:text", "reset:"; all else passes. A line is a unit;
/// what a server says passes as it comes, but for "hold N:text".
std::unique_ptr<codecs::Conversation> make_line_conversation(model::Protocol protocol,
                                                             codecs::ConversationHost& host);

/// A peer's end of a socket pair.
class Peer {
 public:
  explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}
  void send(std::string_view text) const;
  /// Everything that is there now.
  std::string receive();
  /// Its stream has been ended by the other side (as far as receive() has seen).
  bool at_end() const { return at_end_; }
  void shut_sending() const;
  void close() { fd_.reset(); }
  int fd() const { return fd_.fd(); }

 private:
  UniqueFd fd_;
  bool at_end_ = false;
};

struct Pair {
  Peer client;
  Peer server;
};

class TestBed {
 public:
  explicit TestBed(ConversationMaker& maker = make_line_conversation,
                   model::Protocol protocol = model::Protocol::kTcp);
  /// The same, with what speaks TLS.
  TestBed(model::Protocol protocol, std::unique_ptr<TlsListener> tls,
          ConversationMaker& maker = make_line_conversation);

  /// A connection between two peers, after its first tick.
  Pair connect();
  /// Runs the loop until nothing happens any more.
  void settle();
  void advance(Duration by);
  void set_rules(std::string_view json);

  ManualClock clock;
  FaultySockets sockets;
  KeptEvents events;
  rules::RuleBook book{1};
  CancelKeys cancel_keys;
  Shard shard;

 private:
  Acceptor* acceptor_ = nullptr;
  std::shared_ptr<ListenerRecord> record_;
  model::Protocol protocol_;
};

}  // namespace misrule::proxy::testing
