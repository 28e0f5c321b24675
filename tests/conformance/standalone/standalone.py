"""`misrule proxy` as its users run it: a process, its events, its log, its admin API by curl.

    with Standalone(["--upstream", "127.0.0.1:5432", ...], rules=TEXT) as proxy:
        proxy.port                      # of the first listener
        proxy.curl("/health")           # (status, text)
        proxy.write_rules(TEXT)         # returns when they are in force or refused
        proxy.end(signal.SIGTERM)       # exit code
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from postgres_server import dying_with_us, skip  # noqa: E402

LIMIT = 60


def program(name):
    build = os.environ.get("MISRULE_BINARY_DIR")
    if not build:
        skip("MISRULE_BINARY_DIR does not say where the programs are")
    path = os.path.join(build, "bin", name)
    if not os.path.exists(path):
        raise SystemExit(f"{path} has not been built")
    return path


def run_to_end(*arguments, command=("misrule", "proxy")):
    """For what ends by itself: CompletedProcess."""
    return subprocess.run([program(command[0]), *command[1:], *arguments], capture_output=True,
                          text=True, timeout=LIMIT)


def wait_until(condition, what, limit=LIMIT):
    deadline = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {limit} s: {what}")
        time.sleep(0.01)


class Standalone:
    def __init__(self, arguments, rules=None, admin=True, command=("misrule", "proxy")):
        self.folder = tempfile.mkdtemp(prefix="misrule-proxy-")
        self.arguments = list(arguments)
        self.command = command
        self.rules_file = os.path.join(self.folder, "rules.yaml")
        self.admin_socket = os.path.join(self.folder, "admin.sock")
        if rules is not None:
            pathlib.Path(self.rules_file).write_text(rules)
            self.arguments += ["--rules", self.rules_file]
        if admin:
            self.arguments += ["--admin", f"unix:{self.admin_socket}"]
        self.events = []
        self.ended = False
        self.changed = threading.Condition()

    def __enter__(self):
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen([program(self.command[0]), *self.command[1:],
                                         *self.arguments], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, preexec_fn=dying_with_us(signal.SIGKILL))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.ready = self.wait_for("ready")
        self.port = int(self.ready["listen"].rsplit(":", 1)[1]) \
            if not self.ready["listen"].startswith("unix:") else 0
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT)
        self.reader.join(LIMIT)
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, action, since=0):
        """The first lifecycle event with one of these actions, from index `since` on."""
        actions = action if isinstance(action, tuple) else (action,)
        deadline = time.monotonic() + LIMIT
        with self.changed:
            while True:
                for event in self.events[since:]:
                    if event.get("action") in actions:
                        return event
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise RuntimeError(f"no {actions}; log:\n{self.log_text()}")
                self.changed.wait(left)

    def log_text(self):
        return pathlib.Path(self.folder, "log").read_text()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        self.send(number)
        return self.process.wait(LIMIT)

    def rules_change(self, change):
        """What the proxy says about the change that `change()` makes."""
        since = len(self.events)
        change()
        return self.wait_for(("rules_loaded", "rules_refused"), since)

    def write_rules(self, text):
        return self.rules_change(lambda: pathlib.Path(self.rules_file).write_text(text))

    def curl(self, path, *options):
        done = subprocess.run(["curl", "-sS", "--max-time", str(LIMIT), "--unix-socket",
                               self.admin_socket, "-w", "\n%{http_code}", *options,
                               f"http://misrule{path}"], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"curl {path}: {done.stderr}")
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), body

    def ask(self, path, *options):
        status, body = self.curl(path, *options)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body}")
        return json.loads(body)

    def fired(self, rule):
        stats = self.ask("/rules/stats")["rules"]
        return next((one["fired"] for one in stats if one["rule"] == rule), 0)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
