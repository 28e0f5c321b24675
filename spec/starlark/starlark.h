#pragma once

// The whole embedding API of the language.

#include "spec/starlark/args.h"
#include "spec/starlark/containers.h"
#include "spec/starlark/diagnostic.h"
#include "spec/starlark/function.h"
#include "spec/starlark/json.h"
#include "spec/starlark/object.h"
#include "spec/starlark/runtime.h"
#include "spec/starlark/syntax/ast.h"
#include "spec/starlark/syntax/visitor.h"
#include "spec/starlark/thread.h"
#include "spec/starlark/value.h"
