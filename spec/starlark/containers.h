#pragma once

// Lists, tuples, dicts, sets and structs as the host reads and builds them.
//
// Changing methods raise when the container is frozen or being iterated.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/starlark/object.h"

namespace misrule::star {

class List final : public Object {
 public:
  explicit List(std::vector<Value> items);
  ~List() override;
  std::span<const Value> items() const { return items_; }
  std::size_t size() const { return items_.size(); }
  void append(Value item);
  /// Raises unless it may be changed; verb: "append to".
  void check_mutable(std::string_view verb) const;
  /// Only after check_mutable().
  std::vector<Value>& mutable_items() { return items_; }
  /// Tells the heap about growth or shrinking of mutable_items().
  void account();

  std::string_view type_name() const override { return "list"; }
  void write_repr(Writer& out) const override;
  bool truth() const override { return !items_.empty(); }
  std::uint64_t hash() const override;
  const MemberTable* members() const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  std::optional<Value> item(const Value& key) override;
  void set_item(const Value& key, Value value) override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  friend class IterationLock;
  std::vector<Value> items_;
  std::size_t charged_ = 0;
  std::uint32_t iterations_ = 0;
};

class Tuple final : public Object {
 public:
  explicit Tuple(std::vector<Value> items);
  ~Tuple() override;
  std::span<const Value> items() const { return items_; }
  std::size_t size() const { return items_.size(); }

  std::string_view type_name() const override { return "tuple"; }
  void write_repr(Writer& out) const override;
  bool truth() const override { return !items_.empty(); }
  std::uint64_t hash() const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  std::optional<Value> item(const Value& key) override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  std::vector<Value> items_;
};

/// Insertion-ordered hash table under Dict and Set.
class Table {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    Value key = {};  ///< Unbound: deleted.
    Value value = {};
  };
  Table() = default;
  ~Table();
  Table(Table&&) = delete;
  Table& operator=(Table&&) = delete;

  std::size_t size() const { return live_; }
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value);
  /// The value that was there.
  std::optional<Value> erase(const Value& key);
  void clear();
  /// The next entry at or after the cursor, which moves past it; null at the end.
  const Entry* next(std::size_t& cursor) const;

 private:
  static constexpr std::size_t kLinearMax = 8;
  std::size_t locate(std::uint64_t hash, const Value& key) const;
  void rebuild(std::size_t buckets);
  void index_entry(std::size_t position);

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> buckets_;
  std::size_t live_ = 0;
  std::size_t charged_ = 0;
};

class Dict final : public Object {
 public:
  Dict() : Object(Kind::kDict) {}
  const Value* find(std::string_view key) const { return table_.find(key); }
  const Value* find(const Value& key) const { return table_.find(key); }
  std::size_t size() const { return table_.size(); }
  void set(const Value& key, Value value);
  void set(std::string_view key, Value value) { set(Value::name(key), std::move(value)); }
  const Table& table() const { return table_; }
  /// Raises unless it may be changed; verb: "insert into".
  void check_mutable(std::string_view verb) const;
  /// Only after check_mutable().
  Table& mutable_table() { return table_; }

  std::string_view type_name() const override { return "dict"; }
  void write_repr(Writer& out) const override;
  bool truth() const override { return size() != 0; }
  std::uint64_t hash() const override;
  const MemberTable* members() const override;
  std::optional<bool> contains(const Value& needle) const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  std::optional<Value> item(const Value& key) override;
  void set_item(const Value& key, Value value) override;
  std::optional<std::vector<std::pair<Value, Value>>> mapping_items() const override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override { table_.clear(); }

 private:
  friend class IterationLock;
  Table table_;
  std::uint32_t iterations_ = 0;
};

/// struct(a = 1, b = "x"), and what a host returns as one.
class Struct final : public Object {
 public:
  using Field = std::pair<Symbol, Value>;
  /// Fields are sorted by name; a name twice: the later one.
  explicit Struct(std::vector<Field> fields);
  const std::vector<Field>& fields() const { return fields_; }
  const Value* find(Symbol name) const;

  std::string_view type_name() const override { return "struct"; }
  void write_repr(Writer& out) const override;
  std::uint64_t hash() const override;
  std::optional<Value> binary(BinaryOp op, const Value& other, bool self_is_left) override;
  std::optional<Value> dynamic_attribute(Symbol name) override;
  void list_dynamic_attributes(std::vector<Symbol>& out) const override;
  [[noreturn]] void raise_no_attribute(Symbol name) const override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  std::vector<Field> fields_;
};

}  // namespace misrule::star
