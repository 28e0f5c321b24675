"""What is killed, restarted, slow or mad beside a proxy costs it nothing that lasts.

MISRULE_KILLS (60) says how often somebody is killed, MISRULE_GARBAGE_SECONDS (3) how long garbage
rains on each listener; `make test-all` and people who close an issue ask for more. MISRULE_LOOPS
(1) is the number of loops.
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from nginx_server import NginxServer  # noqa: E402
from postgres_server import PostgresServer, dying_with_us  # noqa: E402
from proxy_process import ProxyProcess, is_sanitized, proxy_binary  # noqa: E402
from redis_server import RedisServer, Wire  # noqa: E402

KILLS = int(os.environ.get("MISRULE_KILLS", "60"))
GARBAGE_SECONDS = float(os.environ.get("MISRULE_GARBAGE_SECONDS", "3"))
SEED = int(os.environ.get("MISRULE_SEED", "1"))
TRAFFIC = pathlib.Path(__file__).resolve().parent / "traffic.py"


def until(holds, seconds=20):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def client(port, kind="redis"):
    process = subprocess.Popen([sys.executable, str(TRAFFIC), str(port), kind],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               preexec_fn=dying_with_us(signal.SIGKILL))
    process.stdout.readline()
    return process


def end(process):
    process.kill()
    process.wait(10)
    process.stdout.close()


def sees_an_end(peer):
    """An end of stream or a reset, within the time-out; what comes before it does not matter."""
    try:
        while peer.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


class Killed(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def nap(self):
        time.sleep(self.random.uniform(0, 0.04))

    def test_clients(self):
        with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
            before = descriptors(proxy.pid)
            for _ in range(KILLS // 3):
                clients = [client(proxy.port) for _ in range(2)]
                self.nap()
                for one in clients:
                    end(one)
            self.assertTrue(until(lambda: descriptors(proxy.pid) <= before),
                            f"{descriptors(proxy.pid)} descriptors, {before} before")
            counters = proxy.counters()
            self.assertGreaterEqual(counters["connections_total"], 2 * (KILLS // 3))
            self.assertEqual(counters["connections_open"], 0)
            self.assertEqual(counters["connections_opaque"], 0)
            with Wire(proxy.port) as wire:
                self.assertEqual(wire.call("PING"), "+PONG")

    def test_the_server(self):
        """It is the same port again each time; the proxy's listener stands all the while."""
        with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
            before = descriptors(proxy.pid)
            for _ in range(KILLS // 6):
                with Wire(proxy.port) as idle, Wire(proxy.port) as busy:
                    self.assertEqual(idle.call("PING"), "+PONG")
                    busy.send(*["SET k v"] * 100)
                    self.nap()
                    self.restart(server)
                    for wire in (idle, busy):
                        wire.socket.settimeout(20)
                        self.assertTrue(sees_an_end(wire.socket))
                with Wire(proxy.port) as wire:
                    self.assertEqual(wire.call("PING"), "+PONG")
            self.assertTrue(until(lambda: descriptors(proxy.pid) <= before))

    @staticmethod
    def restart(server):
        server.direct.__exit__()
        server.process.kill()
        server.process.wait(10)
        server.__enter__()

    def test_the_proxy(self):
        """Both sides see what a crash looks like: an end."""
        with RedisServer() as server:
            for _ in range(KILLS // 6):
                process, port = self.bare_proxy(server.port)
                with Wire(port) as wire:
                    self.assertEqual(wire.call("PING"), "+PONG")
                    wire.send(*["INCR n"] * 50)
                    self.nap()
                    process.kill()
                    process.wait(10)
                    process.stdout.close()
                    wire.socket.settimeout(20)
                    self.assertTrue(sees_an_end(wire.socket))
                self.assertTrue(until(lambda: self.only_our_own_client(server)))

    @staticmethod
    def bare_proxy(upstream):
        process = subprocess.Popen(
            [proxy_binary(), "--protocol", "redis", "--listen", "127.0.0.1:0", "--upstream",
             f"127.0.0.1:{upstream}", "--log-level", "warn"],
            stdout=subprocess.PIPE, text=True, preexec_fn=dying_with_us(signal.SIGKILL))
        for line in process.stdout:
            told = json.loads(line)
            if told.get("action") == "ready":
                return process, int(told["listen"].split(":")[1])
        raise RuntimeError("the proxy did not start")

    @staticmethod
    def only_our_own_client(server):
        return server.command("CLIENT", "LIST").count("id=") == 1


class Garbage(unittest.TestCase):
    """Bytes of no protocol on every listener, some of them after a good beginning."""

    BEGINNINGS = {
        "redis": [b"", b"*2\r\n$", b"*1\r\n$4\r\nPING\r\n", b"*99999999\r\n"],
        "http": [b"", b"GET / HTTP/1.1\r\n",
                 b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"],
        "postgres": [b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"\x00\x00\x00\x20\x00\x03\x00\x00"],
        "tcp": [b""],
    }

    def rain(self, port, kind, until_time, seed):
        chance = random.Random(seed)
        while time.monotonic() < until_time:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                    peer.settimeout(0.02)
                    peer.sendall(chance.choice(self.BEGINNINGS[kind]))
                    for _ in range(chance.randrange(1, 6)):
                        peer.sendall(chance.randbytes(chance.choice([1, 7, 100, 5000])))
                        try:
                            peer.recv(4096)
                        except TimeoutError:
                            pass
            except OSError:
                pass

    def assert_unharmed(self, kind, server, check):
        with ProxyProcess(server.port, kind) as proxy:
            check(proxy.port)
            before = descriptors(proxy.pid)
            until_time = time.monotonic() + GARBAGE_SECONDS
            threads = [threading.Thread(target=self.rain,
                                        args=(proxy.port, kind, until_time, SEED * 100 + i))
                       for i in range(4)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                check(proxy.port)
                threads[0].join(0.2)
            for thread in threads:
                thread.join()
            check(proxy.port)
            self.assertTrue(until(lambda: descriptors(proxy.pid) <= before),
                            f"{descriptors(proxy.pid)} descriptors, {before} before")
            self.assertGreater(proxy.counters()["connections_total"], 20)

    def test_redis(self):
        def check(port):
            with Wire(port) as wire:
                self.assertEqual(wire.call("PING"), "+PONG")
        with RedisServer() as server:
            self.assert_unharmed("redis", server, check)
            self.assert_unharmed("tcp", server, check)

    def test_http(self):
        def check(port):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
                peer.sendall(b"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 204"))
        with NginxServer() as server:
            self.assert_unharmed("http", server, check)

    def test_postgres(self):
        with PostgresServer() as server:
            def check(port):
                done = subprocess.run(["psql", "-XAtc", "SELECT 1", server.dsn(port=port)],
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.stdout.strip(), "1", done.stderr)
            self.assert_unharmed("postgres", server, check)


class Burdened(unittest.TestCase):
    @unittest.skipIf(is_sanitized(), "freed memory is kept back under a sanitizer")
    def test_a_reader_that_takes_nothing_costs_a_buffer_and_no_more(self):
        """Replies of 256 MiB in all wait at the server, not in the proxy."""
        with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
            server.command("SET", "big", "x" * (1 << 20))
            with Wire(proxy.port) as wire:
                self.assertEqual(wire.call("PING"), "+PONG")
            before = proxy.resident_kib()
            with Wire(proxy.port) as slow:
                slow.send(*["GET big"] * 256)
                peak = before
                for _ in range(40):
                    time.sleep(0.02)
                    peak = max(peak, proxy.resident_kib())
                for _ in range(256):
                    self.assertEqual(len(slow.read()), 1 << 20)
                    peak = max(peak, proxy.resident_kib())
            self.assertLess(peak - before, 32 * 1024, "KiB that the proxy grew by")

    def test_connections_that_come_and_go_leave_nothing(self):
        with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
            for _ in range(100):
                with Wire(proxy.port) as wire:
                    self.assertEqual(wire.call("PING"), "+PONG")
            self.assertTrue(until(lambda: proxy.counters()["connections_open"] == 0))
            descriptors_before, memory_before = descriptors(proxy.pid), proxy.resident_kib()
            for _ in range(2000):
                with Wire(proxy.port) as wire:
                    wire.send("PING")
                    self.assertEqual(wire.read(), "+PONG")
            self.assertTrue(until(lambda: proxy.counters()["connections_open"] == 0))
            self.assertLessEqual(descriptors(proxy.pid), descriptors_before)
            if not is_sanitized():
                self.assertLess(proxy.resident_kib() - memory_before, 2048)


if __name__ == "__main__":
    unittest.main(verbosity=2)
