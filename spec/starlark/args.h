#pragma once

// What a native function is called with, and how it takes that apart.
//
//   Value fault(Args& args) {
//     Value target;
//     std::optional<double> probability;
//     std::vector<std::size_t> rules;  // write=..., connect=...
//     args.unpack({required("target", target), optional("probability", probability).by_keyword()},
//     &rules); for (std::size_t k : rules) use(args.keyword_name(k), args.keyword(k),
//     args.keyword_span(k));
//
// A value is converted to the type of the variable; a wrong type, a missing or an unknown argument
// is raised with the argument's own span, the nearest name and the list of valid ones. None leaves
// a std::optional empty. Views and pointers live as long as the call.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/starlark/diagnostic.h"
#include "spec/starlark/value.h"

namespace misrule::star {

class Thread;
struct CallExpr;
struct Argument;

struct Keyword {
  Symbol name;
  Value value;
};

/// A value that must be callable, or must be iterable, as a parameter type.
struct Callable {
  Value value = {};
};
struct Iterable {
  Value value = {};
};

/// Converts; false if the value is of another type. Overload it (found by argument-dependent
/// lookup) for types of the host, together with wanted_type().
bool convert(const Value& value, Value& out);
bool convert(const Value& value, bool& out);
bool convert(const Value& value, std::int64_t& out);
bool convert(const Value& value, double& out);  ///< Also an int.
bool convert(const Value& value, std::string& out);
bool convert(const Value& value, std::string_view& out);
bool convert(const Value& value, List*& out);
bool convert(const Value& value, Dict*& out);
bool convert(const Value& value, Callable& out);
bool convert(const Value& value, Iterable& out);
std::string_view wanted_type(const Value*);
std::string_view wanted_type(const bool*);
std::string_view wanted_type(const std::int64_t*);
std::string_view wanted_type(const double*);
std::string_view wanted_type(const std::string*);
std::string_view wanted_type(const std::string_view*);
std::string_view wanted_type(List* const*);
std::string_view wanted_type(Dict* const*);
std::string_view wanted_type(const Callable*);
std::string_view wanted_type(const Iterable*);

/// A pointer to a host type T, which says what it is called: static constexpr std::string_view
/// kTypeName.
template <class T>
  requires requires { T::kTypeName; }
bool convert(const Value& value, T*& out) {
  return (out = value.as<T>()) != nullptr;
}
template <class T>
  requires requires { T::kTypeName; }
std::string_view wanted_type(T* const*) {
  return T::kTypeName;
}

/// One parameter and the variable that it fills. Made by required() and optional().
class Param {
 public:
  using Store = bool (*)(const Value& value, void* out);
  Param(std::string_view name, void* out, Store store, std::string_view wanted, bool required)
      : name(name), out(out), store(store), wanted(wanted), is_required(required) {}
  /// Cannot be given by position, nor can what follows it.
  Param by_keyword() && {
    keyword_only = true;
    return *this;
  }

  std::string_view name;
  void* out;
  Store store;
  std::string_view wanted;
  bool is_required;
  bool keyword_only = false;
};

template <class T>
Param required(std::string_view name, T& out) {
  return Param(
      name, &out, [](const Value& value, void* to) { return convert(value, *static_cast<T*>(to)); },
      wanted_type(static_cast<const T*>(&out)), true);
}

/// Not given: the variable keeps what it holds.
template <class T>
Param optional(std::string_view name, T& out) {
  Param param = required(name, out);
  param.is_required = false;
  return param;
}

/// Not given, or None: stays empty.
template <class T>
Param optional(std::string_view name, std::optional<T>& out) {
  const auto store = [](const Value& value, void* to) {
    if (value.is_none()) return true;
    return convert(value, static_cast<std::optional<T>*>(to)->emplace());
  };
  return Param(name, &out, store, wanted_type(static_cast<const T*>(nullptr)), false);
}

class Args {
 public:
  Args(Thread& thread, std::span<const Value> positional, std::span<const Keyword> keywords)
      : thread_(&thread), positional_(positional), keywords_(keywords) {}

  Thread& thread() const { return *thread_; }
  /// Of a Member: the object; of other natives: None.
  const Value& self() const { return self_; }
  std::string_view name() const { return name_; }  ///< Of the function, for messages.

  std::size_t size() const { return positional_.size(); }
  std::span<const Value> positional() const { return positional_; }
  const Value& operator[](std::size_t index) const { return positional_[index]; }
  std::span<const Keyword> keywords() const { return keywords_; }
  std::string_view keyword_name(std::size_t index) const { return keywords_[index].name.text(); }
  const Value& keyword(std::size_t index) const { return keywords_[index].value; }
  std::optional<std::size_t> find_keyword(std::string_view name) const;

  /// Where it was written; nowhere if C++ made the call. What came through *x or **x has the span
  /// of that.
  Span call_span() const;                            ///< f(a, b = c)
  Span callee_span() const;                          ///< f
  Span span(std::size_t index) const;                ///< Of positional argument `index`.
  Span keyword_span(std::size_t index) const;        ///< b = c
  Span keyword_value_span(std::size_t index) const;  ///< c
  std::string_view source(std::size_t index) const { return span(index).text(); }

  /// Fills the variables. With `rest`, keywords that no parameter has are given there (their
  /// indexes) instead of being an error.
  void unpack(std::span<const Param> params, std::vector<std::size_t>* rest = nullptr) const;
  void unpack(std::initializer_list<Param> params, std::vector<std::size_t>* rest = nullptr) const {
    unpack(std::span<const Param>(params.begin(), params.size()), rest);
  }
  /// The same without keywords: "len: for parameter 1: got ...".
  void unpack_positional(std::initializer_list<Param> params) const;

  /// Raises "NAME: message" at the call.
  [[noreturn]] void fail(std::string_view code, std::string_view message) const;
  [[noreturn]] void fail_at(Span at, std::string_view code, std::string_view message,
                            std::string help = {}) const;

 private:
  friend struct ArgsAccess;
  void store(const Param& param, const Value& value, const std::string& label, Span at) const;
  void unpack_keyword(std::span<const Param> params, std::size_t index, std::vector<bool>& filled,
                      std::vector<std::size_t>* rest) const;
  const Argument* argument(std::size_t index, bool by_keyword) const;
  Thread* thread_;
  std::span<const Value> positional_;
  std::span<const Keyword> keywords_;
  Value self_ = {};
  std::string_view name_ = {};
  const SourceFile* file_ = nullptr;
  const CallExpr* site_ = nullptr;
  mutable std::vector<Value> kept_ = {};  // Plain values that host objects stood for.
};

}  // namespace misrule::star
