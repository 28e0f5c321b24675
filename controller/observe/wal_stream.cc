#include "controller/observe/wal_stream.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "controller/observe/wal_slot.h"

namespace misrule::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr auto kStartWithin = std::chrono::seconds(30);
constexpr auto kConnectWithin = std::chrono::seconds(10);
constexpr auto kRemoveWithin = std::chrono::seconds(5);
constexpr auto kPause = milliseconds(20);
// Well below wal_sender_timeout, a minute.
constexpr auto kSilenceMax = std::chrono::seconds(10);
// A position on the border of two pages can lie within a record whose rest is not written yet.
constexpr pgoutput::Lsn kPageBytes = 8192;
constexpr unsigned kAnswersEnough = 5;
constexpr std::int64_t kEpochNs = 946'684'800'000'000'000;  // 2000-01-01 of 1970-01-01.

struct FreeCopied {
  void operator()(char* bytes) const { ::PQfreemem(bytes); }
};

/// One moment on both clocks.
struct Moment {
  TimePoint steady = {};
  std::int64_t wall_ns = 0;
};

/// Whoever is put to sleep between two clocks takes what one says for the other's: asked again, and
/// what was nearest is taken. A commit may seem that much later, and never before its statement.
Moment moment_now() {
  constexpr int kAsked = 8;
  constexpr auto kNearEnough = std::chrono::microseconds(2);
  Moment best = {};
  Duration nearest = Duration::max();
  for (int i = 0; i < kAsked && nearest > kNearEnough; ++i) {
    timespec wall = {};
    const TimePoint before = SteadyClock().now();
    ::clock_gettime(CLOCK_REALTIME, &wall);
    const TimePoint after = SteadyClock().now();
    if (after - before >= nearest) continue;
    nearest = after - before;
    best = {.steady = after, .wall_ns = wall.tv_sec * 1'000'000'000 + wall.tv_nsec};
  }
  return best;
}

bool is_readable(int fd) {
  pollfd watched = {.fd = fd, .events = POLLIN, .revents = 0};
  return fd >= 0 && ::poll(&watched, 1, 0) > 0;
}

}  // namespace

WalStream::WalStream(Parts parts)
    : parts_(std::move(parts)),
      woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      transactions_(parts_.wanted,
                    [this](WalTransaction transaction) { tell(std::move(transaction)); }) {}

Result<std::unique_ptr<WalStream>> WalStream::start(Parts parts) {
  std::unique_ptr<WalStream> stream(new WalStream(std::move(parts)));
  if (Status prepared = stream->prepare(); !prepared) {
    return std::unexpected(
        std::move(prepared).error().with("wal_stream of " + stream->parts_.service));
  }
  stream->thread_ = std::thread([made = stream.get()] { made->run(); });
  return stream;
}

WalStream::~WalStream() { static_cast<void>(finish().has_value()); }

Patience WalStream::patience_until(TimePoint deadline) const {
  return {.at_most = std::max(Duration::zero(), deadline - SteadyClock().now()),
          .deadline = deadline,
          .interrupt_fd = parts_.interrupt_fd};
}

Status WalStream::prepare() {
  const Patience patience = Patience::start(kStartWithin, parts_.interrupt_fd);
  MISRULE_TRY(question_,
              connect_postgres({.application = "misrule-observer", .options = kWalOptions},
                               parts_.target, patience));
  MISRULE_TRY(position_, make_wal_slot(question_.get(), patience));
  transactions_.start_at(position_);
  confirmed_ = position_;
  return connect();
}

Status WalStream::connect() {
  const Patience patience = Patience::start(kConnectWithin, parts_.interrupt_fd);
  MISRULE_TRY(PostgresConnection made,
              connect_postgres(
                  {.application = "misrule-observer", .options = kWalOptions, .replication = true},
                  parts_.target, patience));
  MISRULE_TRY_VOID(start_replication(made.get(), transactions_.told(), patience));
  stream_ = std::move(made);
  return {};
}

void WalStream::wake() { ::eventfd_write(woken_.fd(), 1); }

void WalStream::note_trouble(const Error& error) {
  const std::scoped_lock lock(mutex_);
  trouble_ = error.what;
  if (!is_final(error) || ending_) return;
  status_ = std::unexpected(Error(error).with("wal_stream of " + parts_.service));
  changed_.notify_all();
}

void WalStream::run() {
  const auto goes_on = [this] {
    const std::scoped_lock lock(mutex_);
    return !ending_ && status_.has_value();
  };
  while (goes_on()) {
    Status done = {};
    if (stream_) {
      done = serve_connection();
    } else if (parts_.is_up()) {
      done = connect();
    }
    if (!done) {
      stream_.reset();
      transactions_.connection_lost();
      note_trouble(done.error());
    }
    if (stream_) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause, [this] { return ending_; });
  }
}

bool WalStream::is_asked() const {
  const std::scoped_lock lock(mutex_);
  return wanted_position_ > position_;
}

/// Until the connection breaks (an error) or the stream is to end.
Status WalStream::serve_connection() {
  TimePoint next_question = {};
  TimePoint next_word = SteadyClock().now() + kSilenceMax;
  for (;;) {
    bool was_answered = false;
    MISRULE_TRY_VOID(take_all(was_answered));
    {
      const std::scoped_lock lock(mutex_);
      if (ending_) return {};
    }
    const TimePoint now = SteadyClock().now();
    if (was_answered) next_question = now + milliseconds(1);
    const bool is_asked_now = is_asked();
    if (is_asked_now && now >= next_question) {
      MISRULE_TRY_VOID(answer(true));
      next_question = now + kPause;
    } else if (now >= next_word) {
      MISRULE_TRY_VOID(answer(false));
      next_word = now + kSilenceMax;
    }
    const TimePoint until = is_asked_now ? next_question : next_word;
    const auto left = std::chrono::ceil<milliseconds>(until - SteadyClock().now()).count();
    std::array<pollfd, 2> watched = {
        pollfd{.fd = ::PQsocket(stream_.get()), .events = POLLIN, .revents = 0},
        pollfd{.fd = woken_.fd(), .events = POLLIN, .revents = 0}};
    ::poll(watched.data(), watched.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
    eventfd_t ignored = 0;
    ::eventfd_read(woken_.fd(), &ignored);
  }
}

Status WalStream::take_all(bool& was_answered) {
  if (::PQconsumeInput(stream_.get()) == 0) {
    return fail(Code::kIo, first_line(::PQerrorMessage(stream_.get())));
  }
  for (;;) {
    char* raw = nullptr;
    const int size = ::PQgetCopyData(stream_.get(), &raw, 1);
    const std::unique_ptr<char, FreeCopied> bytes(raw);
    if (size == 0) return {};
    if (size < 0) {
      const PostgresResult why(::PQgetResult(stream_.get()), &::PQclear);
      return std::unexpected(postgres_error(why.get()));
    }
    was_answered |= bytes.get()[0] == 'k';
    MISRULE_TRY_VOID(take_frame({bytes.get(), static_cast<std::size_t>(size)}));
  }
}

Status WalStream::take_frame(std::string_view bytes) {
  MISRULE_TRY(const pgoutput::Frame frame, pgoutput::decode_frame(bytes));
  if (const auto* data = std::get_if<pgoutput::WalPiece>(&frame)) {
    MISRULE_TRY_VOID(transactions_.take(*data));
    advance(transactions_.told());
    return {};
  }
  const auto& keepalive = std::get<pgoutput::Keepalive>(frame);
  advance(keepalive.end);
  {
    const std::scoped_lock lock(mutex_);
    ++answers_;
    changed_.notify_all();
  }
  return keepalive.wants_reply ? answer(false) : Status();
}

Status WalStream::answer(bool wants_reply) {
  pgoutput::Lsn told = 0;
  {
    const std::scoped_lock lock(mutex_);
    told = position_;
  }
  pgoutput::Lsn flushed = 0;
  if (told - confirmed_ > parts_.kept_bytes_max) flushed = confirmed_ = told;
  const std::string word = pgoutput::standby_status(told, flushed, wants_reply);
  if (::PQputCopyData(stream_.get(), word.data(), static_cast<int>(word.size())) != 1) {
    return fail(Code::kIo, first_line(::PQerrorMessage(stream_.get())));
  }
  return flush_postgres(stream_.get(), Patience::start(kConnectWithin, parts_.interrupt_fd));
}

void WalStream::advance(pgoutput::Lsn to) {
  const std::scoped_lock lock(mutex_);
  trouble_.clear();
  if (to <= position_) return;
  position_ = to;
  answers_ = 0;
  changed_.notify_all();
}

/// On the scale of the test. The server's clock is ours, and what commits later happened later.
std::int64_t WalStream::source_time(std::int64_t commit_time_us) {
  const Moment now = moment_now();
  const std::int64_t now_ns = nanoseconds(now.steady - parts_.start).count();
  // Years from now, either way, would be no time of this test.
  constexpr std::int64_t kFarthestUs = 4'000'000'000'000'000;
  const std::int64_t commit_ns = std::clamp(commit_time_us, -kFarthestUs, kFarthestUs) * 1000;
  const std::int64_t age_ns = now.wall_ns - kEpochNs - commit_ns;
  const std::int64_t committed_ns = now_ns - std::clamp<std::int64_t>(age_ns, 0, now_ns);
  latest_time_ns_ = std::max({latest_time_ns_, committed_ns, std::int64_t{1}});
  const std::scoped_lock lock(mutex_);
  lag_max_ns_ = std::max(lag_max_ns_, now_ns - latest_time_ns_);
  return latest_time_ns_;
}

void WalStream::tell(WalTransaction transaction) {
  const std::int64_t time_ns = source_time(transaction.commit_time_us);
  {
    const std::scoped_lock lock(mutex_);
    rows_ += transaction.events.size();
    ++commits_;
  }
  for (model::Event& event : transaction.events) {
    event.service = parts_.service;
    event.source_time_ns = time_ns;
    parts_.sink.emit(std::move(event));
  }
}

Result<pgoutput::Lsn> WalStream::ask_flushed(TimePoint deadline) {
  const std::scoped_lock one_at_a_time(asking_);
  std::string why = "the server is down";
  for (;;) {
    const Patience patience = patience_until(deadline);
    if (!question_ && parts_.is_up()) {
      auto made = connect_postgres({.application = "misrule-observer", .options = kWalOptions},
                                   parts_.target, patience);
      if (made) {
        question_ = *std::move(made);
      } else {
        why = made.error().what;
      }
    }
    if (question_) {
      auto lsn = flushed_lsn(question_.get(), patience);
      if (lsn) return lsn;
      question_.reset();
      why = lsn.error().what;
      continue;
    }
    if (SteadyClock().now() >= deadline) return fail(Code::kTimeout, why);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause);
    if (!status_) return std::unexpected(status_.error());
    if (is_readable(parts_.interrupt_fd)) return fail(Code::kCancelled, "interrupted");
  }
}

Status WalStream::wait_for(pgoutput::Lsn target, TimePoint deadline) {
  std::unique_lock lock(mutex_);
  wanted_position_ = std::max(wanted_position_, target);
  answers_ = 0;
  wake();
  const auto is_there = [&] {
    return position_ >= target || (target % kPageBytes == 0 && answers_ >= kAnswersEnough);
  };
  while (!is_there()) {
    if (!status_) return status_;
    const TimePoint now = SteadyClock().now();
    if (now >= deadline) {
      return fail(Code::kTimeout,
                  fmt::format("it was read up to {} and not {}{}{}", pgoutput::lsn_text(position_),
                              pgoutput::lsn_text(target), trouble_.empty() ? "" : ": ", trouble_));
    }
    if (is_readable(parts_.interrupt_fd)) return fail(Code::kCancelled, "interrupted");
    changed_.wait_until(lock, std::min(deadline, now + kPause));
  }
  return {};
}

Status WalStream::barrier(TimePoint deadline) {
  MISRULE_TRY_VOID(status());
  Status passed = [&]() -> Status {
    MISRULE_TRY(const pgoutput::Lsn target, ask_flushed(deadline));
    return wait_for(target, deadline);
  }();
  if (passed || passed.error().code != Code::kTimeout) return passed;
  return std::unexpected(
      std::move(passed).error().with(fmt::format("the WAL of {}", parts_.service)));
}

Status WalStream::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

Status WalStream::finish() {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(ending_, true)) return status_;
  }
  changed_.notify_all();
  wake();
  if (!thread_.joinable()) return {};
  thread_.join();
  stream_.reset();
  if (parts_.is_disposable || !parts_.is_up()) return status();
  const Patience patience = Patience::start(kRemoveWithin, -1);
  MISRULE_TRY(const PostgresConnection connection,
              connect_postgres({.application = "misrule-observer", .options = kWalOptions},
                               parts_.target, patience));
  MISRULE_TRY_VOID(remove_wal_slot(connection.get(), patience));
  return status();
}

ObserverLag WalStream::lag() const {
  const std::scoped_lock lock(mutex_);
  return {
      .service = parts_.service, .name = "wal_stream", .events = rows_, .lag_max_ns = lag_max_ns_};
}

std::string WalStream::note() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format("wal_stream of {}: {} row{} in {} transaction{}, told within {} ms",
                     parts_.service, rows_, rows_ == 1 ? "" : "s", commits_,
                     commits_ == 1 ? "" : "s", lag_max_ns_ / 1'000'000 + 1);
}

}  // namespace misrule::controller
