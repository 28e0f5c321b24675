#include "interceptor/notify/remote.h"

#include <algorithm>
#include <array>
#include <bit>
#include <climits>
#include <vector>

#include <sys/uio.h>

namespace misrule::interceptor {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

}  // namespace

bool RemoteMemory::read(RemoteAddress from, std::span<std::byte> into) const {
  iovec local = {.iov_base = into.data(), .iov_len = into.size()};
  // An iovec wants a pointer type; the value is never used as one in this process.
  iovec remote = {.iov_base = std::bit_cast<void*>(from.value()), .iov_len = into.size()};
  return process_vm_readv(tid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(into.size());
}

// Page by page: a string may end right before memory that cannot be read.
std::optional<std::string> RemoteMemory::read_path(RemoteAddress from) const {
  std::string out;
  std::array<char, kPageBytes> chunk = {};
  while (out.size() < PATH_MAX) {
    const std::uint64_t at = from.value() + out.size();
    const std::size_t room = kPageBytes - at % kPageBytes;
    const auto part = std::span(chunk).first(room);
    if (!read(RemoteAddress(at), std::as_writable_bytes(part))) return std::nullopt;
    const auto end = std::ranges::find(part, '\0');
    out.append(part.begin(), end);
    if (end != part.end()) break;
  }
  if (out.size() >= PATH_MAX) return std::nullopt;
  return out;
}

std::optional<std::uint64_t> RemoteMemory::sum_pieces(RemoteAddress iovecs,
                                                      std::uint64_t count) const {
  if (count == 0 || count > IOV_MAX) return std::nullopt;
  std::vector<iovec> pieces(count);
  if (!read(iovecs, std::as_writable_bytes(std::span(pieces)))) return std::nullopt;
  std::uint64_t sum = 0;
  for (const iovec& piece : pieces) sum += piece.iov_len;
  return sum;
}

}  // namespace misrule::interceptor
