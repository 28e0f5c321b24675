#!/usr/bin/python3
"""Would the tests notice? Each mutant is one change of the product that makes it lie; the test that
is there for it must fail.

    mutants.py            every mutant, in a tree of its own (build/mutants); minutes
    mutants.py --only G   those whose name, file or test the glob fits
    mutants.py --list     their names
    mutants.py --check    every mutant still fits the sources, nothing is built; seconds

A mutant that survives, or does not fit the sources any more, fails this program; so does one that
is called by a row of the vocabulary when no test fails that is called by that row.
"""

import argparse
import fnmatch
import pathlib
import shutil
import subprocess
import sys

import row_mutants

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TREE = ROOT / "build" / "mutants"

# Name, file, what stands there, what stands there instead, the test that must fail.
MUTANTS = [
    ("a control stands on the page once for each cell", "controller/report/run_page.cc",
     "if (!controls.number_of.emplace(log, controls.runs.size()).second) continue;",
     "controls.number_of.emplace(log, controls.runs.size());", "controller_report_test"),
    ("what differs from the control is not marked", "controller/report/page/compare.js",
     'return resultOf(before) === resultOf(after) ? "alike" : "differs";', 'return "alike";',
     "page_test"),
    ("a replay takes another seed", "controller/bundle/bundle.cc",
     'request.seed = number_of(said, "seed");', "request.seed = 1;", "bundle_test"),
    ("a replay that diverges does not say what was there instead",
     "controller/bundle/run_record.cc",
     "if (!lost.empty()) return tell_counterpart(before, lost.front(), after);",
     "if (!lost.empty()) return;", "controller_bundle_test"),
    ("a load() in a text goes into the bundle", "controller/run/loaded_files.cc",
     "if (load == nullptr || load->path.starts_with(\"@\")) continue;",
     "add_with_loads(path.parent_path() / \"unread.star\", files);\n"
     "    if (load == nullptr || load->path.starts_with(\"@\")) continue;", "bundle_test"),
    ("a story is without what its finding names", "controller/run/story.cc",
     "  choice.add_named(findings);\n",
     "  if (findings.size() > 999) choice.add_named(findings);\n", "controller_run_test"),
    ("a story is without causes", "controller/run/story.cc",
     "  for (const std::size_t at : named) add_causes(past, *events_[at]);\n", "",
     "controller_run_test"),
    ("env_file wins over the environment", "controller/starter/compose_file.cc",
     'merged_value("environment", all, own)', 'merged_value("environment", own, all)',
     "controller_starter_test"),
    ("a service of a profile is taken", "controller/starter/compose_file.cc",
     "if (!profiles.empty()) {", "if (profiles.size() > 99) {", "controller_starter_test"),
    ("--watch looks at the spec alone", "controller/run/loaded_files.cc",
     "add_with_loads(path.parent_path() / load->path, files);", "", "watch_test"),
    ("--watch forgets what changed during a run", "cli/watch.cc",
     "    if (!run_once(files)) return kInterrupted;\n",
     "    if (!run_once(files)) return kInterrupted;\n    look_at_specs();\n", "watch_test"),
    ("another program is not told by a replay", "cli/replay.cc",
     "if (is_same) continue;", "if (is_same || is_here) continue;", "bundle_test"),
    ("the live matrix stays on the screen", "controller/report/run_report.cc",
     'out += "\\x1b[1A\\x1b[2K";', 'out += "";', "controller_report_test"),
    ("the matrix does not fill while it runs", "controller/report/run_report.cc",
     "if (is_cell(cell.place, report.cell)) cell.outcome = report.outcome;",
     "if (is_cell(cell.place, report.cell)) cell.outcome.reset();", "controller_report_test"),
    ("what an option can be is forgotten by completions", "cli/outline.cc",
     "outline.choices = choices_of(type);", 'outline.choices = choices_of("");', "cli_test"),
    ("an optional fault that never fires passes its cell", "controller/run/judge.cc",
     "(rule.may_stay_unfired && !says_nothing)",
     "(rule.may_stay_unfired && (!says_nothing || rule.may_stay_unfired))",
     "controller_run_test"),
    ("S1-49: what is needed is never slow", "controller/starter/spec_text.cc",
     'for (const char* kind : {"_down", "_slow", "_error"})',
     'for (const char* kind : {"_down", "_error"})', "controller_starter_test"),
    ("a compose file's hosts stay names", "controller/starter/spec_text.cc",
     "if (place.begin >= first.begin || (whole && !names_a_place(key))) continue;",
     "if (place.begin >= first.begin || (whole && names_a_place(key))) continue;",
     "controller_starter_test"),
    ("what passes between services makes nothing known", "controller/events/causal_clocks.cc",
     "merge_into(clock, sender.clock);", "", "controller_events_test"),
    ("a row that is told late knows what was sent later", "controller/events/causal_clocks.cc",
     "upper_bound(course.received, time_ns,",
     "upper_bound(course.received, time_ns + (INT64_MAX >> 1), ",
     "controller_events_test"),
    ("a server's reply tells nothing of it", "proxy/net/connection_host.cc",
     "if (walked_ == codecs::Direction::kToClient) passes(walked_);", "", "proxy_net_test"),
    ("a reply that is made up knows the server", "proxy/net/connection_host.cc",
     "if (walked_ == codecs::Direction::kToClient) passes(walked_);",
     "passes(codecs::Direction::kToClient);", "proxy_net_test"),
    ("what is under way on a slow link has come", "proxy/net/connection.cc",
     "if (!lane.out.is_shaped()) host_.passes", "host_.passes", "proxy_net_test"),
    ("what came earlier is a cause", "spec/model/causality.cc",
     "count <= count_of(known, service)) continue;",
     "count == 0 || known.size() > 99) continue;", "spec_model_test"),
    ("a file that came and went leaves no trace", "controller/observe/file_tail.cc",
     "if (is_missed || news.is_cut) tell_gap(", "if (is_missed && news.is_cut) tell_gap(",
     "controller_observe_test"),
    ("a file that was written anew twice leaves no trace", "controller/observe/file_tail.cc",
     "is_latest && news.writers > 1", "is_latest && news.writers > 99",
     "controller_observe_test"),
    ("a reply's header makes room for what it announces", "controller/steps/redis_connection.cc",
     "if (announced > kElementsMax) return nullptr;", "", "controller_steps_test"),
    ("an unfired rule passes", "controller/run/judge.cc",
     "if (rule.tally.has_acted() || (rule.may_stay_unfired && !says_nothing)) continue;",
     "continue;",
     "controller_run_test"),
    ("an exit that nothing explains passes", "controller/run/judge.cc",
     "if (!exit.explained_by.empty()) continue;", "continue;", "controller_run_test"),
    ("infrastructure is a failure of the test", "controller/run/judge.cc",
     "add(model::Outcome::kError, finding_of_text(course_.infrastructure.error().what));",
     "add(model::Outcome::kFailed, finding_of_text(course_.infrastructure.error().what));",
     "controller_run_test"),
    ("S1-29: a partition is one way", "spec/dsl/partition.cc",
     "{&sides.b, &sides.a}};", "{&sides.a, &sides.b}};", "spec_dsl_test"),
    ("S1-29: a partition loses what was sent", "spec/dsl/partition.cc",
     "rule.mutable_link()->set_stall(true);", "rule.mutable_link()->set_blackhole(true);",
     "spec_dsl_test"),
    ("S1-29: what stalls flows all the same", "proxy/net/link_line.cc",
     "if (shape_.stall) {", "if (false) {", "proxy_net_test"),
    ("S1-29: a partition that met nothing passes", "controller/run/judge.cc",
     "whole.tally.fired += part.tally.fired;", "whole.tally.fired += 1;", "controller_run_test"),
    ("a reset may do what a test does", "spec/dsl/session.cc",
     "if (apart != session.apart.end()) {", "if (false) {", "spec_dsl_test"),
    ("a control's verdict is not told", "controller/run/report_json.cc",
     'if (report.control) object["control"]', 'if (false) object["control"]',
     "controller_run_test"),
    ("JUnit names no attachment", "controller/report/junit.cc",
     "for (const model::Attachment& kept : report.attachments) {",
     "for (const model::Attachment& kept : std::vector<model::Attachment>()) {",
     "controller_report_test"),
    ("wait_until gives up before its deadline", "spec/dsl/time_words.cc",
     "const bool is_last = host.clock().now() >= deadline;", "const bool is_last = true;",
     "spec_dsl_test"),
    ("S1-36: what a monitor found is no failure", "controller/run/judge.cc",
     "for (const model::Finding& finding : course_.body->violations) {",
     "for (const model::Finding& finding : std::vector<model::Finding>()) {",
     "controller_run_test"),
    ("S1-34: service= of a monitor is ignored", "spec/dsl/monitor.cc",
     "(!plan_.service || event.service == *plan_.service)", "true", "spec_dsl_test"),
    ("S1-37: a monitor sees only what came before", "spec/dsl/assertions.cc",
     "if (run.scene != nullptr) return run.scene->events;",
     "if (run.scene != nullptr) return {};", "spec_dsl_test"),
    ("S1-38: a failed monitor is not asked again", "spec/dsl/monitor.cc",
     "  await_liveness();\n  await_quiet();", "  await_liveness();", "spec_dsl_test"),
    ("S2-8: an assertion at the top level is forgotten", "spec/dsl/monitor_words.cc",
     "session_of(args).invariants.push_back(value_of(std::move(plan)));",
     "static_cast<void>(args), static_cast<void>(value_of(std::move(plan)));", "spec_dsl_test"),
    ("S0-20: rows that are committed are not told", "controller/observe/wal_transactions.cc",
     "if (!done.events.empty()) on_commit_(std::move(done));", "", "controller_observe_test"),
    ("S1-8: tables= is ignored", "controller/observe/wal_transactions.cc",
     "if (!is_wanted(*relation)) return {};", "", "controller_observe_test"),
    ("S2-5: a row's action is not told", "controller/observe/wal_transactions.cc",
     'event.set("action", std::string(action)).set("op", std::string(action));',
     'event.set("op", std::string(action));', "controller_observe_test"),
    ("S2-17: a row's table is not told", "controller/observe/wal_transactions.cc",
     'event.set("schema", relation.schema).set("table", relation.table);',
     'event.set("schema", relation.schema);', "controller_observe_test"),
    ("what an observer missed did not happen", "spec/dsl/gaps.cc",
     'if (!is_output && action != "gap") return std::nullopt;',
     "if (!is_output) return std::nullopt;", "spec_dsl_test"),
    ("a renamed log is forgotten at once", "controller/observe/file_tail.cc",
     "constexpr std::size_t kFollowedMax = 4;", "constexpr std::size_t kFollowedMax = 1;",
     "controller_observe_test"),
    ("a truncated log is read where it was", "controller/observe/file_tail.cc",
     "  followed.offset = 0;\n", "", "controller_observe_test"),
    ("the line's fields win over the event's", "controller/observe/line_decoder.cc",
     "event.find(name) != nullptr;", "false;", "controller_observe_test"),
    ("a broken stream of events forgets where it was", "controller/observe/sse.cc",
     "  line_.clear();\n  after_return_ = false;", "  id_.clear();\n  after_return_ = false;",
     "controller_observe_test"),
    ("S2-9: liveness does not wait", "spec/dsl/monitor.cc",
     "  await_liveness();\n  await_quiet();", "  await_quiet();", "spec_dsl_test"),
    ("S2-18: an order of which one side is missing holds", "spec/dsl/monitor_temporal.cc",
     "if (!events->empty()) continue;", "continue;", "spec_dsl_test"),
    ("a verdict that says nothing passes in JUnit", "controller/report/weight.cc",
     "return strict ? Weight::kBad : Weight::kSilent;",
     "return strict ? Weight::kBad : Weight::kGood;", "controller_report_test"),
    ("--strict is not asked for JUnit", "controller/report/weight.cc",
     "return strict ? Weight::kBad : Weight::kSilent;",
     "return strict ? Weight::kSilent : Weight::kSilent;", "controller_report_test"),
    ("an annotation's text may begin another command", "controller/report/github.cc",
     'return replaced(text, "%\\r\\n"); }', 'return std::string(text); }',
     "controller_report_test"),
    ("S0-22: ShiViz is told of events that it does not have", "controller/report/shiviz.cc",
     "std::min<std::uint64_t>(count, told_[other].size());", "count;", "controller_report_test"),
    ("S0-22: ShiViz is told of gaps", "controller/report/shiviz.cc",
     "counts[self] = told_[self].size() + 1;", "counts[self] += 2;", "controller_report_test"),
    ("a request's span hangs below a guessed step", "controller/report/trace_spans.cc",
     "return around.size() == 1 ?", "return !around.empty() ?", "controller_report_test"),
    ("the span of a step is another than it said", "controller/report/trace_spans.cc",
     "if (context->trace == trace_) {", "if (context->trace.empty()) {", "controller_report_test"),
    ("a bundle may write anywhere", "controller/bundle/archive.cc",
     'if (part.empty() || part == "." || part == "..") return false;',
     'if (part == ".") return false;', "controller_bundle_test"),
    ("a bundle may be a bomb", "controller/bundle/archive.cc",
     "if (bytes_ > bounds_.bytes_max) {", "if (bytes_ > ~0ULL - 1) {", "controller_bundle_test"),
    ("a secret is masked only as it is", "controller/bundle/secret_mask.cc",
     "{text, quoted.substr(1, quoted.size() - 2), html_text(text)}", "{text}",
     "controller_bundle_test"),
    ("S0-22: what only the replay has is no divergence", "controller/bundle/run_record.cc",
     "const std::vector<std::size_t> gained = alone_in(after.events, before.events);",
     "const std::vector<std::size_t> gained;", "controller_bundle_test"),
    ("a page's title calls what says nothing a failure", "controller/report/run_page.cc",
     "count({Weight::kBad, Weight::kError})",
     "count({Weight::kBad, Weight::kError, Weight::kSilent})", "controller_report_test"),
    ("the last lines of a killed worker are lost", "controller/events/shared_log.cc",
     "return write_whole(file, lines.substr(part));",
     "return {};", "controller_events_test"),
    ("lines that were written before a kill stand twice", "controller/events/shared_log.cc",
     "while (part > 0 && !end.ends_with(lines.substr(0, part))) --part;", "part = 0;",
     "controller_events_test"),
    ("what may be missing violates all the same", "spec/dsl/monitor.cc",
     "if (holds == is_liveness && !one.answer.needs_all) return std::nullopt;",
     "if (holds == is_liveness) return std::nullopt;", "spec_dsl_test"),
    ("a callback that asks for nothing is in doubt", "spec/dsl/monitor_callback.cc",
     "needs_all_ = needs_all_ && scene.asked;", "", "spec_dsl_test"),
    ("an order is decided where events are missing", "spec/dsl/monitor_words.cc",
     "if (const auto why = gap_for(*star::make<MonitorValue>(plan), events)) {",
     "if (const std::optional<std::string> why = {}) {", "spec_dsl_test"),
    ("a deadline takes what is not recorded yet for what did not come", "spec/dsl/monitor.cc",
     "    pass_barrier();\n    look(true);\n  }\n}", "    look(true);\n  }\n}", "spec_dsl_test"),
    ("a long log forgets the clocks of its causes", "controller/events/event_log.cc",
     "if (event) return (*event)->clock;", "", "controller_events_test"),
    ("an interrupt is forgotten beside a failure", "spec/model/verdict.cc",
     "{0, 1, 3, 2, 130}", "{0, 130, 1, 3, 2}", "controller_run_test"),
    ("nth= fires on every match", "proxy/rules/trigger.cc",
     "if (nth.has_value() && match != *nth) return false;", "",
     "proxy_rules_test"),
    ("a refused COMMIT is committed", "codecs/postgres/to_server.cc",
     'if (unit.ends_transaction()) poisoned += "ROLLBACK; ";', "", "codecs_postgres_test"),
    ("the injected error keeps the server's own words", "codecs/postgres/to_client.cc",
     "if (unit->is_acted_on()) return inject(message, *unit);",
     "if (unit->is_acted_on()) return pass(message);", "codecs_postgres_test"),
    ("a lost reply reaches its client", "codecs/postgres/to_client.cc",
     "if (losing_) return pass_what_still_may(message);", "", "codecs_postgres_test"),
    ("a masked HTTP reply reaches its client", "codecs/http/request_side.cc",
     "verb.kind == Kind::kLose || verb.kind == Kind::kMask ||", "verb.kind == Kind::kLose ||",
     "codecs_http_test"),
    ("an injected Redis error overtakes what is owed", "codecs/redis/to_server.cc",
     "step.act = Substitute{.bytes = pending.bytes, .with = std::string(with)};",
     'step.act = Answer{.bytes = with.empty() ? 0 : pending.bytes, '
     '.with = "-" + owed.touched->error + "\\r\\n"};\n'
     "  if (with.data() != nullptr) return false;", "codecs_redis_test"),
    ("deny() lets the call pass", "interceptor/decide/decider.cc",
     "verdict.action = armed.rule.action;", "verdict.action = Verdict::Action::kAllow;",
     "interceptor_decide_test"),
    ("a slow link is a quick one", "proxy/net/link_line.cc",
     "if (at > loop_.now()) {", "if (false) {", "proxy_net_test"),
    ("S0-6: a command does not work in the directory that would be built",
     "controller/launch/project_file.cc", "!entry.cwd.empty() ? entry.cwd : service.build;",
     "entry.cwd;", "controller_launch_test"),
    ("a private key goes into the bundle", "controller/bundle/programs.cc",
     "  if (left_out_.contains(fs::weakly_canonical(path, error))) return;\n", "",
     "controller_bundle_test"),
    ("an unknown key of misrule.toml is passed over", "controller/launch/project_file.cc",
     "for (const auto& [name, value] : *table) {\n    if (!take_member(",
     "for (const auto& [name, value] : *table) {\n    if (name == \"comand\") continue;\n"
     "    if (!take_member(", "controller_launch_test"),
    ("S0-16: a rule's label is not told where it fired", "controller/report/failure.cc",
     "return named ? ", "return named && false ? ", "controller_report_test"),
    ("S0-8, S1-5: a dependency is forgotten", "spec/dsl/declare.cc",
     "service_.depends_on.push_back(*name);", "service_.depends_on = {*name};", "spec_dsl_test"),
    ("S0-9: the path of a healthcheck is forgotten", "spec/dsl/declare.cc",
     "check.path = text.substr(slash);", "check.path = text.substr(text.size());", "spec_dsl_test"),
    ("S0-10: every function is a test", "spec/dsl/loaded_spec.cc",
     'if (!name.starts_with("test_")) continue;', "", "spec_dsl_test"),
    ("S0-11: a docstring is no description", "spec/dsl/loaded_spec.cc",
     ".description = description_of(function->doc()),", ".description = {},", "spec_dsl_test"),
    ("S0-12: no step can be called on a service", "spec/dsl/values.cc",
     "if (declared_.interfaces.size() != 1) return std::nullopt;\n  const model::Interface& only",
     "if (declared_.interfaces.size() > 0) return std::nullopt;\n  const model::Interface& only",
     "spec_dsl_test"),
    ("S0-15: a failed assert_eq does not say what it got", "spec/dsl/assertions.cc",
     "shown(expected), shown(got)),", "shown(expected), shown(expected)),", "spec_dsl_test"),
    ("S0-17, S1-10: a step looks into the wrong database", "controller/launch/native/postgres.cc",
     "return said || named != 1 ?", "return said || named == 1 ?", "controller_launch_test"),
    ("S0-18: rows are text", "spec/dsl/steps.cc", "data_ = *std::move(decoded);",
     "data_ = Value::string(reply_.data.text);", "spec_dsl_test"),
    ("S1-4: an address is not the interface's", "spec/dsl/values.cc",
     'return Value::string(fmt::format("localhost:{}", declared_.port));',
     'return Value::string(fmt::format("localhost:{}", declared_.port + 1));', "spec_dsl_test"),
    ("S1-16: keys() asks for something else", "spec/dsl/redis_steps.cc",
     'Shape{"keys", "KEYS", {"pattern=*"}}', 'Shape{"keys", "SCAN", {"pattern=*"}}',
     "spec_dsl_test"),
    ("S1-19: another errno than the spec says", "spec/dsl/actions.cc",
     "draft.rule.mutable_deny()->set_error(given.errno_name);",
     'draft.rule.mutable_deny()->set_error("EIO");', "spec_dsl_test"),
    ("S1-20, S2-22: a delay is not as long as the spec says", "spec/dsl/actions.cc",
     "delay.set_duration_us(microseconds_of(given.duration));",
     "delay.set_duration_us(microseconds_of(given.duration) / 2);", "spec_dsl_test"),
    ("S1-41: an excluded cell runs", "spec/dsl/fault_matrix.cc",
     "if (!excluded_.contains(place)) declare_cell(place, matrix);",
     "declare_cell(place, matrix);", "spec_dsl_test"),
    ("S2-3, S2-7: a test is without the monitors of its assumption", "spec/dsl/declared_test.cc",
     "run.monitors.insert(run.monitors.end(), monitors.begin(), monitors.end());", "",
     "spec_dsl_test"),
    ("S2-10: a deadline of one's own is no deadline", "spec/dsl/assertions.cc",
     "host_.clock().now() + within_;", "host_.clock().now() + within_ / 10;", "spec_dsl_test"),
    ("S2-13: answers of parallel() are turned round", "spec/dsl/parallel.cc",
     "results.push_back(std::move(branch.result));",
     "results.insert(results.begin(), std::move(branch.result));", "spec_dsl_test"),
    ("assert_eq compares nothing", "spec/dsl/assertions.cc",
     "if (got.equals(expected)) return Value::none();",
     "if (got.equals(expected) || true) return Value::none();", "spec_dsl_test"),
] + row_mutants.MUTANTS


def refuse(text):
    raise SystemExit(f"mutants: {text}")


def mutated(mutant):
    name, file, old, new, _ = mutant
    text = (ROOT / file).read_text()
    if text.count(old) != 1:
        refuse(f"'{name}' fits {file} {text.count(old)} times, not once: mend tests/mutants")
    return text.replace(old, new)


def copy_sources():
    """The tree as git knows it, with what is changed: never the checkout that people work in."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, listed):
        source, copy = ROOT / name, TREE / "src" / name
        if not source.is_file():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copy(source, copy)


# What a script needs that is no end-to-end test.
SCRIPT_TARGETS = {"page_test": "print_sample_page"}


def is_script(test):
    return any((ROOT / "tests").rglob(test + ".py"))


def build(test):
    target = SCRIPT_TARGETS.get(test, "e2e_tests") if is_script(test) else test
    return subprocess.run(["ninja", "-C", TREE / "build", target], capture_output=True, text=True)


def passes(test, wanted="*"):
    if is_script(test):
        return subprocess.run(["ctest", "--test-dir", TREE / "build", "--no-tests=error", "-R",
                               f"^{test}$"], capture_output=True).returncode == 0
    program = next(path for path in (TREE / "build" / "tests").rglob(test) if path.is_file())
    return subprocess.run([program, f"--gtest_filter={wanted}"], capture_output=True,
                          timeout=300).returncode == 0


def missed_by(mutant):
    """The tests that are called by its rows and pass all the same; without rows, all as one."""
    wanted = [f"*{row.replace('-', '_')}_*" for row in sorted(row_mutants.rows_in(mutant[0]))]
    return [tests for tests in wanted or ["*"] if passes(mutant[4], tests)]


def fate(mutant):
    """Which tests it survives."""
    _, file, _, _, test = mutant
    copy = TREE / "src" / file
    sound = copy.read_text()
    copy.write_text(mutated(mutant))
    try:
        built = build(test)
        if built.returncode != 0:
            return ["the compiler: " + built.stdout[-1000:]]
        return missed_by(mutant)
    finally:
        copy.write_text(sound)


def run(mutants):
    copy_sources()
    subprocess.run(["cmake", "--preset", "release", "-B", TREE / "build"], cwd=TREE / "src",
                   check=True, capture_output=True)
    for test in sorted({mutant[4] for mutant in mutants}):
        print(f"without a mutant: {test}", flush=True)
        built = build(test)
        if built.returncode != 0 or not passes(test):
            refuse(f"{test} does not pass without a mutant:\n{built.stdout[-2000:]}")
    alive = 0
    for number, mutant in enumerate(mutants, 1):
        missed = fate(mutant)
        alive += bool(missed)
        said = f"survives {', '.join(missed)}" if missed else "found"
        print(f"{number}/{len(mutants)} {said}: {mutant[0]}", flush=True)
    print(f"{len(mutants) - alive} of {len(mutants)} mutants are found by their tests")
    return 1 if alive else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="*")
    arguments = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS
              if any(fnmatch.fnmatch(mutant[part], arguments.only) for part in (0, 1, 4))]
    if not chosen:
        refuse(f"'{arguments.only}' fits none")
    for mutant in chosen:
        mutated(mutant)
        if arguments.list:
            print(f"{mutant[0]:50} {mutant[4]}")
    return 0 if arguments.list or arguments.check else run(chosen)


if __name__ == "__main__":
    sys.exit(main())
