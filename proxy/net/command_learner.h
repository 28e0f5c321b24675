#pragma once

// Asks a Redis server what its commands are, on a connection of the proxy's own.
//
// That connection meets no rules and is not counted; it authenticates as nobody, for the clients'
// passwords are theirs. A server that does not answer costs nobody anything: until it has, and if
// it never does, the built-in table holds.

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "codecs/redis/server_commands.h"
#include "codecs/redis/value_scanner.h"
#include "proxy/net/loop.h"

namespace misrule::proxy {

class ListenerRecord;

/// What was learned of the server behind one listener, for all loops. Thread-safe.
class LearnedCommands {
 public:
  /// Names are asked for once; clients that make some up shall not make us ask for ever.
  static constexpr std::size_t kNamesMax = 256;

  /// Null: nothing beyond the built-in table. It lives as long as this.
  const codecs::redis::ServerCommands* now() const { return now_.load(std::memory_order_acquire); }
  void take(codecs::redis::ServerCommands commands);
  /// Yes to one of all loops, and to none once give_up() was called.
  bool begin_table();
  bool begin_name(std::string_view name);
  /// True to the first who says so.
  bool give_up();

 private:
  std::mutex mutex_;
  std::atomic<const codecs::redis::ServerCommands*> now_ = nullptr;
  std::vector<std::unique_ptr<const codecs::redis::ServerCommands>> all_;
  std::set<std::string, std::less<>> names_;
  bool begun_ = false;
  bool given_up_ = false;
};

/// One loop's share of the asking: one question at a time.
class CommandLearner final : public Watched {
 public:
  CommandLearner(Loop& loop, ListenerRecord& record) : loop_(loop), record_(record) {}
  ~CommandLearner();
  CommandLearner(const CommandLearner&) = delete;
  CommandLearner& operator=(const CommandLearner&) = delete;

  /// The first call, by a connection that speaks Redis, begins it.
  const codecs::redis::ServerCommands* known();
  /// A command that nobody knows: perhaps it is another one's new name.
  void ask(std::string_view name);
  /// Asks no more.
  void stop();

  void on_event(std::uint32_t events) override;

 private:
  void begin();
  void send_request();
  void read_reply();
  void take_reply();
  void refused(std::string_view error);
  void failed(const std::string& why);
  void give_up(std::string_view why);
  void end_question();

  Loop& loop_;
  ListenerRecord& record_;
  bool met_ = false;
  bool stopped_ = false;
  bool wants_table_ = false;
  std::size_t attempts_ = 0;
  std::vector<std::string> names_;  // To be asked for.
  // The question that is under way, if fd_ is valid.
  UniqueFd fd_;
  std::vector<std::string> asked_;  // Empty: for the whole table.
  std::string unsent_;
  std::string reply_;
  codecs::redis::ValueScanner scanner_{kDepthMax};
  Loop::Timer deadline_ = {};

  static constexpr std::size_t kDepthMax = 32;
};

}  // namespace misrule::proxy
