#include "cli/command_line.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/outline.h"
#include "tests/cli/fake_engine.h"

namespace misrule::cli {
namespace {

struct Outcome {
  int code = 0;
  std::string out = {};
  std::string err = {};
};

/// Runs the command line as a shell would, on a fresh engine unless `prepare` changes it.
Outcome run(std::vector<std::string> words, const FakeEngine& engine = {}) {
  fake_engine() = engine;
  words.insert(words.begin(), "misrule");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome = {.code = run_command_line(static_cast<int>(words.size()), argv.data())};
  std::fflush(nullptr);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CommandLine, VersionAndHelp) {
  EXPECT_EQ(run({"--version"}).out, "misrule 0.1.0\n");
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(contains(help.out, "misrule test shop.star"));
  for (const char* name : {"test", "check", "compile", "doctor", "enter", "end", "show", "replay",
                           "diff", "proxy", "init", "completions"}) {
    EXPECT_TRUE(contains(help.out, std::string("\n  ") + name + " ")) << name << help.out;
    const Outcome explained = run({name, "--help"});
    EXPECT_EQ(explained.code, 0) << name;
    EXPECT_FALSE(contains(explained.out, "misrule doctor   "))
        << "the main page's examples" << name;
  }
}

TEST(CommandLine, S0_19_WhatIsNotThereYetSaysSoAndRunsNothing) {
  const Outcome explored = run({"test", "shop.star", "--explore=all"});
  EXPECT_EQ(explored.code, 2);
  EXPECT_EQ(explored.out, "");
  EXPECT_TRUE(contains(explored.err, "misrule: --explore is not in this version yet"))
      << explored.err;
  EXPECT_TRUE(contains(explored.err, "parallel(f, g) makes two requests at the same time"));
  EXPECT_FALSE(contains(run({"test", "--help"}).out, "--explore")) << "it is promised nowhere";
  EXPECT_EQ(run({"test", "shop.star"}).code, 0) << "the control";
}

TEST(CommandLine, MistypedCommandsAndOptionsAreNamed) {
  const Outcome command = run({"tset", "shop.star"});
  EXPECT_EQ(command.code, 2);
  EXPECT_TRUE(contains(command.err, "no command 'tset'")) << command.err;
  EXPECT_TRUE(contains(command.err, "did you mean test")) << command.err;

  const Outcome option = run({"test", "shop.star", "--sed=3"});
  EXPECT_EQ(option.code, 2);
  EXPECT_TRUE(contains(option.err, "no option --sed")) << option.err;
  EXPECT_TRUE(contains(option.err, "did you mean --seed")) << option.err;
  EXPECT_EQ(fake_engine().runs, 0U);
}

TEST(CommandLine, WrongUseIsTwoAndStartsNothing) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"test"},
      {"test", "a.star", "--seed", "x"},
      {"test", "a.star", "--timeout", "5"},
      {"test", "a.star", "--set", "novalue"},
      {"test", "a.star", "--backend", "podman"},
      {"test", "a.star", "--network", "mars"},
      {"test", "a.star", "--json", "/nonexistent/run.json"},
      {"test", "a.star", "--junit", "/nonexistent/run.xml"},
      {"test", "a.star", "--json", "/tmp/same", "--junit", "/tmp/same"},
      {"compile"},
      {"enter"},
      {"show"},
      {"show", "/nonexistent/run.misrule"},
      {"replay", "/nonexistent/run.misrule"},
      {"diff", "latest"},
      {"diff", "/nonexistent/a", "/nonexistent/b"},
      {"proxy", "--upstream"},
      {"proxy", "--upstreams", "a:1"}};
  for (const auto& words : wrong) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(words);
    EXPECT_FALSE(outcome.err.empty()) << testing::PrintToString(words);
    EXPECT_EQ(fake_engine().runs + fake_engine().checks, 0U) << testing::PrintToString(words);
  }
}

TEST(CommandLine, EveryFlagReachesTheRun) {
  const Outcome outcome = run(
      {"test",   "a.star",   "b.star",    "--test", "test_x*",   "--seed", "9",         "--timeout",
       "90s",    "--strict", "--backend", "native", "--network", "host",   "--rules",   "r.yaml",
       "--keep", "--set",    "A=1",       "--set",  "B=x=y",     "-v",     "--no-color"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const controller::RunRequest& request = fake_engine().request;
  EXPECT_EQ(request.files, (std::vector<std::string>{"a.star", "b.star"}));
  EXPECT_EQ(request.test_glob, "test_x*");
  EXPECT_EQ(request.seed, 9U);
  EXPECT_EQ(request.timeout, std::chrono::seconds(90));
  EXPECT_TRUE(request.strict);
  EXPECT_EQ(request.backend, "native");
  EXPECT_TRUE(request.host_network);
  EXPECT_EQ(request.rules_file, "r.yaml");
  EXPECT_TRUE(request.keep);
  const std::vector<std::pair<std::string, std::string>> set = {{"A", "1"}, {"B", "x=y"}};
  EXPECT_EQ(request.set, set);
}

TEST(CommandLine, TheLastSettingOfANameCounts) {
  EXPECT_EQ(run({"test", "a.star", "--set", "A=1", "--set", "B=2", "--set", "A=3"}).code, 0);
  const std::vector<std::pair<std::string, std::string>> set = {{"B", "2"}, {"A", "3"}};
  EXPECT_EQ(fake_engine().request.set, set);
}

TEST(CommandLine, DefaultsAreThoseOfARun) {
  run({"test", "a.star"});
  const controller::RunRequest& request = fake_engine().request;
  const controller::RunRequest defaults;
  EXPECT_EQ(request.test_glob, defaults.test_glob);
  EXPECT_EQ(request.seed, defaults.seed);
  EXPECT_EQ(request.timeout, defaults.timeout);
  EXPECT_EQ(request.backend, defaults.backend);
  EXPECT_FALSE(request.strict || request.host_network || request.keep);
}

TEST(CommandLine, ExitCodesAreTheRuns) {
  for (const int code : {0, 1, 2, 3, 130}) {
    EXPECT_EQ(run({"test", "a.star"}, {.exit_code = code}).code, code);
  }
  EXPECT_EQ(run({"test", "a.star"}, {.error = "no cluster"}).code, 3);
  EXPECT_EQ(run({"test", "a.star"}, {.error = "no a.star", .code = Code::kNotFound}).code, 2);
}

TEST(CommandLine, WithoutATerminalThereAreNoEscapes) {
  const Outcome outcome = run({"test", "a.star"});
  EXPECT_TRUE(contains(outcome.out, "✓ test_a"));
  EXPECT_TRUE(contains(outcome.out, "1 passed"));
  EXPECT_FALSE(contains(outcome.out, "\x1b"));
}

TEST(CommandLine, ListNamesTestsAndRunsNone) {
  const Outcome outcome = run({"test", "a.star", "--list"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "shop.star:3  test_a  It holds.\n");
  EXPECT_EQ(fake_engine().runs, 0U);
}

TEST(CommandLine, JsonGoesToAFileOrToStandardOutput) {
  const std::string path = testing::TempDir() + "cli_test_run.json";
  EXPECT_EQ(run({"test", "a.star", "--json", path}, {.exit_code = 1}).code, 1);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_TRUE(text.str().starts_with(R"({"schema":"misrule.run/1")")) << text.str();
  EXPECT_TRUE(contains(text.str(), R"("again":"misrule test shop.star --test test_a --seed 1")"));
  std::filesystem::remove(path);

  const Outcome piped = run({"test", "a.star", "--json", "-"});
  EXPECT_TRUE(piped.out.starts_with("{")) << piped.out;
  EXPECT_TRUE(contains(piped.err, "✓ test_a"));
}

TEST(CommandLine, ARunThatNeverBeganIsJsonToo) {
  const Outcome refused = run({"test", "a.star", "--json", "-"}, {.error = "misrule lacks root"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(contains(refused.err, "misrule: misrule lacks root")) << refused.err;
  EXPECT_TRUE(contains(refused.out, R"("exit_code":3)")) << refused.out;
  EXPECT_TRUE(contains(refused.out, R"("message":"misrule lacks root")")) << refused.out;
}

TEST(CommandLine, CheckAndCompile) {
  EXPECT_EQ(run({"check", "a.star"}).out, "shop.star: 1 tests\n");
  EXPECT_EQ(run({"check", "a.star"}, {.exit_code = 2}).code, 2);
  EXPECT_EQ(run({"compile", "a.star"}).out, "spec: a.star\n");
  EXPECT_EQ(run({"compile", "a.star"}, {.error = "a.star:1:1: no"}).code, 2);
  EXPECT_EQ(run({"compile", "a.star", "--set", "A=1", "--set", "A=2"}).out,
            "spec: a.star\nset: A 2\n");
  EXPECT_EQ(run({"check", "a.star", "--set", "TOKEN=a=b"}).code, 0);
  EXPECT_EQ(fake_engine().request.set,
            (std::vector<std::pair<std::string, std::string>>{{"TOKEN", "a=b"}}));
  for (const char* command : {"check", "compile"}) {
    const Outcome wrong = run({command, "a.star", "--set", "TOKEN"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_TRUE(contains(wrong.err, "--set 'TOKEN': wants NAME=VALUE")) << wrong.err;
  }
}

TEST(CommandLine, EnterPassesTheCommandOn) {
  EXPECT_EQ(run({"enter", "7", "psql", "-h", "localhost"}).code, 5);
  EXPECT_EQ(fake_engine().entered, "7");
  EXPECT_EQ(fake_engine().command, (std::vector<std::string>{"psql", "-h", "localhost"}));
  EXPECT_EQ(run({"enter", "7", "--", "env", "A=1", "sh", "-c", "exit --help"}).code, 5);
  EXPECT_EQ(fake_engine().command,
            (std::vector<std::string>{"env", "A=1", "sh", "-c", "exit --help"}));
  EXPECT_EQ(run({"enter", "--help"}).code, 0);
  EXPECT_EQ(run({"enter", "7"}).code, 5);
  EXPECT_TRUE(fake_engine().command.empty());
  EXPECT_EQ(run({"enter", "9"}, {.error = "no run 9", .code = Code::kNotFound}).code, 2);
}

TEST(CommandLine, End) {
  EXPECT_EQ(run({"end", "7"}).code, 0);
  EXPECT_EQ(fake_engine().ended, "7");
  EXPECT_EQ(run({"end", "9"}, {.error = "no run 9", .code = Code::kNotFound}).code, 2);
}

TEST(CommandLine, DoctorSaysWhatIsMissingAndWhatItCosts) {
  const Outcome outcome = run({"doctor"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(contains(outcome.out, "✓ user notification"));
  EXPECT_TRUE(contains(outcome.out, "✗ pidfd_getfd"));
  EXPECT_TRUE(contains(outcome.out, "without it: connect redirection"));
  EXPECT_TRUE(contains(outcome.out, "PostgreSQL 15.20"));
  EXPECT_TRUE(contains(outcome.out, "apt install redis-server"));
  EXPECT_TRUE(contains(outcome.out, "something is missing"));
}

void expect_described(const CommandOutline& command) {
  EXPECT_FALSE(command.description.empty()) << command.name;
  for (const OptionOutline& option : command.options) {
    ASSERT_FALSE(option.names.empty()) << command.name;
    EXPECT_FALSE(option.description.empty()) << command.name << " " << option.names.back();
  }
  for (const CommandOutline& sub : command.commands) expect_described(sub);
}

TEST(CommandLine, EveryCommandAndOptionIsDescribed) {
  CLI::App app("Words.", "misrule");
  Choice choice;
  describe_command_line(app, choice);
  const CommandOutline outline = outline_of(app);
  EXPECT_GE(outline.commands.size(), 8U);
  expect_described(outline);
}

TEST(CommandLine, AnOutlineKnowsValuesAndChoices) {
  CLI::App app("Words.", "misrule");
  Choice choice;
  describe_command_line(app, choice);
  const CommandOutline outline = outline_of(app);
  const auto test = std::ranges::find(outline.commands, "test", &CommandOutline::name);
  ASSERT_NE(test, outline.commands.end());
  const auto find = [&](const std::string& name) {
    for (const OptionOutline& option : test->options) {
      if (option.names.back() == name) return option;
    }
    return OptionOutline();
  };
  EXPECT_EQ(find("--backend").choices, (std::vector<std::string>{"native", "docker", "auto"}));
  EXPECT_EQ(find("--json").value, "FILE");
  EXPECT_EQ(find("--report").value, "DIR");
  EXPECT_EQ(find("--strict").value, "");
  EXPECT_EQ(find("--seed").preset, "1");
  EXPECT_EQ(find("--verbose").names, (std::vector<std::string>{"-v", "--verbose"}));
  EXPECT_TRUE(find("FILE").positional && find("FILE").required && find("FILE").repeated);
}

TEST(CommandLine, CompletionsAreForShellsThatThereAre) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = run({"completions", shell});
    EXPECT_EQ(outcome.code, 0) << shell;
    for (const char* word : {"doctor", "native", "json"}) {
      EXPECT_TRUE(contains(outcome.out, word)) << shell << " " << word;
    }
    EXPECT_FALSE(contains(outcome.out, "Write the manual")) << "it is hidden";
  }
  EXPECT_EQ(run({"completions", "tcsh"}).code, 2);
  EXPECT_EQ(run({"man", "/proc/nothing"}).code, 3);
  EXPECT_FALSE(contains(run({"--help"}).out, "\n  man "));
}

TEST(CommandLine, ProxyTakesWhatMisruleProxyTakes) {
  EXPECT_EQ(run({"proxy", "--upstream", "127.0.0.1:5432", "--protocol", "postgres"}).code, 0);
  EXPECT_EQ(fake_engine().proxied.protocol, "postgres");
  EXPECT_EQ(fake_engine().proxied.upstream, "127.0.0.1:5432");
  EXPECT_EQ(run({"proxy", "--route", "1,tcp,a:1", "--route", "2,tcp,a:2", "--loops", "3"}).code, 0);
  EXPECT_EQ(fake_engine().proxied.routes, (std::vector<std::string>{"1,tcp,a:1", "2,tcp,a:2"}));
  EXPECT_EQ(fake_engine().proxied.loops, 3U);
  EXPECT_EQ(run({"proxy", "--upstream", "a:1"}, {.error = "bind: in use"}).code, 3);
  EXPECT_EQ(
      run({"proxy", "--upstream", "a:1"}, {.error = "no address", .code = Code::kInvalid}).code, 2);
  const Outcome unknown = run({"proxy", "--upstraem", "a:1"});
  EXPECT_TRUE(contains(unknown.err, "did you mean --upstream")) << unknown.err;
}

}  // namespace
}  // namespace misrule::cli
