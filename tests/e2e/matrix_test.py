#!/usr/bin/python3
"""Assumptions, scenarios and matrices: what each cell says, and what it costs."""

import unittest

import misrule
from misrule import SERVICE

# /write meets disk_full, /health does not; nothing here calls fsync.
CELLS = SERVICE + '''
def writes():
    return api.get(path = "/write?path=/tmp/file")

def works():
    return api.get(path = "/health")

scenario(writes)
scenario(works)
disk_full = fault_assumption("disk_full", target = api, description = "Nothing more fits.",
                             write = deny("ENOSPC", path = "/tmp/file", label = "full"))
no_sync = fault_assumption("no_sync", target = api, fsync = deny("EIO"))
'''
MATRIX = CELLS + '''
fault_matrix(scenarios = [writes, works], faults = [disk_full],
             default_expect = lambda r: assert_eq(r.status, 200),
             overrides = {(writes, disk_full): lambda r: (
                 assert_eq(r.status, 503),
                 assert_eq(writes().status, 200, "the fault has ended"))})
'''


class Matrix(misrule.Project):
    def outcomes(self, run):
        return {test["name"]: test["outcome"] for test in run.report["tests"]}

    def test_a_cell_whose_fault_never_fires_is_not_exercised(self):
        """S1-39, S1-40, S1-15"""
        run = self.run_spec(MATRIX)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(self.outcomes(run), {"test_matrix_writes_disk_full": "passed",
                                              "test_matrix_works_disk_full": "not exercised"})
        cell = run.test("test_matrix_works_disk_full")
        self.assertIn("never fired", cell["findings"][0]["message"])
        self.assertEqual(cell["cell"], {"matrix": 1, "scenario": "works", "fault": "disk_full"})
        self.assertEqual(cell["description"], "Nothing more fits.")
        fired = run.test("test_matrix_writes_disk_full")
        self.assertGreater(fired["rules"][0]["fired"], 0, run.output)
        self.assertEqual(fired["rules"][0]["id"], "full")
        self.assertTrue(any("control passed" in note for note in fired["notes"]), fired["notes"])
        self.assertEqual((fired["control"]["outcome"], fired["control"]["reason"]), ("passed", ""))
        log = (self.folder / fired["control"]["event_log"]).read_text().splitlines()
        self.assertEqual(len(log), fired["control"]["events_total"])
        self.assertIn("/write", str(log))
        self.assertNotIn("ENOSPC", str(log), "the control has no faults")
        self.assertIn("ENOSPC", (self.folder / fired["event_log"]).read_text())
        self.assertEqual(run.report["totals"]["not exercised"], 1)
        self.assertRegex(run.output, r"\n +disk_full\n +writes +✓ passed\n"
                                     r" +works +○ not exercised\n")
        self.assertIn("1 not exercised, 1 passed", run.output)

    def test_strict_fails_what_is_not_exercised_or_has_no_oracle(self):
        self.assertEqual(self.run_spec(MATRIX, "--strict").code, 1)
        passed = self.run_spec(MATRIX, "--strict", "--test", "test_matrix_writes*")
        self.assertEqual(passed.code, 0, "the control\n" + passed.output)
        smoke = CELLS + "fault_matrix(scenarios = [writes], faults = [disk_full])\n"
        run = self.run_spec(smoke)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(self.outcomes(run), {"test_matrix_writes_disk_full": "no oracle"})
        self.assertEqual(self.run_spec(smoke, "--strict").code, 1)

    def test_an_assumption_that_fires_in_no_cell_fails_them_all(self):
        spec = MATRIX.replace("faults = [disk_full]", "faults = [disk_full, no_sync]")
        run = self.run_spec(spec)
        self.assertEqual(run.code, 1, run.output)
        outcomes = self.outcomes(run)
        self.assertEqual(outcomes["test_matrix_writes_no_sync"], "failed")
        self.assertEqual(outcomes["test_matrix_works_no_sync"], "failed")
        self.assertEqual(outcomes["test_matrix_works_disk_full"], "not exercised", "one fires")
        self.assertIn("no_sync fires in none of its 2 cells", run.output)
        some = self.run_spec(spec, "--test", "test_matrix_works_no_sync")
        self.assertEqual(some.code, 0, "its other cell was not asked for\n" + some.output)

    def test_a_cell_whose_control_fails_is_invalid(self):
        spec = MATRIX.replace('"/health")\n', '"/connect?port=9")\n', 1)
        run = self.run_spec(spec)
        self.assertEqual(run.code, 1, run.output)
        self.assertEqual(self.outcomes(run)["test_matrix_works_disk_full"], "invalid")
        self.assertEqual(self.outcomes(run)["test_matrix_writes_disk_full"], "passed")
        findings = run.test("test_matrix_works_disk_full")["findings"]
        self.assertIn("the control does not hold", findings[0]["message"])
        self.assertIn("without faults the scenario got status 503", findings[1]["message"])
        control = run.test("test_matrix_works_disk_full")["control"]
        self.assertEqual((control["outcome"], control["reason"]),
                         ("failed", findings[1]["message"]))
        answered = spec.replace("assert_eq(r.status, 200)", "assert_eq(r.status, 503)", 1)
        self.assertEqual(self.run_spec(answered).code, 1, "the control")
        allowed = answered.replace("fault_matrix(", "fault_matrix(control = lambda r: None, ")
        self.assertEqual(self.run_spec(allowed).code, 0, "control= says better what must hold")

    def test_a_scenario_under_a_fault_is_a_test(self):
        spec = CELLS + '''
fault_scenario("full", scenario = writes, faults = [disk_full],
               expect = lambda r: assert_eq(r.status, 503))
fault_scenario("unmet", scenario = works, faults = [disk_full],
               expect = lambda r: assert_eq(r.status, 200))
'''
        run = self.run_spec(spec)
        self.assertEqual(run.code, 1, run.output)
        self.assertEqual(self.outcomes(run), {"full": "passed", "unmet": "failed"})
        self.assertIn("never fired", run.test("unmet")["findings"][0]["message"])

    def test_what_compile_prints_of_a_declared_rule_is_that_rule(self):
        spec = CELLS + '''
fault_scenario("full", scenario = writes, faults = [disk_full],
               expect = lambda r: assert_eq(r.status, 503))
'''
        self.write("spec.star", spec)
        compiled = self.misrule("compile", "spec.star")
        self.assertEqual(compiled.returncode, 0, compiled.stderr)
        self.assertIn("id: full", compiled.stdout)
        self.write("rules.yaml", compiled.stdout)
        run = self.run_spec(spec, "--rules", "rules.yaml")
        self.assertEqual(self.outcomes(run), {"full": "passed"}, run.output)
        self.assertEqual(len(run.test("full")["rules"]), 1)


if __name__ == "__main__":
    misrule.main()
