// Modules: found, compiled, run once, frozen.

#include "fmt/format.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/registry.h"
#include "spec/starlark/runtime.h"
#include "spec/starlark/syntax/parser.h"

namespace misrule::star {

Module::Module(Runtime& runtime, std::shared_ptr<const SourceFile> file)
    : Object(Kind::kCode), runtime_(&runtime), file_(std::move(file)) {}
Module::~Module() = default;

std::string_view Module::doc() const { return syntax_->doc; }

std::optional<Value> Module::global(std::string_view name) const {
  for (std::size_t i = 0; i < globals_.size(); ++i) {
    if (syntax_->global_names[i].text() != name || !syntax_->global_exported[i]) continue;
    if (!globals_[i].is_unbound()) return globals_[i];
  }
  return std::nullopt;
}

std::vector<std::string_view> Module::names() const {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < globals_.size(); ++i) {
    if (syntax_->global_exported[i] && !globals_[i].is_unbound()) {
      out.push_back(syntax_->global_names[i].text());
    }
  }
  return out;
}

Span Module::definition(std::string_view name) const {
  for (std::size_t i = 0; i < syntax_->global_names.size(); ++i) {
    if (syntax_->global_names[i].text() != name) continue;
    const std::uint32_t lo = syntax_->global_lo[i];
    return {file_.get(), lo, lo + static_cast<std::uint32_t>(name.size())};
  }
  return {};
}

void Module::visit_children(ValueVisitor& visitor) const {
  for (const Value& value : globals_) visitor.visit(value);
}

void Module::drop_children() {
  const std::vector<Value> globals = std::exchange(globals_, {});
  const std::vector<Ref<Module>> loaded = std::exchange(loaded_, {});
}

bool is_error(const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; }

StaticErrors::StaticErrors(std::vector<Diagnostic> problems)
    : EvalError(problems.front()), problems_(std::move(problems)) {}

void Runtime::Registry::add(const std::string& name, Value value) {
  const auto [found, inserted] =
      slots.try_emplace(Symbol(name), static_cast<std::uint32_t>(predeclared.size()));
  if (inserted) {
    predeclared.push_back(std::move(value));
  } else {
    predeclared[found->second] = std::move(value);
  }
}

std::unique_ptr<FileSyntax> Runtime::Registry::compile(
    const std::shared_ptr<const SourceFile>& file, std::vector<Diagnostic>& problems) const {
  const Limits& limits = runtime.limits();
  if (file->text().size() > limits.source_bytes_max) {
    Diagnostic problem;
    problem.code = code::kLimit;
    problem.message = fmt::format("file is larger than {} bytes", limits.source_bytes_max);
    problem.at = {file.get(), 0, 0};
    problems.push_back(std::move(problem));
    return nullptr;
  }
  const ParseLimits parse_limits{.nesting_max = limits.nesting_max};
  std::unique_ptr<FileSyntax> syntax = parse_file(*file, parse_limits, problems);
  const bool parsed = std::none_of(problems.begin(), problems.end(), is_error);
  if (parsed) resolve_file(*syntax, slots, runtime.dialect(), problems);
  const bool resolved = parsed && std::none_of(problems.begin(), problems.end(), is_error);
  return resolved ? std::move(syntax) : nullptr;
}

Ref<Module> Runtime::Registry::run(Thread& thread, const std::string& name, std::string source) {
  const auto file = std::make_shared<const SourceFile>(name, std::move(source));
  files.push_back(file);
  std::vector<Diagnostic> problems;
  std::unique_ptr<FileSyntax> syntax = compile(file, problems);
  if (syntax == nullptr) {
    std::erase_if(problems, [](const Diagnostic& problem) { return !is_error(problem); });
    throw StaticErrors(std::move(problems));
  }
  const Ref<Module> module = make<Module>(runtime, file);
  module->globals_.assign(syntax->global_names.size(), Value::unbound());
  module->syntax_ = std::move(syntax);
  module->lints_ = std::move(problems);
  thread.check_cancelled();
  Interpreter(thread).run_file(*module);
  for (const Value& value : module->globals_) value.freeze();
  runtime.modules_.push_back(module);
  modules[name] = {.module = module};
  return module;
}

Ref<Module> Runtime::Registry::load_known(Thread& thread, const std::string& name,
                                          const std::string& path) {
  Known& known = modules[name];
  if (known.module) return known.module;
  if (known.running) {
    std::string chain;
    for (const std::string& step : loading) chain += step + " -> ";
    raise(code::kLoad, fmt::format("cannot load {}: cycle in load graph: {}{}", path, chain, name));
  }
  Result<std::string> source = runtime.options_.loader->read(name);
  if (!source) raise(code::kLoad, fmt::format("cannot load {}: {}", path, source.error().what));
  struct InProgress {
    InProgress(Registry& owner, const std::string& loaded) : registry(owner), name(loaded) {
      registry.modules[name].running = true;
      registry.loading.push_back(name);
    }
    ~InProgress() {
      registry.loading.pop_back();
      registry.modules[name].running = false;
    }
    Registry& registry;
    const std::string& name;
  };
  const InProgress in_progress(*this, name);
  return run(thread, name, std::move(*source));
}

Ref<Module> Runtime::Registry::load(Thread& thread, const Module* from, const std::string& path) {
  Loader* loader = runtime.options_.loader;
  if (loader == nullptr) {
    raise(code::kLoad,
          fmt::format("cannot load {}: load not implemented by this application", path));
  }
  const Result<std::string> name =
      loader->canonical(from != nullptr ? from->file().path() : std::string(), path);
  if (!name) raise(code::kLoad, fmt::format("cannot load {}: {}", path, name.error().what));
  if (from == nullptr) return load_known(thread, *name, path);
  const Span here = thread.here();
  try {
    const Ref<Module> module = load_known(thread, *name, path);
    const_cast<Module*>(from)->loaded_.push_back(module);
    return module;
  } catch (const StaticErrors& errors) {
    std::vector<Diagnostic> problems = errors.problems();
    for (Diagnostic& problem : problems) {
      problem.labels.push_back({.at = here, .text = "loaded here"});
    }
    throw StaticErrors(std::move(problems));
  } catch (const EvalError& error) {
    const Diagnostic& inner = error.diagnostic();
    if (inner.code == code::kLoad && inner.at.file == here.file && inner.at.lo == here.lo) throw;
    Diagnostic outer;
    outer.code = code::kLoad;
    outer.message = fmt::format("cannot load {}: {}", path, inner.message);
    outer.at = here;
    outer.frames = thread.frames();
    outer.cause = std::make_shared<const Diagnostic>(inner);
    throw EvalError(std::move(outer));
  }
}

}  // namespace misrule::star
