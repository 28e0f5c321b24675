// A Runtime: its lock, its modules, and the border where exceptions become values.

#include "spec/starlark/runtime.h"

#include "base/check.h"
#include "fmt/format.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/eval/interpreter.h"
#include "spec/starlark/eval/interpreter_lock.h"
#include "spec/starlark/eval/registry.h"
#include "spec/starlark/lib/universe.h"
#include "spec/starlark/syntax/ast.h"

namespace misrule::star {
namespace {

/// Makes a Thread the one that runs on this OS thread.
class Running {
 public:
  explicit Running(Thread& thread) : before_(exchange_current_thread(&thread)) {}
  ~Running() { exchange_current_thread(before_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Thread* before_;
};

Failure failure_of(const Cancelled& cancelled, const Thread& thread) {
  Diagnostic problem;
  problem.code = code::kCancelled;
  problem.message = fmt::format("Starlark computation cancelled: {}", cancelled.reason());
  problem.at = thread.here();
  return {.problems = {std::move(problem)}, .cancelled = true};
}

/// Runs `body`; errors of the spec come back as a Failure.
template <class T, class Body>
std::expected<T, Failure> contained(Thread& thread, const Body& body) {
  const Running running(thread);
  try {
    return body();
  } catch (const StaticErrors& error) {
    return std::unexpected(Failure{.problems = error.problems()});
  } catch (const EvalError& error) {
    return std::unexpected(Failure{.problems = {error.diagnostic()}});
  } catch (const Cancelled& cancelled) {
    return std::unexpected(failure_of(cancelled, thread));
  }
}

}  // namespace

Env& Env::def(std::string name, NativeFn fn, std::uint32_t flags, std::string doc) {
  Value native = NativeFunction::make(name, std::move(fn), flags, std::move(doc));
  return set(std::move(name), std::move(native));
}

Env& Env::set(std::string name, Value value) {
  names_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Runtime::Runtime(Options options)
    : options_(std::move(options)),
      heap_(std::make_unique<Heap>(options_.limits)),
      lock_(std::make_unique<InterpreterLock>()),
      registry_(std::make_unique<Registry>(*this)) {
  const Enter entered(*this);
  add_universe(
      [this](const std::string& name, Value value) { registry_->add(name, std::move(value)); });
  for (const auto& [name, value] : options_.env.names()) registry_->add(name, value);
}

Runtime::~Runtime() {
  // As if entered, but nobody else is left to wait.
  Heap* before = Heap::exchange_current(heap_.get());
  modules_.clear();
  const auto files = std::move(registry_->files);
  registry_.reset();
  options_.env = {};
  heap_.reset();
  Heap::exchange_current(before);
}

Runtime::Enter::Enter(Runtime& runtime) : runtime_(runtime) {
  runtime.lock_->acquire();
  before_ = Heap::exchange_current(runtime.heap_.get());
  thread_before_ = current_thread();
}

Runtime::Enter::~Enter() {
  exchange_current_thread(thread_before_);
  Heap::exchange_current(before_);
  runtime_.lock_->release();
}

Runtime::Release::Release(Runtime& runtime)
    : runtime_(runtime), thread_(exchange_current_thread(nullptr)) {
  MISRULE_CHECK(runtime.lock_->is_mine());
  Heap::exchange_current(nullptr);
  depth_ = runtime.lock_->release_fully();
}

Runtime::Release::~Release() {
  runtime_.lock_->reacquire(depth_);
  Heap::exchange_current(runtime_.heap_.get());
  exchange_current_thread(thread_);
}

std::vector<Diagnostic> Runtime::check(std::string name, std::string source) {
  const Enter entered(*this);
  const auto file = std::make_shared<const SourceFile>(std::move(name), std::move(source));
  registry_->files.push_back(file);
  std::vector<Diagnostic> problems;
  registry_->compile(file, problems);
  return problems;
}

std::expected<Ref<Module>, Failure> Runtime::load(Thread& thread, const std::string& path) {
  const Enter entered(*this);
  return contained<Ref<Module>>(thread, [&] { return registry_->load(thread, nullptr, path); });
}

std::expected<Ref<Module>, Failure> Runtime::run(Thread& thread, std::string name,
                                                 std::string source) {
  const Enter entered(*this);
  return contained<Ref<Module>>(thread,
                                [&] { return registry_->run(thread, name, std::move(source)); });
}

Value Runtime::call(Thread& thread, const Value& function, std::span<const Value> positional,
                    std::span<const Keyword> keywords) {
  const Running running(thread);
  thread.check_cancelled();
  return Interpreter(thread).call(function, positional, keywords, nullptr, nullptr);
}

std::expected<Value, Failure> Runtime::try_call(Thread& thread, const Value& function,
                                                std::span<const Value> positional,
                                                std::span<const Keyword> keywords) {
  const Enter entered(*this);
  return contained<Value>(thread, [&] { return call(thread, function, positional, keywords); });
}

void raise(Complaint complaint) {
  Diagnostic problem;
  problem.code = complaint.code;
  problem.message = std::move(complaint.message);
  problem.help = std::move(complaint.help);
  problem.at = complaint.at;
  problem.labels = std::move(complaint.labels);
  if (const Thread* thread = current_thread()) {
    problem.frames = thread->frames();
    if (!problem.at) problem.at = thread->here();
  }
  throw EvalError(std::move(problem));
}

void raise(std::string_view code, std::string message) {
  raise({.code = code, .message = std::move(message)});
}

}  // namespace misrule::star
