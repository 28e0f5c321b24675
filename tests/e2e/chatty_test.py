#!/usr/bin/python3
"""A service that prints without a pause: the test stays in command."""

import signal
import time

import misrule
import world
from misrule import SERVICE

API = misrule.API.replace("    def do_health(self):", r'''    def do_chatter(self):
        import subprocess
        subprocess.Popen(["/usr/bin/yes", "spam " * 20])
        return "started"
    def do_print(self, lines, text):
        print((text + "\n") * int(lines), end="", flush=True)
        return "printed"
    def do_health(self):''')


class Chatty(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("api.py", API)

    def test_the_deadline_is_kept(self):
        spec = SERVICE + '''
def test_it():
    api.get(path = "/chatter")
    for i in range(100000000000): pass
'''
        run = self.run_spec(spec, "--timeout", "8s")
        self.assertEqual(run.code, 1, run.output)
        test = run.test("test_it")
        self.assertIn("the deadline of 8 s passed", test["findings"][0]["message"])
        self.assertIn("more lines", " ".join(test["notes"]))

    def test_an_interrupt_is_answered(self):
        process = self.start(SERVICE + '''
def test_it():
    api.get(path = "/chatter")
    api.get(path = "/connect?port=1")
    for i in range(100000000000): pass
''')
        run = world.of_run(process.pid, self.folder)
        run.wait_for("worker", step="/connect")
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        run.assert_gone(self)
        # Politely: the worker itself has told what it was doing.
        self.assertIn("interrupted", self.actions("test_it"), f"{time.monotonic() - asked} s")

    def actions(self, test):
        return [event.get("action") for event in self.events(test)]

    def test_what_is_not_recorded_decides_nothing(self):
        """100,000 lines are recorded; a line beyond them is known to its file alone."""
        self.assert_outcome(1000, "passed", 'assert_never(type = "stdout", where = PANIC)')
        self.assert_outcome(100001, "inconclusive",
                            'assert_never(type = "stdout", where = PANIC)')
        events = self.events("test_it")
        self.assertLess(len(events), 100100)
        told = [event for event in events if event.get("action") == "output_cut"]
        self.assertEqual(len(told), 2, "at the limit, and at the end")
        self.assertIn("more lines", told[-1]["detail"])
        folder = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it"
        self.assertGreater((folder / "api.log").read_text().count("spam"), 100000)

    def test_traffic_is_known_all_the_same(self):
        self.assert_outcome(100001, "passed",
                            'assert_never(type = "proxy", where = {"path": "/panic"})')

    def assert_outcome(self, lines, outcome, assertion):
        run = self.run_spec(SERVICE + f'''
PANIC = {{"body": "panic*"}}
def test_it():
    assert_true(api.get(path = "/print?lines={lines}&text=spam",
                        timeout = "120s").ok)
    {assertion}
''')
        self.assertEqual(run.test("test_it")["outcome"], outcome, run.output)


if __name__ == "__main__":
    misrule.main()
