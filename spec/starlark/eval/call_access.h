#pragma once

// How the interpreter fills in the parts of Args that natives only read.

#include <span>
#include <string_view>

#include "spec/starlark/args.h"
#include "spec/starlark/eval/heap.h"
#include "spec/starlark/object.h"
#include "spec/starlark/syntax/expr.h"

namespace misrule::star {

struct ArgsAccess {
  static Args make(std::span<const Value> positional, std::span<const Keyword> keywords) {
    return {*current_thread(), positional, keywords};
  }
  static Args of_member(const Value& self, const Member& member) {
    Args args = make({}, {});
    args.self_ = self;
    args.name_ = member.name;
    return args;
  }
  static void set_name(Args& args, std::string_view name) { args.name_ = name; }
  static void set_self(Args& args, Value self) { args.self_ = std::move(self); }
  static void set_site(Args& args, const SourceFile* file, const CallExpr* site) {
    args.file_ = file;
    args.site_ = site;
  }
};

}  // namespace misrule::star
