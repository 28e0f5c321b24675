#!/usr/bin/python3
"""The printed documents run as printed, on real small services; expected.toml says what comes out.

Their code is taken from ../shared/reference when this runs (printed.py); without it the test skips.
Beside the printed text there is only what a page names and does not show. Each service has mistakes
(BUG=) of one statement each: every one is caught by what it is for, by nothing else, and by nobody
once the faults are gone.

    reference_test.py NAME...    only these specs, with their verdicts as they are
"""

import ast
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

import printed

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", HERE.parents[1]))
BUILD = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", SOURCES / "build" / "release"))
MISRULE = BUILD / "bin" / "misrule"
DOCUMENTS = pathlib.Path(os.environ.get("MISRULE_REFERENCE_DIR",
                                        SOURCES.parent / "shared" / "reference"))
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text())
SPECS = {spec["name"]: spec for spec in EXPECTED["spec"]}


def text_of(spec, lines=None):
    """The spec as printed: what is ours comes first and is not part of it."""
    code = printed.lines_of((DOCUMENTS / spec["document"]).read_text(), lines or spec["lines"])
    if spec.get("flat"):
        code = printed.reindent(code)
    text = "\n".join(code) + "\n"
    ast.parse(text)  # A line that was cut in two would be ours, not the document's.
    ours = (HERE / spec["ours"]).read_text() if "ours" in spec else ""
    return ours + text + spec.get("adds", "")


class Project:
    """A folder with one spec, its services and its misrule.toml."""

    def __init__(self, spec):
        self.spec = spec
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-reference-"))
        self.folder.chmod(0o755)
        for key in spec.get("stand-ins", {}):
            folder = self.folder / (key if key.startswith("./") else "services")
            if not folder.exists():
                shutil.copytree(HERE / "services", folder,
                                ignore=shutil.ignore_patterns("__pycache__"))

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write_stand_ins(self, bug):
        text = ""
        for key, program in self.spec.get("stand-ins", {}).items():
            text += (f'[stand-ins."{key}"]\ncommand = ["/usr/bin/python3", "{program}"]\n'
                     f'env = {{ BUG = "{bug}" }}\n')
            text += "" if key.startswith("./") else 'cwd = "services"\n'
        (self.folder / "misrule.toml").write_text(text)

    def run(self, text, bug=""):
        """(exit code, {test: (verdict, what the report says of it)}, output)"""
        self.write_stand_ins(bug)
        (self.folder / "spec.star").write_text(text)
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        process = subprocess.run(
            [MISRULE, "test", "spec.star", "--json", "report.json"], cwd=self.folder,
            capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
        output = process.stdout + process.stderr
        tests = json.loads(report.read_text())["tests"] if report.exists() else []
        return process.returncode, {test["name"]: verdict_of(test) for test in tests}, output


def verdict_of(test):
    messages = [finding["message"] for finding in test["findings"]]
    return test["outcome"], "\n".join(messages)


class Reference(unittest.TestCase):
    maxDiff = None

    def project(self, spec):
        project = Project(spec)
        self.addCleanup(project.remove)
        return project

    def assert_verdicts(self, expected, run):
        code, verdicts, output = run
        self.assertEqual(set(verdicts), set(expected), output)
        for name, test in expected.items():
            outcome, messages = verdicts[name]
            if outcome in test.get("also", []):
                continue
            self.assertEqual(outcome, test["verdict"], f"{name}\n{output}")
            self.assertIn(test.get("reason", ""), messages, f"{name}\n{output}")
        fails = any(outcome in ("failed", "invalid") for outcome, _ in verdicts.values())
        self.assertEqual(code, 1 if fails else 0, output)

    def test_the_documents_are_those_whose_lines_are_named(self):
        for name, digest in EXPECTED["documents"].items():
            text = (DOCUMENTS / name).read_bytes()
            self.assertEqual(hashlib.sha256(text).hexdigest(), digest, name)

    def test_printed_specs_run_as_printed(self):
        for spec in SPECS.values():
            if "waits" in spec:
                continue
            with self.subTest(spec["name"]):
                run = self.project(spec).run(text_of(spec))
                self.assert_verdicts(spec["tests"], run)
                for note in spec.get("notes", []) + spec.get("says", []):
                    self.assertIn(note, run[2])

    def test_what_waits_says_what_for(self):
        for spec in SPECS.values():
            if "waits" not in spec:
                continue
            with self.subTest(spec["name"]):
                code, _, output = self.project(spec).run(text_of(spec))
                self.assertEqual(code, 2, output)
                self.assertIn(spec["waits"], output, "it is there: say what comes out now")
                print(f"waits: {spec['name']}: {spec['waits']}", file=sys.stderr)

    def test_each_bug_is_caught_by_what_it_is_for_and_by_nothing_else(self):
        for bug in EXPECTED["bug"]:
            spec = SPECS[bug["spec"]]
            with self.subTest(f"{spec['name']} BUG={bug['name']}"):
                expected = {**spec["tests"], **bug["caught"]}
                run = self.project(spec).run(text_of(spec), bug["name"])
                self.assert_verdicts(expected, run)
                for name, test in bug["caught"].items():
                    self.assertEqual(run[1][name][1].count("\n"), 0, run[2])

    def test_without_faults_nobody_is_caught(self):
        for calm in EXPECTED["calm"]:
            spec = SPECS[calm["spec"]]
            text = text_of(spec, calm["lines"]) + calm["tests"]
            names = [line.split()[1].partition("(")[0] for line in calm["tests"].splitlines()
                     if line.startswith("def test_")]
            for bug in ["", *calm["bugs"]]:
                with self.subTest(f"{spec['name']} BUG={bug}"):
                    run = self.project(spec).run(text, bug)
                    self.assert_verdicts({name: {"verdict": "passed"} for name in names}, run)


def show(names):
    for name in names:
        name, _, bug = name.partition(":")
        project = Project(SPECS[name])
        try:
            print(project.run(text_of(SPECS[name]), bug)[2])
        finally:
            project.remove()


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    if not DOCUMENTS.is_dir():
        print(f"skipped: {DOCUMENTS} is not there: nothing printed to run")
        sys.exit(77)
    if sys.argv[1:] and all(name.partition(":")[0] in SPECS for name in sys.argv[1:]):
        show(sys.argv[1:])
    else:
        unittest.main()
