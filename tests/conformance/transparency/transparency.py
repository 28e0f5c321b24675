"""What "untouched" means: through the idle proxy everything is as it is directly.

    class MyTest(PostgresTransparency):
        def test_x(self):
            self.same(lambda dsn: run_client(dsn))

same() runs the client directly and then through an idle proxy, and asserts that the results are
equal, that no connection went opaque, and that the proxy decoded as many statements as the server
itself counted (pg_stat_statements).
"""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import PostgresServer, skip  # noqa: E402,F401
from proxy_process import ProxyProcess, is_sanitized, proxy_binary  # noqa: E402

proxy_binary()  # Skips before a server is started.

# pg_stat_statements never counts these, nor what fails; before version 17, nor DEALLOCATE.
UNCOUNTED = ("prepare ",)


class PostgresTransparency(unittest.TestCase):
    record_all = True

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext_(PostgresServer())
        cls.proxy = cls.enterClassContext_(
            ProxyProcess(cls.server.port, "postgres", record_all=cls.record_all))

    @classmethod
    def enterClassContext_(cls, context):
        entered = context.__enter__()
        cls.addClassCleanup(context.__exit__)
        return entered

    def same(self, run, user="app", undercounted=None, way=None):
        """Answers the client's result. `undercounted`: {text: true number} of statements that the
        server is known to count wrongly. `way`: another (proxy, port where it is reached)."""
        proxy, port = way or (self.proxy, self.proxy.port)
        direct = run(self.server.dsn(user))
        self.server.forget_statements()
        before = proxy.counters()
        events_before = len(proxy.events)
        through = run(self.server.dsn(user, port=port))
        after = proxy.counters()
        self.assertEqual(through, direct)
        self.assertEqual(after["connections_opaque"], before["connections_opaque"],
                         [e for e in proxy.events if e.get("action") == "opaque"])
        self.assertGreater(after["connections_total"], before["connections_total"])
        counted = {**self.server.statements(user), **(undercounted or {})}
        decoded = after["messages_total"] - before["messages_total"]
        uncounted = self.uncounted(proxy.events[events_before:])
        self.assertEqual(decoded - uncounted, sum(counted.values()), counted)
        return through

    def uncounted(self, events):
        """How many of the recorded units the server does not count by its own rules."""
        if not self.record_all:
            return 0
        uncounted = UNCOUNTED + (("deallocate",) if self.server.major < 17 else ())
        units = [e for e in events if e["type"] == "proxy" and "reply" in e]
        return sum(1 for e in units
                   if e["failed"] or e["query"].lstrip().lower().startswith(uncounted))


class MemoryWatch:
    """The most memory that a process had resident while the block ran."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.most_kib = 0
        self.done = threading.Event()

    def __enter__(self):
        self.first_kib = self.most_kib = self.proxy.resident_kib()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.done.wait(0.01):
            self.most_kib = max(self.most_kib, self.proxy.resident_kib())

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def grown_kib(self):
        if is_sanitized():
            print("not measured with a sanitizer: memory", flush=True)
            return 0
        return self.most_kib - self.first_kib
