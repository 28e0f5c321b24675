// Loading a spec, and running its tests.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "spec/dsl/analysis.h"
#include "spec/dsl/assumption.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/declared_test.h"
#include "spec/dsl/monitor.h"
#include "spec/dsl/recipes.h"
#include "spec/dsl/session.h"
#include "spec/dsl/spec.h"
#include "spec/starlark/syntax/unicode.h"

namespace misrule::dsl {

using star::Diagnostic;
using star::Severity;
using star::Value;

namespace {

constexpr std::uint64_t kLoadStepsMax = 50'000'000;

class FileLoader final : public star::Loader {
 public:
  Result<std::string> canonical(const std::string& from, const std::string& path) override {
    if (from.empty() || std::filesystem::path(path).is_absolute()) return path;
    if (path.starts_with(kRecipePrefix)) return path;
    const auto beside = std::filesystem::path(from).parent_path() / path;
    return beside.lexically_normal().string();
  }
  Result<std::string> read(const std::string& canonical) override {
    if (canonical.starts_with(kRecipePrefix)) return read_recipe(canonical);
    std::error_code error;
    if (std::filesystem::is_directory(canonical, error)) {
      return fail(Code::kInvalid, "it is a folder; a spec is a file");
    }
    if (!std::filesystem::is_regular_file(canonical, error)) {
      return fail(Code::kNotFound, error && error != std::errc::no_such_file_or_directory
                                       ? error.message()
                                       : std::string("there is no such file"));
    }
    std::ifstream file(canonical, std::ios::binary);
    if (!file) return std::unexpected(errno_error("opening", errno));
    std::string text(std::istreambuf_iterator<char>(file), {});
    MISRULE_TRY_VOID(check_utf8(text));
    return text;
  }

 private:
  static Result<std::string> read_recipe(const std::string& path) {
    const std::string name = path.substr(kRecipePrefix.size());
    std::vector<std::string> names;
    for (const Recipe& recipe : recipes()) {
      if (recipe.name == name) return std::string(recipe.text);
      names.emplace_back(recipe.name);
    }
    return fail(Code::kNotFound,
                fmt::format("Misrule comes with no such file; it has {}", listed(names)));
  }
  static Status check_utf8(const std::string& text) {
    std::size_t number = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++number;
      if (star::is_valid_utf8(line)) continue;
      return fail(Code::kInvalid, fmt::format("line {} is not UTF-8", number));
    }
    return {};
  }
};

Problem problem_of(const Diagnostic& diagnostic) {
  return {.finding = finding_of(diagnostic), .rendered = star::render(diagnostic, false)};
}

/// The docstring's first paragraph on one line.
std::string description_of(std::string_view doc) {
  std::string text;
  bool blank_line = false;
  for (std::size_t i = 0; i < doc.size() && !blank_line; ++i) {
    const char c = doc[i];
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) {
      text.push_back(c);
      continue;
    }
    blank_line = c == '\n' && !text.empty() && doc.find_first_not_of(" \t\r", i + 1) < doc.size() &&
                 doc[doc.find_first_not_of(" \t\r", i + 1)] == '\n';
    if (!text.empty() && text.back() != ' ') text.push_back(' ');
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

class LoadedSpec final : public Spec {
 public:
  LoadedSpec(const std::string& path, const LoadOptions& options);
  ~LoadedSpec() override;

  /// Empty if the spec is right.
  std::vector<Problem> load();

  const std::string& path() const override { return session_.path; }
  const model::Topology& topology() const override { return session_.topology; }
  const std::vector<Test>& tests() const override { return tests_; }
  const std::vector<Problem>& notes() const override { return notes_; }
  std::set<std::string> families_of(const std::string& service) const override {
    return session_.families_of(service);
  }
  std::string source_line(const model::SourcePosition& at) const override;
  Problem problem_of_service(const std::string& service, std::string_view keyword,
                             const std::string& message) const override;
  std::optional<std::set<std::string>> settings() const override {
    if (session_.reads_unknown_settings) return std::nullopt;
    return session_.settings;
  }
  Status run_seed(std::size_t callable, TestHost& host) override;
  Status run_reset(std::size_t callable, TestHost& host) override;
  Result<std::string> run_poll(std::size_t callable, TestHost& host) override;
  std::vector<model::Finding> take_poll_failures() override;
  BodyResult run_test(const std::string& name, TestHost& host) override;
  BodyResult run_control(const std::string& name, TestHost& host) override;
  void cancel(const std::string& reason) override { session_.threads.cancel_all(reason); }
  std::vector<std::string> take_notes() override { return std::exchange(session_.run_notes, {}); }

 private:
  std::vector<Diagnostic> analyse(star::Thread& thread);
  void find_tests(Analysis& analysis, std::vector<Diagnostic>& problems);
  void add_declared_tests(Analysis& analysis, std::vector<Diagnostic>& problems);
  std::expected<star::Value, star::Failure> run_apart(const star::Value& function,
                                                      const Apart& apart);
  BodyResult run_body(const std::string& name, const BodyToRun& body, TestHost& host,
                      bool with_monitors);
  BodyResult run_recorded(const std::string& name, const BodyToRun& body, TestHost& host);
  void print(std::string_view line) const;

  Session session_;
  FileLoader loader_;
  star::Runtime runtime_;
  star::Ref<star::Module> module_;
  std::vector<Test> tests_;
  std::map<std::string, std::vector<model::Rule>> recordings_;  ///< By test.
  std::vector<Problem> notes_;
};

std::string folder_of(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error);
  return (error ? std::filesystem::path(path) : whole).parent_path().lexically_normal().string();
}

LoadedSpec::LoadedSpec(const std::string& path, const LoadOptions& options)
    : session_{.options = options, .path = path, .folder = folder_of(path)},
      runtime_({.env = vocabulary(), .loader = &loader_, .user = &session_}) {}

LoadedSpec::~LoadedSpec() {
  const star::Runtime::Enter entered(runtime_);
  session_.seeds.clear();
  session_.resets.clear();
  session_.polls.clear();
  session_.controls.clear();
  session_.tests.clear();
  session_.invariants.clear();
  module_ = {};
}

void LoadedSpec::print(std::string_view line) const {
  if (session_.options.print) {
    session_.options.print(line);
  } else {
    std::cerr << line << '\n';
  }
}

std::vector<Problem> LoadedSpec::load() {
  star::Thread thread(runtime_, "load", {.steps_max = kLoadStepsMax});
  thread.set_print([this](star::Thread&, std::string_view line) { print(line); });
  const star::Runtime::Enter entered(runtime_);
  std::vector<Diagnostic> problems;
  {
    const star::Forbid forbid(thread, star::kTestOnly, "at the top level of a spec");
    auto loaded = runtime_.load(thread, session_.path);
    if (loaded) {
      module_ = *loaded;
      problems = analyse(thread);
    } else {
      problems = loaded.error().problems;
    }
  }
  std::vector<Problem> rendered;
  rendered.reserve(problems.size());
  for (const Diagnostic& problem : problems) rendered.push_back(problem_of(problem));
  return rendered;
}

std::vector<Diagnostic> LoadedSpec::analyse(star::Thread& thread) {
  Analysis analysis(session_, thread, runtime_);
  std::vector<Diagnostic> problems = check_topology(session_);
  find_tests(analysis, problems);
  std::ranges::move(analysis.take_problems(), std::back_inserter(problems));
  sort_by_place(problems);
  std::vector<Diagnostic> notes;
  for (const auto& module : runtime_.modules()) {
    notes.insert(notes.end(), module->lints().begin(), module->lints().end());
  }
  std::ranges::move(lint_topology(session_), std::back_inserter(notes));
  std::ranges::move(note_equal_assumptions(session_), std::back_inserter(notes));
  std::ranges::move(analysis.take_notes(), std::back_inserter(notes));
  for (const Diagnostic& note : notes) notes_.push_back(problem_of(note));
  return problems;
}

void LoadedSpec::find_tests(Analysis& analysis, std::vector<Diagnostic>& problems) {
  for (const std::string_view name : module_->names()) {
    if (!name.starts_with("test_")) continue;
    const auto value = module_->global(name);
    if (!value || !value->is_callable()) continue;
    const star::Function* function = value->as_function();
    const star::Span at = module_->definition(name);
    if (function == nullptr || !function->accepts(0)) {
      problems.push_back(diagnostic_at(
          Severity::kError, at, fmt::format("{}: a test is a def without parameters", name)));
      continue;
    }
    tests_.push_back({.name = std::string(name),
                      .description = description_of(function->doc()),
                      .position = position_of(at),
                      .dynamic = analysis.rules_of_test(std::string(name))});
    recordings_[tests_.back().name] = analysis.recordings_of_test({tests_.back().name, ""});
  }
  add_declared_tests(analysis, problems);
}

void LoadedSpec::add_declared_tests(Analysis& analysis, std::vector<Diagnostic>& problems) {
  for (const ControlDeclared& control : session_.controls) {
    recordings_[control.name] = analysis.recordings_of_test({scenario_name(control.scenario), ""});
  }
  for (TestDeclared& declared : session_.tests) {
    Test& test = declared.test;
    const std::string function = scenario_name(declared.scenario);
    if (std::ranges::find(tests_, test.name, &Test::name) != tests_.end()) {
      problems.push_back(diagnostic_at(Severity::kError, declared.at,
                                       fmt::format("there are two tests called {}", test.name)));
      continue;
    }
    if (test.description.empty() && declared.scenario.as_function() != nullptr) {
      test.description = description_of(declared.scenario.as_function()->doc());
    }
    test.dynamic = analysis.rules_of_test(test.name, function, test.declared.size());
    recordings_[test.name] = analysis.recordings_of_test({function, ""});
    tests_.push_back(test);
  }
}

BodyResult LoadedSpec::run_body(const std::string& name, const BodyToRun& body, TestHost& host,
                                bool with_monitors) {
  const star::Runtime::Enter entered(runtime_);
  RunState run{.host = host, .name = name, .began = host.clock().now()};
  star::Thread thread(runtime_, name);
  thread.set_print([this](star::Thread&, std::string_view line) { print(line); });
  session_.run = &run;
  session_.threads.add(thread);
  const star::Forbid forbid(thread, star::kLoadOnly, "in a test");
  BodyResult result = body.run(thread, run);
  if (with_monitors && !result.cancelled && !result.infrastructure) {
    run.monitors.insert(run.monitors.begin(), session_.invariants.begin(),
                        session_.invariants.end());
    judge_monitors(session_, thread, run.monitors, result);
  }
  session_.threads.remove(thread);
  session_.run = nullptr;
  return result;
}

/// What filters of system calls speak of is recorded from the first step on.
BodyResult LoadedSpec::run_recorded(const std::string& name, const BodyToRun& body,
                                    TestHost& host) {
  const std::vector<model::Rule>& recordings = recordings_[name];
  if (recordings.empty()) return run_body(name, body, host, true);
  const auto armed = host.arm(recordings);
  if (!armed) {
    return {.infrastructure = true, .finding = model::Finding{.message = armed.error().what}};
  }
  BodyResult result = run_body(name, body, host, true);
  if (const auto ended = host.disarm(*armed); !ended && result.completed) {
    return {.infrastructure = true, .finding = model::Finding{.message = ended.error().what}};
  }
  return result;
}

Problem LoadedSpec::problem_of_service(const std::string& service, std::string_view keyword,
                                       const std::string& message) const {
  for (std::size_t i = 0; i < session_.topology.services.size(); ++i) {
    if (session_.topology.services[i].name != service) continue;
    return problem_of(diagnostic_at(Severity::kError, session_.span_of(i, keyword), message));
  }
  return problem_of(diagnostic_at(Severity::kError, {}, message));
}

std::string LoadedSpec::source_line(const model::SourcePosition& at) const {
  for (const auto& module : runtime_.modules()) {
    if (at.line > 0 && module->file().path() == at.file) {
      return std::string(module->file().line(at.line));
    }
  }
  return {};
}

Status LoadedSpec::run_seed(std::size_t callable, TestHost& host) {
  if (callable >= session_.seeds.size()) {
    return fail(Code::kInternal, fmt::format("there is no seed {}", callable));
  }
  const BodyResult result = run_body("seed", {.function = session_.seeds[callable]}, host, false);
  if (result.completed) return {};
  const model::Finding finding = result.finding.value_or(model::Finding{.message = "seed"});
  const Code code = result.cancelled        ? Code::kCancelled
                    : result.infrastructure ? Code::kIo
                                            : Code::kInvalid;
  return fail(code, fmt::format("{}:{}:{}: {}", finding.position.file, finding.position.line,
                                finding.position.column, finding.message));
}

/// On a thread of its own; only who has the interpreter lock touches the session.
std::expected<star::Value, star::Failure> LoadedSpec::run_apart(const star::Value& function,
                                                                const Apart& apart) {
  star::Thread thread(runtime_, "apart");
  thread.set_print([this](star::Thread&, std::string_view line) { print(line); });
  session_.apart[&thread] = apart;
  session_.threads.add(thread);
  const star::Forbid forbid(thread, star::kLoadOnly, "in a test");
  auto value = runtime_.try_call(thread, function, {});
  session_.threads.remove(thread);
  session_.apart.erase(&thread);
  return value;
}

Status LoadedSpec::run_reset(std::size_t callable, TestHost& host) {
  const star::Runtime::Enter entered(runtime_);
  const auto done = run_apart(session_.resets.at(callable),
                              {.host = &host, .what = "a reset: it changes what services hold"});
  if (done) return {};
  if (done.error().cancelled) return fail(Code::kCancelled, "cancelled");
  const model::Finding finding = finding_of(done.error().problems.front());
  return fail(Code::kInvalid,
              fmt::format("{}:{}:{}: {}", finding.position.file, finding.position.line,
                          finding.position.column, finding.message));
}

/// Beside the test.
Result<std::string> LoadedSpec::run_poll(std::size_t callable, TestHost& host) {
  const star::Runtime::Enter entered(runtime_);
  auto value = run_apart(session_.polls.at(callable),
                         {.host = &host, .what = "a function that is polled: it asks"});
  if (!value && value.error().cancelled) return fail(Code::kCancelled, "cancelled");
  if (!value) {
    session_.poll_failures.push_back(finding_of(value.error().problems.front()));
    return fail(Code::kInvalid, session_.poll_failures.back().message);
  }
  try {
    return star::encode_json(*value);
  } catch (const star::EvalError& error) {
    session_.poll_failures.push_back({.message = std::string("poll: ") + error.what()});
    return fail(Code::kInvalid, error.what());
  }
}

std::vector<model::Finding> LoadedSpec::take_poll_failures() {
  const star::Runtime::Enter entered(runtime_);
  return std::exchange(session_.poll_failures, {});
}

BodyResult LoadedSpec::run_test(const std::string& name, TestHost& host) {
  const bool known = std::ranges::find(tests_, name, &Test::name) != tests_.end();
  if (!known) {
    return {.finding = model::Finding{.message = fmt::format("there is no test {}", name)}};
  }
  const star::Runtime::Enter entered(runtime_);
  const auto declared = std::ranges::find(session_.tests, name,
                                          [](const TestDeclared& one) { return one.test.name; });
  if (declared == session_.tests.end()) {
    return run_recorded(name, {.function = *module_->global(name)}, host);
  }
  return run_recorded(name,
                      {.function = declared->scenario,
                       .rules = declared->test.declared,
                       .monitors = declared->monitors,
                       .judge = declared->expect,
                       .at = declared->at},
                      host);
}

BodyResult LoadedSpec::run_control(const std::string& name, TestHost& host) {
  const auto control = std::ranges::find(session_.controls, name, &ControlDeclared::name);
  if (control == session_.controls.end()) {
    return {.finding = model::Finding{.message = fmt::format("there is no control {}", name)}};
  }
  const star::Runtime::Enter entered(runtime_);
  return run_recorded(name,
                      {.function = control->scenario,
                       .monitors = control->monitors,
                       .judge = control->check,
                       .at = control->at,
                       .is_control = true},
                      host);
}

}  // namespace

std::expected<std::unique_ptr<Spec>, std::vector<Problem>> Spec::load(const std::string& path,
                                                                      const LoadOptions& options) {
  auto spec = std::make_unique<LoadedSpec>(path, options);
  std::vector<Problem> problems = spec->load();
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return spec;
}

}  // namespace misrule::dsl
