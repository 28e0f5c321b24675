"""The processes of a run under way, seen from outside, and what must not be left of them."""

import os
import pathlib
import re
import signal

from misrule import STATE, wait_until


def status_of(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.MULTILINE))


def children_of(parent):
    pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if status_of(pid).get("PPid") == str(parent)]


def descendants_of(pid):
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found


def namespaces_of(pid):
    found = set()
    for kind in ("pid", "net", "mnt", "ipc"):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
        except OSError:
            pass
    return found


def namespaces_in_use():
    return set().union(*(namespaces_of(entry.name) for entry in pathlib.Path("/proc").iterdir()
                         if entry.name.isdigit()))


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)


class World:
    """The world of a run's current test, found through the processes that descend from it."""

    def __init__(self, coordinator, folder):
        self.coordinator, self.folder = coordinator, folder
        self.pids, self.namespaces = {}, set()

    def find(self):
        by_name = {}
        for pid in descendants_of(self.coordinator):
            by_name.setdefault(status_of(pid).get("Name"), pid)
        self.pids = {"nursery": by_name.get("misrule-nursery"), "init": by_name.get("misrule-init"),
                     "worker": by_name.get("misrule-worker"), "service": by_name.get("api.py"),
                     "postgres": by_name.get("postgres"), "coordinator": self.coordinator}
        return self.pids

    def wait_for(self, who, step):
        """Until a step whose path contains `step` is under way; the pid of `who`."""
        log = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it" / "events.jsonl"
        if not wait_until(lambda: log.exists() and step in log.read_text(), 60):
            raise AssertionError(f"no step {step}")
        if not wait_until(lambda: self.find()[who]):
            raise AssertionError(f"no process {who}")
        self.look()
        return self.pids[who]

    def look(self):
        """Notes what there is now, and must not be there later."""
        outside = namespaces_of(os.getpid())
        self.all = descendants_of(self.coordinator)
        self.namespaces = set().union(*(namespaces_of(pid) for pid in self.all)) - outside
        self.run = os.readlink(self.folder / ".misrule" / "runs" / "latest")

    def leftovers(self):
        left = [f"process {pid} {status_of(pid).get('Name')}" for pid in self.all
                if status_of(pid).get("State", "Z")[0] != "Z"]
        left += [f"namespace {name}" for name in self.namespaces & namespaces_in_use()]
        left += [f"mount {line}" for line in
                 pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if self.run in line]
        left += [str(path) for path in (STATE / "worlds").glob(self.run + "*")]
        return left

    def assert_gone(self, case, within=10):
        wait_until(lambda: not self.leftovers(), within)
        case.assertEqual(self.leftovers(), [])


def of_run(coordinator, folder):
    return World(coordinator, folder)
