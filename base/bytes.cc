#include "base/bytes.h"

#include <fmt/format.h>

namespace misrule {

std::uint64_t ByteReader::read_big_endian(std::size_t width) {
  const ByteView bytes = read_bytes(width);
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<std::uint8_t>(byte);
  return value;
}

std::uint8_t ByteReader::read_u8() { return static_cast<std::uint8_t>(read_big_endian(1)); }
std::uint16_t ByteReader::read_u16() { return static_cast<std::uint16_t>(read_big_endian(2)); }
std::uint32_t ByteReader::read_u32() { return static_cast<std::uint32_t>(read_big_endian(4)); }
std::uint64_t ByteReader::read_u64() { return read_big_endian(8); }

ByteView ByteReader::read_bytes(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const ByteView bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return bytes;
}

ByteView ByteReader::read_cstring() {
  const std::size_t end = rest_.find('\0');
  if (end == ByteView::npos) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const ByteView text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return text;
}

namespace {

void append_big_endian(std::string& out, std::uint64_t value, unsigned width) {
  for (unsigned shift = width * 8; shift != 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> (shift - 8U) & 0xffU));
  }
}

}  // namespace

void append_u8(std::string& out, std::uint8_t value) { append_big_endian(out, value, 1); }
void append_u16(std::string& out, std::uint16_t value) { append_big_endian(out, value, 2); }
void append_u32(std::string& out, std::uint32_t value) { append_big_endian(out, value, 4); }
void append_u64(std::string& out, std::uint64_t value) { append_big_endian(out, value, 8); }

void append_cstring(std::string& out, std::string_view text) {
  out.append(text);
  out.push_back('\0');
}

std::string to_hex(ByteView bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 3);
  for (const char byte : bytes) {
    if (!hex.empty()) hex.push_back(' ');
    hex += fmt::format("{:02x}", static_cast<std::uint8_t>(byte));
  }
  return hex;
}

}  // namespace misrule
