#include "controller/observe/pgoutput.h"

#include <charconv>
#include <concepts>

#include <fmt/format.h>

namespace misrule::controller::pgoutput {
namespace {

/// Reads big-endian numbers and strings; once it has run past the end everything is zero.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral Number>
  Number number() {
    const std::string_view bytes = take(sizeof(Number));
    Number value = 0;
    for (const char byte : bytes) {
      value = static_cast<Number>((static_cast<std::uint64_t>(value) << 8U) |
                                  static_cast<unsigned char>(byte));
    }
    return value;
  }
  char letter() { return static_cast<char>(number<std::uint8_t>()); }
  std::string text() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      cut_ = true;
      return {};
    }
    std::string found(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return found;
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      cut_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest() const { return rest_; }
  bool is_cut() const { return cut_; }
  bool is_at_end() const { return rest_.empty() && !cut_; }

 private:
  std::string_view rest_;
  bool cut_ = false;
};

std::unexpected<Error> wrong(char kind, std::string_view why) {
  return fail(Code::kInvalid, fmt::format("replication message {:?}: {}", kind, why));
}

template <class Anything>
Result<Message> whole(const Reader& reader, char kind, Anything message) {
  if (reader.is_cut()) return wrong(kind, "it is cut short");
  if (!reader.is_at_end()) return wrong(kind, "bytes are left over");
  return Message(std::move(message));
}

Result<Message> read_begin(Reader& reader) {
  Begin begin;
  begin.commit_lsn = reader.number<Lsn>();
  begin.commit_time_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  begin.xid = reader.number<std::uint32_t>();
  return whole(reader, 'B', begin);
}

Result<Message> read_commit(Reader& reader) {
  reader.number<std::uint8_t>();  // Flags, of which there are none.
  Commit commit;
  commit.commit_lsn = reader.number<Lsn>();
  commit.end_lsn = reader.number<Lsn>();
  commit.commit_time_us = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  return whole(reader, 'C', commit);
}

Result<Message> read_relation(Reader& reader) {
  Relation relation;
  relation.id = reader.number<std::uint32_t>();
  relation.schema = reader.text();
  // System tables have none in the message.
  if (relation.schema.empty()) relation.schema = "pg_catalog";
  relation.table = reader.text();
  relation.identity = reader.letter();
  const std::size_t count = reader.number<std::uint16_t>();
  if (count > kColumnsMax) return wrong('R', fmt::format("{} columns", count));
  for (std::size_t i = 0; i < count && !reader.is_cut(); ++i) {
    Column column;
    column.is_key = (reader.number<std::uint8_t>() & 1U) != 0;
    column.name = reader.text();
    column.type_oid = reader.number<std::uint32_t>();
    reader.number<std::uint32_t>();  // Its modifier: varchar(10)'s 10.
    relation.columns.push_back(std::move(column));
  }
  return whole(reader, 'R', std::move(relation));
}

Result<Row> read_row(Reader& reader, char kind) {
  const std::size_t count = reader.number<std::uint16_t>();
  if (count > kColumnsMax) return wrong(kind, fmt::format("{} columns", count));
  Row row;
  row.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char format = reader.letter();
    if (reader.is_cut()) return wrong(kind, "it is cut short");
    if (format == 'n') {
      row.push_back({});
    } else if (format == 'u') {
      row.push_back({.kind = Cell::Kind::kUnchanged});
    } else if (format == 't') {
      const std::size_t size = reader.number<std::uint32_t>();
      row.push_back({.kind = Cell::Kind::kText, .text = reader.take(size)});
    } else {
      return wrong(kind, fmt::format("a value in the format {:?}", format));
    }
  }
  return row;
}

Result<Message> read_change(Reader& reader, char kind) {
  Change change{.kind = kind, .relation = reader.number<std::uint32_t>()};
  char part = reader.letter();
  const bool has_old = kind != 'I' && (part == 'K' || part == 'O');
  if (has_old) {
    change.old_is_key = part == 'K';
    MISRULE_TRY(change.old_row, read_row(reader, kind));
    if (kind == 'U') part = reader.letter();
  }
  if (kind != 'D') {
    if (part != 'N') return wrong(kind, "it has no new row");
    MISRULE_TRY(change.new_row, read_row(reader, kind));
  } else if (!has_old) {
    return wrong(kind, "it has no old row");
  }
  return whole(reader, kind, std::move(change));
}

Result<Message> read_truncate(Reader& reader) {
  const std::size_t count = reader.number<std::uint32_t>();
  const unsigned options = reader.number<std::uint8_t>();
  if (count > reader.rest().size() / sizeof(std::uint32_t)) return wrong('T', "it is cut short");
  Truncate truncate{.cascade = (options & 1U) != 0, .restart_identity = (options & 2U) != 0};
  for (std::size_t i = 0; i < count; ++i) {
    truncate.relations.push_back(reader.number<std::uint32_t>());
  }
  return whole(reader, 'T', std::move(truncate));
}

void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU));
  }
}

}  // namespace

Result<Message> decode(std::string_view bytes) {
  Reader reader(bytes);
  const char kind = reader.letter();
  switch (kind) {
    case 'B':
      return read_begin(reader);
    case 'C':
      return read_commit(reader);
    case 'R':
      return read_relation(reader);
    case 'I':
    case 'U':
    case 'D':
      return read_change(reader, kind);
    case 'T':
      return read_truncate(reader);
    case 'Y':
    case 'O':
    case 'M':
      return Message(Other{.kind = kind});
    default:
      return bytes.empty() ? fail(Code::kInvalid, "an empty replication message")
                           : wrong(kind, "nobody knows it");
  }
}

Result<Frame> decode_frame(std::string_view bytes) {
  Reader reader(bytes);
  const char kind = reader.letter();
  if (kind == 'w') {
    WalPiece data;
    data.start = reader.number<Lsn>();
    data.end = reader.number<Lsn>();
    reader.number<std::uint64_t>();  // The server's time.
    if (reader.is_cut()) return wrong(kind, "it is cut short");
    data.message = reader.rest();
    return Frame(data);
  }
  if (kind != 'k') return wrong(kind, "neither data nor keepalive");
  Keepalive keepalive;
  keepalive.end = reader.number<Lsn>();
  reader.number<std::uint64_t>();
  keepalive.wants_reply = reader.number<std::uint8_t>() != 0;
  if (!reader.is_at_end()) return wrong(kind, "its length is wrong");
  return Frame(keepalive);
}

std::string standby_status(Lsn received, Lsn flushed, bool wants_reply) {
  std::string out = "r";
  append_number(out, received);
  append_number(out, flushed);
  append_number(out, flushed);
  append_number(out, 0);  // Our time, of which the server makes nothing.
  out.push_back(wants_reply ? '\1' : '\0');
  return out;
}

std::string lsn_text(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn >> 32U, lsn & 0xffffffffU); }

std::optional<Lsn> lsn_from_text(std::string_view text) {
  const auto half = [](std::string_view digits) -> std::optional<Lsn> {
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return (*high << 32U) | *low;
}

}  // namespace misrule::controller::pgoutput
