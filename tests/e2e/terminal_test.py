#!/usr/bin/python3
"""What a run looks like on a terminal: the matrix that fills, and nothing of it that stays."""

import os
import re

import misrule
from misrule import BINARY, SERVICE
from screen import Terminal

# Two scenarios under two faults, of which one never writes; a cell waits for its gate, a FIFO.
MATRIX = SERVICE + '''
def passes(name):
    gate = "/read?path=" + env("GATES") + "/" + name
    return lambda r: assert_eq(api.get(path = gate).status, 200)

def writes():
    return api.get(path = "/write?path=/tmp/file")

def syncs():
    return api.get(path = "/sync?path=/tmp/file")

scenario(writes)
scenario(syncs)
disk_full = fault_assumption("disk_full", target = api, write = deny("ENOSPC", path = "/tmp/file"))
slow_disk = fault_assumption("slow_disk", target = api, write = delay("1ms", path = "/tmp/file"))
fault_matrix(scenarios = [writes, syncs], faults = [disk_full, slow_disk],
             default_expect = passes("gate"), exclude = [(syncs, slow_disk)])
'''


class TerminalTest(misrule.Project):
    def open_terminal(self, *arguments, **terminal):
        gate = self.folder / "gate"
        if not gate.exists():
            os.mkfifo(gate, 0o644)
        self.write("spec.star", MATRIX)
        opened = Terminal([str(BINARY), "test", "spec.star", "--set", f"GATES={self.folder}",
                           *arguments], self.folder, **terminal)
        self.addCleanup(opened.close)
        return opened

    def let_pass(self):
        (self.folder / "gate").write_text("on")

    def see(self, terminal, pattern):
        seen = terminal.wait_for(lambda text: re.search(pattern, text))
        self.assertTrue(seen, f"no {pattern!r} in\n{terminal.screen.text()}")

    def test_the_matrix_fills_while_it_runs(self):
        terminal = self.open_terminal()
        self.see(terminal, r"\n +disk_full +slow_disk\n +writes +▸ running +…\n +syncs +… +·\n"
                           r"\S test_matrix_writes_disk_full .* events  \[1/3\]")
        self.let_pass()
        self.see(terminal, r"\n +writes +✓ passed +▸ running\n +syncs +… +·\n.*\[2/3\]")
        self.let_pass()
        self.see(terminal, r"\n +writes +✓ passed +✓ passed\n +syncs +▸ running +·\n.*\[3/3\]")
        self.let_pass()
        self.assertEqual(terminal.finish(), 0, terminal.screen.text())
        self.assertIn("\x1b[32m✓", terminal.raw)
        said = terminal.screen.text()
        self.assertEqual(len(re.findall(r"^ +disk_full +slow_disk$", said, re.M)), 1, said)
        self.assertRegex(said, r"\n +disk_full +slow_disk\n +writes +✓ passed +✓ passed\n"
                               r" +syncs +○ not exercised +·\n1 not exercised, 2 passed in .*\n$")
        self.assertNotIn("running", said)
        self.assertNotIn("events  [", said)

    def test_ctrl_c_leaves_a_clean_screen(self):
        terminal = self.open_terminal(environment={"NO_COLOR": "1"}, columns=60)
        self.see(terminal, r"▸ running +…\n +syncs")
        terminal.type("\x03")
        self.assertEqual(terminal.finish(), 130, terminal.screen.text())
        self.assertIn("^C", terminal.raw, "the control: the terminal shows it")
        self.assertNotRegex(terminal.raw, r"\x1b\[\d*m")
        said = terminal.screen.text()
        for leftover in ("running", "^C", "events  [", "…\n"):
            self.assertNotIn(leftover, said)
        self.assertRegex(said, r"\n +disk_full\n +writes +■ interrupted\n1 interrupted, 2 not run")

    def test_a_narrow_and_low_terminal(self):
        self.let_pass()
        terminal = self.open_terminal(columns=28, rows=6)
        self.assertEqual(terminal.finish(), 0, terminal.screen.text())
        self.assertIn("\r\x1b[2K⠋ test_matrix_writes_d…", terminal.raw, "the control")
        said = terminal.screen.text()
        self.assertRegex(said, r"\n +disk_full\n +writes +✓\n +syncs +○\n"
                               r" +slow_disk\n +writes +✓\n +syncs +·\n")
        self.assertNotIn("events  [", said)
        self.assertEqual(len(re.findall(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", said, re.MULTILINE)), 0, said)

    def test_a_pipe_gets_it_once_and_without_escapes(self):
        self.let_pass()
        run = self.run_spec(MATRIX, "--set", f"GATES={self.folder}")
        self.assertEqual(run.code, 0, run.output)
        self.assertNotIn("\x1b", run.output)
        self.assertNotIn("running", run.output)
        heads = re.findall(r"^ +disk_full +slow_disk$", run.output, re.MULTILINE)
        self.assertEqual(len(heads), 1, run.output)


if __name__ == "__main__":
    misrule.main()
