#include "proxy/main/json_lines.h"

#include <algorithm>
#include <array>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace misrule::proxy {
namespace {

struct Pipe {
  UniqueFd out;
  UniqueFd in;
};

Pipe open_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {.out = UniqueFd(ends[0]), .in = UniqueFd(ends[1])};
}

void emit_kilobytes(JsonLines& lines, int count) {
  for (int i = 0; i < count; ++i) {
    model::Event event{.type = "proxy"};
    event.set("query", std::string(1024, 'x'));
    lines.emit(std::move(event));
  }
}

TEST(JsonLines, WritesAllToWhoReads) {
  const Pipe pipe = open_pipe();
  std::size_t newlines = 0;
  std::thread reader([&] {
    std::array<char, 4096> bytes{};
    while (newlines < 500) {
      const ssize_t got = ::read(pipe.out.fd(), bytes.data(), bytes.size());
      if (got <= 0) break;
      newlines += static_cast<std::size_t>(std::count(bytes.data(), bytes.data() + got, '\n'));
    }
  });
  {
    JsonLines lines(pipe.in.fd());
    emit_kilobytes(lines, 500);
    reader.join();
  }
  EXPECT_EQ(newlines, 500U);
}

TEST(JsonLines, AReaderThatStoppedReadingDoesNotKeepItFromEnding) {
  const Pipe pipe = open_pipe();
  JsonLines lines(pipe.in.fd());
  emit_kilobytes(lines, 500);
}

TEST(JsonLines, AReaderThatIsGoneIsForgotten) {
  Pipe pipe = open_pipe();
  pipe.out.reset();
  ::signal(SIGPIPE, SIG_IGN);
  JsonLines lines(pipe.in.fd());
  emit_kilobytes(lines, 500);
}

}  // namespace
}  // namespace misrule::proxy
