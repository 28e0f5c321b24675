#!/usr/bin/python3
"""What a failure says in the terminal, whichever its kind: what was expected, what was seen, the
events that matter, and how to run it again."""

import re
import unittest

import misrule
from misrule import POSTGRES, SERVICE

SPEC = SERVICE + '''
def health(path = "/health"):
    return api.get(path = path)
def ignores_it(event):
    if event["type"] == "step_recv" and event.get("status") == 200:
        fail("want 404, got %s" % event["status"])
def test_assertion():
    assert_eq(health("/nothing").status, 200, "the shop's status")
def test_expectation():
    expect_status(200)(health("/nothing"))
def test_step():
    print(api.get(path = "/health", timeout = "1us").data)
def test_eventually():
    health()
    assert_eventually(type = "step_recv", where = {"status": 201}, within = "100ms")
def test_never():
    health()
    assert_never(type = "step_recv", where = lambda e: e.status == 200, msg = "no 200")
def test_predicate():
    health()
    assert_never(type = "step_recv", where = lambda e: e["colour"] == "red")
def test_monitor():
    invariant(monitor(ignores_it))
    health()
def test_declared():
    invariant(monitor("at most one", on = {"type": "step_send"}, state_init = 0,
                      update = lambda n, e: n + 1, check = lambda n, e: n < 2))
    health()
    health()
def test_temporal():
    invariant(at_most(1, where = {"type": "step_send"}))
    health()
    health()
def test_unfired():
    fault(api, write = deny("ENOSPC", path = "/tmp/other"), run = health)
'''

# Of each test: what was expected and what was seen, as the failure's first lines say it, and an
# event that its story must have.
FAILURES = {
    "assertion": (r"the shop's status: expected 200, got 404", r"404"),
    "expectation": (r"expected status 200, got <response 404", r"404"),
    "step": (r"\.data.*timed out|timed out.*", r"/health"),
    "eventually": (r"no event matched within 100 ms", r"200"),
    "never": (r"no 200.*\n(.*\n)*?.*event \d+ matches: .*200", r"200"),
    "predicate": (r"step_recv event has no field \"colour\"\n(.*\n)*?.*hint: it has type", r"200"),
    "monitor": (r"ignores_it: want 404, got 200", r"200"),
    "declared": (r"at most one: check= is False; the state is 2\n(.*\n)*?.*at event \d+",
                 r"/health"),
    "temporal": (r"at_most: event \d+ is number 2, at most 1 may be", r"/health"),
    "unfired": (r"never fired", r"/health"),
}


class Failures(misrule.Project):
    def block(self, output, test):
        """What is said of one test."""
        found = re.search(rf"^✗ {test} (.*\n(?:  .*\n)*)", output, re.MULTILINE)
        self.assertIsNotNone(found, f"{test}\n{output}")
        return found[1]

    def assert_says_all(self, output, test, wanted):
        said, event = wanted
        block = self.block(output, test)
        self.assertRegex(block, r"(?m)^  spec\.star:\d+:\d+  ", test)
        self.assertRegex(block, said, test)
        story = re.search(r"  what happened \(\d+ of \d+ events\)\n((?:    .*\n)+)", block)
        self.assertIsNotNone(story, block)
        self.assertRegex(story[1], event, test)
        again = re.search(r"  again: (.*misrule test spec\.star .*)\n", block)
        self.assertIsNotNone(again, block)
        self.assertIn(f"--test {test} ", again[1] + " ")

    def test_every_kind_says_all_four(self):
        run = self.run_spec(SPEC)
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("10 failed", run.output)
        for kind, wanted in FAILURES.items():
            self.assert_says_all(run.output, "test_" + kind, wanted)

    @unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
    def test_an_assertion_about_the_wal(self):
        run = self.run_spec(POSTGRES.replace("healthcheck", "observe = [wal_stream()], healthcheck")
                            + '''
def test_wal():
    db.exec("create table orders (id int primary key, status text)")
    db.exec("insert into orders values (1, 'new')")
    assert_eventually(type = "wal", where = {"table": "orders", "status": "paid"}, within = "1s")
''')
        self.assertEqual(run.code, 1, run.output)
        self.assert_says_all(run.output, "test_wal",
                             (r"no event matched within 1 s", r"(?i)insert"))

    def test_a_spec_that_cannot_be_loaded(self):
        run = self.run_spec(SPEC.replace('200, "the shop', '20O, "the shop'))
        self.assertEqual(run.code, 2, run.output)
        self.assertRegex(run.output, r"spec\.star:\d+:\d+")
        self.assertIn('20O, "the shop', run.output)
        self.assertRegex(run.output, r"again: .*misrule check spec\.star\n$")


if __name__ == "__main__":
    misrule.main()
