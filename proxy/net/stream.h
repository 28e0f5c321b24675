#pragma once

// One TCP socket: a coroutine reads, another writes.
//
// Readiness, short reads, end of stream and the lending of buffers are known here and nowhere else.

#include <coroutine>
#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "proxy/net/loop.h"
#include "proxy/net/write_turns.h"

namespace misrule::proxy {

class Stream;
class TlsSession;

/// Is told what no read or write that is under way would notice.
class StreamOwner {
 public:
  /// The peer is gone for both directions while nobody reads.
  virtual void peer_gone(const Stream& stream) = 0;

 protected:
  ~StreamOwner() = default;
};

class Stream final : public Watched {
 public:
  /// More than this is not gathered for one message: the stream then ends as if it were broken.
  static constexpr std::size_t kGatheredMax = 256 * kMiB;

  Stream(Loop& loop, UniqueFd fd, StreamOwner& owner);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Every unconsumed byte, at least one of them new; empty at the end of the stream. The view
  /// lives until consume() or the next read(), over any co_await in between.
  auto read() {
    struct Awaiter {
      Stream& stream;
      bool await_ready() { return stream.may_read_on() && stream.try_read(); }
      void await_suspend(std::coroutine_handle<> h) { stream.park_reader(h); }
      ByteView await_resume() const { return stream.ended_ ? ByteView{} : stream.unread(); }
    };
    return Awaiter{*this};
  }
  /// From now on read() gives what `tls` makes of the bytes that come.
  void read_through(TlsSession& tls) { tls_ = &tls; }
  /// And from now on what comes is what is read: TLS has failed.
  void read_as_it_is() { tls_ = nullptr; }
  /// As recv(2), for who makes something of the bytes; write() and everything else stay as they
  /// are.
  ssize_t receive(char* into, std::size_t size);
  /// Waits until receive() may have something, or an end.
  auto wire() {
    struct Awaiter {
      Stream& stream;
      bool await_ready() const { return stream.readable_ || stream.ended_; }
      void await_suspend(std::coroutine_handle<> h) {
        stream.wire_only_ = true;
        stream.reader_ = h;
      }
      void await_resume() const { stream.wire_only_ = false; }
    };
    return Awaiter{*this};
  }
  /// What the kernel takes of `bytes` now, if nobody is writing.
  void send_now(ByteView bytes);
  ByteView unread() const { return {buffer_.bytes.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes);

  /// True when the kernel has taken all of `bytes`; until then the writer is parked, which is all
  /// the back-pressure there is. False: the stream cannot be written any more.
  auto write(ByteView bytes) {
    struct Awaiter {
      Stream& stream;
      bool await_ready() { return stream.try_write(); }
      void await_suspend(std::coroutine_handle<> h) { stream.writer_ = h; }
      bool await_resume() const { return !stream.broken_; }
    };
    unsent_ = bytes;
    return Awaiter{*this};
  }
  /// For a socket that is being connected: waits until it is decided, and answers.
  auto connected() {
    struct Awaiter {
      Stream& stream;
      bool await_ready() { return stream.writable_; }
      void await_suspend(std::coroutine_handle<> h) { stream.writer_ = h; }
      bool await_resume() const { return stream.stands(); }
    };
    return Awaiter{*this};
  }
  WriteTurns& turns() { return turns_; }

  void shutdown_send();
  /// The close will be a TCP reset. Not before it is decided: SO_LINGER 0 also resets good ends.
  void reset_on_close();
  /// Ends every wait: reads give nothing, writes fail. Closing follows when the stream is
  /// destroyed.
  void abort();
  /// How reading ended: by an error (a reset) instead of an end of stream.
  bool was_reset() const { return reset_; }
  /// The peer is gone for both directions, whether or not everything it sent has been read.
  bool gone() const { return gone_; }
  /// The peer's address, for people.
  std::string peer_text() const;

  void on_event(std::uint32_t events) override;

 private:
  // A firehose gives way after so many reads in a row.
  static constexpr int kBurst = 16;
  bool may_read_on();
  bool try_read();
  bool try_read_through();
  bool make_room();
  bool nothing_now();
  bool end(bool by_reset);
  void park_reader(std::coroutine_handle<> h);
  bool try_write();
  void release_buffer();
  bool stands() const;

  Loop& loop_;
  StreamOwner& owner_;
  UniqueFd fd_;
  WriteTurns turns_;
  Buffer buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t next_size_ = BufferPool::kSmall;
  ByteView unsent_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  TlsSession* tls_ = nullptr;
  int burst_ = 0;
  bool readable_ = false;
  bool writable_ = false;
  bool ending_ = false;  // The peer has hung up; bytes may still wait in the kernel.
  bool ended_ = false;   // Nothing more will be read.
  bool reset_ = false;
  bool gone_ = false;
  bool broken_ = false;  // Nothing more can be written.
  bool yielding_ = false;
  bool wire_only_ = false;  // Who waits wants the bytes as they come.
};

}  // namespace misrule::proxy
