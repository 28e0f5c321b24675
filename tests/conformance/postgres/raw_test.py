"""What no driver sends, or not when it is asked to: requests for encryption that nobody has,
messages that do not exist, statements in a transaction that has failed, replication beside rules.
"""

import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from errors_test import needs
from faults import FaultCase

GSS_REQUEST = struct.pack("!II", 8, 80877104)
TLS_REQUEST = struct.pack("!II", 8, 80877103)
WORDS = b"user\0app\0database\0app\0\0"
STARTUP = struct.pack("!II", len(WORDS) + 8, 196608) + WORDS


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


class RawTest(FaultCase):
    def conversation(self, port, *pieces):
        """What the server says to each piece: messages by their types, errors with their text."""
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            file = client.makefile("rb")
            seen = []
            for piece, ends in pieces:
                client.sendall(piece)
                if len(ends) == 1 and ends in b"NSG":
                    seen.append(file.read(1))
                    continue
                seen.append(self.until(file, ends))
            return seen

    @staticmethod
    def until(file, ends):
        told = []
        while not told or not told[-1].startswith(ends):
            head = file.read(5)
            if len(head) < 5:
                return [*told, b"END"]
            kind, length = struct.unpack("!cI", head)
            body = file.read(length - 4)
            if kind in b"EDCZ":
                told.append(kind + body)
            elif kind not in b"SK":  # Settings are in no order; keys differ.
                told.append(kind)
        return told

    def same(self, *pieces):
        direct = self.conversation(self.server.port, *pieces)
        through = self.conversation(self.proxy.port, *pieces)
        self.assertEqual(through, direct)
        return direct

    def test_requests_for_encryption_before_the_startup(self):
        # Debian's server would take up GSSAPI; the proxy cannot look into that, and refuses.
        plain = (STARTUP, b"Z"), (message(b"Q", b"select 77\0"), b"Z")
        direct = self.conversation(self.server.port, *plain)
        self.assertIn(b"D\x00\x01\x00\x00\x00\x0277", direct[-1])
        for requests in ([GSS_REQUEST], [TLS_REQUEST], [GSS_REQUEST, TLS_REQUEST],
                         [TLS_REQUEST, GSS_REQUEST]):
            opaque = self.proxy.counters()["connections_opaque"]
            refused = [(request, b"N") for request in requests]
            seen = self.conversation(self.proxy.port, *refused, *plain)
            self.assertEqual(seen, [b"N"] * len(requests) + direct)
            self.assertEqual(self.proxy.counters()["connections_opaque"], opaque)

    def test_a_version_of_the_protocol_that_does_not_exist(self):
        seen = self.same((struct.pack("!II", len(WORDS) + 8, 5 << 16) + WORDS, b"E"))
        self.assertIn(b"unsupported frontend protocol", seen[0][0])

    def test_a_message_that_does_not_exist(self):
        before = self.proxy.counters()["connections_opaque"]
        seen = self.same((STARTUP, b"Z"), (message(b"z", b"what"), b"END"))
        self.assertIn(b"invalid frontend message type", seen[1][0])
        self.assertEqual(self.proxy.counters()["connections_opaque"], before + 1)

    @needs("psycopg")
    def test_a_transaction_that_has_failed_fails_by_itself(self):
        import psycopg
        connection = psycopg.connect(self.server.dsn(port=self.proxy.port))
        self.addCleanup(connection.close)
        rule = self.armed(postgres={"query": "select 5*"}, error={"code": "40001"})
        with self.assertRaises(psycopg.errors.DivisionByZero):
            connection.execute("select 1/0")
        with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("select 5")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 0)
        connection.rollback()
        with self.assertRaises(psycopg.errors.SerializationFailure):  # It was armed all the time.
            connection.execute("select 5")

    def test_write_ahead_log_is_received_while_rules_hold(self):
        program = shutil.which("pg_receivewal") or f"{self.server.bin}/pg_receivewal"
        if not os.path.exists(program):
            self.skipTest("pg_receivewal is not installed")
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if int(re.search(r"\d+", said).group()) < self.server.major:
            self.skipTest(f"pg_receivewal is too old for the server: {said.strip()}")
        self.armed(postgres={"query": "insert*"}, error={"code": "40001"})
        with tempfile.TemporaryDirectory() as folder:
            reader = subprocess.Popen(
                [program, "-D", folder, "-d",
                 self.server.dsn("postgres", port=self.proxy.port).replace("dbname=app", "")])
            try:
                deadline = time.monotonic() + 60
                while not any(not name.endswith(".partial") for name in os.listdir(folder)):
                    self.assertLess(time.monotonic(), deadline)
                    self.assertIsNone(reader.poll())
                    # One that was switched to a moment ago is not switched away from.
                    self.server.sql("select pg_logical_emit_message(false, 'x', 'y')",
                                    "select pg_switch_wal()", dbname="app")
                name = next(n for n in sorted(os.listdir(folder)) if not n.endswith(".partial"))
                with open(os.path.join(folder, name), "rb") as mine, \
                        open(os.path.join(self.server.data, "pg_wal", name), "rb") as servers:
                    self.assertEqual(mine.read(), servers.read())
            finally:
                reader.terminate()
                reader.wait(20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
