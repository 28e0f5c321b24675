// The decoders and the SQL scanner on hostile bytes: a frame is a prefix of what was given, need is
// more than what is there, and a normal form stays what it is when it is formed again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codecs/postgres/fields.h"
#include "codecs/postgres/message.h"
#include "codecs/postgres/sql.h"
#include "codecs/postgres/startup.h"
#include "codecs/postgres/statement_timeout.h"

namespace misrule::codecs::postgres {
namespace {

void check_message(std::string_view input, Sender sender) {
  const auto decoded = decode_message(input, sender, {.text_bytes_max = 64});
  if (const auto* more = std::get_if<NeedMore>(&decoded)) {
    MISRULE_CHECK(more->bytes_min > input.size());
  }
  if (const auto* message = std::get_if<Message>(&decoded)) {
    MISRULE_CHECK(message->wire_bytes <= input.size());
    MISRULE_CHECK(message->head == input.substr(5, message->wire_bytes - 5));
    read_error(message->head);
    read_target(message->head);
    read_two_texts(message->head);
    rows_of_tag(read_text(message->head));
  }
}

void check_sql(std::string_view sql, Backslash backslash) {
  const std::string normal = normal_form(sql, backslash);
  MISRULE_CHECK(normal.size() <= sql.size());
  kind_of(normal);
  std::size_t last = 0;
  for (const Extent& extent : split_statements(sql, backslash)) {
    MISRULE_CHECK(last <= extent.begin && extent.begin < extent.end && extent.end <= sql.size());
    last = extent.end;
  }
  read_prepare(sql);
  read_execute(sql);
  read_deallocate(sql);
  StatementTimeout timeout;
  timeout.start({{"options", std::string(sql)}, {"statement_timeout", std::string(sql)}});
  timeout.carried_out(sql);
  MISRULE_CHECK(timeout.value() >= Duration::zero());
}

}  // namespace
}  // namespace misrule::codecs::postgres

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace misrule::codecs::postgres;
  // Longer inputs show nothing that these do not, more slowly.
  constexpr std::size_t kBytes = 2048;
  const auto input = std::string_view(reinterpret_cast<const char*>(data), size).substr(0, kBytes);
  const auto first = decode_first_packet(input, {});
  if (const auto* packet = std::get_if<FirstPacket>(&first)) {
    MISRULE_CHECK(packet->wire_bytes <= input.size());
  }
  check_message(input, Sender::kClient);
  check_message(input, Sender::kServer);
  check_sql(input, Backslash::kOrdinary);
  check_sql(input, Backslash::kEscapes);
  return 0;
}
