#pragma once

// Where the bytes for one side of a connection leave: straight into its stream, or as a faulty link
// carries them.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "proxy/net/link_line.h"
#include "proxy/net/stream.h"
#include "proxy/rules/link.h"

namespace misrule::proxy {

class Outlet {
 public:
  Outlet(Loop& loop, Stream& stream, LinkOwner& owner, std::uint64_t seed)
      : loop_(loop), stream_(stream), owner_(owner), seed_(seed) {}
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  void use(const rules::LinkShape& shape) {
    if (!line_ && shape == rules::LinkShape{}) return;
    if (!line_) line_ = std::make_unique<LinkLine>(loop_, stream_, owner_, seed_);
    line_->use(shape);
  }

  /// True when all of `bytes` has been taken, by the kernel or by the faulty link. False: the
  /// stream cannot be written any more.
  auto write(ByteView bytes) {
    using Plain = decltype(std::declval<Stream&>().write(bytes));
    struct Awaiter {
      std::optional<Plain> plain;
      LinkLine* line;
      ByteView bytes;
      bool await_ready() { return plain ? plain->await_ready() : line->take(bytes); }
      void await_suspend(std::coroutine_handle<> h) {
        if (plain) {
          plain->await_suspend(h);
        } else {
          line->wait_for_room(h);
        }
      }
      bool await_resume() const { return plain ? plain->await_resume() : !line->broken(); }
    };
    if (!line_ || line_->is_idle()) return Awaiter{stream_.write(bytes), nullptr, {}};
    return Awaiter{std::nullopt, line_.get(), bytes};
  }
  WriteTurns& turns() { return stream_.turns(); }

  /// The end of the stream, after everything that was written.
  auto finish() {
    struct Awaiter {
      LinkLine* line;
      bool await_ready() const { return line == nullptr || line->finish(); }
      void await_suspend(std::coroutine_handle<> h) const { line->wait_for_end(h); }
      void await_resume() const {}
    };
    if (line_) return Awaiter{line_.get()};
    stream_.shutdown_send();
    return Awaiter{nullptr};
  }
  Duration lag() const { return line_ ? line_->lag() : Duration::zero(); }
  /// Nobody waits any more; nothing is sent any more.
  void abort() {
    if (line_) line_->abort();
  }

 private:
  Loop& loop_;
  Stream& stream_;
  LinkOwner& owner_;
  const std::uint64_t seed_;
  std::unique_ptr<LinkLine> line_ = {};
};

}  // namespace misrule::proxy
