"""What a driver makes of an injected error is what it makes of the server's own: each field of the
exception, and the five operations that follow. By redis-py, by hiredis, and on the wire in both
versions of the protocol; alone and within MULTI.

Each row says how a real server is brought to say it. Rows without a way are named with the reason.
"""

import contextlib
import ctypes
import ctypes.util
import importlib.util
import os
import re
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import free_port  # noqa: E402
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402
from redis_server import RedisServer, Wire  # noqa: E402

proxy_binary()  # Skips before a server is started.
LIMIT_S = 60
HAS_REDIS_PY = importlib.util.find_spec("redis") is not None
HIREDIS = ctypes.util.find_library("hiredis")

# Keys of one slot, so that a cluster takes them together.
SETUP = ["SET {t}a 1", "SET {t}text x", "SET {t}s old", "RPUSH {t}l 1",
         "XGROUP CREATE {t}x g $ MKSTREAM"]
NEXT_FIVE = ["GET {t}a", "SET {t}b 2", "LRANGE {t}l 0 -1", "MGET {t}a {t}b {t}none", "INCR {t}n"]
NO_WAY = {
    "ERR": "as such it is ours; with a server's own words it has rows here",
    "UNBLOCKED": "the server says so and hangs up; ours leaves the connection (docs/redis.md)",
}
# Not in the table: UNKILLABLE, behind which a server can only be killed, so that nothing follows
# that could be compared; and what is said to a client too many, which drivers_test.py compares.


def wait_until(is_so):
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it never was so")
        time.sleep(0.02)


@contextlib.contextmanager
def settings(server, **values):
    before = {}
    for name, value in values.items():
        name = name.replace("_", "-")
        before[name] = server.command("CONFIG", "GET", name)[1]
        assert server.command("CONFIG", "SET", name, value) == "+OK", name
    try:
        yield
    finally:
        for name, value in before.items():
            server.command("CONFIG", "SET", name, value)


@contextlib.contextmanager
def replica(server, **more):
    with settings(server, **more):
        server.command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            server.command("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def forbidden(server):
    server.command("ACL", "SETUSER", "default", "-set")
    try:
        yield
    finally:
        server.command("ACL", "SETUSER", "default", "+@all")


@contextlib.contextmanager
def busy(server, script="while true do end"):
    with settings(server, busy_reply_threshold="1"), Wire(server.port) as running:
        running.send_words("EVAL", script, "0")
        wait_until(lambda: server.command("PING").startswith("-BUSY"))
        try:
            yield
        finally:
            server.command("SCRIPT", "KILL")
            running.read()


@contextlib.contextmanager
def loading(server):
    server.command("DEBUG", "POPULATE", "2000", "loaded")
    with settings(server, key_load_delay="5000", loading_process_events_interval_bytes="1024"):
        with Wire(server.port) as reloading:
            reloading.send("DEBUG RELOAD")
            wait_until(lambda: server.command("GET", "k").startswith("-LOADING"))
            yield
            server.command("CONFIG", "SET", "key-load-delay", "0")
            assert reloading.read() == "+OK"


@contextlib.contextmanager
def failed_save(server):
    with tempfile.TemporaryDirectory() as home, \
            settings(server, dir=home, save="3600 1"):
        os.rmdir(home)
        server.command("BGSAVE")
        wait_until(lambda: "rdb_last_bgsave_status:err" in server.command("INFO", "persistence"))
        try:
            yield
        finally:
            os.mkdir(home)
            server.command("CONFIG", "SET", "dir", home)  # It stands in the one that is gone.
            server.command("BGSAVE")
            wait_until(lambda: "rdb_last_bgsave_status:ok" in server.command("INFO", "persistence"))


@contextlib.contextmanager
def no_slot(server):
    server.command("CLUSTER", "DELSLOTS", "16383")
    wait_until(lambda: server.command("GET", "{t}a").startswith("-CLUSTERDOWN"))
    try:
        yield
    finally:
        server.command("CLUSTER", "ADDSLOTS", "16383")
        wait_until(lambda: not server.command("GET", "{t}a").startswith("-CLUSTERDOWN"))


@contextlib.contextmanager
def slot(server, word):
    """The slot of the keys leaves for the other node, or is there already."""
    other = server.other
    number = server.command("CLUSTER", "KEYSLOT", "{t}a")[1:]
    for node, say in ((other, "IMPORTING"), (server, "MIGRATING")):
        peer = server if node is other else other
        node.command("CLUSTER", "SETSLOT", number, say, peer.command("CLUSTER", "MYID"))
    try:
        yield
    finally:
        for node in (server, other):
            node.command("CLUSTER", "SETSLOT", number, "STABLE")


@contextlib.contextmanager
def as_it_is(_server):
    yield


class Row:
    """`op` is refused by the server while `real(server)` holds, with `code`. `multi`: "queue" where
    it is refused when it is queued, "late" where it fails when it is carried out, None where no
    server refuses it so in a transaction."""

    def __init__(self, code, op, real=as_it_is, multi="queue", cluster=False, message=False,
                 setup=(), match=None, name=None):
        self.code, self.op, self.real, self.multi = code, op, real, multi
        self.cluster = cluster
        self.message = message  # Its text depends on the request, so the rule gives it.
        self.setup = list(setup)
        self.match = {"command": self.command()} if match is None else match
        self.name = name or code

    def command(self):
        words = self.op.split()
        containers = ("SCRIPT", "XGROUP")
        return " ".join(words[:2]) if words[0] in containers else words[0]


ROWS = [
    Row("OOM", "SET {t}s new", lambda s: settings(s, maxmemory="1"), multi=None),
    Row("OOM", "SET {t}s new", lambda s: settings(s, maxmemory="1"), name="OOM in MULTI", match={}),
    Row("READONLY", "SET {t}s new", replica),
    Row("NOREPLICAS", "SET {t}s new", lambda s: settings(s, min_replicas_to_write="1")),
    Row("NOPERM", "SET {t}s new", forbidden),
    Row("MISCONF", "SET {t}s new", failed_save),
    Row("LOADING", "GET {t}s", loading),
    Row("BUSY", "GET {t}s", busy),
    Row("MASTERDOWN", "GET {t}s", lambda s: replica(s, replica_serve_stale_data="no")),
    Row("NOAUTH", "GET {t}s", lambda s: settings(s, requirepass="x"), multi=None,
        setup=["RESET"]),
    Row("WRONGPASS", "AUTH nobody x", multi="late"),
    Row("NOPROTO", "HELLO 9", multi="late"),
    Row("WRONGTYPE", "RPUSH {t}text 1", multi="late"),
    Row("NOSCRIPT", "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0", multi="late"),
    Row("BUSYKEY", "RESTORE {t}a 0 x", multi="late"),
    Row("BUSYGROUP", "XGROUP CREATE {t}x g $", multi="late"),
    Row("NOGROUP", "XREADGROUP GROUP h c STREAMS {t}x >", multi="late", message=True),
    Row("NOTBUSY", "SCRIPT KILL", multi="late"),
    Row("ERR", "INCR {t}text", multi="late", message=True, name="ERR: no integer"),
    Row("ERR", "LSET {t}l 9 x", multi="late", message=True, name="ERR: out of range"),
    Row("EXECABORT", "EXEC", setup=["MULTI", "NOSUCH"], multi=None),
    Row("NOMASTERLINK", "SYNC", replica, multi=None),
    Row("CLUSTERDOWN", "GET {t}s", no_slot, cluster=True),
    Row("CROSSSLOT", "MGET {t}s {u}s", cluster=True),
    Row("TRYAGAIN", "MGET {t}s {t}none", lambda s: slot(s, "MIGRATING"), cluster=True),
    Row("ASK", "GET {t}none", lambda s: slot(s, "MIGRATING"), cluster=True, message=True,
        match={"key": "{t}none", "command": "GET"}),
    Row("MOVED", "GET {m}a", cluster=True, message=True, match={"key": "{m}a"}),
]


def words_of(op):
    return op.split()


class HiredisReply(ctypes.Structure):
    pass


HiredisReply._fields_ = [
    ("type", ctypes.c_int), ("integer", ctypes.c_longlong), ("len", ctypes.c_size_t),
    ("str", ctypes.c_void_p), ("elements", ctypes.c_size_t),
    ("element", ctypes.POINTER(ctypes.POINTER(HiredisReply)))]


class Hiredis:
    """Of the version that Debian has: 0.14, which speaks version 2 alone."""

    def __init__(self, port):
        self.library = ctypes.CDLL(HIREDIS)
        self.library.redisConnect.restype = ctypes.c_void_p
        self.library.redisCommandArgv.restype = ctypes.POINTER(HiredisReply)
        self.library.redisCommandArgv.argtypes = [
            ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p]
        self.library.redisFree.argtypes = [ctypes.c_void_p]
        self.library.freeReplyObject.argtypes = [ctypes.c_void_p]
        self.context = self.library.redisConnect(b"127.0.0.1", port)

    def call(self, op):
        words = [word.encode() for word in words_of(op)]
        reply = self.library.redisCommandArgv(
            self.context, len(words), (ctypes.c_char_p * len(words))(*words), None)
        if not reply:
            return "context error", ctypes.cast(self.context, ctypes.POINTER(ctypes.c_int))[0]
        try:
            return self.read(reply.contents)
        finally:
            self.library.freeReplyObject(reply)

    def read(self, reply):
        text = ctypes.string_at(reply.str, reply.len) if reply.str else None
        elements = [self.read(reply.element[n].contents) for n in range(reply.elements)]
        return reply.type, reply.integer, text, elements

    def close(self):
        self.library.redisFree(self.context)


class WireClient:
    def __init__(self, port, hello=None):
        self.wire = Wire(port)
        if hello:
            self.wire.call(f"HELLO {hello}")

    def call(self, op):
        return self.wire.call(op)

    def close(self):
        self.wire.__exit__()


class RedisPy:
    def __init__(self, port):
        import redis
        self.client = redis.Redis(port=port, single_connection_client=True)

    def told(self, error):
        fields = {name: value for name, value in vars(error).items() if name != "__traceback__"}
        return type(error).__mro__[:-2], error.args, fields

    def call(self, op):
        try:
            answer = self.client.execute_command(*words_of(op))
        except Exception as error:  # Also its own of answers that it does not expect.
            return self.told(error)
        return self.plain(answer)

    def plain(self, answer):
        if isinstance(answer, list):
            return [self.plain(item) for item in answer]
        return self.told(answer) if isinstance(answer, Exception) else answer

    def transaction(self, ops):
        """As its pipelines do it: all is sent at once."""
        pipeline = self.client.pipeline()
        for op in ops:
            pipeline.execute_command(*words_of(op))
        try:
            return self.plain(pipeline.execute())
        except Exception as error:  # Also its own of answers that it does not expect.
            return self.told(error)

    def close(self):
        self.client.close()


def clients():
    yield "version 2", WireClient
    yield "version 3", lambda port: WireClient(port, 3)
    if HIREDIS:
        yield "hiredis", Hiredis
    if HAS_REDIS_PY:
        yield "redis-py", RedisPy


def without_ids(value):
    """Of what differs from one server to another."""
    return re.sub(r"('id'|b'id'), (':|b':|:)?\d+", "'id'", repr(value))


class OracleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter = cls.enterClassContext
        cls.plain = enter(RedisServer())
        cls.real = enter(RedisServer("--enable-protected-configs", "local"))
        cls.proxy = enter(ProxyProcess(cls.plain.port, "redis", record_all=True))
        nodes = []
        for _ in range(2):
            node = RedisServer("--cluster-enabled", "yes")
            while node.port > 50_000:  # Its bus is 10000 higher.
                node.port = free_port()
            nodes.append(enter(node))
        cls.cluster, cls.cluster.other = nodes
        moved = int(cls.cluster.command("CLUSTER", "KEYSLOT", "{m}a")[1:])
        nodes[0].command("CLUSTER", "ADDSLOTSRANGE", 0, moved - 1)
        nodes[0].command("CLUSTER", "ADDSLOTSRANGE", moved + 1, 16383)
        nodes[1].command("CLUSTER", "ADDSLOTS", moved)
        nodes[0].command("CLUSTER", "MEET", "127.0.0.1", nodes[1].port)
        wait_until(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") and
                               len(node.command("CLUSTER", "SLOTS")) >= 2 for node in nodes))

    def prepare(self, server):
        server.command("FLUSHALL")
        for op in SETUP:
            server.command(*words_of(op))

    def alone(self, make, port, row, fault):
        client = make(port)
        try:
            seen = [client.call("GET {t}a")]
            with fault:
                seen += [client.call(op) for op in [*row.setup, row.op]]
            return seen + [client.call(op) for op in NEXT_FIVE]
        finally:
            client.close()

    def in_transaction(self, make, port, row, fault):
        client = make(port)
        try:
            # What is found out when it is queued, and what when it is carried out.
            seen = [client.call("MULTI"), client.call("SET {t}a 5")]
            with fault:
                seen.append(client.call(row.op))
            seen += [client.call("APPEND {t}a 6"), client.call("EXEC")]
            return seen + [client.call(op) for op in NEXT_FIVE]
        finally:
            client.close()

    def by_pipeline(self, make, port, row, fault):
        client = make(port)
        try:
            with fault:
                seen = [client.transaction(["GET {t}a", row.op, "GET {t}a"])]
            return seen + [client.call(op) for op in NEXT_FIVE]
        finally:
            client.close()

    @contextlib.contextmanager
    def injected(self, row, number, text):
        rule = {"id": f"oracle-{number}", "redis": row.match, "error": {"code": row.code}}
        if row.message:
            rule["error"]["message"] = text
        self.proxy.set_rules([rule])
        try:
            yield
        finally:
            self.assertGreater(self.proxy.tallies()[rule["id"]]["fired"], 0)
            self.proxy.set_rules([])

    def text_of(self, row):
        """What the server itself says."""
        server = self.cluster if row.cluster else self.real
        self.prepare(server)
        with Wire(server.port) as wire, row.real(server):
            for op in row.setup:
                wire.call(op)
            told = wire.call(row.op)
        self.assertEqual(told.split()[0], "-" + row.code, told)
        return told[1:]

    def compare(self, way, rows, only=None):
        for number, row in enumerate(rows):
            server = self.cluster if row.cluster else self.real
            text = self.text_of(row)
            for name, make in clients():
                if only and name != only:
                    continue
                with self.subTest(code=row.name, client=name):
                    self.prepare(server)
                    expected = way(make, server.port, row, row.real(server))
                    self.prepare(self.plain)
                    rule_id = f"{way.__name__}-{number}-{name}"
                    seen = way(make, self.proxy.port, row, self.injected(row, rule_id, text))
                    self.assertEqual(without_ids(seen), without_ids(expected))
                    # redis-py has a class in the place of some of the words.
                    said = row.code if name != "redis-py" else "redis.exceptions"
                    self.assertIn(said, repr(seen))
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_alone(self):
        self.compare(self.alone, [row for row in ROWS if row.name != "OOM in MULTI"])

    def test_in_a_transaction(self):
        self.compare(self.in_transaction, [row for row in ROWS if row.multi])

    @unittest.skipUnless(HAS_REDIS_PY, "python3-redis is not installed")
    def test_in_a_pipelined_transaction(self):
        rows = [row for row in ROWS if row.multi and row.code not in ("BUSY",)]
        self.compare(self.by_pipeline, rows, only="redis-py")

    def test_every_code_is_here(self):
        told = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "../../../codecs/redis/errors.cc")
        with open(told) as source:
            table = source.read().split("kErrors")[1].split("});")[0]
        codes = set(re.findall(r'^    \{"([A-Z]+)",', table, re.MULTILINE))
        self.assertGreater(len(codes), 20)
        self.assertEqual(codes - {row.code for row in ROWS} - set(NO_WAY), set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
