#include "tests/codecs/grind.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace misrule::codecs {
namespace {

unsigned hex_value(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t at = kDigits.find(c);
  return at == std::string_view::npos ? 16U : static_cast<unsigned>(at);
}

// Pairs of digits; everything between them is left out.
std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); ++i) {
    const unsigned high = hex_value(hex[i]);
    const unsigned low = hex_value(hex[i + 1]);
    if (high > 15 || low > 15) continue;
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(high * 16 + low)));
    ++i;
  }
  return bytes;
}

Recording cut_at(const Recording& recording, std::size_t piece, std::size_t at) {
  Recording cut = recording;
  Piece rest = cut[piece];
  cut[piece].bytes.resize(at);
  rest.bytes.erase(0, at);
  cut.insert(cut.begin() + static_cast<std::ptrdiff_t>(piece) + 1, std::move(rest));
  return cut;
}

Recording byte_by_byte(const Recording& recording) {
  Recording bytes;
  for (const Piece& piece : recording) {
    for (const char c : piece.bytes) bytes.push_back({piece.direction, std::string(1, c)});
  }
  return bytes;
}

}  // namespace

std::vector<std::string> vector_files(std::string_view protocol) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(MISRULE_SOURCE_DIR) / "tests/vectors" / protocol;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".hex") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  EXPECT_FALSE(files.empty()) << "no vectors in " << folder;
  return files;
}

bool looks_recorded(std::string_view text) {
  return text.starts_with("# ") || text.starts_with("C: ") || text.starts_with("S: ");
}

Recording parse_recording(std::string_view text) {
  Recording recording;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const bool client = line.starts_with("C:");
    if (!client && !line.starts_with("S:")) continue;
    recording.push_back({client ? Direction::kToServer : Direction::kToClient,
                         from_hex(std::string_view(line).substr(2))});
  }
  return recording;
}

Recording read_recording(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  Recording recording = parse_recording(text.str());
  EXPECT_FALSE(recording.empty()) << path;
  return recording;
}

void for_each_split(const Recording& recording, const std::function<void(const Recording&)>& each,
                    std::size_t cuts_max) {
  each(recording);
  std::size_t total = 0;
  for (const Piece& piece : recording) total += piece.bytes.size();
  const std::size_t stride = total / cuts_max + 1;
  std::size_t place = 0;
  for (std::size_t piece = 0; piece < recording.size(); ++piece) {
    for (std::size_t at = 1; at < recording[piece].bytes.size(); ++at) {
      if (place++ % stride == 0) each(cut_at(recording, piece, at));
    }
  }
  each(byte_by_byte(recording));
}

std::string joined(const Recording& recording, Direction direction) {
  std::string bytes;
  for (const Piece& piece : recording) {
    if (piece.direction == direction) bytes += piece.bytes;
  }
  return bytes;
}

}  // namespace misrule::codecs
