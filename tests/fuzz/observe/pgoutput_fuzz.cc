// Any bytes as messages of logical replication, each behind its length in two bytes: what is
// decoded lies within its message, and what rows become of it is within the limits and is JSON.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "controller/events/event_log.h"
#include "controller/observe/pgoutput.h"
#include "controller/observe/wal_transactions.h"

namespace misrule::controller {
namespace {

constexpr WalLimits kLimits = {.rows = 64, .bytes = 64 * 1024, .relations = 8};

void check_cells(const std::optional<pgoutput::Row>& row, std::string_view message) {
  if (!row) return;
  MISRULE_CHECK(row->size() <= pgoutput::kColumnsMax);
  for (const pgoutput::Cell& cell : *row) {
    const bool inside = cell.text.data() >= message.data() &&
                        cell.text.data() + cell.text.size() <= message.data() + message.size();
    MISRULE_CHECK(cell.text.empty() || inside);
  }
}

void check_told(const WalTransaction& told) {
  MISRULE_CHECK(told.events.size() <= kLimits.rows);
  for (const model::Event& event : told.events) {
    MISRULE_CHECK(event.type == "wal");
    MISRULE_CHECK(event_from_json(event_to_json(event)).has_value());
  }
}

void run(std::string_view bytes) {
  WalTransactions transactions({}, check_told, kLimits);
  pgoutput::Lsn at = 0;
  while (bytes.size() >= 2) {
    const std::size_t wanted = static_cast<unsigned char>(bytes[0]) * std::size_t{256} +
                               static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    const std::string message(bytes.substr(0, wanted));
    bytes.remove_prefix(message.size());
    static_cast<void>(pgoutput::decode_frame(message).has_value());
    const auto decoded = pgoutput::decode(message);
    if (decoded) {
      if (const auto* change = std::get_if<pgoutput::Change>(&*decoded)) {
        check_cells(change->old_row, message);
        check_cells(change->new_row, message);
      }
    }
    // A broken connection begins anew; nothing that was told is told again.
    if (!transactions.take({.start = at += 8, .message = message})) transactions.connection_lost();
  }
}

}  // namespace
}  // namespace misrule::controller

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  misrule::controller::run(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
