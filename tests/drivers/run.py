#!/usr/bin/env python3
"""Do the drivers' own test suites behave through the idle proxy as they do directly?

    tests/drivers/run.py [--postgres 17] [SUITE...]

Fetches each suite, runs it against a server and through the proxy, and compares test by test. What
differs runs again, twice, both ways; what never comes out alike is a difference, and the exit code
is 1. Exit code 2: a suite could not be had, or told nothing; 3: who runs it is not root.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from fetching import WORK  # noqa: E402
from suites import SUITES  # noqa: E402

WAYS = ("direct", "through")
AGAIN = 2


def one_pass(suite, way, label, only=None):
    folder = os.path.join(WORK, "results", suite.name, f"{way}-{label}")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    command = ["unshare", "--net", "--", "/usr/bin/python3", os.path.join(HERE, "one_pass.py"),
               suite.name, way, folder]
    if only:
        with open(os.path.join(folder, "only.json"), "w") as file:
            json.dump(sorted(only), file)
        command.append(os.path.join(folder, "only.json"))
    subprocess.run(command, check=True)
    with open(os.path.join(folder, "outcomes.json")) as file:
        return json.load(file)


def outcome(result, test):
    return result["outcomes"].get(test, ("not run", ""))[0]


def differing(direct, through):
    tests = {**direct["outcomes"], **through["outcomes"]}
    return {test for test in tests if outcome(direct, test) != outcome(through, test)}


class Comparison:
    """What came out for each test, by all rounds."""

    def __init__(self, suite):
        self.suite = suite
        self.first = {way: one_pass(suite, way, "1") for way in WAYS}
        self.seen = {way: collections.defaultdict(set) for way in WAYS}
        self.note(self.first, None)
        self.suspects = differing(*self.first.values())
        open_ones = set(self.suspects)
        for round_number in range(2, 2 + AGAIN):
            if not open_ones:
                break
            again = {way: one_pass(suite, way, str(round_number), open_ones) for way in WAYS}
            self.note(again, open_ones)
            open_ones = {test for test in open_ones if not self.alike(test)}
        self.different = sorted(open_ones)

    def note(self, results, tests):
        for way, result in results.items():
            every = {*results["direct"]["outcomes"], *results["through"]["outcomes"]}
            for test in tests or every:
                self.seen[way][test].add(outcome(result, test))

    def alike(self, test):
        return bool(self.seen["direct"][test] & self.seen["through"][test])

    def print(self):
        direct, through = self.first["direct"], self.first["through"]
        counts = collections.Counter(value[0] for value in direct["outcomes"].values())
        told = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
        print(f"\n{self.suite.name}: {len(direct['outcomes'])} tests directly ({told}), "
              f"{len(through['outcomes'])} through the proxy, {len(self.different)} different")
        for test in sorted(self.suspects - set(self.different)):
            print(f"  not always alike: {test}: directly {sorted(self.seen['direct'][test])}, "
                  f"through {sorted(self.seen['through'][test])}")
        for test in self.different:
            print(f"  DIFFERENT: {test}: directly {sorted(self.seen['direct'][test])}, through "
                  f"{sorted(self.seen['through'][test])}")
            for way in WAYS:
                text = self.first[way]["outcomes"].get(test, ("", ""))[1]
                if text:
                    print(f"    {way}: {text}")
        proxy = through["proxy"]
        counters = proxy["counters"]
        print(f"  the proxy: {counters['connections_total']} connections, "
              f"{counters['messages_total']} messages, {len(proxy['opaque'])} opaque")
        reasons = collections.Counter(event.get("reason", "") for event in proxy["opaque"])
        for reason, number in reasons.most_common():
            print(f"    opaque {number}x: {reason}")
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgres", help="the server's major; by default Debian's")
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help=", ".join(suite.name for suite in SUITES))
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("network namespaces need root: run this as root, or with sudo", file=sys.stderr)
        return 3
    if arguments.postgres:
        os.environ["MISRULE_TEST_POSTGRES"] = arguments.postgres
    os.environ.setdefault("MISRULE_BINARY_DIR",
                          os.path.realpath(os.path.join(HERE, "..", "..", "build", "release")))
    os.makedirs(WORK, exist_ok=True)
    chosen = [suite for suite in SUITES if not arguments.suites or suite.name in arguments.suites]
    code = 0 if chosen else 2
    for suite in chosen:
        try:
            suite.fetch(WORK)
            compared = Comparison(suite)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"\n{suite.name}: could not be had or run: {error}", flush=True)
            code = 2
            continue
        compared.print()
        if not compared.first["direct"]["outcomes"]:
            code = 2
        elif compared.different:
            code = code or 1
    return code


if __name__ == "__main__":
    sys.exit(main())
