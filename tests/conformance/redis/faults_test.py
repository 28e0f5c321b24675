"""An injected error is the real one: the same bytes, the same exception in a driver, and the same
in the operations that follow; and the server has done, or not done, what the event says.

A real fault is a server that is really out of memory, a replica, without enough replicas, or asked
by a user who may not. It holds for the operations of a `with fault:` block; so does the rule.
"""

import contextlib
import importlib.util
import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fault_case import FaultCase  # noqa: E402
from proxy_process import ProxyProcess  # noqa: E402
from redis_server import RedisServer, Wire, encoded  # noqa: E402

OOM = "OOM command not allowed when used memory > 'maxmemory'."


class SameAsRealTest(FaultCase):
    """Each client runs without a fault, with the real one, with the injected one."""

    def same(self, client, real, fires=1, **rule):
        self.server.command("FLUSHALL")
        control = client(self.server.port, contextlib.nullcontext())
        self.server.command("FLUSHALL")
        expected = client(self.server.port, real), sorted(self.server.command("KEYS", "*"))
        self.assertNotEqual(expected[0], control, "the fault makes no difference")
        self.server.command("FLUSHALL")
        self.assertEqual(client(self.proxy.port, contextlib.nullcontext()), control)
        self.server.command("FLUSHALL")
        injected = client(self.proxy.port, self.rule(fires=fires, **rule))
        self.assertEqual((injected, sorted(self.server.command("KEYS", "*"))), expected)
        return expected[0]

    def wire_client(self, before, faulted, after, hello=False):
        """Each a list of commands, sent in one piece; the bytes of all answers."""
        def run(port, fault):
            with Wire(port) as wire:
                seen = []
                if hello:
                    wire.call("HELLO 3")
                for commands, context in ((before, contextlib.nullcontext()), (faulted, fault),
                                          (after, contextlib.nullcontext())):
                    with context:
                        wire.send(*commands)
                        seen += [wire.read() for _ in commands]
                return seen
        return run

    NEXT_FIVE = ["GET a", "SET b 2", "LRANGE l 0 -1", "MGET a b none", "INCR n"]

    def errors(self):
        forbidden = "NOPERM this user has no permissions to run the 'set' command"
        return {
            "OOM": (lambda: self.setting("maxmemory", "1"), OOM),
            "READONLY": (self.replica, "READONLY You can't write against a read only replica."),
            "NOREPLICAS": (lambda: self.setting("min-replicas-to-write", "1"),
                           "NOREPLICAS Not enough good replicas to write."),
            "NOPERM": (lambda: self.forbidden("set"), forbidden),
        }

    def test_by_its_code_alone(self):
        for code, (real, text) in self.errors().items():
            for hello in (False, True):
                with self.subTest(code=code, hello=hello):
                    client = self.wire_client(["SET a 1"], ["SET a 2"], self.NEXT_FIVE, hello)
                    seen = self.same(client, real(), command="set", error={"code": code})
                    self.assertEqual(seen[1], "-" + text)
                    self.assertEqual(seen[2], "1")

    def test_in_a_pipeline(self):
        for code, (real, _) in self.errors().items():
            with self.subTest(code=code):
                seen = self.same(
                    self.wire_client(["SET a 1"],
                                     ["GET a", "SET a 2", "GET a", "GET none", "SET a 3"],
                                     self.NEXT_FIVE),
                    real(), command="SET", fires=2, error={"code": code})
                self.assertEqual([seen[1], seen[3], seen[4]], ["1", "1", "$-1"])

    def test_in_a_transaction(self):
        for code, (real, _) in self.errors().items():
            # A server without memory refuses every command of a transaction.
            fires = 3 if code == "OOM" else 1
            match = {} if code == "OOM" else {"command": "SET"}
            with self.subTest(code=code):
                seen = self.same(
                    self.wire_client(["SET a 1", "MULTI", "GET a"], ["GET a", "SET a 2", "GET b"],
                                     ["EXEC", *self.NEXT_FIVE]),
                    real(), fires=fires, error={"code": code}, **match)
                self.assertEqual(
                    seen[6], "-EXECABORT Transaction discarded because of previous errors.")
                self.assertEqual(seen[7], "1")

    def test_of_exec(self):
        client = self.wire_client(["SET a 1", "MULTI", "SET a 2"], ["EXEC"], self.NEXT_FIVE)
        seen = self.same(client, self.replica(), command="EXEC", error={"code": "READONLY"})
        self.assertIn("EXECABORT Transaction discarded because of: READONLY", seen[3])
        self.assertEqual(seen[4], "1")

    def test_that_is_told_when_the_command_is_carried_out(self):
        @contextlib.contextmanager
        def real():
            self.server.command("SET", "list", "text")
            yield
        wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"
        for faulted in (["RPUSH list 1"], ["MULTI", "SET a 2", "RPUSH list 1", "GET a", "EXEC"]):
            with self.subTest(faulted=faulted):
                # The real fault leaves a key behind, which is looked at by nobody.
                client = self.wire_client(["SET a 1"], faulted, [*self.NEXT_FIVE, "SET list x"])
                seen = self.same(client, real(), command="RPUSH", error={"code": "WRONGTYPE"})
                self.assertIn("-" + wrong, str(seen))
        self.assertEqual(seen[5], ["+OK", "-" + wrong, "2"])

    def test_behind_a_command_that_blocks(self):
        def run(port, fault):
            with Wire(port) as wire, fault:
                wire.send("BLPOP none 1", "SET a 1", "GET a")
                began = time.monotonic()
                seen = [wire.read() for _ in range(3)]
                return seen, time.monotonic() - began > 0.5
        seen, waited = self.same(run, self.forbidden("set"), command="SET",
                                 error={"code": "NOPERM"})
        self.assertTrue(waited)
        self.assertEqual(seen[0], "*-1")

    def test_without_replies(self):
        client = self.wire_client(["SET a 1"], ["PING"], ["GET a"])

        def run(port, fault):
            with Wire(port) as wire:
                wire.send("CLIENT REPLY SKIP")
                with fault:
                    wire.send("SET a 5", "PING")
                    seen = [wire.read()]
                wire.send("CLIENT REPLY OFF", "GET a", "CLIENT REPLY ON", "GET a")
                return seen + [wire.read(), wire.read(), client(port, contextlib.nullcontext())]
        seen = self.same(run, self.replica(), command="SET", error={"code": "READONLY"})
        self.assertEqual(seen[2], "$-1")

    def test_while_messages_are_pushed(self):
        def run(port, fault):
            with Wire(port) as wire:
                wire.call("HELLO 3")
                wire.send("SUBSCRIBE news")
                seen = [wire.read()]
                with fault:
                    wire.send("PUBLISH news one", "SET a 1", "PUBLISH news two", "GET a")
                    seen += [wire.read() for _ in range(6)]
                return seen
        seen = self.same(run, self.forbidden("set"), command="SET", error={"code": "NOPERM"})
        self.assertEqual(seen[1], ["message", "news", "one"])

    @unittest.skipIf(importlib.util.find_spec("redis") is None, "python3-redis is not installed")
    def test_redis_py_raises_the_same(self):
        import redis

        def attempt(call):
            try:
                return call()
            except redis.RedisError as error:
                return type(error).__name__, str(error)

        def run(port, fault):
            r = redis.Redis(port=port, single_connection_client=True)
            r.set("a", 1)
            with fault:
                with r.pipeline(transaction=False) as p:
                    seen = [str(x) for x in p.get("a").set("a", 2).get("a").execute(False)]
                with r.pipeline() as p:
                    seen.append(attempt(p.get("a").set("a", 2).incr("a").execute))
                seen.append(attempt(lambda: r.set("a", 2)))
            seen += [attempt(call) for call in
                     (lambda: r.get("a"), lambda: r.set("b", 1), lambda: r.incr("b"),
                      lambda: r.mget("a", "b"), r.pipeline().get("a").incr("b").execute)]
            r.close()
            return seen
        # SET in the pipeline; SET and INCR in the transaction; SET.
        seen = self.same(run, self.replica(), fires=4, error={"code": "READONLY"})
        self.assertEqual(seen[4][0], "ReadOnlyError")
        self.assertEqual(seen[3][0], "ReadOnlyError")


class FaultTest(FaultCase):
    """What no server does by itself, or not when it is asked to."""

    def test_every_code_has_a_driver_exception(self):
        loading = "-LOADING Redis is loading the dataset in memory"
        with Wire(self.proxy.port) as wire, self.rule(error={"code": "LOADING"},
                                                      trigger={"times": 1}):
            self.assertEqual(wire.call("GET a"), loading)
            self.assertEqual(wire.call("GET a"), "$-1")

    def test_by_key(self):
        with Wire(self.proxy.port) as wire, self.rule(key="user:*", fires=4, error={"code": "ERR"}):
            wire.send("SET user:1 x", "SET other 1", "MGET other user:2", "GET other",
                      "EVAL x 1 user:3", "XREAD STREAMS other user:4 0 0")
            seen = [wire.read() for _ in range(6)]
        self.assertEqual(seen[0], "-ERR injected error")
        self.assertEqual(seen[1:4], ["+OK", "-ERR injected error", "1"])
        self.assertEqual(seen[4:], ["-ERR injected error"] * 2)

    def test_keys_of_any_bytes(self):
        with Wire(self.proxy.port) as wire, self.rule(key="a\r\n*", error={"code": "ERR"}):
            wire.socket.sendall(encoded("SET", b"a\r\n\x00\xff", "1") + encoded("GET", "a"))
            self.assertEqual([wire.read(), wire.read()], ["-ERR injected error", "$-1"])

    def test_a_lost_reply_has_been_done(self):
        for command, sent in (("SET", ["SET a 1"]), ("EXEC", ["MULTI", "SET a 1", "EXEC"]),
                              ("SET", ["MULTI", "SET a 1", "EXEC"])):
            self.server.command("DEL", "a")
            with Wire(self.proxy.port) as wire, self.rule(command=command, drop={"side": "reply"}):
                wire.send(*sent)
                seen = [wire.read() for _ in range(len(sent))]
            self.assertEqual(seen[-1], "END")
            self.assertEqual(self.server.command("GET", "a"), "1")
            unit = self.last_unit(command)
            self.assertEqual((unit["server"], unit["failed"]), ("did", True))

    def test_a_drop_has_not_been_done(self):
        with Wire(self.proxy.port) as wire, self.rule(command="SET", drop={}):
            wire.send("GET a", "SET a 1", "GET a")
            self.assertEqual([wire.read(), wire.read()], ["$-1", "END"])
        self.assertEqual(self.server.command("GET", "a"), "$-1")
        self.assertEqual(self.last_unit("SET")["server"], "did_not")

    def test_masked(self):
        with Wire(self.proxy.port) as wire, self.rule(command="INCR", fires=2,
                                                      error={"code": "LOADING", "mode": "mask"}):
            wire.send("INCR n", "GET n", "MULTI", "INCR n", "GET n", "EXEC", "GET n")
            seen = [wire.read() for _ in range(7)]
        loading = "-LOADING Redis is loading the dataset in memory"
        self.assertEqual(seen, [loading, "1", "+OK", "+QUEUED", "+QUEUED", [loading, "2"], "2"])

    def test_delays_keep_the_order(self):
        for side in ("request", "reply"):
            with Wire(self.proxy.port) as wire, \
                    self.rule(command="INCR", delay={"duration_us": 300_000, "side": side}):
                began = time.monotonic()
                wire.send("PING", "INCR n", "GET n")
                self.assertEqual(wire.read(), "+PONG")
                first = wire.read()
                self.assertGreater(time.monotonic() - began, 0.29)
                self.assertEqual(wire.read(), first[1:])

    def test_a_delay_does_not_stop_messages(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="GET", delay={"duration_us": 60_000_000}):
            wire.call("HELLO 3")
            wire.send("SUBSCRIBE news")
            wire.read()
            wire.send("GET a")
            self.wait_until(lambda: self.proxy.tallies().popitem()[1]["fired"] == 1)
            self.server.command("PUBLISH", "news", "now")
            self.assertEqual(wire.read(), ["message", "news", "now"])

    def test_a_rule_that_comes_while_a_connection_is_open(self):
        with Wire(self.proxy.port) as wire:
            self.assertEqual(wire.call("MULTI"), "+OK")
            with self.rule(command="SET", error={"code": "OOM"}):
                self.assertEqual(wire.call("SET a 1"), "-" + OOM)
            self.assertTrue(wire.call("EXEC").startswith("-EXECABORT"))

    def test_ten_thousand_pipelined_keep_step(self):
        with self.rule(command="SET", fires=2500, trigger={"after": 2500}, error={"code": "OOM"}):
            with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=60) as client:
                commands = b"".join(encoded("SET", f"k{n}", n) + encoded("ECHO", f"tag-{n}")
                                    for n in range(5000))
                threading.Thread(target=client.sendall, args=(commands,)).start()
                file = client.makefile("rb")
                failed = 0
                for n in range(5000):
                    failed += file.readline().startswith(b"-OOM")
                    file.readline()
                    self.assertEqual(file.readline(), b"tag-%d\r\n" % n)
        self.assertEqual(failed, 2500)
        self.assertEqual(self.server.command("DBSIZE"), ":2500")

    def test_the_server_dies(self):
        with RedisServer() as server, ProxyProcess(server.port, "redis", record_all=True) as proxy:
            with Wire(proxy.port) as wire:
                wire.send("PING", "BLPOP none 0")
                self.assertEqual(wire.read(), "+PONG")
                server.process.kill()
                self.assertEqual(wire.read(), "END")
            blocked = proxy.wait_for(lambda e: e.get("command") == "BLPOP" and "reply" in e)
            self.assertEqual((blocked["server"], blocked["failed"]), ("unknown", True))


class KeysTest(FaultCase):
    """The keys that rules see are those that the server itself says a command has."""

    COMMANDS = [
        "SET k v", "GET k", "MSET a 1 b 2", "DEL a b c", "BITOP AND d a b", "BLPOP a b 0",
        "RENAME a b", "LMOVE a b LEFT LEFT", "OBJECT ENCODING k", "MEMORY USAGE k",
        "XGROUP CREATE s g $", "XINFO STREAM s", "EVAL return 2 a b x", "EVALSHA x 1 a b",
        "FCALL f 2 a b c", "ZUNION 2 a b", "ZINTERCARD 2 a b LIMIT 1", "ZUNIONSTORE d 2 a b",
        "ZDIFFSTORE d 1 a", "SINTERCARD 2 a b", "LMPOP 2 a b LEFT", "BLMPOP 0 2 a b LEFT",
        "ZMPOP 1 a MIN", "BZMPOP 0 1 a MIN", "XREAD COUNT 2 STREAMS a b 0 0",
        "XREADGROUP GROUP g c BLOCK 0 STREAMS a >", "SORT l BY w STORE d", "SORT l GET x",
        "GEORADIUS g 0 0 1 km STORE d", "GEORADIUSBYMEMBER g m 1 km STOREDIST d",
        "GEOSEARCHSTORE d g FROMMEMBER m BYRADIUS 1 km", "MIGRATE h 1 k 0 10", "COPY a b",
        "SMOVE a b m", "PFMERGE d a b", "ZRANGESTORE d s 0 -1", "LCS a b", "GETEX k", "WATCH a b",
        "TOUCH a b", "ZADD z 1 m", "HSET h f v", "SETRANGE k 0 v",
    ]

    def test_every_shape(self):
        for command in self.COMMANDS:
            with self.subTest(command=command):
                told = self.server.command("COMMAND", "GETKEYS", *command.split())
                self.assertIsInstance(told, list, told)
                with Wire(self.proxy.port) as wire, self.rule(drop={}):
                    wire.send(command)
                    self.assertEqual(wire.read(), "END")
                unit = [u for u in self.proxy.units()][-1]
                self.assertEqual((unit.get("key"), unit.get("keys", 1)), (told[0], len(told)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
