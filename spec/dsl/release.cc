// release(): lets go what hold() holds.

#include <algorithm>

#include <fmt/format.h>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

/// So often it is looked again whether something is held, if no event comes.
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

Result<std::size_t> release_once(const Args& args, TestHost& host, const std::string& label,
                                 TimePoint deadline) {
  const star::Runtime::Release unlocked(args.thread().runtime());
  const std::size_t seen = host.events().size();
  auto released = host.release(label);
  if (released && *released == 0) {
    host.wait_for_event(seen, std::min(deadline, host.clock().now() + kLookAgain));
  }
  return released;
}

}  // namespace

/// Waits until something is held: in parallel(), who is to be held may come later than this.
Value release_held(Args& args) {
  std::string label;
  DurationText within{std::chrono::seconds(5)};
  args.unpack({star::required("label", label), star::optional("within", within)});
  TestHost& host = run_of(args).host;
  const TimePoint deadline = host.clock().now() + within.value;
  while (true) {
    const auto released = release_once(args, host, label, deadline);
    args.thread().check_cancelled();
    if (!released) args.fail(star::code::kValue, released.error().what);
    if (*released > 0) return Value::integer(static_cast<std::int64_t>(*released));
    if (host.clock().now() < deadline) continue;
    args.fail(star::code::kFail, fmt::format("nothing was held by \"{}\" within {} s", label,
                                             std::chrono::duration<double>(within.value).count()));
  }
}

}  // namespace misrule::dsl
