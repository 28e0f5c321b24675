#!/usr/bin/python3
"""What CI systems read of a run: JUnit XML by its schema, GitHub's annotations and summary."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
PRINT = sys.argv.pop(1)
SPEC = "examples/shop/shop.star"


def printed(form):
    return subprocess.run([PRINT, form], check=True, capture_output=True).stdout.decode()


def cases_of(form):
    """{test: (element, type)}; a passed one has neither."""
    found = {}
    for case in xml.etree.ElementTree.fromstring(printed(form)).iter("testcase"):
        found[case.get("name")] = next(((child.tag, child.get("type")) for child in case
                                        if child.tag != "properties"), None)
    return found


class Junit(unittest.TestCase):
    def validate(self, text):
        return subprocess.run(["xmllint", "--noout", "--schema", str(SOURCES / "docs/junit.xsd"),
                               "-"], input=text, text=True, capture_output=True)

    @unittest.skipUnless(shutil.which("xmllint"), "xmllint is not installed")
    def test_it_is_what_the_schema_says(self):
        for form in ("junit", "junit-strict"):
            text = printed(form)
            valid = self.validate(text)
            self.assertEqual(valid.returncode, 0, valid.stderr)
            for before, after in (('type="failed"', 'type="fine"'), ('tests="', 'cases="'),
                                  ("<testcase name", "<testcase nom")):
                self.assertIn(before, text)
                self.assertNotEqual(self.validate(text.replace(before, after)).returncode, 0, after)

    def test_each_verdict_has_its_form(self):
        self.assertEqual(cases_of("junit"), {
            "test_checkout": None,
            "test_insert_fails_once_then_retries": ("failure", "failed"),
            "test_unfired": ("failure", "failed"),
            "test_hostile,a:b": ("failure", "failed"),
            "test_invalid": ("failure", "invalid"),
            "test_inconclusive": ("failure", "inconclusive"),
            "test_infrastructure": ("error", "error"),
            "test_interrupted": ("error", "interrupted"),
            "test_skipped": ("skipped", "skipped"),
            "test_not_exercised": ("skipped", "not exercised"),
            "test_no_oracle": ("skipped", "no oracle"),
            "test_never_begun": ("skipped", "not run"),
            "the spec loads": ("error", "spec")})

    def test_strict_fails_what_says_nothing(self):
        plain, strict = cases_of("junit"), cases_of("junit-strict")
        changed = {name: form for name, form in strict.items() if form != plain[name]}
        self.assertEqual(changed, {"test_skipped": ("failure", "skipped"),
                                   "test_not_exercised": ("failure", "not exercised"),
                                   "test_no_oracle": ("failure", "no oracle")})

    def test_the_counts_are_those_of_the_cases(self):
        root = xml.etree.ElementTree.fromstring(printed("junit"))
        for node in (root, *root.iter("testsuite")):
            for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"),
                              ("skipped", "skipped")):
                self.assertEqual(int(node.get(name)), len(list(node.iter(tag))), (node.tag, name))

    def test_a_failure_says_where_and_how_to_run_it_again(self):
        root = xml.etree.ElementTree.fromstring(printed("junit"))
        case = next(case for case in root.iter("testcase")
                    if case.get("name") == "test_insert_fails_once_then_retries")
        self.assertEqual((case.get("classname"), case.get("file"), case.get("time")),
                         ("examples.shop.shop", SPEC, "0.450"))
        failure = case.find("failure")
        self.assertEqual(failure.get("message"), "assert_eq: payments charged: expected 1, got 2")
        self.assertIn(f"{SPEC}:58:5", failure.text)
        self.assertIn(f"again: misrule test {SPEC} --test test_insert_fails_once_then_retries"
                      " --seed 42", failure.text)

    def test_a_case_tells_its_control_and_what_it_kept(self):
        told = {}
        for case in xml.etree.ElementTree.fromstring(printed("junit")).iter("testcase"):
            for item in case.iter("property"):
                told.setdefault(case.get("name"), {})[item.get("name")] = item.get("value")
        self.assertEqual(told, {
            "test_checkout": {"misrule.attachment": "attachments/orders"},
            "test_insert_fails_once_then_retries": {"misrule.control": "passed in 0.120 s"}})

    def test_hostile_text_stays_text(self):
        root = xml.etree.ElementTree.fromstring(printed("junit"))
        failure = next(case for case in root.iter("testcase")
                       if case.get("name") == "test_hostile,a:b").find("failure")
        self.assertIn("50% ]]> \ufffd \ufffd ·[31m </failure>", failure.text)


class Github(unittest.TestCase):
    def annotation(self, test, form="annotations"):
        return next(line for line in printed(form).splitlines() if f"title={test}" in line)

    def test_an_annotation_stands_at_the_line_to_blame(self):
        self.assertEqual(self.annotation("test_insert_fails"),
                         f"::error file=sub/{SPEC},line=58,col=5,"
                         "title=test_insert_fails_once_then_retries (failed)::"
                         "assert_eq: payments charged: expected 1, got 2")

    def test_what_the_runner_reads_is_escaped(self):
        self.assertEqual(self.annotation("test_hostile"),
                         f"::error file=sub/{SPEC},line=7,col=2,"
                         "title=test_hostile%2Ca%3Ab (failed)::"
                         "50%25 ]]> \ufffe \ufffd ·[31m </failure>%0A::error::no")
        self.assertTrue(all(line.startswith(("::error file=", "::warning file="))
                            for line in printed("annotations").splitlines()))

    def test_what_says_nothing_warns_and_what_passed_is_silent(self):
        for test in ("test_skipped", "test_not_exercised", "test_no_oracle"):
            self.assertTrue(self.annotation(test).startswith("::warning "), test)
            self.assertTrue(self.annotation(test, "annotations-strict").startswith("::error "))
        self.assertNotIn("title=test_checkout", printed("annotations"))
        self.assertIn("title=the spec does not load::undefined: servce", printed("annotations"))

    def test_the_summary_has_counts_matrix_and_failures(self):
        summary = printed("summary")
        self.assertTrue(summary.startswith("### Misrule: "))
        self.assertIn("✓ 1 passed", summary)
        self.assertIn("○ 1 no oracle", summary)
        self.assertIn("| | db&#95;down | &#60;b&#62;disk&#60;&#47;b&#62; |\n|---|---|---|\n"
                      "| order&#124;once | ○ not exercised | ○ no oracle |\n", summary)
        self.assertIn("again: misrule test", summary)
        self.assertNotIn("</failure>", summary)


if __name__ == "__main__":
    unittest.main()
