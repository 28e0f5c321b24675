"""What takes minutes or gigabytes, through the idle proxy, whose memory stays flat."""

import hashlib
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from redis_test import RedisTransparency, Wire, encoded
from transparency import MemoryWatch, PostgresTransparency, is_sanitized, skip

if is_sanitized():
    skip("with a sanitizer memory says nothing, and time neither")
MEGABYTE = 1 << 20
IDLE_S = int(os.environ.get("MISRULE_IDLE_SECONDS", "600"))


class RawPostgres:
    """A client that reads rows without keeping them."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        words = b"user\0app\0database\0app\0\0"
        self.socket.sendall(struct.pack("!II", len(words) + 8, 196608) + words)
        self.until_ready()

    def query(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
        return self.until_ready()

    def until_ready(self):
        """{type of message: bytes}"""
        seen = {}
        while True:
            kind, length = struct.unpack("!cI", self.exactly(5))
            left = length - 4
            seen[kind] = seen.get(kind, 0) + left
            while left:
                left -= len(self.socket.recv(min(left, MEGABYTE)))
            if kind == b"Z":
                return seen

    def exactly(self, size):
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data


class PostgresHeavy(PostgresTransparency):
    record_all = False

    def test_pgbench_for_a_minute(self):
        subprocess.run(["pgbench", "-i", "-q", "-s", "2", self.server.dsn()], check=True,
                       capture_output=True)
        for mode in ("simple", "extended", "prepared"):
            done = subprocess.run(
                ["pgbench", "-n", "-M", mode, "-c", "8", "-j", "2", "-T", "20",
                 self.server.dsn(port=self.proxy.port)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("failed transactions: 0", done.stdout)
        sums = self.server.sql(
            "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from "
            "pgbench_branches), (select sum(tbalance) from pgbench_tellers), (select sum(delta) "
            "from pgbench_history)", dbname="app")[0]
        self.assertEqual(len(set(sums)), 1, sums)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_copy_of_100_mb_both_ways(self):
        direct, through = self.server.dsn(), self.server.dsn(port=self.proxy.port)
        subprocess.run(
            ["psql", "-X", "-q", direct, "-c", "create table big as select n, repeat(md5(n::text), "
             "30) as t from generate_series(1, 110000) n", "-c", "create table back (like big)"],
            check=True)

        def out(dsn, table):
            done = subprocess.run(["psql", "-X", dsn, "-c", f"\\copy {table} to stdout"],
                                  check=True, capture_output=True)
            return done.stdout
        with MemoryWatch(self.proxy) as memory, tempfile.NamedTemporaryFile() as file:
            data = out(through, "big")
            self.assertGreater(len(data), 100_000_000)
            self.assertEqual(hashlib.sha256(data).digest(),
                             hashlib.sha256(out(direct, "big")).digest())
            file.write(data)
            file.flush()
            subprocess.run(["psql", "-X", "-q", through, "-c", f"\\copy back from '{file.name}'"],
                           check=True)
        self.assertEqual(hashlib.sha256(out(direct, "back")).digest(),
                         hashlib.sha256(data).digest())
        self.assertLess(memory.grown_kib, 8 * 1024)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_a_gigabyte_in_rows_and_in_one_row(self):
        size = 500_000_000
        with MemoryWatch(self.proxy) as memory:
            client = RawPostgres(self.proxy.port)
            rows = client.query("select repeat('x', 1048576) from generate_series(1, 1024)")
            # Two columns, because the server makes no value of a gigabyte.
            one = client.query(f"select repeat('x', {size}), repeat('y', {size})")
        self.assertEqual(rows[b"D"], 1024 * (MEGABYTE + 6))
        self.assertEqual(one[b"D"], 2 + 2 * (4 + size))
        self.assertLess(memory.most_kib, 64 * 1024)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_110_connections_that_idle(self):
        clients = [RawPostgres(self.proxy.port) for _ in range(110)]
        open_ones = self.proxy.resident_kib()
        time.sleep(IDLE_S)
        for client in clients:
            self.assertIn(b"D", client.query("select 77"))
        self.assertLess(self.proxy.resident_kib() - open_ones, 8 * 1024)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


class RedisHeavy(RedisTransparency):
    record_all = False

    def test_a_million_commands_by_redis_cli(self):
        with tempfile.TemporaryFile() as file:
            for n in range(1_000_000):
                file.write(encoded("SET", f"key:{n}", n))

            def run(port):
                file.seek(0)
                done = subprocess.run(["redis-cli", "-p", str(port), "--pipe"], stdin=file,
                                      capture_output=True, timeout=600)
                return done.stdout.decode()
            with MemoryWatch(self.proxy) as memory:
                self.assertIn("errors: 0, replies: 1000000", self.same(run))
        self.assertEqual(self.server.command("DBSIZE"), ":1000000")
        self.assertLess(memory.most_kib, 64 * 1024)

    def test_a_value_of_512_mb(self):
        size, piece = 512 * MEGABYTE, os.urandom(MEGABYTE)

        def run(port):
            seen = hashlib.sha256()
            with socket.create_connection(("127.0.0.1", port), timeout=600) as client:
                client.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % size)
                for _ in range(512):
                    client.sendall(piece)
                client.sendall(b"\r\n" + encoded("GET", "big"))
                left = len(b"+OK\r\n$%d\r\n\r\n" % size) + size
                while left:
                    chunk = client.recv(MEGABYTE)
                    self.assertTrue(chunk)
                    seen.update(chunk)
                    left -= len(chunk)
            return seen.hexdigest()
        with MemoryWatch(self.proxy) as memory:
            self.same(run)
        self.assertLess(memory.most_kib, 64 * 1024)

    def test_a_command_that_blocks_for_40_seconds(self):
        def run(port):
            with Wire(port) as client:
                client.socket.settimeout(120)
                client.send("BLPOP q 0", "PING")  # What is behind it waits as long.
                began = time.monotonic()
                pushed = threading.Timer(40, self.server.command, ("RPUSH", "q", "late"))
                pushed.start()
                answers = [client.read(), time.monotonic() - began >= 40, client.read()]
                pushed.join()
            return answers
        through = run(self.proxy.port)
        self.assertEqual(through, run(self.server.port))
        self.assertEqual(through, [["q", "late"], True, "+PONG"])
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_200_connections_that_idle(self):
        clients = [socket.create_connection(("127.0.0.1", self.proxy.port), timeout=60)
                   for _ in range(200)]
        for client in clients:
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(100), b"+PONG\r\n")
        open_ones = self.proxy.resident_kib()
        time.sleep(IDLE_S)
        for client in clients:
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(100), b"+PONG\r\n")
            client.close()
        self.assertLess(self.proxy.resident_kib() - open_ones, 8 * 1024)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
