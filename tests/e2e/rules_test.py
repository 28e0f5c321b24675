#!/usr/bin/python3
"""Rules that a file brings: those that can fire do, those that never could are refused at once."""

import misrule
from misrule import SERVICE

SPEC = SERVICE + '''
def test_it():
    assert_eq(api.get(path = "/write?path=/tmp/f").status, 200)
'''
FILE = '''
schema: misrule.rules/1
tests:
  - test: {test}
    rules:
      - id: from_a_file
        target:
          service: {service}
        {match}
        {action}
'''
MATCH = {"http": 'http: {path: "/write"}', "query": 'postgres: {query: "SELECT*"}',
         "write": 'syscall: {family: write, path: "/tmp/f"}',
         "relative": 'syscall: {family: write, path: "tmp/f"}',
         "own": 'source: api\n        http: {path: "/write"}',
         "itself": 'syscall: {family: connect, to: {service: api}}',
         "wrote": 'syscall: {family: wrote, path: "/tmp/f"}'}


class Rules(misrule.Project):
    def run_with(self, match, action, test="test_it", service="api", more=""):
        self.write("rules.yaml", FILE.format(test=test, service=service, match=MATCH[match],
                                             action=action) + more)
        return self.run_spec(SPEC, "--rules", "rules.yaml")

    def test_the_control(self):
        self.assertEqual(self.run_spec(SPEC).code, 0)

    def test_a_rule_of_a_protocol(self):
        run = self.run_with("http", "error: {status: 503}", more="        source: test\n")
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("expected 200, got 503", run.output)
        self.assertEqual(run.test("test_it")["rules"][0]["fired"], 1)

    def test_a_rule_of_a_system_call_that_the_spec_does_not_speak_of(self):
        run = self.run_with("write", "deny: {error: ENOSPC}")
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("expected 200, got 503", run.output)
        self.assertGreaterEqual(run.test("test_it")["rules"][0]["fired"], 1)

    def test_a_rule_that_never_fires_fails_the_test(self):
        run = self.run_with("http", "error: {status: 503}")
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("the fault never fired", run.output)
        self.assertIn('only with source="test"', run.output)

    def test_what_can_never_fire_is_refused_before_anything_starts(self):
        error = "error: {status: 503}"
        for arguments, reason in (
                (("http", error, "test_itt"), "no test 'test_itt' (did you mean test_it?)"),
                (("http", error, "test_it", "apy"), "there is no service 'apy'"),
                (("query", "drop: {}"), "query= is for postgres interfaces"),
                (("relative", "deny: {error: EIO}"), 'did you mean "*/tmp/f"?'),
                (("own", error), "source= is the target itself"),
                (("itself", "deny: {error: EIO}"), "to= is the target itself"),
                (("wrote", "deny: {error: EIO}"), "there is no family of system calls 'wrote'"),
                (("write", "deny: {error: EIOO}"), "there is no errno 'EIOO' (did you mean EIO?)"),
                (("write", "deny: {error: EIO}", "test_it", "apy"), "there is no service 'apy'")):
            with self.subTest(reason):
                run = self.run_with(*arguments)
                self.assertEqual(run.code, 2, run.output)
                self.assertIn(reason, run.output)
                self.assertFalse((self.folder / ".misrule").exists(), "nothing was started")

    def test_rules_are_of_the_spec_that_their_file_names(self):
        twin = self.folder / "twin.star"
        twin.write_text(SPEC)
        error = "error: {status: 503}"
        for named, failed in (("", ["spec.star", "twin.star"]), ("spec: twin.star", ["twin.star"]),
                              (f"spec: {self.folder.name}/twin.star", ["twin.star"])):
            with self.subTest(named):
                self.write("rules.yaml", named + FILE.format(
                    test="test_it", service="api", match=MATCH["http"], action=error) +
                    "        source: test\n")
                run = self.run_spec(SPEC, "twin.star", "--rules", "rules.yaml")
                self.assertEqual(run.code, 1, run.output)
                self.assertEqual([test["file"] for test in run.report["tests"]
                                  if test["outcome"] == "failed"], failed, run.output)
        self.write("rules.yaml", "spec: other.star" + FILE.format(
            test="test_it", service="api", match=MATCH["http"], action=error))
        run = self.run_spec(SPEC, "--rules", "rules.yaml")
        self.assertEqual(run.code, 2, run.output)
        self.assertIn("its rules are those of other.star, which is not among", run.output)

    def test_what_compile_prints_is_read(self):
        spec = SERVICE + '''
def test_it():
    lost = drop(path = "/health", source = "test")
    assert_eq(fault(api, lost, run = lambda: api.get(path = "/health")).ok, False)
'''
        self.write("spec.star", spec)
        compiled = self.misrule("compile", "spec.star")
        self.assertEqual(compiled.returncode, 0, compiled.stderr)
        self.write("rules.yaml", compiled.stdout)
        run = self.run_spec(spec, "--rules", "rules.yaml")
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("1 rule of the rules file is made by a test's body", run.output)


if __name__ == "__main__":
    misrule.main()
