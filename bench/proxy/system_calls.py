"""How many system calls a process makes, by the kernel's own count.

    with SystemCalls(pid) as calls:
        ...
    calls.count

Nothing stops at a call to be seen, as it would under a tracer, which changes what is counted.
"""

import functools
import os
import shutil
import signal
import subprocess

EVENT = "raw_syscalls:sys_enter"


def _count_in(report):
    """Of perf's lines of figures: "1234,,raw_syscalls:sys_enter,..."."""
    line = next((line for line in report.splitlines() if EVENT in line), "")
    first = line.split(",")[0]
    return int(first) if first.isdigit() else None


@functools.cache
def why_not_counted():
    if shutil.which("perf") is None:
        return "perf is not installed (Debian: linux-perf)"
    done = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "true"], capture_output=True,
                          text=True)
    return None if _count_in(done.stderr) else f"perf counts none here: {done.stderr.strip()[:200]}"


class SystemCalls:
    """Of all threads that the process has when it begins, and of theirs."""

    def __init__(self, pid):
        self.pid, self.count = pid, None

    def __enter__(self):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        self.perf = subprocess.Popen(
            ["perf", "stat", "-x,", "-e", EVENT, "-p", str(self.pid), "-D", "-1", "--control",
             f"fd:{commands},{answers}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, pass_fds=(commands, answers))
        os.close(commands)
        os.close(answers)
        self._tell(b"enable\n")
        return self

    def _tell(self, command):
        os.write(self.commands, command)
        if not os.read(self.answers, 16).startswith(b"ack"):
            raise RuntimeError(f"perf: {self.perf.communicate()[1]}")

    def __exit__(self, *_):
        self._tell(b"disable\n")
        self.perf.send_signal(signal.SIGINT)
        _, report = self.perf.communicate(timeout=30)
        os.close(self.commands)
        os.close(self.answers)
        self.count = _count_in(report)
        if self.count is None:
            raise RuntimeError(f"perf: {report}")
