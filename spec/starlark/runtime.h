#pragma once

// The interpreter as its host uses it.
//
//   Env env;
//   env.def("service", service, kLoadOnly | kRegisters);
//   Runtime runtime({.env = env, .loader = &files});
//   Thread thread(runtime, "load");
//   auto module = runtime.load(thread, "shop.star");   // expected<Ref<Module>, Failure>
//   Runtime::Enter entered(runtime);
//   auto result = runtime.try_call(thread, *module.value()->global("test_x"), {});
//
// One OS thread at a time runs spec code or touches values: whoever holds Enter. Natives that wait
// do it in a Release. Values and objects of a Runtime may outlive it, but are then empty.

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "spec/starlark/args.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/function.h"
#include "spec/starlark/object.h"
#include "spec/starlark/thread.h"
#include "spec/starlark/value.h"

namespace misrule::star {

struct FileSyntax;
class Heap;
class InterpreterLock;

/// What the language allows; a spec's dialect by default.
struct Dialect {
  bool set = true;
  bool while_loops = true;
  bool recursion = true;
  bool top_level_control = true;
  bool rebind_globals = true;  ///< Of plain values, with a note.
};

struct Limits {
  std::size_t heap_bytes_max = std::size_t{512} << 20;
  std::size_t source_bytes_max = std::size_t{10} << 20;
  std::size_t repr_bytes_max = std::size_t{16} << 20;
  std::uint32_t int_bits_max = 1U << 20;
  std::uint32_t nesting_max = 256;
};

/// Names that every file sees.
class Env {
 public:
  Env& def(std::string name, NativeFn fn, std::uint32_t flags = kPure, std::string doc = {});
  Env& set(std::string name, Value value);
  const std::vector<std::pair<std::string, Value>>& names() const { return names_; }

 private:
  std::vector<std::pair<std::string, Value>> names_;
};

/// Finds what load("path", ...) means.
class Loader {
 public:
  virtual ~Loader() = default;
  /// One name per file, whoever asks; `from` is the canonical name of the asking file, empty for
  /// the first.
  virtual Result<std::string> canonical(const std::string& from, const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& canonical) = 0;
};

/// A file that ran (or is running).
class Module final : public Object {
 public:
  Module(Runtime& runtime, std::shared_ptr<const SourceFile> file);
  ~Module() override;
  const SourceFile& file() const { return *file_; }
  std::string_view doc() const;
  std::optional<Value> global(std::string_view name) const;
  /// In order of definition. Names that load() bound are none.
  std::vector<std::string_view> names() const;
  Span definition(std::string_view name) const;  ///< Where it was bound (last).
  /// Resolved; lives as long as the module. See syntax/ast.h and syntax/visitor.h.
  const FileSyntax& syntax() const { return *syntax_; }
  std::span<const Ref<Module>> loaded() const { return loaded_; }
  /// Warnings and notes about this file.
  const std::vector<Diagnostic>& lints() const { return lints_; }

  std::string_view type_name() const override { return "code"; }
  void visit_children(ValueVisitor& visitor) const override;
  void drop_children() override;

 private:
  friend class Interpreter;
  friend class Runtime;
  Runtime* runtime_;
  std::shared_ptr<const SourceFile> file_;
  std::unique_ptr<FileSyntax> syntax_;
  std::vector<Value> globals_;
  std::vector<Ref<Module>> loaded_;
  std::vector<Diagnostic> lints_;
};

/// Why something did not complete.
struct Failure {
  std::vector<Diagnostic> problems = {};  ///< Never empty; static errors may be many.
  bool cancelled = false;
};

class Runtime {
 public:
  struct Options {
    Env env = {};
    Loader* loader = nullptr;  ///< Null: load() is an error.
    Dialect dialect = {};
    Limits limits = {};
    void* user = nullptr;
  };
  explicit Runtime(Options options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Parses and resolves; errors and lints, nothing runs.
  std::vector<Diagnostic> check(std::string name, std::string source);
  /// Runs a file once (again: the same module) and freezes its globals. Enters by itself.
  std::expected<Ref<Module>, Failure> load(Thread& thread, const std::string& path);
  /// The same with a text; it is known to load() by `name`.
  std::expected<Ref<Module>, Failure> run(Thread& thread, std::string name, std::string source);
  /// Every module that ran, in the order in which they completed.
  const std::vector<Ref<Module>>& modules() const { return modules_; }

  /// Entered callers only. For natives that call back: throws EvalError and Unwind.
  Value call(Thread& thread, const Value& function, std::span<const Value> positional,
             std::span<const Keyword> keywords = {});
  /// For everybody else; enters by itself. Only an Unwind of the host's own gets through.
  std::expected<Value, Failure> try_call(Thread& thread, const Value& function,
                                         std::span<const Value> positional,
                                         std::span<const Keyword> keywords = {});

  /// Holds the interpreter lock; waits for it. Nests on one OS thread.
  class Enter {
   public:
    explicit Enter(Runtime& runtime);
    ~Enter();
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;

   private:
    Runtime& runtime_;
    Heap* before_;
    Thread* thread_before_;
  };
  /// Lets others run while a native waits. No value may be touched, copied or dropped meanwhile.
  class Release {
   public:
    explicit Release(Runtime& runtime);
    ~Release();
    Release(const Release&) = delete;
    Release& operator=(const Release&) = delete;

   private:
    Runtime& runtime_;
    Thread* thread_;
    unsigned depth_;
  };

  const Dialect& dialect() const { return options_.dialect; }
  const Limits& limits() const { return options_.limits; }
  void* user() const { return options_.user; }
  Heap& heap() { return *heap_; }

 private:
  friend class Interpreter;
  friend class Thread;
  Options options_;
  std::unique_ptr<Heap> heap_;
  std::unique_ptr<InterpreterLock> lock_;
  struct Registry;
  std::unique_ptr<Registry> registry_;
  std::vector<Ref<Module>> modules_;
};

}  // namespace misrule::star
