"""Where keys stand is what the server itself says: of commands with another name, of a module's, of
a newer server's. A server that does not say it costs its clients nothing.
"""

import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402
from redis_server import RedisServer, Wire  # noqa: E402

proxy_binary()  # Skips before a server is started.
LIMIT_S = 60


def wait_until(is_so):
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it never was so")
        time.sleep(0.02)


def last_unit(proxy, command):
    return [unit for unit in proxy.units() if unit["command"] == command][-1]


def key_rule(rule_id, key):
    return {"id": rule_id, "redis": {"key": key}, "error": {"code": "ERR", "message": "full"}}


class RenamedTest(unittest.TestCase):
    def learned(self, proxy, wire):
        """Until the server has answered, a new name is one that nobody knows."""
        def has_key():
            wire.call("FETCH user:1")
            return last_unit(proxy, "FETCH").get("key") == "user:1"
        wait_until(has_key)

    def test_a_new_name_has_the_keys_of_the_old_one(self):
        with RedisServer("--rename-command", "GET", "FETCH", "--rename-command", "MULTI", "BEGIN",
                         "--rename-command", "CONFIG", "CFG") as server, \
                ProxyProcess(server.port, "redis", record_all=True) as proxy, \
                Wire(proxy.port) as wire:
            self.assertEqual(wire.call("SET user:1 x"), "+OK")
            self.assertEqual(wire.call("BEGIN"), "+OK")
            self.assertEqual(wire.call("DISCARD"), "+OK")
            self.learned(proxy, wire)
            self.assertEqual(wire.call("FETCH user:1"), "x")  # The control.
            proxy.set_rules([key_rule("renamed", "user:*")])
            self.assertEqual([wire.call("FETCH other"), wire.call("FETCH user:1")],
                             ["$-1", "-ERR full"])
            self.assertEqual(proxy.tallies()["renamed"]["fired"], 1)
            proxy.set_rules([])
            wait_until(lambda: self.state_within(wire, proxy) == "transaction")
            self.assertEqual(wire.call("CFG GET maxmemory")[0], "maxmemory")
            wait_until(lambda: wire.call("CFG GET maxmemory") and
                       [u for u in proxy.units() if u["command"] == "CFG GET"])
            self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def state_within(self, wire, proxy):
        wire.send("BEGIN", "SET a 1", "DISCARD")
        self.assertEqual([wire.read() for _ in range(3)], ["+OK", "+QUEUED", "+OK"])
        return last_unit(proxy, "SET").get("state")


class SecretTest(unittest.TestCase):
    def test_a_clients_password_is_not_used(self):
        with RedisServer() as server, tempfile.TemporaryFile("w+") as log, \
                ProxyProcess(server.port, "redis", record_all=True, stderr=log) as proxy:
            server.command("CONFIG", "SET", "requirepass", "secret")
            server.forget()
            for _ in range(3):
                with Wire(proxy.port) as wire:
                    self.assertEqual(wire.call("AUTH secret"), "+OK")
                    self.assertEqual(wire.call("SET a 1"), "+OK")
                    wire.call("NOSUCH x")

            def said():
                log.seek(0)
                return log.read().count("has not said what its commands are")
            wait_until(said)
            self.assertEqual(said(), 1)
            log.seek(0)
            self.assertIn("NOAUTH", log.read())
            stats = server.command("INFO", "commandstats")
            self.assertIn("cmdstat_auth:calls=3,", stats)
            asked = next(line for line in stats.splitlines() if line.startswith("cmdstat_command:"))
            self.assertIn("calls=0,", asked)
            self.assertIn("rejected_calls=1,", asked)
            # The built-in table holds.
            proxy.set_rules([key_rule("still", "a")])
            with Wire(proxy.port) as wire:
                self.assertEqual([wire.call("AUTH secret"), wire.call("GET b"),
                                  wire.call("GET a")], ["+OK", "$-1", "-ERR full"])


def text(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


def array(*items):
    return b"*%d\r\n" % len(items) + b"".join(items)


def entry(name, index, first, last):
    """As Redis 7 tells a command with one range of keys."""
    begin = array(text(b"type"), text(b"index"), text(b"spec"),
                  array(text(b"index"), b":%d\r\n" % index))
    find = array(text(b"type"), text(b"range"), text(b"spec"),
                 array(text(b"lastkey"), b":0\r\n", text(b"keystep"), b":1\r\n", text(b"limit"),
                       b":0\r\n"))
    spec = array(text(b"flags"), array(b"+RO\r\n"), text(b"begin_search"), begin,
                 text(b"find_keys"), find)
    return array(text(name), b":-2\r\n", array(b"+write\r\n"), b":%d\r\n" % first,
                 b":%d\r\n" % last, b":1\r\n", array(), array(), array(spec), array())


class ScriptedServer:
    """Says +OK to everything but COMMAND, to which it says `table`; None: nothing, ever; empty:
    it hangs up."""

    def __init__(self, table):
        self.table = table
        self.asked = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []

    def __enter__(self):
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.open:
            each.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            while line := file.readline():
                words = []
                for _ in range(int(line[1:])):
                    words.append(file.read(int(file.readline()[1:]) + 2)[:-2])
                if words[0] != b"COMMAND":
                    refused = words[0].startswith(b"MISRULE")
                    connection.sendall(b"-ERR unknown command\r\n" if refused else b"+OK\r\n")
                    continue
                self.asked += 1
                if self.table == b"":
                    return connection.shutdown(socket.SHUT_RDWR)
                if self.table is not None:
                    connection.sendall(self.table if len(words) == 1 else
                                       array(*[b"*-1\r\n"] * (len(words) - 2)))


class ScriptedTest(unittest.TestCase):
    def test_commands_of_a_module(self):
        table = array(entry(b"json.set", 1, 1, 1), entry(b"vec.near", 2, 2, 2))
        with ScriptedServer(table) as server, \
                ProxyProcess(server.port, "redis", record_all=True) as proxy, \
                Wire(proxy.port) as wire:
            def has_key():
                self.assertEqual(wire.call("VEC.NEAR 5 v:1"), "+OK")
                return last_unit(proxy, "VEC.NEAR").get("key") == "v:1"
            wait_until(has_key)
            proxy.set_rules([key_rule("module", "v:*")])
            self.assertEqual([wire.call("JSON.SET w:1 $ 1"), wire.call("JSON.SET v:2 $ 1")],
                             ["+OK", "-ERR full"])
            self.assertEqual(proxy.tallies()["module"]["fired"], 1)

    def test_a_server_that_does_not_say_it(self):
        for table in (None, b"", b"-ERR unknown command 'COMMAND'\r\n", b"garbage\r\n",
                      b"*1000000000\r\n", b"*1\r\n*1000000000\r\n", b"%1\r\n+a\r\n+b\r\n",
                      b"*1\r\n" * 100_000):
            with self.subTest(table=(table or b"")[:20]), ScriptedServer(table) as server, \
                    ProxyProcess(server.port, "redis", record_all=True) as proxy, \
                    Wire(proxy.port) as wire:
                for _ in range(20):
                    self.assertEqual(wire.call("GET a"), "+OK")
                    self.assertEqual(wire.call("NOSUCH a"), "+OK")
                wait_until(lambda: server.asked)
                self.assertEqual(wire.call("GET a"), "+OK")
                self.assertEqual(last_unit(proxy, "GET").get("key"), "a")
                self.assertNotIn("key", last_unit(proxy, "NOSUCH"))
                counters = proxy.counters()
                self.assertEqual(counters["connections_total"], 1)
                self.assertEqual(counters["connections_opaque"], 0)
                self.assertEqual(counters["messages_total"], 41)


if __name__ == "__main__":
    unittest.main(verbosity=2)
