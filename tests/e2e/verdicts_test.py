#!/usr/bin/python3
"""The mutation table: for each verdict a run that must give it, with its exit code and reason."""

import shutil
import signal
import time
import unittest

import misrule
import world
from misrule import SERVICE, SLOW

PASSING = SERVICE + '''
def test_it():
    """It answers."""
    assert_eq(api.get(path = "/health").status, 200)
'''


class Verdicts(misrule.Project):
    def assert_verdict(self, run, code, outcome, reason):
        self.assertEqual(run.code, code, run.output)
        test = run.test("test_it")
        self.assertEqual(test["outcome"], outcome, run.output)
        if reason:
            self.assertIn(reason, test["findings"][0]["message"], run.output)

    def test_passed(self):
        self.assert_verdict(self.run_spec(PASSING), 0, "passed", None)

    def test_events_of_a_passed_test_are_shown_to_whoever_asks(self):
        plain = self.run_spec(PASSING)
        self.assertNotIn("GET /health", plain.output, "the control")
        self.assertNotIn("It answers.", plain.output)
        told = self.run_spec(PASSING, "-v")
        self.assert_verdict(told, 0, "passed", None)
        self.assertIn("It answers.", told.output)
        self.assertRegex(told.output, r"test\b.*GET /health")

    def test_failed_by_an_assertion(self):
        run = self.run_spec(PASSING.replace("200", "201"))
        self.assert_verdict(run, 1, "failed", "expected 201, got 200")

    def test_failed_by_a_fault_that_never_fired(self):
        spec = SERVICE + '''
def test_it():
    fault(api, connect = deny("ECONNREFUSED"), run = lambda: api.get(path = "/health"))
'''
        run = self.run_spec(spec)
        self.assert_verdict(run, 1, "failed", "never fired")
        line = spec.splitlines()[-1]
        caret = " " * line.index("deny") + "^" * len('deny("ECONNREFUSED")') + "\n"
        self.assertEqual(run.test("test_it")["findings"][0]["source_line"], line)
        self.assertIn(caret, run.output)
        fired = spec.replace('path = "/health"', 'path = "/connect"')
        self.assertEqual(self.run_spec(fired).code, 0, "the same fault, met")

    def test_failed_by_an_exit_that_nothing_explains(self):
        spec = PASSING.replace('path = "/health"', 'path = "/exit"').replace("200", "0")
        run = self.run_spec(spec)
        self.assert_verdict(run, 1, "failed", "api exited with status 7")

    def test_failed_by_an_error_in_the_body(self):
        run = self.run_spec(PASSING + "    [][1]\n")
        self.assert_verdict(run, 1, "failed", "")

    def test_failed_by_the_deadline(self):
        spec = SERVICE + SLOW + '''
def test_it():
    wait_a_minute()
'''
        run = self.run_spec(spec, "--timeout", "10s")
        self.assert_verdict(run, 1, "failed", "the deadline of 10 s passed while GET /write")

    def test_a_wrong_spec(self):
        for wrong in ("def test_it(:", SERVICE + 'x = service("api")', "y = nowhere", SERVICE):
            run = self.run_spec(wrong)
            self.assertEqual(run.code, 2, run.output)

    def test_a_selection_of_nothing(self):
        self.assertEqual(self.run_spec(PASSING, "--test", "test_other").code, 2)

    def test_a_service_that_ends_before_it_is_ready(self):
        spec = PASSING.replace('"./api.py"', '"/bin/sh", args = ["-c", "echo no licence; exit 3"]')
        run = self.run_spec(spec)
        self.assert_verdict(run, 3, "error", "api exited with status 3 before it was ready")
        self.assertIn("no licence", run.output)

    def test_a_service_that_is_never_ready(self):
        spec = PASSING.replace('8080/health")', '8080/nowhere", timeout = "1s")')
        run = self.run_spec(spec)
        self.assert_verdict(run, 3, "error", "api was not ready within 1 s")

    def test_an_image_that_nothing_stands_in_for(self):
        spec = PASSING.replace('binary = "./api.py"', 'image = "nosuchimage:1"')
        run = self.run_spec(spec)
        self.assertEqual(run.code, 3, run.output)
        self.assertIn('nothing on this machine stands in for image "nosuchimage:1"', run.output)

    def test_a_user_and_a_folder_that_are_not_there(self):
        for wrong, reason in (('user = "nosuchuser"', 'this machine has no user "nosuchuser"'),
                              ('cwd = "nosuchfolder"', "nosuchfolder does not exist")):
            spec = PASSING.replace('"./api.py"', '"./api.py", ' + wrong)
            run = self.run_spec(spec)
            self.assertEqual(run.code, 2, run.output)
            self.assertIn(reason, run.output)

    @unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
    def test_a_seed_that_the_server_rejects(self):
        seed = self.write("schema.sql", "CREATE TABLE t (n int);\n\nCRATE TABLE u (n int);\n")
        spec = misrule.POSTGRES.replace('"postgres:16"', '"postgres:16", seed = "schema.sql"')
        run = self.run_spec(spec + "def test_it():\n    pass\n")
        self.assert_verdict(run, 2, "error",
                            f'db: seed {seed}:3: ERROR:  syntax error at or near "CRATE"')
        self.assertIn("LINE 1: CRATE TABLE", run.output)
        seed.write_text("CREATE TABLE t (n int);\n")
        self.assertEqual(self.run_spec(spec + "def test_it():\n    pass\n").code, 0, "right")

    def test_a_lost_worker(self):
        process = self.start(SERVICE + SLOW + '''
def test_it():
    api.get(path = "/connect?port=1")
    wait_a_minute()
''')
        worker = world.of_run(process.pid, self.folder).wait_for("worker", step="/write")
        world.kill(worker)
        output, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 3, output)
        self.assertIn("killed by signal 9", output)
        self.assertIn("worker_lost", [event.get("action") for event in self.events("test_it")])

    def test_an_interrupt(self):
        took = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # The run before has made such a step, too.
            shutil.rmtree(self.folder / ".misrule", ignore_errors=True)
            process = self.start(SERVICE + SLOW + '''
mortal = service("mortal", interface("public", "http", 8090), binary = "./api.py",
                 env = {"PORT": "8090"}, healthcheck = http("localhost:8090/health"))
def test_it():
    mortal.get(path = "/exit?code=7")
    wait_a_minute()
def test_next():
    pass
''')
            run = world.of_run(process.pid, self.folder)
            run.wait_for("worker", step="/write")
            asked = time.monotonic()
            process.send_signal(number)
            output, _ = process.communicate(timeout=20)
            took.append(time.monotonic() - asked)
            self.assertEqual(process.returncode, 130, output)
            self.assertNotIn("test_next ", output)
            told = [line for line in output.splitlines() if "no fault explains it" in line]
            self.assertEqual(len(told), 1, "what the run itself ended is no finding\n" + output)
            self.assertIn("mortal exited with status 7", told[0])
            run.assert_gone(self)
        # The quickest of three: a machine that is busy for a moment decides nothing.
        self.assertLess(min(took), 2.0, "everything is gone within 2 s")

    def test_an_interrupt_while_a_service_starts(self):
        process = self.start(PASSING.replace('8080/health")', '8080/nowhere", timeout = "60s")'))
        log = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it" / "events.jsonl"
        starting = misrule.wait_until(lambda: log.exists() and '"starting"' in log.read_text(), 60)
        self.assertTrue(starting, "the control")
        run = world.of_run(process.pid, self.folder)
        run.look()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, output)
        run.assert_gone(self)

    def test_the_weightier_code_wins(self):
        self.write("wrong.star", "def test_x(:")
        self.assertEqual(self.run_spec(PASSING.replace("200", "201"), "wrong.star").code, 2)


if __name__ == "__main__":
    misrule.main()
