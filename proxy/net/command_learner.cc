#include "proxy/net/command_learner.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "proxy/net/listener_record.h"
#include "proxy/net/sockets.h"

namespace misrule::proxy {

namespace {

using codecs::redis::ServerCommands;

constexpr Logger kLog{"proxy/net"};
constexpr auto kAnswerWithin = std::chrono::seconds(5);
constexpr auto kAgainAfter = std::chrono::seconds(1);
constexpr std::size_t kAttemptsMax = 5;
/// That of redis-server 7.0 has 90 KB.
constexpr std::size_t kReplyMax = std::size_t{4} << 20;
constexpr std::size_t kChunk = std::size_t{16} << 10;

// A server that says so will answer later.
bool is_passing(std::string_view error) {
  return error.starts_with("-LOADING") || error.starts_with("-BUSY") ||
         error.starts_with("-ERR max number of clients");
}

}  // namespace

void LearnedCommands::take(ServerCommands commands) {
  if (commands.size() == 0) return;
  const std::scoped_lock lock(mutex_);
  all_.push_back(std::make_unique<const ServerCommands>(std::move(commands)));
  now_.store(all_.back().get(), std::memory_order_release);
}

bool LearnedCommands::begin_table() {
  const std::scoped_lock lock(mutex_);
  return !given_up_ && !std::exchange(begun_, true);
}

bool LearnedCommands::begin_name(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  if (given_up_ || names_.size() >= kNamesMax || names_.contains(name)) return false;
  return names_.emplace(name).second;
}

bool LearnedCommands::give_up() {
  const std::scoped_lock lock(mutex_);
  return !std::exchange(given_up_, true);
}

CommandLearner::~CommandLearner() { stop(); }

void CommandLearner::stop() {
  stopped_ = true;
  end_question();
}

const ServerCommands* CommandLearner::known() {
  if (!met_) {
    met_ = true;
    wants_table_ = record_.commands().begin_table();
    if (record_.listener().upstream_tls) {
      give_up("it is asked without TLS alone");
    } else if (wants_table_) {
      begin();
    }
  }
  return record_.commands().now();
}

void CommandLearner::ask(std::string_view name) {
  if (stopped_ || !record_.commands().begin_name(name)) return;
  names_.emplace_back(name);
  if (!fd_.valid() && !wants_table_) begin();
}

void CommandLearner::begin() {
  if (stopped_ || fd_.valid()) return;
  asked_ = wants_table_ ? std::vector<std::string>() : std::exchange(names_, {});
  if (!wants_table_ && asked_.empty()) return;
  deadline_ = loop_.at(loop_.now() + kAnswerWithin, [this] {
    deadline_ = {};
    failed("no answer");
  });
  auto fd = begin_connect(record_.listener(), nullptr);
  if (!fd) return failed(fd.error().what);
  fd_ = *std::move(fd);
  unsent_ = codecs::redis::command_request(asked_);
  loop_.watch(fd_.fd(), *this);
}

void CommandLearner::on_event(std::uint32_t) {
  if (fd_.valid()) send_request();
  if (fd_.valid()) read_reply();
}

void CommandLearner::send_request() {
  while (!unsent_.empty()) {
    const ssize_t sent = loop_.calls().send(fd_.fd(), unsent_.data(), unsent_.size());
    if (sent > 0) {
      unsent_.erase(0, static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
      return;
    } else {
      return failed(errno_error("asking", errno).what);
    }
  }
}

void CommandLearner::read_reply() {
  std::array<char, kChunk> chunk;
  while (!scanner_.done()) {
    const ssize_t got = loop_.calls().receive(fd_.fd(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (got <= 0) return failed("the connection ended");
    const ByteView bytes(chunk.data(), static_cast<std::size_t>(got));
    reply_.append(bytes.substr(0, scanner_.advance(bytes)));
    if (scanner_.error()) return give_up("its answer cannot be read");
    if (reply_.size() > kReplyMax) {
      return give_up(fmt::format("its answer has more than {} bytes", kReplyMax));
    }
  }
  take_reply();
}

void CommandLearner::take_reply() {
  const std::string reply = std::move(reply_);
  const std::vector<std::string> asked = std::move(asked_);
  end_question();
  if (reply.starts_with('-')) return refused(reply);
  const ServerCommands* const before = record_.commands().now();
  auto commands = asked.empty()
                      ? ServerCommands::read(reply)
                      : (before == nullptr ? ServerCommands() : *before).with(asked, reply);
  if (!commands) return give_up(commands.error().what);
  kLog.info("{} has {} commands that are not as the built-in table has them",
            endpoint_text(record_.listener().upstream), commands->size());
  record_.commands().take(*std::move(commands));
  wants_table_ = false;
  std::erase_if(names_, [this](const std::string& name) {
    return codecs::redis::find_command(name, record_.commands().now()) != nullptr;
  });
  begin();
}

void CommandLearner::refused(std::string_view error) {
  const std::string_view line = error.substr(0, error.find('\r'));
  if (is_passing(error)) return failed(std::string(line));
  give_up(fmt::format("it answers \"{}\"", line.substr(1)));
}

// Of names that were asked for no answer is no loss: they stay unknown.
void CommandLearner::failed(const std::string& why) {
  end_question();
  if (stopped_) return;
  if (++attempts_ >= kAttemptsMax) return give_up(why);
  deadline_ = loop_.at(loop_.now() + kAgainAfter, [this] {
    deadline_ = {};
    begin();
  });
}

void CommandLearner::give_up(std::string_view why) {
  stop();
  if (!record_.commands().give_up()) return;
  kLog.info("{} has not said what its commands are ({}): the built-in table holds",
            endpoint_text(record_.listener().upstream), why);
}

void CommandLearner::end_question() {
  loop_.cancel(deadline_);
  if (fd_.valid()) loop_.forget(*this);
  fd_.reset();
  unsent_.clear();
  reply_.clear();
  asked_.clear();
  scanner_.restart();
}

}  // namespace misrule::proxy
