// log() and attach(): what a test leaves for those who read its results.

#include <fmt/format.h>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"
#include "spec/dsl/step_value.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

constexpr std::size_t kLogBytesMax = std::size_t{64} << 10U;
constexpr std::uint64_t kLogsMax = 10'000;

/// Text and bytes as they are, a response's body, anything else as JSON.
std::string content_of(const Value& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto bytes = value.as_bytes()) return std::string(*bytes);
  if (const auto* response = value.as<ResponseValue>(); response != nullptr) {
    return response->reply().body;
  }
  return star::encode_json(value);
}

}  // namespace

/// log(value, ..., name = value, ...): an event of type "log".
Value tell_log(Args& args) {
  RunState& run = run_of(args);
  if (args.size() == 0) args.fail(star::code::kArgument, "there is nothing to say");
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) text += (i == 0 ? "" : " ") + args[i].text();
  if (++run.logs > kLogsMax) return Value::none();
  if (run.logs == kLogsMax) text = fmt::format("no more than {} logs are kept", kLogsMax);
  model::Event event = {.service = "test", .type = "log"};
  event.set("body", shortened(std::move(text), kLogBytesMax));
  Value data = Value::dict();
  for (std::size_t k = 0; k < args.keywords().size(); ++k) {
    data.as_dict()->set(args.keyword_name(k), args.keyword(k));
  }
  if (!args.keywords().empty()) {
    std::string json = star::encode_json(data);
    if (json.size() > kLogBytesMax) args.fail(star::code::kLimit, "more than 64 KiB of fields");
    event.set("data", model::Json{.text = std::move(json)});
  }
  const star::Runtime::Release unlocked(args.thread().runtime());
  run.host.tell(std::move(event));
  return Value::none();
}

Value attach_file(Args& args) {
  std::string name;
  Value data;
  args.unpack({star::required("name", name), star::required("data", data)});
  if (name.empty()) args.fail(star::code::kValue, "the name is empty");
  const std::string content = content_of(data);
  RunState& run = run_of(args);
  Result<std::string> kept = [&] {
    const star::Runtime::Release unlocked(args.thread().runtime());
    return run.host.attach(name, content);
  }();
  if (!kept && kept.error().code == Code::kLimit) {
    args.fail(star::code::kLimit, kept.error().what);
  }
  if (!kept) throw InfrastructureFailed(kept.error().what);
  session_of(args).run_notes.push_back(
      fmt::format("attached {} ({} bytes): {}", shortened(name, 80), content.size(), *kept));
  return Value::string(*kept);
}

}  // namespace misrule::dsl
