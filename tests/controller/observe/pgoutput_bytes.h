#pragma once

// Messages of logical replication, as a server writes them.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace misrule::controller::pgoutput {

inline std::string big_endian(std::uint64_t number, unsigned bytes) {
  std::string out;
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<char>((number >> (8 * i)) & 0xffU));
  return out;
}
inline std::string u16(std::uint64_t number) { return big_endian(number, 2); }
inline std::string u32(std::uint64_t number) { return big_endian(number, 4); }
inline std::string u64(std::uint64_t number) { return big_endian(number, 8); }

inline std::string begin_bytes(std::uint64_t commit, std::uint64_t time, std::uint64_t xid) {
  return "B" + u64(commit) + u64(time) + u32(xid);
}
inline std::string commit_bytes(std::uint64_t commit, std::uint64_t end, std::uint64_t time) {
  return "C" + std::string(1, '\0') + u64(commit) + u64(end) + u64(time);
}
inline std::string text_cell(const std::string& text) { return "t" + u32(text.size()) + text; }
inline std::string row_bytes(const std::vector<std::string>& cells) {
  std::string out = u16(cells.size());
  for (const std::string& cell : cells) out += cell;
  return out;
}
/// The first column is the key.
inline std::string relation_bytes(std::uint32_t id, const std::string& table,
                                  const std::vector<std::pair<std::string, unsigned>>& columns) {
  std::string out = "R" + u32(id) + "public" + '\0' + table + '\0' + "d" + u16(columns.size());
  for (const auto& [name, type] : columns) {
    out += std::string(1, &name == &columns.front().first ? '\1' : '\0') + name + '\0' + u32(type) +
           u32(0xffffffff);
  }
  return out;
}

}  // namespace misrule::controller::pgoutput
