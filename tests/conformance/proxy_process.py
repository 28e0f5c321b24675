"""misrule-proxy as a test sees it: its port, its events, its counters, its rules.

    with ProxyProcess(upstream_port, "postgres", record_all=True) as proxy:
        proxy.port
        proxy.set_rules([{"id": "r1", "postgres": {"query": "select*"}, "drop": {}}])
        proxy.counters()["messages_total"]
        proxy.events                    # a list of dicts that grows
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from postgres_server import dying_with_us, skip

# How many loops a proxy has where a test does not care: more than one is what a thread sanitizer
# wants to see.
LOOPS = int(os.environ.get("MISRULE_LOOPS", "1"))


def proxy_binary():
    build = os.environ.get("MISRULE_BINARY_DIR")
    if not build:
        skip("MISRULE_BINARY_DIR does not say where misrule-proxy is")
    path = os.path.join(build, "bin", "misrule-proxy")
    if not os.path.exists(path):
        raise SystemExit(f"{path} has not been built")
    return path


def is_sanitized():
    """Memory says nothing then: freed bytes are kept back, and all have shadows."""
    with open(proxy_binary(), "rb") as binary:
        content = binary.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class ProxyProcess:
    def __init__(self, upstream_port, protocol, record_all=False, rules=None, loops=LOOPS,
                 listen=None, arguments=(), stderr=None):
        self.upstream_port = upstream_port
        self.protocol = protocol
        self.record_all = record_all
        self.loops = loops
        self.arguments = list(arguments)
        self.stderr = stderr  # A file; by default ours.
        self.listen = listen  # By default a port that is free.
        self.first_rules = rules or []
        self.events = []
        self.changed = threading.Condition()
        self.ended = None

    def __enter__(self):
        handle, self.rules_file = tempfile.mkstemp(prefix="misrule-rules-", suffix=".json")
        os.close(handle)
        self._write_rules(self.first_rules)
        arguments = [proxy_binary(), "--loops", str(self.loops), "--protocol", self.protocol,
                     "--upstream", f"127.0.0.1:{self.upstream_port}", "--rules", self.rules_file,
                     "--no-rules-watch", "--log-level", "info" if self.stderr else "warn",
                     *self.arguments]
        if self.record_all:
            arguments.append("--record-all")
        if self.listen:
            arguments += ["--listen", self.listen]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.stderr,
                                        text=True,
                                        preexec_fn=dying_with_us(signal.SIGTERM))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = int(self.wait_for(lambda e: e.get("action") == "ready")["listen"].split(":")[1])
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.reader.join(5)
            self.process.stdout.close()
            os.unlink(self.rules_file)
        if code != 0:
            raise RuntimeError(f"misrule-proxy ended with {code}")

    @property
    def pid(self):
        return self.process.pid

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, predicate, since=0, limit=10):
        """The first event from index `since` on that satisfies the predicate."""
        deadline = time.monotonic() + limit
        with self.changed:
            at = since
            while True:
                while at < len(self.events):
                    if predicate(self.events[at]):
                        return self.events[at]
                    at += 1
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    raise RuntimeError(f"no such event; the last ones: {self.events[-5:]}")
                self.changed.wait(left)

    def _write_rules(self, rules):
        with open(self.rules_file, "w") as file:
            json.dump({"rules": rules}, file)

    def set_rules(self, rules):
        """Returns when every loop has taken them up."""
        self._write_rules(rules)
        since = len(self.events)
        self.process.send_signal(signal.SIGHUP)
        told = self.wait_for(lambda e: e.get("action") in ("rules_loaded", "rules_refused"), since)
        if told["action"] == "rules_refused":
            raise ValueError(told["detail"])

    def counters(self):
        return self._ask()[-1]

    def tallies(self):
        return {event["rule"]: event for event in self._ask()[:-1]}

    def _ask(self):
        since = len(self.events)
        self.process.send_signal(signal.SIGUSR1)
        last = self.wait_for(lambda e: e.get("action") == "counters", since)
        told = [e for e in self.events[since:] if e.get("action") in ("tally", "counters")]
        return told[: told.index(last) + 1]

    def units(self):
        """All events so far of requests and statements, with what became of them."""
        self._ask()  # What it answers stands behind them.
        return [e for e in list(self.events) if e["type"] == "proxy" and "reply" in e]

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
