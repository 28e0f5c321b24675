// Which name means what: the environment of every spec.

#include <algorithm>

#include <fmt/format.h>

#include "spec/dsl/builtins.h"
#include "spec/dsl/session.h"

namespace misrule::dsl {

const std::vector<LaterName>& later_names() {
  static const std::vector<LaterName> kNames = {
      {"topic", ""},
  };
  return kNames;
}

std::string later_message(const LaterName& later) {
  return fmt::format("{}() is not in this version yet", later.name);
}

namespace {

/// At the top level an assertion is about every test of the file.
star::NativeFn in_test_or_file(star::NativePointer now, star::NativePointer of_the_file) {
  return [now, of_the_file](star::Args& args) -> star::Value {
    return session_of(args).run != nullptr ? now(args) : of_the_file(args);
  };
}

void add_monitor_names(star::Env& env) {
  env.def("monitor", declare_monitor)
      .def("never", make_never)
      .def("always", make_always)
      .def("eventually", make_eventually)
      .def("leads_to", make_leads_to)
      .def("before", make_before)
      .def("until", make_until)
      .def("at_most", make_at_most)
      .def("once_per", make_once_per)
      .def("count", make_count)
      .def("invariant", declare_invariant, star::kRegisters);
}

/// Each by its own name, and as observe.stdout: both are the same.
void add_observer_names(star::Env& env) {
  const std::pair<const char*, star::NativePointer> kSources[] = {{"file", make_file},
                                                                  {"keyspace", make_keyspace},
                                                                  {"pubsub", make_pubsub},
                                                                  {"stderr", make_stderr},
                                                                  {"stdout", make_stdout},
                                                                  {"tail_http", make_tail_http},
                                                                  {"wal_stream", make_wal_stream}};
  std::vector<std::pair<star::Symbol, star::Value>> members;
  // It keeps a function for later: not in a test.
  env.def("poll", make_poll, star::kLoadOnly | star::kRegisters);
  members.emplace_back(
      star::Symbol("poll"),
      star::NativeFunction::make("observe.poll", make_poll, star::kLoadOnly | star::kRegisters));
  for (const auto& [name, make] : kSources) {
    env.def(name, make);
    members.emplace_back(star::Symbol(name),
                         star::NativeFunction::make(fmt::format("observe.{}", name), make));
  }
  env.set("observe", star::Value::of(new star::Namespace("observe", std::move(members))));
}

void add_later_names(star::Env& env) {
  for (const LaterName& later : later_names()) {
    env.def(std::string(later.name), [later](star::Args& args) -> star::Value {
      star::raise(
          {.code = star::code::kName,
           .message = later_message(later),
           .help = later.instead.empty() ? std::string() : fmt::format("use {}", later.instead),
           .at = args.callee_span()});
    });
  }
}

}  // namespace

star::Env vocabulary() {
  constexpr std::uint32_t kDeclares = star::kLoadOnly | star::kRegisters;
  constexpr std::uint32_t kActs = star::kTestOnly | star::kBlocking;
  star::Env env;
  env.def("service", declare_service, kDeclares)
      .def("interface", declare_interface, kDeclares)
      .def("tcp", tcp_healthcheck)
      .def("http", http_healthcheck)
      .def("env", read_env)
      .def("json_decoder", make_json_decoder)
      .def("decoder", make_decoder)
      .def("scenario", declare_scenario, kDeclares)
      .def("fault_assumption", declare_assumption, kDeclares)
      .def("fault_scenario", declare_fault_scenario, kDeclares)
      .def("fault_matrix", declare_matrix, kDeclares)
      .def("deny", make_deny)
      .def("delay", make_delay)
      .def("error", make_error)
      .def("drop", make_drop)
      .def("link", make_link)
      .def("lost_reply", make_lost_reply)
      .def("reset", make_reset)
      .def("close", make_close)
      .def("hold", make_hold)
      .def("throttle", make_throttle)
      .def("respond", make_respond)
      .def("rewrite", make_rewrite)
      .def("duplicate", make_duplicate)
      .def("corrupt", make_corrupt)
      .def("truncate", make_truncate)
      .def("fault", run_fault, kActs)
      .def("fault_all", run_fault_all, kActs)
      .def("partition", run_partition, star::kBlocking)
      .def("release", release_held, kActs)
      .def("parallel", run_parallel, kActs)
      .def("sleep", run_sleep, kActs)
      .def("wait_until", wait_until, kActs)
      .def("now", read_now, star::kTestOnly)
      .def("rand", draw_random, star::kTestOnly)
      .def("log", tell_log, kActs)
      .def("attach", attach_file, kActs)
      .def("expect_ok", expect_ok)
      .def("expect_status", expect_status)
      .def("expect_error", expect_error)
      .def("expect_data", expect_data)
      .def("expect_within", expect_within)
      .def("expect_all", expect_all)
      .def("events", list_events, star::kBlocking)
      .def("assert_eq", assert_equal)
      .def("assert_true", assert_truth)
      .def("assert_eventually", in_test_or_file(assert_eventually, declare_eventually),
           star::kBlocking)
      .def("assert_never", in_test_or_file(assert_never, declare_never), star::kBlocking)
      .def("assert_before", assert_order, star::kBlocking);
  add_monitor_names(env);
  add_observer_names(env);
  add_later_names(env);
  return env;
}

}  // namespace misrule::dsl
