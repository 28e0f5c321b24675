#pragma once

// Events and their fields as specs see them.
//
// A field prints and concatenates as text, has the methods of strings, and is equal both to its
// text and to its decoded value: 200 and "200", True and "true".

#include <memory>
#include <optional>
#include <string>

#include "spec/dsl/host.h"
#include "spec/starlark/starlark.h"

namespace misrule::dsl {

class FieldValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "event field";
  explicit FieldValue(const model::Field& field);
  const std::string& text() const { return text_; }
  /// The typed value: an int, a string, a dict ...
  const star::Value& decoded() const { return decoded_; }

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  void write_text(star::Writer& out) const override { out.text(text_); }
  bool truth() const override { return decoded_.truth(); }
  std::optional<bool> equals(const star::Value& other) const override;
  std::optional<int> compare(const star::Value& other) const override;
  std::optional<star::Value> binary(star::BinaryOp op, const star::Value& other,
                                    bool self_is_left) override;
  std::optional<bool> contains(const star::Value& needle) const override;
  std::optional<star::Value> unwrapped() const override { return decoded_; }
  std::optional<star::Value> dynamic_attribute(star::Symbol name) override;
  std::unique_ptr<star::Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  std::optional<star::Value> item(const star::Value& key) override;
  void visit_children(star::ValueVisitor& visitor) const override { visitor.visit(decoded_); }
  void drop_children() override { decoded_ = star::Value(); }

 private:
  std::string text_;
  star::Value decoded_;
};

class EventValue final : public star::HostObject {
 public:
  static constexpr std::string_view kTypeName = "event";
  explicit EventValue(EventPtr event)
      : event_(std::move(event)), is_injected_(model::is_injected(*event_)) {}
  const model::Event& event() const { return *event_; }
  const EventPtr& pointer() const { return event_; }
  /// The field, looked for in the event and then in its decoded payload.
  std::optional<star::Value> find(std::string_view name);
  /// As model::is_injected() says.
  bool is_injected() const { return is_injected_; }
  /// find() was asked whether the event is a trace of a fault.
  bool was_asked_for_injected() const { return asked_for_injected_; }
  /// All fields typed, the payload's own members included; these win.
  star::Value data();

  std::string_view type_name() const override { return kTypeName; }
  void write_repr(star::Writer& out) const override;
  const star::MemberTable* members() const override;
  std::optional<star::Value> dynamic_attribute(star::Symbol name) override;
  void list_dynamic_attributes(std::vector<star::Symbol>& out) const override;
  [[noreturn]] void raise_no_attribute(star::Symbol name) const override;
  std::optional<bool> contains(const star::Value& needle) const override;
  std::optional<star::Value> item(const star::Value& key) override;
  void visit_children(star::ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  const star::Dict* payload();
  std::vector<std::string> field_names() const;

  EventPtr event_;
  bool is_injected_;
  bool asked_for_injected_ = false;
  std::optional<star::Value> payload_;  // Decoded "data", or None.
  std::optional<star::Value> data_;
};

/// "POST /orders -> api", for reports.
std::string describe_event(const model::Event& event);

}  // namespace misrule::dsl
