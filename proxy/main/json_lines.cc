#include "proxy/main/json_lines.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/json_text.h"

namespace misrule::proxy {

namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

std::string field_json(const model::Field& field) {
  if (const auto* text = std::get_if<std::string>(&field)) return json_quoted(*text);
  if (const auto* json = std::get_if<model::Json>(&field)) return json->text;
  if (std::holds_alternative<std::nullptr_t>(field)) return "null";
  return model::field_text(field);
}

}  // namespace

std::string json_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts)
    list.append(list.empty() ? "[" : ",").append(json_quoted(text));
  return list.empty() ? "[]" : list.append("]");
}

std::string to_json_line(const model::Event& event) {
  std::string line =
      fmt::format(R"({{"number":{},"time_ns":{},"service":{},"type":{})", event.number,
                  event.time_ns, json_quoted(event.service), json_quoted(event.type));
  for (const auto& [name, value] : event.fields) {
    line.append(fmt::format(",{}:{}", json_quoted(name), field_json(value)));
  }
  return line.append("}\n");
}

JsonLines::JsonLines(int fd)
    : fd_(fd), started_ns_(now_ns()), writer_([this] { write_until_closed(); }) {}

JsonLines::~JsonLines() {
  give_up_ns_ = now_ns() + std::chrono::nanoseconds(kFarewell).count();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
  writer_.join();
}

std::uint64_t JsonLines::emit(model::Event event) {
  const std::int64_t time = now_ns() - started_ns_;
  if (event.time_ns == 0) event.time_ns = time;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = event.number = ++emitted_;
    if (waiting_.size() > kWaitingMax) {
      ++left_out_;
      return number;
    }
    if (left_out_ > 0) {
      model::Event gap{.number = number, .time_ns = time, .type = "lifecycle"};
      gap.set("action", "events_left_out");
      gap.set("count", static_cast<std::int64_t>(std::exchange(left_out_, 0)));
      waiting_.append(to_json_line(gap));
    }
    waiting_.append(to_json_line(event));
  }
  changed_.notify_one();
  return number;
}

bool JsonLines::may_give_up() const {
  const std::int64_t at = give_up_ns_;
  return at != 0 && now_ns() >= at;
}

void JsonLines::write_all(std::string_view bytes) const {
  // A reader that has stopped reading does not keep us from ending. A pipe that has room has it for
  // this much.
  constexpr std::size_t kAtOnce = PIPE_BUF;
  constexpr int kLookMs = 100;
  while (!bytes.empty()) {
    pollfd waited{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&waited, 1, kLookMs) <= 0) {
      if (may_give_up()) return;
      continue;
    }
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kAtOnce));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) return;  // Nobody reads any more: traffic goes on without its events.
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void JsonLines::write_until_closed() {
  std::unique_lock lock(mutex_);
  while (!closed_ || !waiting_.empty()) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    const std::string lines = std::exchange(waiting_, {});
    lock.unlock();
    write_all(lines);
    lock.lock();
  }
}

}  // namespace misrule::proxy
