#pragma once

// Sets, ranges, and the views of strings that can be iterated; and how all of them are iterated.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "spec/starlark/containers.h"

namespace misrule::star {

class Set final : public Object {
 public:
  Set() : Object(Kind::kSet) {}
  const Table& table() const { return table_; }
  Table& mutable_table() { return table_; }
  std::size_t size() const { return table_.size(); }
  void check_mutable(std::string_view verb) const;
  void insert(const Value& value) { table_.set(value, Value()); }

  std::string_view type_name() const override { return "set"; }
  void write_repr(Writer& out) const override;
  bool truth() const override { return size() != 0; }
  std::uint64_t hash() const override;
  const MemberTable* members() const override;
  std::optional<bool> contains(const Value& needle) const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override { table_.clear(); }

 private:
  friend class IterationLock;
  Table table_;
  std::uint32_t iterations_ = 0;
};

class Range final : public Object {
 public:
  Range(std::int64_t start, std::int64_t stop, std::int64_t step);
  std::int64_t start() const { return start_; }
  std::int64_t stop() const { return stop_; }
  std::int64_t step() const { return step_; }
  std::int64_t size() const { return size_; }
  Value at(std::int64_t index) const;
  bool same_sequence(const Range& other) const;

  std::string_view type_name() const override { return "range"; }
  void write_repr(Writer& out) const override;
  bool truth() const override { return size_ > 0; }
  std::optional<bool> contains(const Value& needle) const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override { return size_; }
  std::optional<Value> item(const Value& key) override;

 private:
  std::int64_t start_;
  std::int64_t stop_;
  std::int64_t step_;
  std::int64_t size_;
};

/// s.elems(), s.codepoints() and their _ords; b.elems().
class StringElements final : public Object {
 public:
  StringElements(Value text, bool code_points, bool ordinals);
  bool next(std::size_t& cursor, Value& out) const;

  std::string_view type_name() const override;
  void write_repr(Writer& out) const override;
  std::unique_ptr<Iterator> iterate() override;
  std::optional<std::int64_t> length() const override;
  std::optional<Value> item(const Value& key) override;
  void visit_children(ValueVisitor& visitor) const override { visitor.visit(text_); }
  void drop_children() override {}

 private:
  std::string_view bytes() const;
  Value element(char byte) const;
  Value text_;
  bool code_points_;
  bool ordinals_;
};

/// Keeps a list, dict or set from being changed.
class IterationLock {
 public:
  explicit IterationLock(const Value& container);
  ~IterationLock();
  IterationLock(const IterationLock&) = delete;
  IterationLock& operator=(const IterationLock&) = delete;

 private:
  Value container_;
  std::uint32_t* count_ = nullptr;
};

/// iterate() of a container of ours.
std::unique_ptr<Iterator> iterate_container(Object* container);

/// Any iterable value, one element after the other.
class Iteration {
 public:
  explicit Iteration(const Value& iterable);  ///< Raises "T value is not iterable".
  bool next(Value& out);

 private:
  bool next_of_object(Value& out);
  Value container_;
  IterationLock lock_;
  std::size_t cursor_ = 0;
  std::unique_ptr<Iterator> iterator_;
};

bool is_iterable(const Value& value);
/// len(), or nothing.
std::optional<std::int64_t> length_of(const Value& value);

/// Position of an element that an index means; raises "list index 3 out of range [-3:2]".
std::size_t element_index(std::string_view type, const Value& key, std::size_t size);
struct SliceBounds {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  std::int64_t step = 1;
  std::vector<std::int64_t> indices() const;
};
/// None: omitted.
SliceBounds slice_bounds(const Value& start, const Value& stop, const Value& step,
                         std::int64_t size);
Value slice_value(const Value& object, const Value& start, const Value& stop, const Value& step);

}  // namespace misrule::star
