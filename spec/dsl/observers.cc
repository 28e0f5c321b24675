// wal_stream(), json_decoder(), decoder(): what is looked at beside the traffic.

#include "spec/dsl/observers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

void check_names(const Args& args, std::string_view keyword, const StringList& names) {
  for (const std::string& name : names.items) {
    if (!name.empty()) continue;
    const auto index = args.find_keyword(keyword);
    args.fail_at(index ? args.keyword_value_span(*index) : args.call_span(), star::code::kValue,
                 fmt::format("{}= holds an empty name", keyword));
  }
}

}  // namespace

Value make_wal_stream(Args& args) {
  std::optional<StringList> tables;
  std::optional<StringList> columns;
  std::optional<DecoderValue*> decoder;
  args.unpack({star::optional("tables", tables), star::optional("columns", columns).by_keyword(),
               star::optional("decoder", decoder).by_keyword()});
  model::WalStream wanted{.decode_json = decoder.has_value()};
  if (tables) {
    check_names(args, "tables", *tables);
    wanted.tables = std::move(tables->items);
  }
  if (columns) {
    check_names(args, "columns", *columns);
    wanted.columns = std::move(columns->items);
  }
  return Value::object(star::make<WalStreamValue>(std::move(wanted)));
}

Value make_json_decoder(Args& args) {
  args.unpack({});
  return Value::object(star::make<DecoderValue>());
}

Value make_decoder(Args& args) {
  std::string name;
  args.unpack({star::required("name", name)});
  if (name == "json") return Value::object(star::make<DecoderValue>());
  args.fail_at(args.call_span(), star::code::kValue,
               fmt::format("unknown decoder \"{}\"{}", name, did_you_mean(name, {"json"})),
               "decoders: json");
}

}  // namespace misrule::dsl
