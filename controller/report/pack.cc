#include "controller/report/pack.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <zlib.h>

#include "base/check.h"

namespace misrule::controller {

std::string gzipped(std::string_view text) {
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemory = 8;
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  z_stream stream = {};
  MISRULE_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                             Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  std::string piece(kPiece, '\0');
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    // zlib reads only; its interface is older than const.
    const std::size_t part = std::min(kPiece, text.size());
    std::string input(text.substr(0, part));
    text.remove_prefix(part);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(part);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      code = deflate(&stream, text.empty() ? Z_FINISH : Z_NO_FLUSH);
      MISRULE_CHECK(code != Z_STREAM_ERROR);
      out.append(piece, 0, piece.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::array<std::uint32_t, 3> three = {};
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < count; ++i) three[i] = static_cast<unsigned char>(bytes[at + i]);
    const std::uint32_t all = three[0] << 16U | three[1] << 8U | three[2];
    out += kLetters[all >> 18U];
    out += kLetters[all >> 12U & 63U];
    out += count > 1 ? kLetters[all >> 6U & 63U] : '=';
    out += count > 2 ? kLetters[all & 63U] : '=';
  }
  return out;
}

}  // namespace misrule::controller
