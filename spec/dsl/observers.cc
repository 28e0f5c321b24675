// wal_stream(), stdout(), stderr(), file(), json_decoder(), decoder(): what is looked at beside the
// traffic.

#include "spec/dsl/observers.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "spec/dsl/arguments.h"
#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

using star::Args;
using star::Value;

namespace {

void check_names(const Args& args, std::string_view keyword, const StringList& names) {
  for (const std::string& name : names.items) {
    if (!name.empty()) continue;
    const auto index = args.find_keyword(keyword);
    args.fail_at(index ? args.keyword_value_span(*index) : args.call_span(), star::code::kValue,
                 fmt::format("{}= holds an empty name", keyword));
  }
}

constexpr std::size_t kPatternBytesMax = 4096;
constexpr Duration kPollMin = std::chrono::milliseconds(1);
const std::vector<std::string> kDecoders = {"json", "logfmt", "regex", "line"};

star::Span span_of_keyword(const Args& args, std::string_view keyword) {
  const auto index = args.find_keyword(keyword);
  return index ? args.keyword_value_span(*index) : args.call_span();
}

void check_pattern(const Args& args, const std::string& pattern) {
  const auto refuse = [&](const std::string& why, const std::string& help) {
    args.fail_at(span_of_keyword(args, "pattern"), star::code::kValue, why, help);
  };
  if (pattern.size() > kPatternBytesMax) {
    refuse(fmt::format("a pattern of {} bytes exceeds {}", pattern.size(), kPatternBytesMax), "");
  }
  const re2::RE2 compiled(pattern, re2::RE2::Quiet);
  if (!compiled.ok()) refuse("pattern=: " + compiled.error(), "the syntax is RE2's");
  if (compiled.NamedCapturingGroups().empty()) {
    refuse("the pattern has no named group: no field would come of it",
           "(?P<status>[0-9]+) makes a field \"status\"");
  }
}

Value make_lines(Args& args, const std::string& stream) {
  std::optional<DecoderValue*> decoder;
  args.unpack({star::optional("decoder", decoder)});
  return Value::object(star::make<ObserverValue>(model::PrintedLines{
      .stream = stream, .decoder = decoder ? (*decoder)->wanted() : model::LineDecoder{}}));
}

}  // namespace

Value make_stdout(Args& args) { return make_lines(args, "stdout"); }
Value make_stderr(Args& args) { return make_lines(args, "stderr"); }

Value make_file(Args& args) {
  std::string path;
  std::optional<DecoderValue*> decoder;
  args.unpack({star::required("path", path), star::optional("decoder", decoder)});
  if (path.empty() || path.find('\0') != std::string::npos) {
    args.fail(star::code::kValue, path.empty() ? "the path is empty" : "the path holds a NUL");
  }
  return Value::object(star::make<ObserverValue>(model::WrittenFile{
      .path = path, .decoder = decoder ? (*decoder)->wanted() : model::LineDecoder{}}));
}

Value make_keyspace(Args& args) {
  std::optional<StringList> keys;
  args.unpack({star::optional("keys", keys)});
  if (keys) check_names(args, "keys", *keys);
  const bool says_some = keys && !keys->items.empty();
  return Value::object(star::make<ObserverValue>(
      model::RedisKeyspace{.keys = says_some ? keys->items : std::vector<std::string>{"*"}}));
}

Value make_pubsub(Args& args) {
  std::string channel;
  std::optional<DecoderValue*> decoder;
  args.unpack({star::required("channel", channel), star::optional("decoder", decoder)});
  if (channel.empty()) args.fail(star::code::kValue, "the channel is empty");
  return Value::object(star::make<ObserverValue>(model::RedisChannel{
      .channel = channel, .decoder = decoder ? (*decoder)->wanted() : model::LineDecoder{}}));
}

Value make_tail_http(Args& args) {
  std::string url;
  std::optional<DecoderValue*> decoder;
  args.unpack({star::required("url", url), star::optional("decoder", decoder)});
  model::TailedHttp wanted{.url = url};
  if (decoder) wanted.decoder = (*decoder)->wanted();
  std::string_view left = url;
  if (left.starts_with("http://")) left.remove_prefix(7);
  const std::size_t slash = std::min(left.find('/'), left.size());
  const std::string_view authority = left.substr(0, slash);
  wanted.path = slash == left.size() ? "/" : std::string(left.substr(slash));
  const std::size_t colon = authority.find(':');
  const std::string_view host = authority.substr(0, colon);
  const std::string_view port =
      colon == std::string_view::npos ? "80" : authority.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), wanted.port);
  const bool is_here = host == "localhost" || host == "127.0.0.1";
  const bool has_port = error == std::errc() && end == port.data() + port.size();
  const bool is_clean = url.find_first_of(" \r\n\t") == std::string::npos;
  if (authority.empty() && !url.empty() && is_clean) {
    wanted.port = 0;
  } else if (!is_here || !has_port || !is_clean) {
    args.fail_at(args.callee_span(), star::code::kValue,
                 fmt::format("\"{}\" is no address of the service", url),
                 "such as \"/events\", or \"http://localhost:8080/events\"");
  }
  return Value::object(star::make<ObserverValue>(std::move(wanted)));
}

Value make_poll(Args& args) {
  std::string name;
  star::Callable function;
  DurationText every{std::chrono::milliseconds(100)};
  args.unpack({star::required("name", name), star::required("fn", function),
               star::optional("every", every)});
  const star::Function* written = function.value.as_function();
  if (written != nullptr && !written->accepts(0)) {
    args.fail(star::code::kArgument, "fn is a function without parameters");
  }
  if (name.empty()) args.fail(star::code::kValue, "the name is empty");
  if (every.value < kPollMin) {
    args.fail_at(span_of_keyword(args, "every"), star::code::kValue, "every= is below 1ms");
  }
  auto& polls = session_of(args).polls;
  polls.push_back(function.value);
  return Value::object(star::make<ObserverValue>(
      model::PolledValue{.name = name, .callable = polls.size() - 1, .every = every.value}));
}

Value make_wal_stream(Args& args) {
  std::optional<StringList> tables;
  std::optional<StringList> columns;
  std::optional<DecoderValue*> decoder;
  args.unpack({star::optional("tables", tables), star::optional("columns", columns).by_keyword(),
               star::optional("decoder", decoder).by_keyword()});
  if (decoder && (*decoder)->wanted().kind != model::LineDecoder::Kind::kJson) {
    args.fail_at(span_of_keyword(args, "decoder"), star::code::kValue,
                 "wal_stream() decodes columns of text as JSON, and nothing else",
                 "decoder = json_decoder()");
  }
  model::WalStream wanted{.decode_json = decoder.has_value()};
  if (tables) {
    check_names(args, "tables", *tables);
    wanted.tables = std::move(tables->items);
  }
  if (columns) {
    check_names(args, "columns", *columns);
    wanted.columns = std::move(columns->items);
  }
  return Value::object(star::make<WalStreamValue>(std::move(wanted)));
}

Value make_json_decoder(Args& args) {
  args.unpack({});
  return Value::object(star::make<DecoderValue>());
}

Value make_decoder(Args& args) {
  std::string name;
  std::optional<std::string> pattern;
  args.unpack({star::required("name", name), star::optional("pattern", pattern)});
  const auto at = std::ranges::find(kDecoders, name);
  if (at == kDecoders.end()) {
    args.fail_at(args.call_span(), star::code::kValue,
                 fmt::format("unknown decoder \"{}\"{}", name, did_you_mean(name, kDecoders)),
                 "decoders: " + listed(kDecoders));
  }
  model::LineDecoder wanted{.kind = static_cast<model::LineDecoder::Kind>(at - kDecoders.begin()),
                            .pattern = pattern.value_or("")};
  const bool is_regex = wanted.kind == model::LineDecoder::Kind::kRegex;
  if (is_regex != pattern.has_value()) {
    args.fail(star::code::kArgument, is_regex ? "decoder(\"regex\") wants pattern="
                                              : fmt::format("\"{}\" takes no pattern=", name));
  }
  if (is_regex) check_pattern(args, wanted.pattern);
  return Value::object(star::make<DecoderValue>(std::move(wanted)));
}

std::optional<ObserverProblem> add_observer(model::Service& service, const Value& entry) {
  if (const auto* wal = entry.as<WalStreamValue>(); wal != nullptr) {
    if (service.wal_stream) {
      return ObserverProblem{"observe holds two wal_stream(): one tells all tables"};
    }
    service.wal_stream = wal->wanted();
    return std::nullopt;
  }
  const auto* other = entry.as<ObserverValue>();
  if (other == nullptr) {
    return ObserverProblem{
        fmt::format("observe holds {}, want stdout(), file(), wal_stream() …", entry.type_name()),
        "lines that the service prints are events without it"};
  }
  service.observed.push_back(other->wanted());
  return std::nullopt;
}

namespace {

bool speaks(const model::Service& service, model::Protocol protocol) {
  return std::ranges::any_of(service.interfaces, [protocol](const auto& interface) {
    return interface.protocol == protocol;
  });
}

/// What two entries of one service cannot both be about.
std::string subject_of(const model::Observed& observed) {
  if (const auto* file = std::get_if<model::WrittenFile>(&observed)) {
    return fmt::format("file(\"{}\")", file->path);
  }
  if (const auto* messages = std::get_if<model::RedisChannel>(&observed)) {
    return fmt::format("pubsub(\"{}\")", messages->channel);
  }
  if (const auto* polled = std::get_if<model::PolledValue>(&observed)) {
    return fmt::format("poll(\"{}\")", polled->name);
  }
  if (const auto* response = std::get_if<model::TailedHttp>(&observed)) {
    return fmt::format("tail_http(\"{}\")", response->url);
  }
  return model::observed_type(observed) + "()";
}

}  // namespace

std::optional<ObserverProblem> check_observers(const model::Service& service) {
  const std::string& name = service.name;
  if (service.wal_stream && !speaks(service, model::Protocol::kPostgres)) {
    return ObserverProblem{
        fmt::format("wal_stream() is for PostgreSQL, and \"{}\" has no such interface", name)};
  }
  std::set<std::string> subjects;
  for (const model::Observed& one : service.observed) {
    const std::string subject = subject_of(one);
    if (!subjects.insert(subject).second) {
      return ObserverProblem{fmt::format("observe holds {} twice", subject)};
    }
    const std::string type = model::observed_type(one);
    const bool is_redis = type == "keyspace" || type == "pubsub";
    if (is_redis && !speaks(service, model::Protocol::kRedis)) {
      return ObserverProblem{
          fmt::format("{} is for Redis, and \"{}\" has no such interface", subject, name)};
    }
    const auto* response = std::get_if<model::TailedHttp>(&one);
    if (response != nullptr && response->port == 0 && !speaks(service, model::Protocol::kHttp)) {
      return ObserverProblem{
          fmt::format("{} says no port, and \"{}\" has no http interface", subject, name),
          "tail_http(\"http://localhost:8080/events\")"};
    }
    const bool is_local = type == "stdout" || type == "stderr" || type == "file";
    if (is_local && !service.remote.empty()) {
      return ObserverProblem{
          fmt::format("{} is of a service that runs here, and \"{}\" is remote", subject, name)};
    }
  }
  return std::nullopt;
}

}  // namespace misrule::dsl
