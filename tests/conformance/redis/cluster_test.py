"""A real cluster of three, and a real Sentinel, of which the proxy knows one server: clients that
are told of others meet proxies of those, and rules hold on all of them.
"""

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import dying_with_us, free_port  # noqa: E402
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402
from redis_server import RedisServer, Wire  # noqa: E402

proxy_binary()  # Skips before a server is started.
NODES = 3
HAS_REDIS_PY = importlib.util.find_spec("redis") is not None


def wait_until(is_so, limit=60):
    deadline = time.monotonic() + limit
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it never was so")
        time.sleep(0.05)


def cluster_port():
    """Its bus is 10000 higher."""
    while True:
        port = free_port()
        if port < 50000:
            return port


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = []
        for _ in range(NODES):
            server = RedisServer("--cluster-enabled", "yes", "--cluster-require-full-coverage",
                                 "no")
            server.port = cluster_port()
            cls.nodes.append(cls.enterClassContext(server))
        for n, node in enumerate(cls.nodes):
            first, last = 16384 * n // NODES, 16384 * (n + 1) // NODES - 1
            node.command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.command("CLUSTER", "MEET", "127.0.0.1", cls.nodes[0].port)
        wait_until(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") and
                               f"cluster_known_nodes:{NODES}" in node.command("CLUSTER", "INFO")
                               and len(node.command("CLUSTER", "SLOTS")) == NODES
                               for node in cls.nodes))
        cls.proxy = cls.enterClassContext(
            ProxyProcess(cls.nodes[0].port, "redis", record_all=True))

    def setUp(self):
        for node in self.nodes:
            node.command("FLUSHALL")

    def tearDown(self):
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    @property
    def real_ports(self):
        return {node.port for node in self.nodes}

    def test_every_answer_leads_to_proxies(self):
        for hello in (False, True):
            with Wire(self.proxy.port) as wire:
                if hello:
                    wire.call("HELLO 3")
                slots = {slot[2][1] for slot in wire.call("CLUSTER SLOTS")}
                lines = wire.call("CLUSTER NODES").splitlines()
                told = {":" + line.split()[1].split("@")[0].rsplit(":")[1] for line in lines}
                shards = self.ports_of_shards(wire.call("CLUSTER SHARDS"))
                moved = wire.call("GET key")
                if not moved.startswith("-MOVED"):
                    moved = wire.call("GET other")
            self.assertEqual(len(slots), NODES)
            self.assertIn(f":{self.proxy.port}", slots)
            self.assertEqual((told, shards), (slots, slots))
            self.assertIn(":" + moved.rsplit(":")[1], slots)
            for port in self.real_ports:
                self.assertNotIn(f":{port}", slots)

    def ports_of_shards(self, shards):
        ports = set()
        for shard in shards:
            shard = shard if isinstance(shard, dict) else dict(zip(shard[::2], shard[1::2]))
            for node in shard["nodes"]:
                node = node if isinstance(node, dict) else dict(zip(node[::2], node[1::2]))
                ports.add(node["port"])
        return ports

    @unittest.skipUnless(HAS_REDIS_PY, "python3-redis is not installed")
    def test_redis_py_sees_nothing_but_proxies(self):
        import redis
        logging.getLogger("redis.cluster").disabled = True  # It tells each error that it raises.
        client = redis.RedisCluster(host="127.0.0.1", port=self.proxy.port, decode_responses=True)
        self.addCleanup(self.close, client)
        for n in range(200):
            self.assertTrue(client.set(f"k{n}", n))
        self.assertEqual([client.get(f"k{n}") for n in range(200)], [str(n) for n in range(200)])
        self.assertTrue(self.real_ports.isdisjoint({n.port for n in client.get_nodes()}))
        stored = [int(node.command("DBSIZE")[1:]) for node in self.nodes]
        self.assertEqual(sum(stored), 200)
        self.assertGreater(min(stored), 0)
        seen = {u["key"] for u in self.proxy.units()
                if u["command"] == "SET" and u["reply"] == "OK" and u["key"].startswith("k")}
        self.assertLessEqual({f"k{n}" for n in range(200)}, seen)
        self.proxy.set_rules([{"id": "cluster-oom", "redis": {"command": "SET"},
                               "error": {"code": "OOM"}}])
        for n in range(20):
            with self.assertRaises(redis.exceptions.ResponseError):
                client.set(f"k{n}", "x")
        self.assertEqual(self.proxy.tallies()["cluster-oom"]["fired"], 20)
        self.proxy.set_rules([])
        self.assertTrue(client.set("k1", "again"))

    def close(self, client):
        """Also what it keeps for itself of where it began."""
        manager = client.nodes_manager
        for node in [*client.get_nodes(), *manager.startup_nodes.values()]:
            if node.redis_connection:
                node.redis_connection.connection_pool.disconnect()

    def test_redis_cli_follows_redirections(self):
        done = subprocess.run(
            ["redis-cli", "-c", "-p", str(self.proxy.port)], text=True, capture_output=True,
            timeout=60, input="".join(f"SET c{n} {n}\nGET c{n}\n" for n in range(30)))
        self.assertEqual([line for line in done.stdout.splitlines() if line.isdigit()],
                         [str(n) for n in range(30)])
        self.assertEqual(len([u for u in self.proxy.units()
                              if u["command"] == "GET" and u["reply"].endswith("bytes")
                              and u.get("key", "").startswith("c")]), 30)

    def test_a_slot_that_moves(self):
        source, target = self.nodes[0], self.nodes[1]
        slot = 42
        for node, word, other in ((target, "IMPORTING", source), (source, "MIGRATING", target)):
            node.command("CLUSTER", "SETSLOT", slot, word, other.command("CLUSTER", "MYID"))
        self.addCleanup(lambda: [n.command("CLUSTER", "SETSLOT", slot, "STABLE")
                                 for n in (source, target)])
        key = next(f"k{n}" for n in range(200_000)
                   if source.command("CLUSTER", "KEYSLOT", f"k{n}") == f":{slot}")
        with Wire(self.proxy.port) as wire:
            ask = wire.call(f"GET {key}")
            self.assertTrue(ask.startswith(f"-ASK {slot} "), ask)
            with Wire(int(ask.rsplit(":")[1])) as asked:
                asked.send("ASKING", f"SET {key} x", "ASKING", f"GET {key}")
                self.assertEqual([asked.read() for _ in range(4)], ["+OK", "+OK", "+OK", "x"])
        self.assertEqual(source.command("EXISTS", key)[:4], "-ASK")

    def test_a_made_up_move_is_followed_once(self):
        with Wire(self.proxy.port) as wire:
            told = wire.call("CLUSTER SLOTS")[0]
        message = f"MOVED {told[0][1:]} {told[2][0]}{told[2][1]}"
        key = next(f"m{n}" for n in range(1000)
                   if int(self.nodes[0].command("CLUSTER", "KEYSLOT", f"m{n}")[1:])
                   in range(int(told[0][1:]), int(told[1][1:])))
        self.proxy.set_rules([{"id": "move", "redis": {"command": "SET"}, "trigger": {"times": 1},
                               "error": {"code": "MOVED", "message": message}}])
        done = subprocess.run(["redis-cli", "-c", "-p", str(self.proxy.port), "SET", key, "x"],
                              text=True, capture_output=True, timeout=60)
        self.assertEqual(done.stdout.strip(), "OK", done.stderr)
        self.assertEqual(self.proxy.tallies()["move"]["fired"], 1)
        self.proxy.set_rules([])


    def slots(self, wire):
        """Where its answer sends clients: {(host, port)}."""
        return {(slot[2][0], int(slot[2][1][1:])) for slot in wire.call("CLUSTER SLOTS")}

    def test_a_proxy_on_all_addresses_tells_the_one_that_its_client_knows(self):
        listen = f"0.0.0.0:{free_port()}"
        with ProxyProcess(self.nodes[0].port, "redis", record_all=True, listen=listen) as proxy:
            for host in ("127.0.0.1", "127.0.0.2"):
                with Wire(proxy.port, host) as wire:
                    told = self.slots(wire)
                    moved = [wire.call(f"GET k{n}") for n in range(10)]
                self.assertEqual({each[0] for each in told}, {host})
                self.assertTrue(self.real_ports.isdisjoint({each[1] for each in told}))
                moved = [each for each in moved if each.startswith("-MOVED")]
                self.assertIn(f" {host}:", moved[0])
                for _, port in told:
                    with Wire(port, host) as wire:
                        self.assertEqual(wire.call("PING"), "+PONG")
            self.assertEqual(proxy.counters()["connections_opaque"], 0)

    @contextlib.contextmanager
    def named_nodes(self, name, kind):
        """The nodes are called so, and say so."""
        for node in self.nodes:
            node.command("CONFIG", "SET", "cluster-announce-hostname", name)
            node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", kind)

        def hosts(node):
            return {slot[2][0] for slot in node.command("CLUSTER", "SLOTS")}
        wait_until(lambda: all(hosts(node) == {name} for node in self.nodes))
        try:
            yield
        finally:
            for node in self.nodes:
                node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")
                node.command("CONFIG", "SET", "cluster-announce-hostname", "")
            wait_until(lambda: all(hosts(node) == {"127.0.0.1"} for node in self.nodes))

    def test_nodes_that_have_names(self):
        # In capitals no shortcut of ours knows it: the system is asked.
        with self.named_nodes("LOCALHOST", "hostname"), \
                ProxyProcess(self.nodes[0].port, "redis", record_all=True) as proxy:
            with Wire(self.nodes[0].port) as wire:
                self.assertEqual({host for host, _ in self.slots(wire)}, {"LOCALHOST"})
            with Wire(proxy.port) as wire:
                moved = [wire.call(f"GET k{n}") for n in range(10)]
                told = self.slots(wire)
                shards = self.ports_of_shards(wire.call("CLUSTER SHARDS"))
            self.assertEqual({host for host, _ in told}, {"127.0.0.1"})
            self.assertEqual(len(told), NODES)
            self.assertEqual({f":{port}" for _, port in told}, shards)
            self.assertTrue(self.real_ports.isdisjoint({port for _, port in told}))
            moved = [each for each in moved if each.startswith("-MOVED")]
            self.assertIn(int(moved[0].rsplit(":")[1]), {port for _, port in told})
            done = subprocess.run(["redis-cli", "-c", "-p", str(proxy.port)], text=True,
                                  capture_output=True, timeout=60,
                                  input="".join(f"SET h{n} {n}\nGET h{n}\n" for n in range(20)))
            self.assertEqual([line for line in done.stdout.splitlines() if line.isdigit()],
                             [str(n) for n in range(20)])
            self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_a_name_that_nobody_knows_is_passed_on_and_that_is_said(self):
        with self.named_nodes("no.such.host.invalid", "hostname"), \
                tempfile.TemporaryFile("w+") as log, \
                ProxyProcess(self.nodes[0].port, "redis", stderr=log) as proxy, \
                Wire(proxy.port) as wire:
            self.assertEqual({host for host, _ in self.slots(wire)}, {"no.such.host.invalid"})
            log.seek(0)
            self.assertIn("passed on as it is: nobody knows the name no.such.host.invalid",
                          log.read())

    def test_behind_a_proxy_that_ends_tls(self):
        with tempfile.TemporaryDirectory() as home:
            authority = os.path.join(home, "ca.pem")
            with ProxyProcess(self.nodes[0].port, "redis", record_all=True,
                              arguments=("--tls", "--tls-ca-out", authority)) as proxy:
                done = subprocess.run(
                    ["redis-cli", "-c", "--tls", "--cacert", authority, "-p", str(proxy.port)],
                    text=True, capture_output=True, timeout=60,
                    input="".join(f"SET s{n} {n}\nGET s{n}\n" for n in range(20)))
                self.assertEqual([line for line in done.stdout.splitlines() if line.isdigit()],
                                 [str(n) for n in range(20)], done.stderr)
                seen = {u["key"] for u in proxy.units()
                        if u["command"] == "SET" and u["reply"] == "OK"}
                self.assertEqual(seen, {f"s{n}" for n in range(20)})
                self.assertEqual(proxy.counters()["connections_opaque"], 0)


class SecretClusterTest(unittest.TestCase):
    """One node, which is a cluster of its own, and TLS to it as well."""

    def test_tls_on_both_legs(self):
        with tempfile.TemporaryDirectory() as home:
            key, cert = os.path.join(home, "key.pem"), os.path.join(home, "cert.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
                           check=True, capture_output=True)
            tls_port = cluster_port()
            server = RedisServer("--cluster-enabled", "yes", "--tls-port", tls_port,
                                 "--tls-cert-file", cert, "--tls-key-file", key,
                                 "--tls-ca-cert-file", cert, "--tls-auth-clients", "no",
                                 "--tls-cluster", "yes")
            server.port = cluster_port()
            authority = os.path.join(home, "ca.pem")
            with server, ProxyProcess(tls_port, "redis", record_all=True, arguments=(
                    "--tls", "--tls-ca-out", authority, "--upstream-tls")) as proxy:
                server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
                wait_until(lambda: "cluster_state:ok" in server.command("CLUSTER", "INFO"))
                said = subprocess.run(
                    ["redis-cli", "--tls", "--cacert", authority, "-p", str(proxy.port)],
                    text=True, capture_output=True, timeout=60,
                    input="CLUSTER SLOTS\nCLUSTER SHARDS\nCLUSTER NODES\n").stdout
                # SHARDS tells of two ports, and of what both of them are behind the proxy.
                self.assertEqual(said.count(str(proxy.port)), 4, said)
                said = said.split("@")[0]  # Behind that stands the nodes' own port.
                self.assertNotIn(str(tls_port), said)
                self.assertNotIn(str(server.port), said)


@contextlib.contextmanager
def sentinel_of(master, *more, host="127.0.0.1"):
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="misrule-sentinel-") as home:
        path = os.path.join(home, "sentinel.conf")
        with open(path, "w") as file:
            file.write(f"port {port}\nbind 127.0.0.1\ndir {home}\n"
                       + "".join(f"{line}\n" for line in more) +
                       f"sentinel monitor main {host} {master.port} 1\n")
        process = subprocess.Popen(["redis-server", path, "--sentinel"], stdout=subprocess.DEVNULL,
                                   preexec_fn=dying_with_us(signal.SIGKILL))
        try:
            def answers():
                with contextlib.suppress(OSError), Wire(port) as wire:
                    return wire.call("PING") == "+PONG"
            wait_until(answers)
            yield port
        finally:
            process.kill()
            process.wait(10)


class SentinelTest(unittest.TestCase):
    def test_a_master_that_has_a_name(self):
        more = ("sentinel resolve-hostnames yes", "sentinel announce-hostnames yes")
        with RedisServer() as master, sentinel_of(master, *more, host="LOCALHOST") as port, \
                ProxyProcess(port, "redis", record_all=True) as proxy:
            with Wire(port) as wire:
                real = wire.call("SENTINEL get-master-addr-by-name main")
                self.assertEqual(real, ["LOCALHOST", str(master.port)])
            with Wire(proxy.port) as wire:
                host, told = wire.call("SENTINEL get-master-addr-by-name main")
            self.assertEqual(host, "127.0.0.1")
            self.assertNotIn(int(told), (master.port, port))
            with Wire(int(told)) as wire:
                self.assertEqual(wire.call("PING"), "+PONG")

    def test_its_master_is_met_through_a_proxy(self):
        with RedisServer() as master, sentinel_of(master) as port, \
                ProxyProcess(port, "redis", record_all=True) as proxy:
            with Wire(proxy.port) as wire:
                host, told = wire.call("SENTINEL get-master-addr-by-name main")
                masters = wire.call("SENTINEL MASTERS")[0]
                fields = dict(zip(masters[::2], masters[1::2]))
                self.assertEqual((host, fields["ip"], fields["port"]), ("127.0.0.1", host, told))
            self.assertNotIn(int(told), (master.port, port))
            with Wire(int(told)) as wire:
                self.assertEqual(wire.call("SET a 1"), "+OK")
            self.assertEqual(master.command("GET", "a"), "1")
            if HAS_REDIS_PY:
                from redis.sentinel import Sentinel
                sentinel = Sentinel([("127.0.0.1", proxy.port)])
                client = sentinel.master_for("main")
                self.assertEqual(client.get("a"), b"1")
                for each in (client, *sentinel.sentinels):
                    each.connection_pool.disconnect()
            self.assertEqual(proxy.counters()["connections_opaque"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
