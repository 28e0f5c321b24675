#include "tests/fuzz/model/table.h"

#include <algorithm>

namespace misrule::fuzz {

using codecs::Direction;

void Table::say(std::string_view bytes) {
  while (!bytes.empty() && !closed()) {
    // Mostly all at once.
    const std::size_t wanted = choices_.below(2) == 0 ? bytes.size() : choices_.byte() + 1U;
    const std::string_view piece = bytes.substr(0, wanted);
    bytes.remove_prefix(piece.size());
    pump_.feed(Direction::kToServer, piece);
    something_happens();
  }
}

void Table::something_happens() {
  const std::uint8_t what = choices_.byte();
  if ((what & 1U) != 0) serve();
  if ((what & 2U) != 0) deliver(what >> 4U);
  if ((what & 4U) != 0) deliver(answers_.size());
  if ((what & 8U) != 0) release((what & 16U) != 0 ? Direction::kToServer : Direction::kToClient);
}

void Table::serve() {
  const std::string_view arrived = std::string_view(pump_.to_server()).substr(served_);
  answers_ += server_.serve(arrived);
  served_ += arrived.size();
}

void Table::deliver(std::size_t bytes) {
  const std::string piece = answers_.substr(0, bytes);
  answers_.erase(0, piece.size());
  if (!piece.empty() && !closed()) pump_.feed(Direction::kToClient, piece);
}

void Table::release(Direction direction) {
  if (pump_.held(direction).has_value()) pump_.release(direction);
}

void Table::settle() {
  bool moved = true;
  while (moved && !closed()) {
    const std::size_t before = pump_.to_server().size() + pump_.to_client().size();
    const bool was_held = pump_.held(Direction::kToServer) || pump_.held(Direction::kToClient);
    release(Direction::kToServer);
    release(Direction::kToClient);
    serve();
    const bool answered = !answers_.empty();
    deliver(answers_.size());
    const std::size_t after = pump_.to_server().size() + pump_.to_client().size();
    moved = was_held || answered || after != before;
  }
}

void Table::part() {
  pump_.end(Direction::kToServer);
  pump_.end(Direction::kToClient);
}

}  // namespace misrule::fuzz
