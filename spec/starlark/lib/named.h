#pragma once

// Errors inside of a method carry its name.

#include <utility>

#include "spec/starlark/args.h"
#include "spec/starlark/diagnostic.h"

namespace misrule::star {

/// Runs `body`; an error of it becomes "NAME: error".
template <class Body>
decltype(auto) named(const Args& args, const Body& body) {
  try {
    return body();
  } catch (EvalError& error) {
    error.diagnostic().message.insert(0, std::string(args.name()) + ": ");
    throw;
  }
}

}  // namespace misrule::star
