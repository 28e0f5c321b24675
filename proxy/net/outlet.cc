#include "proxy/net/outlet.h"

#include <algorithm>
#include <utility>

#include "proxy/net/tls_session.h"

namespace misrule::proxy {

namespace {
/// So much is sealed at a time.
constexpr std::size_t kPiece = BufferPool::kLarge;
}  // namespace

Task Outlet::write_sealed(ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView piece = bytes.substr(0, kPiece);
    sealed_ok_ = tls_->seal(piece);
    if (sealed_ok_) co_await send_outgoing(*tls_);
    if (!sealed_ok_) co_return;
    bytes.remove_prefix(piece.size());
  }
}

// A session outlives what is written of it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
Task Outlet::send_outgoing(TlsSession& session) {
  const std::string wire = session.take_outgoing();
  sealed_ok_ = co_await write_wire(wire);
}

Task Outlet::end_sealed(WriteTurn turn) {
  co_await turn;
  tls_->seal_end();
  if (tls_->has_outgoing()) co_await send_outgoing(*tls_);
  tls_ = nullptr;
}

void Outlet::end_at_once() {
  if (tls_ == nullptr) return;
  tls_->seal_end();
  stream_.send_now(tls_->take_outgoing());
}

}  // namespace misrule::proxy
