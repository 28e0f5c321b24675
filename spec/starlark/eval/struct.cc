// Structs.

#include <algorithm>

#include "fmt/format.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::star {
Struct::Struct(std::vector<Field> fields) : Object(Kind::kStruct) {
  std::vector<std::size_t> order(fields.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&fields](std::size_t a, std::size_t b) {
    const int by_name = fields[a].first.text().compare(fields[b].first.text());
    return by_name != 0 ? by_name < 0 : a < b;
  });
  for (const std::size_t i : order) {
    if (!fields_.empty() && fields_.back().first == fields[i].first) fields_.pop_back();
    fields_.push_back(std::move(fields[i]));
  }
}

const Value* Struct::find(Symbol name) const {
  for (const Field& field : fields_) {
    if (field.first == name) return &field.second;
  }
  return nullptr;
}

void Struct::write_repr(Writer& out) const {
  out.text("struct(");
  std::string_view separator;
  for (const Field& field : fields_) {
    out.text(separator);
    out.text(field.first.text());
    out.text(" = ");
    out.repr(field.second);
    separator = ", ";
  }
  out.text(")");
}

std::uint64_t Struct::hash() const {
  std::uint64_t out = 0x53;
  for (const Field& field : fields_) {
    out = (out ^ field.second.hash()) * 0x9E3779B97F4A7C15U + field.first.text().size();
  }
  return out;
}

std::optional<Value> Struct::binary(BinaryOp op, const Value& other, bool self_is_left) {
  const auto* right =
      other.kind() == Kind::kStruct ? static_cast<Struct*>(other.as_object()) : nullptr;
  if (op != BinaryOp::kAdd || right == nullptr || !self_is_left) return std::nullopt;
  std::vector<Field> merged = fields_;
  merged.insert(merged.end(), right->fields_.begin(), right->fields_.end());
  return Value::of(new Struct(std::move(merged)));
}

std::optional<Value> Struct::dynamic_attribute(Symbol name) {
  const Value* found = find(name);
  if (found == nullptr) return std::nullopt;
  return *found;
}

void Struct::list_dynamic_attributes(std::vector<Symbol>& out) const {
  for (const Field& field : fields_) out.push_back(field.first);
}

void Struct::raise_no_attribute(Symbol name) const {
  std::vector<std::string_view> names;
  for (const Field& field : fields_) names.push_back(field.first.text());
  const std::string_view near = nearest(name.text(), names);
  raise(code::kName, fmt::format("struct has no .{} attribute{}", name.text(),
                                 near.empty() ? "" : fmt::format(" (did you mean .{}?)", near)));
}

void Struct::visit_children(ValueVisitor& visitor) const {
  for (const Field& field : fields_) visitor.visit(field.second);
}

void Struct::drop_children() { const std::vector<Field> dropped = std::exchange(fields_, {}); }

}  // namespace misrule::star
