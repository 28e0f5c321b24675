#pragma once

// The vocabulary's functions; vocabulary.cc gives them their names.

#include "spec/starlark/starlark.h"

namespace misrule::dsl {

// What the system is.
star::Value declare_service(star::Args& args);
star::Value declare_interface(star::Args& args);
star::Value tcp_healthcheck(star::Args& args);
star::Value http_healthcheck(star::Args& args);
star::Value read_env(star::Args& args);
star::Value declare_scenario(star::Args& args);
star::Value make_wal_stream(star::Args& args);
star::Value make_stdout(star::Args& args);
star::Value make_stderr(star::Args& args);
star::Value make_file(star::Args& args);
star::Value make_keyspace(star::Args& args);
star::Value make_pubsub(star::Args& args);
star::Value make_tail_http(star::Args& args);
star::Value make_poll(star::Args& args);
star::Value make_json_decoder(star::Args& args);
star::Value make_decoder(star::Args& args);

// What can go wrong.
star::Value make_deny(star::Args& args);
star::Value make_delay(star::Args& args);
star::Value make_error(star::Args& args);
star::Value make_drop(star::Args& args);
star::Value make_link(star::Args& args);
star::Value make_lost_reply(star::Args& args);
star::Value make_reset(star::Args& args);
star::Value make_close(star::Args& args);
star::Value make_hold(star::Args& args);
star::Value make_throttle(star::Args& args);
star::Value make_respond(star::Args& args);
star::Value make_rewrite(star::Args& args);
star::Value make_duplicate(star::Args& args);
star::Value make_corrupt(star::Args& args);
star::Value make_truncate(star::Args& args);
star::Value run_fault(star::Args& args);
star::Value run_fault_all(star::Args& args);
star::Value run_partition(star::Args& args);
star::Value release_held(star::Args& args);

// What is assumed to go wrong, and what is to hold then.
star::Value declare_assumption(star::Args& args);
star::Value declare_fault_scenario(star::Args& args);
star::Value declare_matrix(star::Args& args);

// What must stay true.
star::Value assert_equal(star::Args& args);
star::Value assert_truth(star::Args& args);
star::Value assert_eventually(star::Args& args);
star::Value assert_never(star::Args& args);
star::Value assert_order(star::Args& args);  ///< assert_before, also at the top level.
star::Value list_events(star::Args& args);
// At the top level: about every test of the file.
star::Value declare_eventually(star::Args& args);
star::Value declare_never(star::Args& args);
star::Value declare_invariant(star::Args& args);

// Monitors: values that tests, assumptions and files carry.
star::Value declare_monitor(star::Args& args);
star::Value make_never(star::Args& args);
star::Value make_always(star::Args& args);
star::Value make_eventually(star::Args& args);
star::Value make_leads_to(star::Args& args);
star::Value make_before(star::Args& args);
star::Value make_until(star::Args& args);
star::Value make_at_most(star::Args& args);
star::Value make_once_per(star::Args& args);
star::Value make_count(star::Args& args);

star::Value run_parallel(star::Args& args);

// Time and chance.
star::Value run_sleep(star::Args& args);
star::Value wait_until(star::Args& args);
star::Value read_now(star::Args& args);
star::Value draw_random(star::Args& args);

// What a test says for those who read its results.
star::Value tell_log(star::Args& args);
star::Value attach_file(star::Args& args);

// Functions for expect= and control=.
star::Value expect_ok(star::Args& args);
star::Value expect_status(star::Args& args);
star::Value expect_error(star::Args& args);
star::Value expect_data(star::Args& args);
star::Value expect_within(star::Args& args);
star::Value expect_all(star::Args& args);

/// Every name that specs see, beyond those of the language.
star::Env vocabulary();
/// Names of the vocabulary that this version does not carry out; with what to say.
struct LaterName {
  std::string_view name;
  std::string_view instead;
};
const std::vector<LaterName>& later_names();
std::string later_message(const LaterName& later);

}  // namespace misrule::dsl
