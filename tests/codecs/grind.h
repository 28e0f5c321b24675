#pragma once

// Recorded conversations, and every way in which the network may cut them.
//
// A vector is a text file: lines "C: hex" and "S: hex" in the order of recording, "#" starts a
// comment.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/conversation.h"

namespace misrule::codecs {

struct Piece {
  Direction direction = Direction::kToServer;
  std::string bytes = {};
};
using Recording = std::vector<Piece>;

/// All "*.hex" below tests/vectors/`protocol`, sorted. Fails the test if there are none.
std::vector<std::string> vector_files(std::string_view protocol);
/// Fails the test if the file cannot be read.
Recording read_recording(const std::string& path);

/// Is this text of a vector, as a fuzzer's seed is? Then it can be parsed; broken hex is left out.
bool looks_recorded(std::string_view text);
Recording parse_recording(std::string_view text);

/// Calls `each` with the recording as it is, with every piece cut in two at every place, and byte
/// by byte. Longer recordings are cut at `cuts_max` places, evenly.
void for_each_split(const Recording& recording, const std::function<void(const Recording&)>& each,
                    std::size_t cuts_max = 4096);

/// All bytes of one direction.
std::string joined(const Recording& recording, Direction direction);

}  // namespace misrule::codecs
