#include "codecs/postgres/details.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "codecs/postgres/parse_tree.h"
#include "codecs/postgres/rows.h"

namespace misrule::codecs::postgres {

namespace {

/// The parameter's type, as the server or else the client says it; 0: nobody does.
std::uint32_t parameter_type(const Named& prepared, std::size_t parameter) {
  constexpr std::size_t kBytes = sizeof(std::uint32_t);
  for (const std::string* types : {&prepared.parameters, &prepared.asked_parameters}) {
    if (types->size() < (parameter + 1) * kBytes) continue;
    ByteReader reader(ByteView(*types).substr(parameter * kBytes, kBytes));
    if (const std::uint32_t type = reader.read_u32(); type != 0) return type;
  }
  return 0;
}

}  // namespace

bool StatementDetails::any(Detail what, std::string_view key, const Wants& wants) const {
  switch (what) {
    case Detail::kText:
      return wants(statement_.raw) || wants(statement_.normal);
    case Detail::kPrepared:
      return !prepared_.empty() && wants(prepared_);
    case Detail::kParameter:
      return any_parameter(key, wants);
    case Detail::kStatement:
    case Detail::kTable:
    case Detail::kSchema:
    case Detail::kColumn:
      return any_of_shape(what, wants);
    default:
      return false;
  }
}

bool StatementDetails::any_of_shape(Detail what, const Wants& wants) const {
  const ShapePtr shape = shape_of(statement_.raw, statement_.normal);
  if (!shape->parsed) return false;
  if (what == Detail::kStatement) return wants(shape->kind);
  if (what == Detail::kSchema) return std::ranges::any_of(shape->schemas, wants);
  if (what == Detail::kColumn) return std::ranges::any_of(shape->columns, wants);
  return std::ranges::any_of(shape->tables, [&wants](std::string_view table) {
    const std::size_t point = table.rfind('.');
    return wants(table) || (point != std::string_view::npos && wants(table.substr(point + 1)));
  });
}

bool StatementDetails::any_parameter(std::string_view number, const Wants& wants) const {
  std::size_t place = 0;
  const char* const end = number.data() + number.size();
  std::from_chars(end - number.size(), end, place);
  if (portal_ == nullptr || place == 0) return false;
  const auto bound = read_bound(portal_->bound);
  if (!bound || place > bound->values.size()) return false;
  const auto& value = bound->values[place - 1];
  if (!value) return false;
  if (bound->format_of(place - 1) == Format::kText) return wants(*value);
  const std::uint32_t type = portal_->prepared ? parameter_type(*portal_->prepared, place - 1) : 0;
  const auto text = text_of_binary(type, *value);
  return text && wants(*text);
}

}  // namespace misrule::codecs::postgres
