#pragma once

// What a Runtime knows: predeclared names, and modules by canonical name.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "spec/starlark/resolve/resolver.h"
#include "spec/starlark/runtime.h"

namespace misrule::star {

struct Runtime::Registry {
  explicit Registry(Runtime& owner) : runtime(owner) {}

  void add(const std::string& name, Value value);
  /// For a load statement; throws. `from` is null for the first file.
  Ref<Module> load(Thread& thread, const Module* from, const std::string& path);
  /// Parses, resolves, runs, freezes; throws.
  Ref<Module> run(Thread& thread, const std::string& name, std::string source);
  /// Null when there were errors, which are in `problems` with everything else.
  std::unique_ptr<FileSyntax> compile(const std::shared_ptr<const SourceFile>& file,
                                      std::vector<Diagnostic>& problems) const;

  struct Known {
    Ref<Module> module = {};
    bool running = false;
  };

  Runtime& runtime;
  std::vector<Value> predeclared;
  Predeclared slots;
  std::unordered_map<std::string, Known> modules;
  std::vector<std::string> loading;  ///< Canonical names, outermost first.
  std::vector<std::shared_ptr<const SourceFile>> files;

 private:
  Ref<Module> load_known(Thread& thread, const std::string& name, const std::string& path);
};

/// Static errors on their way through load statements.
class StaticErrors final : public EvalError {
 public:
  explicit StaticErrors(std::vector<Diagnostic> problems);
  const std::vector<Diagnostic>& problems() const { return problems_; }

 private:
  std::vector<Diagnostic> problems_;
};

bool is_error(const Diagnostic& diagnostic);

}  // namespace misrule::star
