// Splitting conformance files, running chunks, comparing errors.

#include "tests/spec/starlark/chunks.h"

#include <fstream>
#include <map>
#include <sstream>

#include "fmt/format.h"
#include "spec/starlark/resolve/resolver.h"
#include "spec/starlark/syntax/parser.h"
#include "tests/spec/starlark/assert_module.h"

namespace misrule::star::test {
namespace {

std::string unquoted(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.pop_back();
  while (!text.empty() && text.front() == ' ') text.erase(0, 1);
  if (text.size() < 2) return text;
  const char quote = text.front();
  text = text.substr(1, text.size() - 2);
  if (quote != '"') return text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return out;
}

std::map<unsigned, std::string> expectations(const Chunk& chunk) {
  std::map<unsigned, std::string> out;
  std::istringstream lines(chunk.text);
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::size_t at = line.find("###");
    if (at != std::string::npos) out[number] = unquoted(line.substr(at + 3));
  }
  return out;
}

bool has_option(const Chunk& chunk, const std::string& name) {
  return chunk.text.find("option:" + name) != std::string::npos;
}

Dialect dialect_of(const Chunk& chunk, bool legacy) {
  Dialect out;
  const auto choose = [&](const char* name) {
    return legacy ? has_option(chunk, name) : !has_option(chunk, std::string("-") + name);
  };
  out.set = choose("set");
  out.while_loops = choose("while");
  out.recursion = choose("recursion");
  out.top_level_control =
      choose("toplevelcontrol") || (legacy && has_option(chunk, "globalreassign"));
  out.rebind_globals = choose("globalreassign");
  return out;
}

struct Seen {
  unsigned line = 0;
  std::string message = {};
};

std::vector<Diagnostic> static_problems(const Chunk& chunk, const ChunkOptions& options,
                                        Runtime& runtime) {
  // Kept: diagnostics point into it.
  static std::vector<std::shared_ptr<const SourceFile>> files;
  files.push_back(std::make_shared<const SourceFile>(chunk.path, chunk.text));
  std::vector<Diagnostic> problems;
  const auto syntax = parse_file(*files.back(), {}, problems);
  if (options.mode == Mode::kParse) {
    // These files expect that the first error ends it.
    if (!problems.empty()) problems.resize(1);
    return problems;
  }
  const Predeclared known = {
      {Symbol("M"), 0}, {Symbol("U"), 1}, {Symbol("float"), 2}, {Symbol("set"), 3}};
  resolve_file(*syntax, known, runtime.dialect(), problems);
  return problems;
}

std::vector<Seen> errors_of(const Chunk& chunk, const ChunkOptions& options, Reports& reports) {
  LibraryLoader loader;
  Env env;
  add_test_names(env);
  Runtime runtime({.env = env,
                   .loader = &loader,
                   .dialect = dialect_of(chunk, options.legacy_options),
                   .user = &reports});
  std::vector<Seen> out;
  const auto add = [&](const Diagnostic& problem) {
    if (problem.severity == Severity::kError) {
      out.push_back({.line = problem.at.position().line, .message = problem.message});
    }
  };
  if (options.mode != Mode::kRun) {
    const Runtime::Enter entered(runtime);
    for (const Diagnostic& problem : static_problems(chunk, options, runtime)) add(problem);
    return out;
  }
  Thread thread(runtime, "test");
  const auto module = runtime.run(thread, chunk.path, chunk.text);
  if (module) return out;
  for (const Diagnostic& problem : module.error().problems) add(problem);
  return out;
}

}  // namespace

std::vector<Chunk> read_chunks(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<Chunk> out;
  Chunk chunk{.path = path};
  unsigned number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line == "---") {
      out.push_back(chunk);
      chunk = {.path = path, .line = number + 1, .text = std::string(number, '\n')};
      continue;
    }
    if (number > chunk.line) chunk.text += "\n";
    chunk.text += line;
  }
  out.push_back(chunk);
  return out;
}

std::vector<std::string> run_chunk(const Chunk& chunk, const ChunkOptions& options) {
  Reports reports;
  std::map<unsigned, std::string> expected = expectations(chunk);
  std::vector<std::string> wrong;
  for (const Seen& seen : errors_of(chunk, options, reports)) {
    const auto wanted = expected.find(seen.line);
    if (wanted == expected.end()) {
      wrong.push_back(
          fmt::format("{}:{}: unexpected error: {}", chunk.path, seen.line, seen.message));
    } else if (!text_matches(wanted->second, seen.message)) {
      wrong.push_back(fmt::format("{}:{}: error {} does not match {}", chunk.path, seen.line,
                                  seen.message, wanted->second));
      expected.erase(wanted);
    } else {
      expected.erase(wanted);
    }
  }
  for (const auto& [line, pattern] : expected) {
    wrong.push_back(
        fmt::format("{}:{}: expected error did not occur: {}", chunk.path, line, pattern));
  }
  wrong.insert(wrong.end(), reports.begin(), reports.end());
  return wrong;
}

}  // namespace misrule::star::test
