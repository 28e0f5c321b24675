"""A Redis server, a proxy in front of it, and rules that hold for a `with` block."""

import contextlib
import itertools
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402
from redis_server import RedisServer  # noqa: E402

proxy_binary()  # Skips before a server is started.


class FaultCase(unittest.TestCase):
    numbers = itertools.count(1)
    server = proxy = None

    @classmethod
    def setUpClass(cls):
        if FaultCase.server is None:  # One for all classes of a program.
            FaultCase.server = cls.enter(RedisServer())
            FaultCase.proxy = cls.enter(ProxyProcess(cls.server.port, "redis", record_all=True))

    @classmethod
    def enter(cls, context):
        entered = context.__enter__()
        unittest.addModuleCleanup(context.__exit__, None, None, None)
        return entered

    def setUp(self):
        self.server.command("FLUSHALL")

    @contextlib.contextmanager
    def rule(self, fires=1, trigger=None, opaque=0, **said):
        """Holds in the block; in the end it has fired so often. None as `fires`: at least once."""
        rule_id = f"rule-{next(self.numbers)}"  # What a rule has spent stays with its id.
        words = ("command", "key", "args", "db", "channel")
        match = {name: said.pop(name) for name in words if name in said}
        rule = {"id": rule_id, "redis": match, **said}
        if trigger:
            rule["trigger"] = trigger
        self.proxy.set_rules([rule])
        try:
            yield
        finally:
            tally = self.proxy.tallies()[rule_id]
            self.proxy.set_rules([])
        if fires is None:
            self.assertGreater(tally["fired"], 0)
        else:
            self.assertEqual(tally["fired"], fires)
        self.assertEqual(self.proxy.counters()["connections_opaque"], opaque)

    @contextlib.contextmanager
    def setting(self, name, value):
        before = self.server.command("CONFIG", "GET", name)[1]
        self.assertEqual(self.server.command("CONFIG", "SET", name, value), "+OK")
        try:
            yield
        finally:
            self.server.command("CONFIG", "SET", name, before)

    @contextlib.contextmanager
    def replica(self):
        self.server.command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            self.server.command("REPLICAOF", "NO", "ONE")

    @contextlib.contextmanager
    def forbidden(self, command):
        self.server.command("ACL", "SETUSER", "default", f"-{command}")
        try:
            yield
        finally:
            self.server.command("ACL", "SETUSER", "default", "+@all")

    def last_unit(self, command):
        return [u for u in self.proxy.units() if u["command"] == command][-1]

    def wait_until(self, is_so):
        deadline = threading.Event()
        for _ in range(1200):
            if is_so():
                return
            deadline.wait(0.05)
        self.fail("it never was so")

    def wait_until_fired(self, fires=1):
        self.wait_until(lambda: list(self.proxy.tallies().values())[-1]["fired"] >= fires)
