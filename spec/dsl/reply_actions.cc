// respond(), rewrite(), duplicate(), corrupt(), truncate(): what becomes of a message or its reply.

#include <algorithm>

#include <fmt/format.h>

#include "spec/dsl/action_reader.h"
#include "spec/dsl/builtins.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// What these functions take beside what every action on traffic takes.
struct ReplyArguments {
  std::optional<Value> rows = {};
  std::optional<std::string> tag = {};
  Value value = {};  ///< None is nil, where it is said.
  std::optional<std::int64_t> status = {};
  std::optional<Value> body = {};
  std::optional<Value> headers = {};
  std::optional<Value> columns = {};
  bool decode = false;
  std::optional<std::int64_t> bytes = {};
  bool framing = false;
};

using ValueFields = google::protobuf::Map<std::string, google::protobuf::Value>;

google::protobuf::Value json_of(const ActionReader& reader, std::string_view keyword,
                                const Value& value) {
  auto json = json_value(value);
  if (!json) {
    reader.fail(
        keyword,
        fmt::format("{}= has a {} that JSON cannot hold exactly", keyword, value.type_name()),
        "None, True, numbers up to 2**53, strings, lists and dicts with strings as keys");
  }
  return *std::move(json);
}

void put_fields(const ActionReader& reader, std::string_view keyword, const Value& value,
                ValueFields& out) {
  if (value.as_dict() == nullptr) {
    reader.fail(keyword, fmt::format("{}= is a dict, not a {}", keyword, value.type_name()));
  }
  out = json_of(reader, keyword, value).struct_value().fields();
}

constexpr std::string_view kRows = "rows=[{\"id\": 1, \"name\": \"a\"}]; rows=[] is no row";

void put_columns(const star::Dict& row, model::Respond& out) {
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = row.table().next(cursor)) {
    out.add_columns(std::string(*entry->key.as_string()));
  }
}

/// With the columns of the first row, in its order.
void put_row(const ActionReader& reader, const Value& row, model::Respond& out) {
  const star::Dict* dict = row.as_dict();
  if (dict == nullptr) reader.fail("rows", "a row is a dict, by column", std::string(kRows));
  const auto fields = json_of(reader, "rows", row).struct_value().fields();
  if (out.rows_size() == 0) put_columns(*dict, out);
  bool alike = fields.size() == static_cast<std::size_t>(out.columns_size());
  auto& values = *out.add_rows();
  for (const std::string& column : out.columns()) {
    const auto field = fields.find(column);
    alike = alike && field != fields.end();
    if (alike) *values.add_values() = field->second;
  }
  if (!alike) reader.fail("rows", "every row has the columns of the first", std::string(kRows));
}

void put_rows(const ActionReader& reader, const Value& rows, model::Respond& out) {
  if (rows.as_list() == nullptr && rows.as_tuple() == nullptr) {
    reader.fail("rows", "rows= is a list of dicts, by column", std::string(kRows));
  }
  for (const Value& row : rows.elements()) put_row(reader, row, out);
}

std::uint32_t http_status(const ActionReader& reader, std::int64_t status) {
  if (status < 100 || status > 599) {
    reader.fail("status", fmt::format("status={} is no HTTP status", status));
  }
  return static_cast<std::uint32_t>(status);
}

Value finished(RuleDraft draft) { return Value::object(star::make<RuleValue>(std::move(draft))); }

}  // namespace

Value make_respond(Args& args) {
  ActionArguments given;
  ReplyArguments reply;
  args.unpack(with_traffic({keyword("rows", reply.rows), keyword("tag", reply.tag),
                            keyword("value", reply.value), keyword("status", reply.status),
                            keyword("body", given.body), keyword("headers", reply.headers)},
                           given));
  const ActionReader reader(args);
  RuleDraft draft = ActionReader(args).read(ActionVerb::kRespond, given);
  model::Respond& respond = *draft.rule.mutable_respond();
  if (reply.rows) put_rows(reader, *reply.rows, respond);
  if (reply.tag) respond.set_tag(*reply.tag);
  if (args.find_keyword("value")) *respond.mutable_value() = json_of(reader, "value", reply.value);
  if (reply.status) respond.set_status(http_status(reader, *reply.status));
  if (given.body) respond.set_body(*given.body);
  if (reply.headers) {
    ValueFields fields;
    put_fields(reader, "headers", *reply.headers, fields);
    for (const auto& [name, value] : fields) {
      if (!value.has_string_value()) reader.fail("headers", "a header's value is a string");
      (*respond.mutable_headers())[name] = value.string_value();
    }
  }
  return finished(std::move(draft));
}

Value make_rewrite(Args& args) {
  ActionArguments given;
  ReplyArguments reply;
  args.unpack(with_traffic({keyword("columns", reply.columns), keyword("body", reply.body),
                            keyword("headers", reply.headers), keyword("status", reply.status),
                            keyword("value", reply.value), keyword("decode", reply.decode)},
                           given));
  const ActionReader reader(args);
  RuleDraft draft = ActionReader(args).read(ActionVerb::kRewrite, given);
  model::Rewrite& rewrite = *draft.rule.mutable_rewrite();
  if (reply.columns) put_fields(reader, "columns", *reply.columns, *rewrite.mutable_columns());
  if (reply.body) put_fields(reader, "body", *reply.body, *rewrite.mutable_body());
  if (reply.headers) put_fields(reader, "headers", *reply.headers, *rewrite.mutable_headers());
  if (reply.status) rewrite.set_status(http_status(reader, *reply.status));
  if (args.find_keyword("value")) *rewrite.mutable_value() = json_of(reader, "value", reply.value);
  if (reply.decode) rewrite.set_decode(true);
  return finished(std::move(draft));
}

Value make_duplicate(Args& args) {
  ActionArguments given;
  args.unpack(with_traffic({}, given));
  RuleDraft draft = ActionReader(args).read(ActionVerb::kDuplicate, given);
  draft.rule.mutable_duplicate();
  return finished(std::move(draft));
}

Value make_corrupt(Args& args) {
  ActionArguments given;
  ReplyArguments reply;
  args.unpack(with_traffic({keyword("bytes", reply.bytes), keyword("framing", reply.framing),
                            keyword("side", given.side)},
                           given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kCorrupt, given);
  model::Corrupt& corrupt = *draft.rule.mutable_corrupt();
  if (reply.bytes) corrupt.set_bytes(reader.count("bytes", *reply.bytes, 1));
  if (reply.framing) corrupt.set_framing(true);
  if (given.side) corrupt.set_side(*given.side);
  return finished(std::move(draft));
}

Value make_truncate(Args& args) {
  ActionArguments given;
  std::int64_t bytes = 0;
  args.unpack(with_traffic(
      {star::required("bytes", bytes).by_keyword(), keyword("side", given.side)}, given));
  ActionReader reader(args);
  RuleDraft draft = reader.read(ActionVerb::kTruncate, given);
  draft.rule.mutable_truncate()->set_bytes(reader.count("bytes", bytes, 0));
  if (given.side) draft.rule.mutable_truncate()->set_side(*given.side);
  return finished(std::move(draft));
}

}  // namespace misrule::dsl
