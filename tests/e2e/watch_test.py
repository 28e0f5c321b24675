#!/usr/bin/python3
"""--watch: what a change touches runs again, in a process of its own; Ctrl-C ends all of it."""

import os
import re
import signal

import misrule
from misrule import BINARY, SERVICE, wait_until
from screen import Terminal
from world import descendants_of

LOADED = 'PATH = "/health"\n'
FIRST = 'load("paths.star", "PATH")\n' + SERVICE + '''
def test_first():
    assert_eq(api.get(path = PATH).status, 200)
'''
SECOND = SERVICE.replace("api.py", "other.py") + '''
def test_second():
    assert_eq(api.get(path = "/health").body, env("WANTED", "ok"))
'''


class Watch(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("paths.star", LOADED)
        self.write("first.star", FIRST)
        self.write("second.star", SECOND)
        self.write("other.py", misrule.API).chmod(0o755)

    def watch(self, *arguments, environment=None):
        terminal = Terminal([str(BINARY), "test", "first.star", "second.star", "--watch",
                             *arguments], self.folder, environment=environment)
        self.addCleanup(terminal.close)
        return terminal

    def await_gate(self):
        """Until the service reads from the gate; what holds it there."""
        opened = []

        def is_read():
            try:
                opened.append(os.open(self.folder / "gate", os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                return False
            return True

        self.assertTrue(wait_until(is_read, 60))
        return opened[0]

    def await_round(self, terminal, number):
        """What the screen shows of one round, without what came before it."""
        ended = terminal.wait_for(lambda text: text.count("Ctrl-C ends") >= number)
        said = terminal.screen.text()
        self.assertTrue(ended, said)
        return said.split("Ctrl-C ends")[number - 1]

    def test_what_a_change_touches_runs_again(self):
        terminal = self.watch("--set", "WANTED=ok")
        said = self.await_round(terminal, 1)
        self.assertIn("2 passed", said)
        self.assertIn("watching 6 files", said)
        changes = (("first.star", FIRST.replace("200", "201"), "test_first", "1 failed"),
                   ("paths.star", LOADED + "# mended\n", "test_first", "1 failed"),
                   ("first.star", FIRST, "test_first", "1 passed"),
                   ("other.py", misrule.API.replace('"ok"', '"ill"'), "test_second", "1 failed"),
                   ("second.star", "servce()\n", "second.star", "undefined: servce"),
                   ("second.star", SECOND, "test_second", "1 failed"),
                   ("other.py", misrule.API, "test_second", "1 passed"))
        for number, (file, text, test, outcome) in enumerate(changes, 2):
            self.write(file, text)
            said = self.await_round(terminal, number)
            self.assertIn(f"changed: {file}\n", said)
            self.assertIn(test, said)
            self.assertIn(outcome, said)
            untouched = "test_second" if test == "test_first" else "test_first"
            self.assertNotIn(untouched, said, f"{file} does not touch it")
        terminal.type("\x03")
        self.assertEqual(terminal.finish(), 130, terminal.screen.text())

    def test_what_changes_during_a_run_runs_after_it(self):
        os.mkfifo(self.folder / "gate", 0o644)
        self.write("first.star", FIRST.replace("PATH)", f'"/read?path={self.folder}/gate")'))
        terminal = self.watch("--test", "test_first")
        gate = self.await_gate()
        self.write("first.star", FIRST)
        os.write(gate, b"on")
        os.close(gate)
        self.assertIn("1 passed", self.await_round(terminal, 1))
        self.assertIn("changed: first.star", self.await_round(terminal, 2))

    def test_ctrl_c_during_a_run_leaves_nothing(self):
        os.mkfifo(self.folder / "gate", 0o644)
        self.write("first.star", FIRST.replace("PATH)", f'"/read?path={self.folder}/gate")'))
        terminal = self.watch()
        self.addCleanup(os.close, self.await_gate())
        below = descendants_of(terminal.process.pid)
        self.assertGreater(len(below), 3, "the control: run, nursery, world, service")
        terminal.type("\x03")
        self.assertEqual(terminal.finish(), 130, terminal.screen.text())
        self.assertIn("1 interrupted", terminal.screen.text())
        gone = wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below))
        self.assertTrue(gone, below)

    def test_a_watch_that_is_killed_leaves_nothing(self):
        os.mkfifo(self.folder / "gate", 0o644)
        self.write("first.star", FIRST.replace("PATH)", f'"/read?path={self.folder}/gate")'))
        terminal = self.watch()
        self.addCleanup(os.close, self.await_gate())
        below = descendants_of(terminal.process.pid)
        terminal.process.send_signal(signal.SIGKILL)
        gone = wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below))
        self.assertTrue(gone, below)

    def test_a_nursery_that_dies_is_an_error_and_the_next_run_has_another(self):
        os.mkfifo(self.folder / "gate", 0o644)
        self.write("first.star", FIRST.replace("PATH)", f'"/read?path={self.folder}/gate")'))
        terminal = self.watch("--test", "test_first")
        self.addCleanup(os.close, self.await_gate())
        run, nursery = descendants_of(terminal.process.pid)[:2]
        self.assertNotEqual(run, nursery)
        os.kill(nursery, signal.SIGKILL)
        said = self.await_round(terminal, 1)
        self.assertIn("the nursery, which forks the tests' worlds, was lost", said)
        self.assertRegex(said, re.compile(r"^! test_first", re.MULTILINE))
        self.write("first.star", FIRST)
        self.assertIn("1 passed", self.await_round(terminal, 2))

    def test_what_makes_no_sense_with_it(self):
        for other in ("--keep", "--list"):
            refused = self.misrule("test", "first.star", "--watch", other)
            self.assertEqual(refused.returncode, 2, refused)


if __name__ == "__main__":
    misrule.main()
