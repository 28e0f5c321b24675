// parallel(): functions side by side, each on a thread of the operating system.

#include <exception>
#include <thread>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

constexpr std::size_t kBranchesMax = 64;

/// One function: its thread, and how it ended.
struct Branch {
  Value function = {};
  std::unique_ptr<star::Thread> thread = {};
  Value result = {};
  std::exception_ptr raised = {};

  /// On the branch's own OS thread.
  void run(star::Runtime& runtime) {
    const star::Runtime::Enter entered(runtime);
    const star::Forbid forbid(*thread, star::kLoadOnly, "in a test");
    try {
      result = runtime.call(*thread, function, {});
    } catch (...) {
      raised = std::current_exception();
    }
  }
};

std::vector<Branch> branches_of(const Args& args) {
  if (args.size() == 0 || args.size() > kBranchesMax) {
    args.fail(star::code::kArgument, args.size() == 0 ? std::string("no function is given")
                                                      : fmt::format("{} functions, at most {}",
                                                                    args.size(), kBranchesMax));
  }
  std::vector<Branch> branches(args.size());
  for (std::size_t i = 0; i < args.size(); ++i) {
    const star::Function* written = args[i].as_function();
    if (!args[i].is_callable() || (written != nullptr && !written->accepts(0))) {
      args.fail_at(args.span(i), star::code::kArgument,
                   fmt::format("got {}, want a function without parameters", args[i].type_name()),
                   "lambda: f(x) makes one of a call");
    }
    branches[i].function = args[i];
    branches[i].thread = std::make_unique<star::Thread>(
        args.thread().runtime(), fmt::format("{}/{}", args.thread().name(), i + 1));
  }
  return branches;
}

/// While it lives, cancelling reaches every branch.
class Cancellable {
 public:
  Cancellable(ThreadRegistry& registry, std::vector<Branch>& branches)
      : registry_(registry), branches_(branches) {
    for (Branch& branch : branches_) registry_.add(*branch.thread);
  }
  ~Cancellable() {
    for (Branch& branch : branches_) registry_.remove(*branch.thread);
  }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

 private:
  ThreadRegistry& registry_;
  std::vector<Branch>& branches_;
};

/// Of what ends a run, the gravest; else the first error in the order of the arguments.
void rethrow_first(const std::vector<Branch>& branches) {
  std::exception_ptr first;
  for (const Branch& branch : branches) {
    if (!branch.raised) continue;
    try {
      std::rethrow_exception(branch.raised);
    } catch (const star::EvalError&) {
      if (!first) first = branch.raised;
    } catch (...) {
      throw;
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace

Value run_parallel(Args& args) {
  unpack_keywords(args, {});
  run_of(args);
  star::Runtime& runtime = args.thread().runtime();
  std::vector<Branch> branches = branches_of(args);
  {
    const Cancellable cancellable(session_of(args).threads, branches);
    const star::Runtime::Release unlocked(runtime);
    std::vector<std::jthread> threads;
    threads.reserve(branches.size());
    for (Branch& branch : branches) {
      threads.emplace_back([&branch, &runtime] { branch.run(runtime); });
    }
  }
  args.thread().check_cancelled();
  rethrow_first(branches);
  std::vector<Value> results;
  results.reserve(branches.size());
  for (Branch& branch : branches) results.push_back(std::move(branch.result));
  return Value::list(std::move(results));
}

}  // namespace misrule::dsl
