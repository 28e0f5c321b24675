#!/usr/bin/python3
"""Did a run of the shop's spec end as it must? expect.py RUN.json [FAILED_TEST REASON]

Without a test: all passed, and every rule acted. With one: exactly it failed, with this reason.
"""

import json
import sys

TESTS = {"test_checkout", "test_database_refuses_connections", "test_disk_full",
         "test_insert_fails_once_then_retries", "test_slow_query_times_out"}


def acted(rule):
    """A pool that lost its connections need not have come back for more."""
    return rule["fired"] > 0 or rule["connections_cut"] > 0


def problems(run, failed_test=None, reason=None):
    outcomes = {test["name"]: test["outcome"] for test in run["tests"]}
    expected = {name: "failed" if name == failed_test else "passed" for name in TESTS}
    if outcomes != expected:
        yield f"the outcomes are {outcomes}, expected {expected}"
    for test in run["tests"]:
        faults = 0 if test["name"] == "test_checkout" else 1
        if len(test["rules"]) != faults or not all(map(acted, test["rules"])):
            yield f"{test['name']}: expected {faults} rules that acted, got {test['rules']}"
        if test["name"] == failed_test:
            messages = [finding["message"] for finding in test["findings"]]
            if len(messages) != 1 or reason not in messages[0]:
                yield f"{failed_test} failed for {messages}, expected '{reason}'"
    if run["exit_code"] != (1 if failed_test else 0):
        yield f"the exit code is {run['exit_code']}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(problems(json.load(file), *sys.argv[2:]))
    for problem in found:
        print(f"demo: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
