#pragma once

// The changes of a PostgreSQL database as events, past every proxy and rule, however often the
// server goes down and comes back.
//
// The slot keeps everything until the end of the test: nothing is confirmed, so that no file of the
// server is written because somebody looks, unless very much has gathered.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "controller/observe/observer.h"
#include "controller/observe/pgoutput.h"
#include "controller/observe/wal_transactions.h"
#include "controller/steps/postgres_connection.h"
#include "spec/model/event.h"

namespace misrule::controller {

class WalStream final : public Observer {
 public:
  struct Parts {
    std::string service = {};
    model::WalStream wanted = {};
    StepTarget target = {};  ///< The server itself.
    model::EventSink& sink;
    TimePoint start = {};              ///< The test's beginning.
    std::function<bool()> is_up = {};  ///< No connection is tried while it is not.
    int interrupt_fd = -1;             ///< Readable: waits end.
    bool is_disposable = true;         ///< The server's data is thrown away with the test.
    std::uint64_t kept_bytes_max = std::uint64_t{256} << 20U;  ///< Of WAL, before it is confirmed.
  };

  /// Returns once everything that commits from now on will be told.
  static Result<std::unique_ptr<WalStream>> start(Parts parts);
  ~WalStream() override;  ///< As finish().

  Status barrier(TimePoint deadline) override;
  Status status() const override;
  Status finish() override;
  ObserverLag lag() const override;
  /// "wal_stream of db: 7 rows in 3 transactions, told within 2 ms".
  std::string note() const override;

 private:
  explicit WalStream(Parts parts);

  Status prepare();
  Status connect();
  void run();
  Status serve_connection();
  Status take_all(bool& was_answered);
  Status take_frame(std::string_view bytes);
  Status answer(bool wants_reply);
  void tell(WalTransaction transaction);
  std::int64_t source_time(std::int64_t commit_time_us);
  void advance(pgoutput::Lsn to);
  void note_trouble(const Error& error);
  void wake();
  bool is_asked() const;
  Result<pgoutput::Lsn> ask_flushed(TimePoint deadline);
  Status wait_for(pgoutput::Lsn target, TimePoint deadline);
  Patience patience_until(TimePoint deadline) const;

  Parts parts_;
  UniqueFd woken_;
  // Of the stream's thread.
  PostgresConnection stream_{nullptr, &::PQfinish};
  WalTransactions transactions_;
  pgoutput::Lsn confirmed_ = 0;
  std::int64_t latest_time_ns_ = 0;

  std::mutex asking_ = {};  ///< Guards question_. Taken before mutex_.
  PostgresConnection question_{nullptr, &::PQfinish};

  mutable std::mutex mutex_ = {};
  std::condition_variable changed_ = {};
  pgoutput::Lsn position_ = 0;  ///< Everything before it is told.
  pgoutput::Lsn wanted_position_ = 0;
  unsigned answers_ = 0;  ///< To our questions, since the position moved.
  Status status_ = {};
  std::string trouble_ = {};  ///< Why it is not connected, for people.
  std::uint64_t rows_ = 0;
  std::uint64_t commits_ = 0;
  std::int64_t lag_max_ns_ = 0;
  bool ending_ = false;
  std::thread thread_ = {};
};

}  // namespace misrule::controller
