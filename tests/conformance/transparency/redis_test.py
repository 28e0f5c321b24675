"""Redis through the idle proxy is as it is directly: tools, drivers, every mode of a connection.

What "the same" means: what the client sees is equal, no connection went opaque, and the proxy
decoded the commands that the server itself counted (INFO commandstats), one by one.
"""

import collections
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fragments import Fragmented  # noqa: E402
from postgres_server import skip  # noqa: E402
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402
from redis_server import RedisServer, Wire, encoded  # noqa: E402
from transparency import MemoryWatch  # noqa: E402

proxy_binary()  # Skips before a server is started.
MEGABYTE = 1 << 20


class RedisTransparency(unittest.TestCase):
    record_all = True

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enter(RedisServer())
        cls.proxy = cls.enter(ProxyProcess(cls.server.port, "redis", record_all=cls.record_all))
        with Wire(cls.proxy.port) as wire:  # What the proxy asks by itself is asked now.
            wire.call("PING")
            while "cmdstat_command:" not in cls.server.command("INFO", "commandstats"):
                time.sleep(0.02)

    @classmethod
    def enter(cls, context):
        entered = context.__enter__()
        cls.addClassCleanup(context.__exit__)
        return entered

    def decoded_since(self, events_before):
        """(what was carried out or refused, what a transaction was discarded with)"""
        units = [e for e in list(self.proxy.events)[events_before:]
                 if e["type"] == "proxy" and "command" in e]
        kept = [e for e in units if e["reply"] != "discarded with its transaction"]
        return collections.Counter(e["command"] for e in kept), len(units) - len(kept)

    def same(self, run, uncounted=()):
        """`uncounted`: commands that the server's own table leaves out, as far as they differ."""
        self.server.command("FLUSHALL")
        direct = run(self.server.port)
        self.server.command("FLUSHALL")
        self.server.forget()
        before, events_before = self.proxy.counters(), len(self.proxy.events)
        through = run(self.proxy.port)
        after = self.proxy.counters()
        counted = self.server.counted()
        self.assertEqual(through, direct)
        self.assertEqual(after["connections_opaque"], before["connections_opaque"],
                         [e for e in self.proxy.events if e.get("action") == "opaque"])
        self.assertGreater(after["connections_total"], before["connections_total"])
        total = after["messages_total"] - before["messages_total"]
        if self.record_all:
            decoded, discarded = self.decoded_since(events_before)
            total -= discarded
            self.assertEqual(sum(decoded.values()), total)
            for name in uncounted:
                counted.pop(name, None)
                total -= decoded.pop(name, 0)
            self.assertEqual(decoded, counted)
        self.assertEqual(total, sum(counted.values()), counted)
        return through


def cli(port, *arguments, lines=None):
    done = subprocess.run(["redis-cli", "-p", str(port), *arguments], input=lines,
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


class ToolTest(RedisTransparency):
    def test_redis_cli(self):
        script = ("set a 1\nget a\nincr a\nget none\nlpush l a b c\nlrange l 0 -1\nhset h x 1\n"
                  "hgetall h\nzadd z 1.5 m\nzrange z 0 -1 withscores\nlpush a 1\nnosuch\nmulti\n"
                  "incr a\nlpush a 1\nexec\nset 'a b' \"c\\x00\\n\"\nget 'a b'\ntype l\n")
        for version in ("-2", "-3"):
            with self.subTest(version=version):
                result = self.same(lambda port: cli(port, version, lines=script),
                                   uncounted=("NOSUCH",))
                self.assertIn("WRONGTYPE", result[1])

    def test_redis_cli_one_command(self):
        self.same(lambda port: cli(port, "set", "k", "v"))

    def test_mass_insertion(self):
        pipe = b"".join(encoded("SET", f"key:{n}", n) for n in range(20_000))

        def run(port):
            done = subprocess.run(["redis-cli", "-p", str(port), "--pipe"], input=pipe,
                                  capture_output=True, timeout=120)
            return done.stdout.decode()
        self.assertIn("errors: 0, replies: 20000", self.same(run))
        self.assertEqual(self.server.command("DBSIZE"), ":20000")

    def test_scan_and_bigkeys(self):
        def run(port):
            for n in range(500):
                self.server.command("SET", f"k{n}", "x" * n)
            out = cli(port, "--scan", "--pattern", "k1*")[1].split()
            return sorted(out)
        result = self.same(run, uncounted=("SET",))
        self.assertEqual(len(result), 111)


class BenchToolTest(RedisTransparency):
    record_all = False

    def test_redis_benchmark(self):
        for arguments in (("-P", "16", "-n", "4000"), ("-P", "1", "-n", "500"),
                          ("-P", "16", "-n", "2000", "-3", "-t", "set,get,hset,spop,zadd,lrange")):
            def run(port):
                done = subprocess.run(
                    ["redis-benchmark", "-p", str(port), "--csv", "-q", *arguments],
                    capture_output=True, text=True, timeout=200)
                self.assertEqual(done.returncode, 0, done.stderr)
                return [line.split(",")[0] for line in done.stdout.splitlines()]
            with self.subTest(arguments=arguments):
                # How much is in flight when it ends differs from run to run, so the counts alone
                # must be equal.
                self.assertGreater(len(self.same(run)), 5)


def needs_redis_py(test):
    missing = importlib.util.find_spec("redis") is None
    return unittest.skipIf(missing, "python3-redis is not installed")(test)


@needs_redis_py
class RedisPyTest(RedisTransparency):
    def run_in(self, body, **options):
        import redis

        def run(port):
            client = redis.Redis(port=port, **options)
            try:
                return body(client)
            finally:
                client.close()
                client.connection_pool.disconnect()
        return run

    def test_ordinary_commands(self):
        def body(r):
            r.set("k", b"\r\n\x00\xff")
            r.hset("h", mapping={"a": 1, "b": 2})
            r.zadd("z", {"m": 1.5, "n": 2})
            r.xadd("s", {"f": "v"}, id="1-1")
            return [r.get("k"), r.get("none"), r.hgetall("h"),
                    r.zrange("z", 0, -1, withscores=True), r.xread({"s": 0}), r.mget("k", "none"),
                    r.eval("return {1,{2,false}}", 0),
                    sorted(r.keys("*")), r.config_get("maxmemory")]
        self.same(self.run_in(body))

    def test_pipelines(self):
        def body(r):
            seen = []
            with r.pipeline(transaction=False) as p:
                for n in range(500):
                    p.set(f"k{n}", n).get(f"k{n}").incr("all")
                seen.append(p.execute())
            with r.pipeline() as p:
                p.set("a", 1).lpush("a", 2).get("a")
                seen.append([str(x) for x in p.execute(raise_on_error=False)])
            return seen
        result = self.same(self.run_in(body))
        self.assertEqual(result[0][:3], [True, b"0", 1])

    def test_transactions(self):
        import redis

        def body(r):
            seen = []
            r.set("a", 1)
            with r.pipeline() as p:
                p.watch("a")
                r.set("a", 2)
                p.multi()
                p.set("a", 3)
                try:
                    p.execute()
                except redis.WatchError as error:
                    seen.append(str(error))
            with r.pipeline() as p:
                p.get("a").execute_command("NOSUCH")
                try:
                    p.execute()
                except redis.ResponseError as error:
                    seen.append(str(error))
            return seen + [r.get("a")]
        self.assertEqual(len(self.same(self.run_in(body), uncounted=("NOSUCH",))), 3)

    def test_pubsub(self):
        def body(r):
            seen = []
            p = r.pubsub()
            p.subscribe("a", "b")
            p.psubscribe("c*")
            seen += [p.get_message(timeout=10) for _ in range(3)]
            self.server.command("PUBLISH", "a", "one")
            self.server.command("PUBLISH", "c1", "two")
            seen += [p.get_message(timeout=10) for _ in range(2)]
            p.unsubscribe()
            p.punsubscribe()
            seen += [p.get_message(timeout=10) for _ in range(3)]
            p.close()
            return seen
        result = self.same(self.run_in(body), uncounted=("PUBLISH",))
        self.assertEqual(result[3]["data"], b"one")

    def test_blocking(self):
        def body(r):
            pushed = threading.Timer(0.3, lambda: r.rpush("q", "late"))
            pushed.start()
            seen = [r.blpop("q", timeout=20), r.blpop("none", timeout=1)]
            pushed.join()
            return seen
        self.assertEqual(self.same(self.run_in(body)), [(b"q", b"late"), None])

    def test_scripts_and_wrong_passwords(self):
        import redis

        def body(r):
            script = r.register_script("return redis.call('get', KEYS[1])")
            r.set("k", "v")
            seen = [script(keys=["k"]), script(keys=["k"])]
            try:
                r.execute_command("AUTH", "secret-word")
            except redis.RedisError as error:
                seen.append(str(error))
            return seen
        # A script's own commands are counted by the server, too.
        self.same(self.run_in(body), uncounted=("GET",))
        self.assertNotIn("secret-word", str(self.proxy.events))


class WireTest(RedisTransparency):
    def conversation(self, *pieces, until=None):
        """What comes back for the pieces, each sent when the one before is answered."""
        def run(port):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                seen = b""
                for piece, answer_ends in pieces:
                    client.sendall(piece)
                    while answer_ends is not None and not seen.endswith(answer_ends):
                        chunk = client.recv(65536)
                        self.assertTrue(chunk, seen)
                        seen += chunk
                client.shutdown(socket.SHUT_WR)
                while chunk := client.recv(65536):
                    seen += chunk
            # What differs from run to run: identities and ports.
            return re.sub(rb"\$2\r\nid\r\n:\d+", b"id", seen)
        return run

    def test_resp3(self):
        commands = [b"HELLO 3\r\n", encoded("HSET", "h", "a", 1), encoded("HGETALL", "h"),
                    encoded("SMEMBERS", "none"), encoded("ZADD", "z", 1.5, "m"),
                    encoded("ZSCORE", "z", "m"), encoded("GET", "none"),
                    *[encoded("DEBUG", "PROTOCOL", kind) for kind in
                      ("attrib", "verbatim", "bignum", "push", "map", "set", "true", "double",
                       "null")],
                    encoded("SUBSCRIBE", "a", "b"), encoded("GET", "none"),
                    encoded("PUBLISH", "a", "x"), encoded("UNSUBSCRIBE"),
                    encoded("CLIENT", "TRACKING", "ON"), encoded("GET", "k"),
                    encoded("SET", "k", 1), encoded("FLUSHALL"), encoded("RESET"),
                    encoded("GET", "none"), encoded("PING", "end")]
        # DEBUG is counted without its subcommands.
        self.same(self.conversation((b"".join(commands), b"$3\r\nend\r\n")),
                  uncounted=("DEBUG", "DEBUG PROTOCOL"))

    def test_subscribed_in_version_2(self):
        self.same(self.conversation(
            (encoded("SUBSCRIBE", "a", "b") + encoded("PSUBSCRIBE", "c*") + encoded("PING", "one")
             + encoded("GET", "k"), b"this context\r\n"),
            (encoded("UNSUBSCRIBE") + encoded("UNSUBSCRIBE") + encoded("PUNSUBSCRIBE")
             + encoded("PING", "end"), b"$3\r\nend\r\n")))

    def test_without_replies(self):
        self.same(self.conversation(
            (encoded("CLIENT", "REPLY", "SKIP") + encoded("SET", "a", 1) + encoded("GET", "a")
             + encoded("CLIENT", "REPLY", "OFF") + encoded("GET", "a") + encoded("INCR", "a")
             + encoded("SUBSCRIBE", "c") + encoded("UNSUBSCRIBE", "c")
             + encoded("CLIENT", "REPLY", "ON") + encoded("GET", "a") + encoded("PING", "end"),
             b"$3\r\nend\r\n")))

    def test_transactions(self):
        self.same(self.conversation(
            (encoded("MULTI") + encoded("SET", "a", 1) + encoded("LPUSH", "a", 1) + encoded("EXEC")
             + encoded("MULTI") + encoded("MULTI") + encoded("SET", "a", 2) + encoded("DISCARD")
             + encoded("EXEC") + encoded("MULTI") + encoded("EXEC") + encoded("PING", "end"),
             b"$3\r\nend\r\n")))

    def test_inline_and_nothing(self):
        self.same(self.conversation(
            (b"PING\r\n\r\n\n*0\r\n*-1\r\nset 'a b' \"c\\x41\"\r\nGET \"a b\"\nPING end\n",
             b"$3\r\nend\r\n")))

    def test_a_command_for_itself_ends_as_it_would(self):
        self.same(self.conversation((encoded("PING") + encoded("QUIT") + encoded("PING"), None)),
                  uncounted=("QUIT", "PING"))

    def test_monitor(self):
        def run(port):
            with Wire(port) as wire:
                seen = [wire.call("MONITOR")]
                self.server.command("SET", "watched", "1")
                wire.send("PING")
                lines = [wire.read() for _ in range(3)]
                return seen + sorted(re.sub(r"[\d.]+ \[0 [\d.:]+\]", "", line) for line in lines)
        result = self.same(run, uncounted=("SET",))
        self.assertIn('"SET" "watched" "1"', str(result))

    def test_broken_requests_are_answered_by_the_server(self):
        for broken in (b"*1\r\n+PING\r\n", b"GET 'a\r\n", b"*99999999999\r\n"):
            with self.subTest(broken=broken):
                run = self.conversation((encoded("PING", "ok") + broken, None))
                before = self.proxy.counters()["connections_opaque"]
                self.assertEqual(run(self.proxy.port), run(self.server.port))
                self.assertEqual(self.proxy.counters()["connections_opaque"], before + 1)

    def test_a_replica_attaches_through_the_proxy(self):
        with RedisServer() as replica:
            self.server.command("SET", "copied", "yes")
            opaque = self.proxy.counters()["connections_opaque"]
            replica.command("REPLICAOF", "127.0.0.1", self.proxy.port)
            replica.command("WAIT", 0, 0)
            self.wait_until(lambda: replica.command("GET", "copied") == "yes")
            self.server.command("SET", "streamed", "too")
            self.wait_until(lambda: replica.command("GET", "streamed") == "too")
            self.assertEqual(self.proxy.counters()["connections_opaque"], opaque)

    def wait_until(self, is_so):
        deadline = threading.Event()
        for _ in range(600):
            if is_so():
                return
            deadline.wait(0.05)
        self.fail("it never was so")

    def test_byte_by_byte(self):
        commands = (encoded("SET", "k", b"\r\n\x00\xff" * 50) + encoded("GET", "k") + b"PING\r\n"
                    + b"HELLO 3\r\n" + encoded("HSET", "h", "a", 1) + encoded("HGETALL", "h")
                    + encoded("MULTI") + encoded("INCR", "n") + encoded("EXEC")
                    + encoded("SUBSCRIBE", "a", "b") + encoded("PUBLISH", "a", "x")
                    + encoded("PING", "end"))
        run = self.conversation((commands, b"$3\r\nend\r\n"))

        def fragmented(port):
            with Fragmented(port) as inner:
                return run(inner.port)
        self.same(fragmented)

    def test_bytes_alone_on_both_sides_of_the_proxy(self):
        commands = encoded("SET", "k", "v" * 300) + encoded("GET", "k") + encoded("PING", "end")
        run = self.conversation((commands, b"$3\r\nend\r\n"))
        with Fragmented(self.server.port) as inner, \
                ProxyProcess(inner.port, "redis", record_all=True) as proxy, \
                Fragmented(proxy.port) as outer:
            self.assertEqual(run(outer.port), run(self.server.port))
            self.assertEqual(proxy.counters()["connections_opaque"], 0)
            self.assertEqual(proxy.counters()["messages_total"], 3)


class LargeValueTest(RedisTransparency):
    def test_50_mb_both_ways_with_flat_memory(self):
        value = os.urandom(MEGABYTE) * 50

        def run(port):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.sendall(encoded("SET", "big", value) + encoded("GET", "big")
                               + encoded("MGET", "big", "none") + encoded("PING", "end"))
                seen = bytearray()
                while not seen.endswith(b"$3\r\nend\r\n"):
                    chunk = client.recv(MEGABYTE)
                    self.assertTrue(chunk)
                    seen += chunk
            body = b"$%d\r\n%s\r\n" % (len(value), value)
            self.assertEqual(seen.count(body), 2)
            return len(seen)
        with MemoryWatch(self.proxy) as memory:
            self.same(run)
        self.assertLess(memory.grown_kib, 8 * 1024)


class HiredisTest(RedisTransparency):
    SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hiredis_client.c")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        compiler = shutil.which("cc") or shutil.which("clang-19")
        if compiler is None or not os.path.exists("/usr/include/hiredis/hiredis.h"):
            skip("no C compiler, or libhiredis-dev is not installed")
        folder = tempfile.mkdtemp(prefix="misrule-hiredis-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.client = os.path.join(folder, "client")
        subprocess.run([compiler, "-o", cls.client, cls.SOURCE, "-lhiredis"], check=True)

    def test_hiredis(self):
        def run(port):
            done = subprocess.run([self.client, str(port)], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        result = self.same(run)
        self.assertIn("pipelined 999", result)


if __name__ == "__main__":
    unittest.main(verbosity=2)
