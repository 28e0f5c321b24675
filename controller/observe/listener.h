#pragma once

// An observer that listens on a connection which the source may close: the thread, the barrier, the
// way back to a source that went away.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "controller/observe/observer.h"
#include "controller/observe/service_output.h"
#include "controller/steps/steps.h"
#include "controller/steps/waiting.h"
#include "spec/model/event.h"

namespace misrule::controller {

struct ListenerParts {
  std::string service = {};
  std::vector<std::string> types = {};  ///< Of its events.
  std::string name = {};                ///< As in the spec: "pubsub(news)".
  StepTarget target = {};               ///< The server itself.
  model::EventSink& sink;
  std::function<bool()> is_up = {};  ///< No connection is tried while it is not.
  int interrupt_fd = -1;             ///< Readable: waits end.
  OutputLimits limits = {};
};

class Listener : public Observer {
 public:
  ~Listener() override;

  Status barrier(TimePoint deadline) override;
  Status status() const override;
  Status finish() override;
  ObserverLag lag() const override;
  std::string note() const override;

 protected:
  explicit Listener(ListenerParts parts);

  /// Connects for the first time, then listens on a thread. The last thing of a start().
  Status begin();
  /// Ends the thread: before what the calls below use is destroyed.
  void end();

  // What a source is. All but fd() are called on one thread at a time.
  /// Returns when all that happens from now on will come. kInvalid and kUnsupported: it never will.
  virtual Status open(const Patience& patience) = 0;
  virtual void close() = 0;
  virtual int fd() const = 0;
  /// Takes what has come, without waiting. An error: the connection is lost.
  virtual Status take() = 0;
  /// Sees to it that answered(question) is called once what happened before has been taken.
  virtual Status ask(std::uint64_t question) = 0;
  /// The source goes on where it was when the connection broke.
  virtual bool can_resume() const { return false; }

  void answered(std::uint64_t question);
  /// Within the bounds of one observer; beyond them an event says so, once. The event has its type.
  void tell(model::Event event, std::size_t bytes);
  const ListenerParts& parts() const { return parts_; }

 private:
  void run();
  Status serve();
  void lose(const Error& why);
  void emit_gaps(const char* action, const std::string& detail);
  std::uint64_t asked() const;
  bool is_ending() const;
  void pause();

  ListenerParts parts_;
  OutputBudget budget_;
  UniqueFd woken_;
  std::uint64_t sent_ = 0;  ///< The latest question of the connection.
  bool is_open_ = false;    ///< Of the thread.
  unsigned gaps_ = 0;       ///< Told of.

  mutable std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  bool is_connected_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t losses_ = 0;
  std::int64_t lag_max_ns_ = 0;  ///< Of the barriers.
  std::string trouble_ = {};
  Status status_ = {};
  bool ending_ = false;
  std::thread thread_ = {};
};

}  // namespace misrule::controller
