#include "controller/observe/service_output.h"

#include <array>
#include <cerrno>
#include <utility>

#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 9> kOwnFields = {
    "number", "time_ns", "source_time_ns", "service", "type", "clock", "body", "stream", "data"};

model::Field field_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return nullptr;
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64();
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string(value.get_string());
    default:
      return model::Json{.text = json::serialize(value)};
  }
}

void decode_line(std::string_view line, model::Event& event) {
  if (!line.starts_with('{')) return;
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return;
  event.set("data", model::Json{.text = std::string(line)});
  for (const auto& [name, field] : value.get_object()) {
    const bool own = std::ranges::find(kOwnFields, std::string_view(name)) != kOwnFields.end();
    if (!own) event.set(std::string(name), field_of(field));
  }
}

}  // namespace

void LineSplitter::feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const std::size_t room = kLineBytesMax - partial_.size();
    partial_.append(piece.substr(0, room));
    if (piece.size() >= room) {
      on_line(partial_);
      partial_.clear();
      bytes.remove_prefix(room);
      continue;
    }
    if (end == std::string_view::npos) return;
    if (partial_.ends_with('\r')) partial_.pop_back();
    on_line(partial_);
    partial_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::finish(const OnLine& on_line) {
  if (!partial_.empty()) on_line(partial_);
  partial_.clear();
}

model::Event line_event(const std::string& service, std::string_view stream,
                        std::string_view line) {
  model::Event event = {.service = service, .type = "stdout"};
  event.set("body", std::string(line));
  event.set("stream", std::string(stream));
  decode_line(line, event);
  return event;
}

ServiceOutput::ServiceOutput(Parts parts, model::EventSink& sink)
    : parts_(std::move(parts)), sink_(sink) {
  ::fcntl(parts_.pipe.fd(), F_SETFL, O_NONBLOCK);
}

void ServiceOutput::take_line(std::string_view line) {
  sink_.emit(line_event(parts_.service, parts_.stream, line));
  if (parts_.on_line) parts_.on_line(line);
}

bool ServiceOutput::drain() {
  const auto take = [this](std::string_view line) { take_line(line); };
  std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(parts_.pipe.fd(), buffer.data(), buffer.size());
    if (got > 0) {
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      // The file is a convenience for people; the events hold the same lines.
      if (parts_.file.valid() && ::write(parts_.file.fd(), bytes.data(), bytes.size()) < 0) {
        parts_.file.reset();
      }
      splitter_.feed(bytes, take);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    splitter_.finish(take);
    return false;
  }
}

}  // namespace misrule::controller
