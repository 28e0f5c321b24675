#include "controller/observe/service_output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace misrule::controller {
namespace {

/// From here on the log does not hold all that the service printed.
model::Event output_cut_event(const std::string& service, const OutputLimits& limits) {
  model::Event event = {.service = service, .type = "lifecycle"};
  event.set("action", std::string("output_cut"));
  event.set("detail", fmt::format("more than {} lines or {} bytes: what {} prints from here on is "
                                  "in {}.log, and no event",
                                  limits.lines, limits.bytes, service, service));
  return event;
}

}  // namespace

model::Event line_event(const LineOrigin& origin, const LineDecoder& decoder,
                        std::string_view line) {
  model::Event event = {.service = origin.service, .type = origin.type};
  event.set("body", std::string(line));
  event.set("stream", origin.stream);
  decoder.decode(line, event);
  return event;
}

OutputBudget::Answer OutputBudget::take_line(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  const bool fits = unrecorded_lines_ == 0 && lines_ < limits_.lines &&
                    bytes <= limits_.bytes - std::min(bytes_, limits_.bytes);
  if (fits) {
    ++lines_;
    bytes_ += bytes;
    return Answer::kRecord;
  }
  unrecorded_bytes_ += bytes;
  return ++unrecorded_lines_ == 1 ? Answer::kFirstBeyond : Answer::kBeyond;
}

std::size_t OutputBudget::take_file_bytes(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t taken = std::min<std::uint64_t>(bytes, limits_.file_bytes - file_bytes_);
  file_bytes_ += taken;
  return static_cast<std::size_t>(taken);
}

std::string OutputBudget::rest_text(const std::string& service) const {
  const std::scoped_lock lock(mutex_);
  if (unrecorded_lines_ == 0) return {};
  std::string text =
      fmt::format("{} printed {} more lines ({} bytes) than are recorded as events: see {}.log",
                  service, unrecorded_lines_, unrecorded_bytes_, service);
  if (file_bytes_ == limits_.file_bytes) {
    text += fmt::format(", which ends after {} bytes", limits_.file_bytes);
  }
  return text;
}

ServiceOutput::ServiceOutput(Parts parts, model::EventSink& sink)
    : parts_(std::move(parts)), sink_(sink) {
  ::fcntl(parts_.pipe.fd(), F_SETFL, O_NONBLOCK);
}

void ServiceOutput::record(std::string_view line, bool injected) {
  model::Event event = line_event(parts_.origin, parts_.decoder, line);
  if (injected) event.set("injected", true);
  sink_.emit(std::move(event));
}

void ServiceOutput::take_line(std::string_view line) {
  const bool injected = parts_.is_postgres && poison_.takes(line);
  switch (parts_.budget.take_line(line.size())) {
    case OutputBudget::Answer::kRecord:
      record(line, injected);
      break;
    case OutputBudget::Answer::kFirstBeyond:
      sink_.emit(output_cut_event(parts_.origin.service, parts_.budget.limits()));
      break;
    case OutputBudget::Answer::kBeyond:
      break;
  }
  if (parts_.on_line) parts_.on_line(line);
}

void ServiceOutput::keep(std::string_view bytes) {
  if (!parts_.file.valid()) return;
  bytes = bytes.substr(0, parts_.budget.take_file_bytes(bytes.size()));
  // The file is a convenience for people; the events hold the same lines, up to their own limit.
  if (!bytes.empty() && ::write(parts_.file.fd(), bytes.data(), bytes.size()) < 0) {
    parts_.file.reset();
  }
}

bool ServiceOutput::drain() {
  const auto take = [this](std::string_view line) { take_line(line); };
  std::array<char, std::size_t{16} * 1024> buffer;
  // No more than this can have been there.
  std::int64_t left = ::fcntl(parts_.pipe.fd(), F_GETPIPE_SZ);
  while (true) {
    const ssize_t got = ::read(parts_.pipe.fd(), buffer.data(), buffer.size());
    if (got > 0) {
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      keep(bytes);
      splitter_.feed(bytes, take);
      left -= got;
      if (left <= 0) return true;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    splitter_.finish(take);
    return false;
  }
}

}  // namespace misrule::controller
