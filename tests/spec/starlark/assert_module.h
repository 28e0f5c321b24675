#pragma once

// The assert module of conformance files, natively: its functions report, and go on.

#include <string>
#include <vector>

#include "spec/starlark/starlark.h"

namespace misrule::star::test {

/// Failed assertions: "file:line:column: what".
using Reports = std::vector<std::string>;

/// Adds what the files of LibraryLoader need, and struct-like test types. Reports go to
/// Runtime::user().
void add_test_names(Env& env);

/// Knows assert.star, json.star and nothing else.
class LibraryLoader final : public Loader {
 public:
  Result<std::string> canonical(const std::string& from, const std::string& path) override;
  Result<std::string> read(const std::string& canonical) override;
};

/// Does the text match; substrings for patterns that are no regular expression.
bool text_matches(const std::string& pattern, const std::string& text);

}  // namespace misrule::star::test
