"""Faults as redis-py and its pool meet them: a server that is loading, a lost request, a password
that is wrong, the end of a server; and what a rule does not touch."""

import contextlib
import importlib.util
import threading
import time
import unittest

from fault_case import FaultCase
from proxy_process import ProxyProcess
from redis_server import RedisServer, Wire

SOON_S = 20


@unittest.skipIf(importlib.util.find_spec("redis") is None, "python3-redis is not installed")
class RedisPyTest(FaultCase):
    def client(self, port, **options):
        import redis
        client = redis.Redis(port=port, **options)
        self.addCleanup(client.connection_pool.disconnect)
        return client

    def attempt(self, call):
        import redis
        try:
            return call()
        except redis.RedisError as error:
            return type(error).__name__, str(error)

    @contextlib.contextmanager
    def loading(self):
        """The server really loads its data for as long as the block lasts, and a moment."""
        self.server.command("DEBUG", "POPULATE", "2000", "loaded")
        self.server.command("CONFIG", "SET", "key-load-delay", "5000")
        self.server.command("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
        with Wire(self.server.port) as reloading:
            reloading.send("DEBUG RELOAD")
            with Wire(self.server.port) as asking:
                deadline = time.monotonic() + 60
                while not str(asking.call("GET k")).startswith("-LOADING"):
                    self.assertLess(time.monotonic(), deadline)
            yield
            self.server.command("CONFIG", "SET", "key-load-delay", "0")
            self.assertEqual(reloading.read(), "+OK")

    def test_a_server_that_loads_and_then_does_not(self):
        def run(port, fault):
            pool = self.client(port)
            pool.set("k", "v")
            seen = [pool.get("k")]
            with fault:
                seen += [self.attempt(lambda: pool.get("k")),
                         self.attempt(lambda: pool.set("k", 2))]
            return [*seen, pool.get("k"), pool.incr("n")]
        control = run(self.proxy.port, contextlib.nullcontext())
        self.server.command("FLUSHALL")
        real = run(self.server.port, self.loading())
        self.server.command("FLUSHALL")
        self.assertNotEqual(control, real)
        self.assertEqual(real[1][0], "BusyLoadingError")
        injected = run(self.proxy.port, self.rule(fires=2, error={"code": "LOADING"}))
        self.assertEqual(injected, real)

    def test_a_request_that_is_lost_costs_its_connection_alone(self):
        pool = self.client(self.proxy.port, socket_timeout=3)
        pool.set("n", 1)
        with self.rule(command="INCRBY", trigger={"times": 1}, drop={"mode": "request"}):
            begun = time.monotonic()
            self.assertEqual(self.attempt(lambda: pool.incr("n"))[0], "TimeoutError")
            self.assertLess(time.monotonic() - begun, SOON_S)
            # What was lost stays lost; the pool goes on with another connection.
            self.assertEqual(pool.incr("n"), 2)
        self.assertEqual(self.server.command("GET", "n"), "2")

    def test_an_error_in_a_pipeline_is_at_its_own_place(self):
        pool = self.client(self.proxy.port)
        pool.set("a", "one")
        with self.rule(command="SET", trigger={"times": 1}, error={"code": "OOM"}):
            with pool.pipeline(transaction=False) as pipeline:
                seen = pipeline.get("a").set("a", "two").get("none").get("a").execute(False)
        self.assertEqual([seen[0], seen[2], seen[3]], [b"one", None, b"one"])
        self.assertIn("OOM command not allowed", str(seen[1]))
        self.assertIsInstance(seen[1], Exception)
        self.assertEqual(pool.get("a"), b"one")

    def test_exec_whose_answer_is_lost(self):
        pool = self.client(self.proxy.port)
        with self.rule(command="EXEC", trigger={"times": 1}, drop={"side": "reply"}):
            with pool.pipeline() as pipeline:
                told = self.attempt(pipeline.set("a", 1).incr("a").execute)
        self.assertEqual(told[0], "ConnectionError")
        self.assertEqual(self.server.command("GET", "a"), "2")
        self.assertEqual(pool.get("a"), b"2")

    def test_discard_is_not_touched(self):
        with Wire(self.proxy.port) as wire, self.rule(command="EXEC", fires=0,
                                                      error={"code": "OOM"}):
            wire.send("MULTI", "SET a 1", "DISCARD", "GET a")
            self.assertEqual([wire.read() for _ in range(4)], ["+OK", "+QUEUED", "+OK", "$-1"])

    def test_names_and_passwords(self):
        self.server.command("ACL", "SETUSER", "bob", "on", ">right", "~mine:*", "+get",
                            "+@connection")
        self.addCleanup(self.server.command, "ACL", "DELUSER", "bob")

        def run(port):
            bob = self.client(port, username="bob", password="right")
            return [self.attempt(lambda: bob.get("mine:a")), self.attempt(lambda: bob.get("a")),
                    self.attempt(lambda: bob.set("mine:a", 1)),
                    self.attempt(self.client(port, username="bob", password="wrong").ping),
                    self.attempt(self.client(port, username="nobody", password="x").ping)]
        through = run(self.proxy.port)
        self.assertEqual(through, run(self.server.port))
        self.assertEqual([each[0] for each in through[1:3]], ["NoPermissionError"] * 2)
        self.assertIn("invalid username-password pair", through[3][1])
        self.assertNotIn("wrong", str(self.proxy.events))

    def test_quit_and_shutdown(self):
        seen = []
        for through in (False, True):
            with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
                port = proxy.port if through else server.port
                with Wire(port) as leaving, Wire(port) as ending, Wire(port) as other:
                    told = [leaving.call("QUIT"), leaving.read(), other.call("PING")]
                    ending.send("SHUTDOWN NOSAVE")
                    told += [ending.read(), other.read()]
                server.process.wait(20)
                self.assertEqual(proxy.counters()["connections_opaque"], 0)
            seen.append(told)
        self.assertEqual(seen[0], ["+OK", "END", "+PONG", "END", "END"])
        self.assertEqual(seen[0], seen[1])


class BlockingTest(FaultCase):
    def test_a_rule_for_what_waits_behind_a_blocked_command(self):
        with Wire(self.proxy.port) as wire, self.rule(command="PING", error={"code": "ERR"}):
            wire.send("BLPOP q 0", "PING", "GET a")
            pushed = threading.Timer(0.3, self.server.command, ("RPUSH", "q", "late"))
            pushed.start()
            self.assertEqual([wire.read() for _ in range(3)],
                             [["q", "late"], "-ERR injected error", "$-1"])
            pushed.join()

    def test_monitor_sees_the_servers_commands_while_rules_hold(self):
        with Wire(self.proxy.port) as monitor, Wire(self.proxy.port) as wire:
            self.assertEqual(monitor.call("MONITOR"), "+OK")
            with self.rule(command="SET", fires=1, error={"code": "OOM"}):
                self.assertEqual(wire.call("SET seen no")[:4], "-OOM")
                self.assertEqual(wire.call("GET seen"), "$-1")
                lines = []
                while not lines or "\"GET\" \"seen\"" not in lines[-1]:
                    lines.append(monitor.read())
            self.assertFalse([line for line in lines if '"SET" "seen"' in line], "it was not done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
