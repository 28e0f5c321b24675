#include "spec/dsl/event_value.h"

#include <algorithm>

#include "spec/dsl/arguments.h"
#include "spec/dsl/event_types.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::BinaryOp;
using star::Symbol;
using star::Value;

namespace {

struct Decoder {
  Value operator()(std::nullptr_t) const { return Value::none(); }
  Value operator()(bool value) const { return Value::boolean(value); }
  Value operator()(std::int64_t value) const { return Value::integer(value); }
  Value operator()(double value) const { return Value::real(value); }
  Value operator()(const std::string& value) const { return Value::string(value); }
  Value operator()(const model::Json& value) const {
    auto decoded = star::decode_json(value.text);
    // What is no JSON after all is the text that it is.
    return decoded ? *std::move(decoded) : Value::string(value.text);
  }
};

/// The text of a scalar as events spell it; nothing for containers.
std::optional<std::string> scalar_text(const Value& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto truth = value.as_bool()) return *truth ? "true" : "false";
  if (value.as_number() || value.kind() == star::Kind::kBigInt) return value.text();
  return std::nullopt;
}

/// A payload's member as the field that it is.
Value field_of(const Value& value) {
  if (const auto truth = value.as_bool()) return Value::object(star::make<FieldValue>(*truth));
  if (const auto number = value.as_int()) return Value::object(star::make<FieldValue>(*number));
  if (const auto real = value.as_float()) return Value::object(star::make<FieldValue>(*real));
  if (const auto text = value.as_string()) {
    return Value::object(star::make<FieldValue>(std::string(*text)));
  }
  if (value.is_none()) return Value::object(star::make<FieldValue>(nullptr));
  return Value::object(star::make<FieldValue>(model::Json{star::encode_json(value)}));
}

template <class Number>
std::optional<Value> arithmetic(BinaryOp op, Number left, Number right) {
  Number result{};
  bool overflow = false;
  if constexpr (std::is_integral_v<Number>) {
    if (op == BinaryOp::kAdd) overflow = __builtin_add_overflow(left, right, &result);
    if (op == BinaryOp::kSubtract) overflow = __builtin_sub_overflow(left, right, &result);
    if (op == BinaryOp::kMultiply) overflow = __builtin_mul_overflow(left, right, &result);
  } else {
    result = op == BinaryOp::kAdd        ? left + right
             : op == BinaryOp::kSubtract ? left - right
                                         : left * right;
  }
  if (overflow) return std::nullopt;
  if constexpr (std::is_integral_v<Number>)
    return Value::integer(result);
  else
    return Value::real(result);
}

Value plain(const Value& value) {
  const auto* field = value.as<FieldValue>();
  return field != nullptr ? field->decoded() : value;
}

}  // namespace

FieldValue::FieldValue(const model::Field& field)
    : text_(model::field_text(field)), decoded_(std::visit(Decoder{}, field)) {}

void FieldValue::write_repr(star::Writer& out) const { out.repr(decoded_); }

std::optional<bool> FieldValue::equals(const Value& other) const {
  if (const auto* field = other.as<FieldValue>(); field != nullptr) {
    return field->text_ == text_ || field->decoded_.equals(decoded_);
  }
  if (decoded_.is_none() || other.is_none()) return decoded_.is_none() && other.is_none();
  if (const auto text = scalar_text(other); text && *text == text_) return true;
  return decoded_.equals(other);
}

std::optional<int> FieldValue::compare(const Value& other) const {
  const Value mine = decoded_;
  const Value theirs = plain(other);
  if (const auto left = mine.as_number(), right = theirs.as_number(); left && right) {
    return *left < *right ? -1 : *left > *right ? 1 : 0;
  }
  const auto text = theirs.as_string();
  if (!text || !mine.as_string()) return std::nullopt;
  const int order = text_.compare(*text);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::optional<Value> FieldValue::binary(BinaryOp op, const Value& other, bool self_is_left) {
  const Value theirs = plain(other);
  if (const auto text = theirs.as_string(); text && op == BinaryOp::kAdd) {
    return Value::string(self_is_left ? text_ + std::string(*text) : std::string(*text) + text_);
  }
  if (op != BinaryOp::kAdd && op != BinaryOp::kSubtract && op != BinaryOp::kMultiply)
    return std::nullopt;
  const Value& left = self_is_left ? decoded_ : theirs;
  const Value& right = self_is_left ? theirs : decoded_;
  if (left.as_int() && right.as_int()) return arithmetic(op, *left.as_int(), *right.as_int());
  if (left.as_number() && right.as_number()) {
    return arithmetic(op, *left.as_number(), *right.as_number());
  }
  return std::nullopt;
}

std::optional<bool> FieldValue::contains(const Value& needle) const {
  if (star::Object* container = decoded_.as_object(); container != nullptr) {
    if (const auto found = container->contains(needle)) return found;
    const auto items = decoded_.elements();
    return std::ranges::any_of(items, [&](const Value& item) { return item.equals(needle); });
  }
  const auto text = scalar_text(plain(needle));
  if (!text) return std::nullopt;
  return text_.find(*text) != std::string::npos;
}

std::optional<Value> FieldValue::dynamic_attribute(Symbol name) {
  if (decoded_.as_object() != nullptr) {
    if (auto member = decoded_.attribute(name)) return member;
  }
  return Value::string(text_).attribute(name);
}

std::unique_ptr<star::Iterator> FieldValue::iterate() {
  star::Object* container = decoded_.as_object();
  return container == nullptr ? nullptr : container->iterate();
}

std::optional<std::int64_t> FieldValue::length() const {
  if (star::Object* container = decoded_.as_object(); container != nullptr)
    return container->length();
  return static_cast<std::int64_t>(text_.size());
}

std::optional<Value> FieldValue::item(const Value& key) {
  star::Object* container = decoded_.as_object();
  return container == nullptr ? std::nullopt : container->item(key);
}

namespace {

EventValue& event_of(const Args& args) { return *args.self().as<EventValue>(); }

Value event_get(Args& args) {
  std::string name;
  Value fallback;
  args.unpack({star::required("name", name), star::optional("default", fallback)});
  auto found = event_of(args).find(name);
  return found ? *found : fallback;
}

Value event_data(Args& args) { return event_of(args).data(); }

}  // namespace

const star::MemberTable* EventValue::members() const {
  static const star::MemberTable kMembers{
      {.name = "get", .fn = event_get},
      {.name = "data", .fn = event_data, .is_property = true},
  };
  return &kMembers;
}

const star::Dict* EventValue::payload() {
  if (!payload_) {
    const model::Field* field = event_->find("data");
    payload_ = field == nullptr ? Value::none() : std::visit(Decoder{}, *field);
  }
  return payload_->as_dict();
}

std::optional<Value> EventValue::find(std::string_view name) {
  const auto field = [](const model::Field& value) {
    return Value::object(star::make<FieldValue>(value));
  };
  if (name == "injected") asked_for_injected_ = true;
  if (name == "type") return field(event_->type);
  if (name == "service") return field(event_->service);
  if (name == "number") return field(static_cast<std::int64_t>(event_->number));
  if (name == "time_ns") return field(event_->time_ns);
  if (name == "source_time_ns") return field(event_->source_time_ns);
  if (const model::Field* own = event_->find(name); own != nullptr) return field(*own);
  if (const star::Dict* decoded = payload(); decoded != nullptr) {
    if (const Value* member = decoded->find(name); member != nullptr) return field_of(*member);
  }
  return std::nullopt;
}

Value EventValue::data() {
  if (data_) return *data_;
  const bool is_payload = payload() != nullptr;
  // What the payload says of a name wins, so find() sees no difference in it.
  data_ = is_payload ? *payload_ : Value::dict();
  star::Dict& all = *data_->as_dict();
  for (const auto& [name, value] : event_->fields) {
    if (is_payload && (name == "data" || all.find(name) != nullptr)) continue;
    all.set(name, std::visit(Decoder{}, value));
  }
  data_->freeze();
  return *data_;
}

std::vector<std::string> EventValue::field_names() const {
  std::vector<std::string> names = {"type", "service", "number", "time_ns", "source_time_ns"};
  for (const auto& [name, value] : event_->fields) names.push_back(name);
  // The payload is decoded without keeping it: listing must not change the event.
  if (const model::Field* field = event_->find("data"); field != nullptr) {
    const Value decoded = std::visit(Decoder{}, *field);
    if (decoded.as_dict() != nullptr) {
      for (const Value& key : decoded.elements()) names.push_back(key.text());
    }
  }
  return names;
}

std::optional<Value> EventValue::dynamic_attribute(Symbol name) {
  if (auto found = find(name.text())) return found;
  // e.decision of an event without one: a predicate may ask before it asked for the type.
  if (is_event_field(name.text())) return Value::object(star::make<FieldValue>(nullptr));
  return std::nullopt;
}

void EventValue::list_dynamic_attributes(std::vector<Symbol>& out) const {
  for (const std::string& name : field_names()) out.emplace_back(name);
}

void EventValue::raise_no_attribute(Symbol name) const {
  std::vector<std::string> known = field_names();
  const std::string own = listed(known);
  const auto all = all_event_fields();
  known.insert(known.end(), all.begin(), all.end());
  star::raise({.code = star::code::kName,
               .message = fmt::format("{} event has no .{}{}", event_->type, name.text(),
                                      did_you_mean(name.text(), known)),
               .help = "it has " + own + "; e.get(\"x\") gives None for what is missing"});
}

std::optional<bool> EventValue::contains(const Value& needle) const {
  const auto name = needle.as_string();
  if (!name) return false;
  const auto names = field_names();
  return std::ranges::find(names, *name) != names.end();
}

std::optional<Value> EventValue::item(const Value& key) {
  const auto name = key.as_string();
  if (!name) star::raise(star::code::kType, "an event's fields have names: event[\"type\"]");
  if (*name == "data") return data();
  if (auto found = find(*name)) return found;
  const auto names = field_names();
  star::raise(
      {.code = star::code::kName,
       .message = fmt::format("{} event has no field \"{}\"{}", event_->type, *name,
                              did_you_mean(*name, names)),
       .help = "it has " + listed(names) + "; event.get(\"x\") gives None for what is missing"});
}

void EventValue::write_repr(star::Writer& out) const {
  out.text("<event " + describe_event(*event_) + ">");
}

void EventValue::visit_children(star::ValueVisitor& visitor) const {
  if (payload_) visitor.visit(*payload_);
  if (data_) visitor.visit(*data_);
}

void EventValue::drop_children() {
  payload_.reset();
  data_.reset();
}

std::string describe_event(const model::Event& event) {
  std::string text = fmt::format("{} {}", event.service, event.type);
  for (const auto& [name, field] : event.fields) {
    if (name == "data" || text.size() > 160) continue;
    text += fmt::format(" {}={}", name, shortened(model::field_text(field), 60));
  }
  return text;
}

}  // namespace misrule::dsl
