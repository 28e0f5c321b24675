#include "codecs/postgres/flow.h"

#include <algorithm>
#include <utility>

namespace misrule::codecs::postgres {

Step walk_messages(ByteView unread, Flow& flow, const std::function<Move(ByteView rest)>& next) {
  std::size_t pass = 0;
  while (pass < unread.size()) {
    const ByteView rest = unread.substr(pass);
    if (flow.passing > 0) {
      const std::size_t bytes = std::min(flow.passing, rest.size());
      flow.passing -= bytes;
      pass += bytes;
      continue;
    }
    if (flow.dropping > 0) {
      const std::size_t bytes = std::min(flow.dropping, rest.size());
      flow.dropping -= bytes;
      return {.pass = pass, .act = Substitute{.bytes = bytes}};
    }
    Move move = next(rest);
    pass += move.pass;
    if (move.act) return {.pass = pass, .act = std::move(move.act)};
    if (move.pass == 0) return {.pass = pass, .need = move.need};
  }
  return {.pass = pass};
}

}  // namespace misrule::codecs::postgres
