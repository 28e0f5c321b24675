#!/usr/bin/python3
"""The demo's judge accepts the two runs it must accept, and nothing near them."""

import copy
import os
import pathlib
import sys
import unittest

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
sys.path.insert(0, str(SOURCES / "examples" / "shop"))

import expect  # noqa: E402

BROKEN = "test_insert_fails_once_then_retries"
REASON = "assert_eq: payments charged: expected 1, got 2"


def run_of(failed=None):
    tests = []
    for name in sorted(expect.TESTS):
        rules = [] if name == "test_checkout" else [{"fired": 1, "connections_cut": 0}]
        outcome, findings = "passed", []
        if name == failed:
            outcome, findings = "failed", [{"message": REASON}]
        tests.append({"name": name, "outcome": outcome, "findings": findings, "rules": rules})
    return {"exit_code": 1 if failed else 0, "tests": tests}


class Judge(unittest.TestCase):
    def assert_refused(self, run, *arguments):
        self.assertTrue(list(expect.problems(run, *arguments)))

    def test_accepts_what_it_must(self):
        self.assertEqual(list(expect.problems(run_of())), [])
        self.assertEqual(list(expect.problems(run_of(BROKEN), BROKEN, REASON)), [])

    def test_refuses_another_failure(self):
        self.assert_refused(run_of("test_disk_full"), BROKEN, REASON)
        self.assert_refused(run_of(BROKEN))
        self.assert_refused(run_of(), BROKEN, REASON)

    def test_refuses_another_reason(self):
        run = run_of(BROKEN)
        self.assert_refused(run, BROKEN, "expected 1, got 3")
        for test in run["tests"]:
            test["findings"] = test["findings"] * 2
        self.assert_refused(run, BROKEN, REASON)

    def test_refuses_rules_that_did_not_fire_or_are_missing(self):
        for spoil in (lambda rules: rules[0].update(fired=0), lambda rules: rules.clear()):
            run = copy.deepcopy(run_of())
            spoil(run["tests"][-1]["rules"])
            self.assert_refused(run)

    def test_accepts_rules_that_only_cut_connections(self):
        run = run_of()
        run["tests"][-1]["rules"][0].update(fired=0, connections_cut=4)
        self.assertEqual(list(expect.problems(run)), [])

    def test_refuses_a_run_without_tests(self):
        self.assert_refused({"exit_code": 0, "tests": []})

    def test_refuses_a_wrong_exit_code(self):
        self.assert_refused({**run_of(), "exit_code": 1})


if __name__ == "__main__":
    unittest.main()
