// Steps (api.post, db.main.query) and their responses.

#include <algorithm>
#include <cctype>

#include "spec/dsl/arguments.h"
#include "spec/dsl/redis_steps.h"
#include "spec/dsl/step_value.h"
#include "spec/dsl/values.h"

namespace misrule::dsl {

using star::Args;
using star::Span;
using star::Value;

const std::vector<std::string>& step_names(model::Protocol protocol) {
  static const std::vector<std::string> kHttp = {"delete", "get", "head", "patch", "post", "put"};
  static const std::vector<std::string> kSql = {"exec", "query"};
  static const std::vector<std::string> kNone;
  if (protocol == model::Protocol::kHttp) return kHttp;
  if (protocol == model::Protocol::kRedis) return redis_step_names();
  return protocol == model::Protocol::kPostgres ? kSql : kNone;
}

bool is_step_name(std::string_view name) {
  const auto has = [&](model::Protocol protocol) {
    const auto& names = step_names(protocol);
    return std::ranges::find(names, name) != names.end();
  };
  return has(model::Protocol::kHttp) || has(model::Protocol::kPostgres) ||
         has(model::Protocol::kRedis);
}

namespace {

using star::optional;
using star::required;

/// A dict or list is sent as JSON.
std::string body_text(const Args& args, const Value& body) {
  if (body.is_none() || body.is_unbound()) return {};
  if (const auto text = body.as_string()) return std::string(*text);
  if (body.as_dict() != nullptr || body.as_list() != nullptr) return star::encode_json(body);
  const auto index = args.find_keyword("body");
  args.fail_at(
      index ? args.keyword_value_span(*index) : args.call_span(), star::code::kArgument,
      fmt::format("body= is text, or a dict or list that becomes JSON; got {}", body.type_name()));
}

Duration checked_timeout(const Args& args, const DurationText& timeout) {
  if (timeout.value > Duration::zero()) return timeout.value;
  args.fail(star::code::kArgument, "timeout= is zero");
}

/// What stands in a query as it is: the unreserved characters of RFC 3986.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// {"q": "lamp", "tag": ["a", "b"]} as q=lamp&tag=a&tag=b.
std::string query_text(const Args& args, const Value& query) {
  std::string out;
  const auto add = [&out](const Value& name, const Value& value) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", percent_encoded(name.text()),
                       percent_encoded(value.text()));
  };
  if (query.as_dict() == nullptr) {
    args.fail_at(args.keyword_value_span(*args.find_keyword("query")), star::code::kArgument,
                 fmt::format("query= is a dict, not a {}", query.type_name()));
  }
  std::size_t cursor = 0;
  while (const star::Table::Entry* entry = query.as_dict()->table().next(cursor)) {
    const bool many = entry->value.as_list() != nullptr || entry->value.as_tuple() != nullptr;
    if (!many) {
      add(entry->key, entry->value);
      continue;
    }
    for (const Value& item : entry->value.elements()) add(entry->key, item);
  }
  return out;
}

bool says_content_type(const HttpStep& step) {
  const auto is_it = [](const auto& header) {
    return std::ranges::equal(header.first, std::string_view("content-type"), {},
                              [](unsigned char c) { return std::tolower(c); });
  };
  return std::ranges::any_of(step.headers, is_it);
}

void add_json(const Args& args, const Value& json, HttpStep& step) {
  if (json.is_unbound()) return;
  if (!step.body.empty()) args.fail(star::code::kArgument, "body= and json= are both given");
  step.body = star::encode_json(json);
  if (!says_content_type(step)) step.headers.emplace_back("Content-Type", "application/json");
}

void add_query(const Args& args, const Value& query, HttpStep& step) {
  if (query.is_unbound()) return;
  const std::string text = query_text(args, query);
  if (text.empty()) return;
  step.path += (step.path.contains('?') ? "&" : "?") + text;
}

StepCall http_call(const Args& args, std::string method) {
  HttpStep step{.method = std::move(method)};
  Value body = Value::unbound();
  Value json = Value::unbound();
  Value query = Value::unbound();
  StringPairs headers;
  DurationText timeout{std::chrono::seconds(30)};
  args.unpack({required("path", step.path), optional("body", body),
               optional("json", json).by_keyword(), optional("query", query).by_keyword(),
               optional("headers", headers).by_keyword(),
               optional("timeout", timeout).by_keyword()});
  const bool clean =
      std::ranges::none_of(step.path, [](unsigned char c) { return c <= ' ' || c == 127; });
  if (!step.path.starts_with('/') || !clean) {
    const auto index = args.find_keyword("path");
    args.fail_at(index ? args.keyword_value_span(*index) : args.span(0), star::code::kValue,
                 fmt::format("path \"{}\" {}", shortened(step.path, 80),
                             clean ? "does not begin with a slash"
                                   : "contains a blank or control character"));
  }
  for (const auto& [name, value] : headers.items) {
    if ((name + value).find_first_of("\r\n") == std::string::npos && !name.empty()) continue;
    args.fail_at(args.keyword_value_span(*args.find_keyword("headers")), star::code::kValue,
                 "a header holds a line break or has no name");
  }
  step.body = body_text(args, body);
  step.headers = headers.items;
  add_json(args, json, step);
  add_query(args, query, step);
  StepCall call{.timeout = checked_timeout(args, timeout)};
  call.step = std::move(step);
  return call;
}

/// As PostgreSQL reads them: None is NULL, a dict or list is JSON.
std::vector<std::optional<std::string>> sql_params(const Args& args, const Value& params) {
  const Span at = args.keyword_value_span(*args.find_keyword("params"));
  if (params.as_list() == nullptr && params.as_tuple() == nullptr) {
    args.fail_at(at, star::code::kArgument,
                 fmt::format("params= is a list, not a {}", params.type_name()));
  }
  std::vector<std::optional<std::string>> out;
  for (const Value& value : params.elements()) {
    const bool is_json = value.as_dict() != nullptr || value.as_list() != nullptr;
    if (value.is_none()) {
      out.emplace_back();
    } else {
      out.emplace_back(is_json ? star::encode_json(value) : value.text());
    }
    if (out.back() && out.back()->contains('\0')) {
      args.fail_at(at, star::code::kValue, "PostgreSQL takes no NUL characters");
    }
  }
  return out;
}

StepCall sql_call(const Args& args, bool wants_rows) {
  SqlStep step{.wants_rows = wants_rows};
  DurationText timeout{std::chrono::seconds(30)};
  Value params = Value::unbound();
  args.unpack({required("sql", step.sql), optional("params", params).by_keyword(),
               optional("database", step.database).by_keyword(),
               optional("user", step.user).by_keyword(),
               optional("timeout", timeout).by_keyword()});
  if (!params.is_unbound()) step.params = sql_params(args, params);
  StepCall call{.timeout = checked_timeout(args, timeout)};
  call.step = std::move(step);
  return call;
}

Value run_step(const Args& args, StepCall call) {
  TestHost& host = host_of(args);
  call.position = position_of(args.call_span());
  StepReply reply;
  {
    const star::Runtime::Release unlocked(args.thread().runtime());
    reply = host.step(call);
  }
  args.thread().check_cancelled();
  return Value::object(star::make<ResponseValue>(std::move(reply)));
}

std::string upper(std::string_view text) {
  std::string capital(text);
  std::ranges::transform(capital, capital.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return capital;
}

Value response_status(Args& args) {
  return Value::integer(args.self().as<ResponseValue>()->reply().status);
}
Value response_ok(Args& args) {
  return Value::boolean(args.self().as<ResponseValue>()->reply().ok);
}
Value response_body(Args& args) {
  return Value::string(args.self().as<ResponseValue>()->reply().body);
}
Value response_error(Args& args) {
  return Value::string(args.self().as<ResponseValue>()->reply().error);
}
Value response_code(Args& args) {
  return Value::string(args.self().as<ResponseValue>()->reply().code);
}
Value response_duration(Args& args) {
  const Duration took = args.self().as<ResponseValue>()->reply().took;
  return Value::integer(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}
Value response_data(Args& args) { return args.self().as<ResponseValue>()->decoded(); }

/// The only row; raises if there are none or several.
Value only_row(const Args& args) {
  const Value data = args.self().as<ResponseValue>()->decoded();
  const bool is_rows = data.as_list() != nullptr;
  const std::vector<Value> rows = is_rows ? data.elements() : std::vector<Value>();
  if (rows.size() == 1) return rows.front();
  args.fail(star::code::kValue, is_rows ? fmt::format("there are {} rows, not one", rows.size())
                                        : std::string("the response has no rows"));
}

Value response_one(Args& args) {
  args.unpack({});
  return only_row(args);
}

/// The only column of the only row.
Value response_value(Args& args) {
  args.unpack({});
  const Value row = only_row(args);
  const star::Dict* columns = row.as_dict();
  std::size_t cursor = 0;
  const auto* first = columns == nullptr ? nullptr : columns->table().next(cursor);
  if (first == nullptr) args.fail(star::code::kValue, "the row has no columns");
  const Value value = first->value;
  if (columns->table().next(cursor) != nullptr) {
    args.fail(star::code::kValue, "the row has several columns, not one");
  }
  return value;
}

/// A name that comes twice has its values joined, as HTTP says.
Value response_headers(Args& args) {
  Value headers = Value::dict();
  for (const auto& [name, value] : args.self().as<ResponseValue>()->reply().headers) {
    const Value* before = headers.as_dict()->find(name);
    const std::string joined = before == nullptr ? value : before->text() + ", " + value;
    headers.as_dict()->set(name, Value::string(joined));
  }
  return headers;
}

}  // namespace

namespace {

StepCall call_of(const Args& args, model::Protocol protocol, const std::string& name) {
  if (protocol == model::Protocol::kHttp) return http_call(args, upper(name));
  if (protocol == model::Protocol::kRedis) return redis_call(args, name);
  return sql_call(args, name == "query");
}

}  // namespace

Value make_step_check(model::Protocol protocol, std::string_view step) {
  const auto look = [protocol, name = std::string(step)](Args& args) {
    call_of(args, protocol, name);
    return Value::none();
  };
  return star::NativeFunction::make(std::string(step), look);
}

Value make_step(const std::string& service, const model::Interface& interface,
                std::string_view step) {
  const std::string name(step);
  const auto run = [service, interface_name = interface.name, name,
                    protocol = interface.protocol](Args& args) {
    StepCall call = call_of(args, protocol, name);
    call.service = service;
    call.interface = interface_name;
    return run_step(args, std::move(call));
  };
  return star::NativeFunction::make(name, run, star::kBlocking | star::kTestOnly);
}

const star::MemberTable* ResponseValue::members() const {
  static const star::MemberTable kMembers{
      {.name = "status", .fn = response_status, .is_property = true},
      {.name = "ok", .fn = response_ok, .is_property = true},
      {.name = "body", .fn = response_body, .is_property = true},
      {.name = "data", .fn = response_data, .is_property = true},
      {.name = "error", .fn = response_error, .is_property = true},
      {.name = "code", .fn = response_code, .is_property = true},
      {.name = "headers", .fn = response_headers, .is_property = true},
      {.name = "duration_ms", .fn = response_duration, .is_property = true},
      {.name = "one", .fn = response_one},
      {.name = "value", .fn = response_value},
  };
  return &kMembers;
}

Value ResponseValue::decoded() {
  if (data_) return *data_;
  if (!reply_.error.empty()) {
    star::raise({.code = star::code::kValue,
                 .message = ".data of a step that failed: " + reply_.error,
                 .help = "check .ok or .error first"});
  }
  if (reply_.data.text.empty()) return Value::none();
  auto decoded = star::decode_json(reply_.data.text);
  if (!decoded) {
    star::raise(star::code::kValue, fmt::format(".data: the reply says that it is JSON: {}: {}",
                                                decoded.error().what, shortened(reply_.body, 120)));
  }
  data_ = *std::move(decoded);
  return *data_;
}

void ResponseValue::write_repr(star::Writer& out) const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(reply_.took).count();
  const std::string what = !reply_.error.empty() ? shortened(reply_.error, 120)
                           : reply_.status != 0  ? fmt::format("{}", reply_.status)
                                                 : shortened(reply_.body, 120);
  out.text(fmt::format("<response {}, {} ms>", what, ms));
}

void ResponseValue::visit_children(star::ValueVisitor& visitor) const {
  if (data_) visitor.visit(*data_);
}

}  // namespace misrule::dsl
