#include "codecs/http/content_coding.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "codecs/http/head_fields.h"

namespace misrule::codecs::http {
namespace {

using Decoded = std::expected<std::string, std::string>;
constexpr std::size_t kPieceBytes = 16 * kKiB;

std::unexpected<std::string> beyond(std::size_t bytes_max) {
  return std::unexpected(fmt::format("the decoded body has more than {} bytes", bytes_max));
}

class Inflater {
 public:
  explicit Inflater(int window_bits) { ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Decoded run(ByteView body, std::size_t bytes_max) {
    std::string out;
    if (!ready_) return std::unexpected("no memory to decode with");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    while (true) {
      const std::size_t before = out.size();
      out.resize(before + kPieceBytes);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = static_cast<uInt>(kPieceBytes);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      out.resize(out.size() - stream_.avail_out);
      if (out.size() > bytes_max) return beyond(bytes_max);
      if (result == Z_STREAM_END && stream_.avail_in == 0) return out;
      // A gzip body may have several members.
      if (result == Z_STREAM_END && inflateReset(&stream_) == Z_OK) continue;
      if (result != Z_OK) return std::unexpected("the compressed body is damaged");
    }
  }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
};

Decoded unzstd(ByteView body, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  if (stream == nullptr) return std::unexpected("no memory to decode with");
  // The window of a frame is what a sender may make us allocate: 8 MiB at most.
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 23);
  ZSTD_inBuffer in = {.src = body.data(), .size = body.size(), .pos = 0};
  std::string out;
  while (true) {
    const std::size_t before = out.size();
    out.resize(before + kPieceBytes);
    ZSTD_outBuffer into = {.dst = out.data() + before, .size = kPieceBytes, .pos = 0};
    const std::size_t left = ZSTD_decompressStream(stream.get(), &into, &in);
    out.resize(before + into.pos);
    if (ZSTD_isError(left) != 0) return std::unexpected("the compressed body is damaged");
    if (out.size() > bytes_max) return beyond(bytes_max);
    if (left == 0 && in.pos == in.size) return out;
    if (in.pos == in.size && into.pos == 0) {
      return std::unexpected("the compressed body is damaged");
    }
  }
}

bool is_gzip(std::string_view coding) {
  return equal_without_case(coding, "gzip") || equal_without_case(coding, "x-gzip");
}

}  // namespace

bool is_decodable(std::string_view coding) {
  return is_gzip(coding) || equal_without_case(coding, "deflate") ||
         equal_without_case(coding, "zstd");
}

Decoded decode_content(std::string_view coding, ByteView body, std::size_t bytes_max) {
  constexpr int kGzipOrZlib = 32 + MAX_WBITS;
  if (equal_without_case(coding, "zstd")) return unzstd(body, bytes_max);
  if (is_gzip(coding)) return Inflater(kGzipOrZlib).run(body, bytes_max);
  if (!equal_without_case(coding, "deflate")) {
    return std::unexpected(fmt::format("the coding \"{}\" is not decoded", coding.substr(0, 40)));
  }
  // "deflate" means zlib's format, and some senders leave its frame out.
  Decoded framed = Inflater(kGzipOrZlib).run(body, bytes_max);
  return framed ? framed : Inflater(-MAX_WBITS).run(body, bytes_max);
}

}  // namespace misrule::codecs::http
