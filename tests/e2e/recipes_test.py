"""The recipes that come with Misrule, each against a real server, beside a control without it."""

import pathlib
import shutil
import unittest

import misrule

SHOP = pathlib.Path(__file__).parents[2] / "examples" / "shop"

ORDERS = '''
load("@misrule/postgres.star", "disk_full", "failover", "lost_commit", "pool_exhausted",
     "slow_queries")

db = service("db", interface("main", "postgres", 5432), image = "postgres:16",
             env = {"POSTGRES_PASSWORD": "test", "POSTGRES_DB": "shop"},
             healthcheck = tcp("localhost:5432"), seed = "schema.sql")
api = service("api", interface("public", "http", 8080), binary = "./api.py", depends_on = [db],
              env = {"DATABASE_URL": "postgres://postgres:test@localhost:5432/shop"},
              healthcheck = http("localhost:8080/health", timeout = "20s"))

def place():
    return api.post(path = "/orders", json = {"item": "lamp", "quantity": 1})
def stored():
    return db.main.query(sql = "SELECT count(*) FROM orders").value()
def works_again(r):
    wait_until(lambda: place().ok, within = "30s")
def case(name, faults, *expected):
    fault_scenario(name, scenario = place, faults = faults, expect = expect_all(*expected))

case("lost_commit", [lost_commit(db)], expect_status("5xx"),
     lambda r: assert_eq(stored(), 1, "stored although nobody was told"), works_again)
case("disk_full", [disk_full(db)], expect_status("5xx"), works_again)
case("failover", [failover(db, api, refused = 1)], works_again)
# One connection of the pool is lost, and the server takes no other in its place.
def place_and_reconnect():
    reply = place()
    if not reply.ok:
        refused = lambda e: e.get("code") == "53300"
        wait_until(lambda: events(type = "proxy", where = refused), within = "30s")
    return reply
lost = fault_assumption("lost", target = db, rules = [drop(query = "INSERT*", times = 1)])
fault_scenario("pool_exhausted", scenario = place_and_reconnect,
               faults = [lost, pool_exhausted(db)],
               expect = expect_all(expect_status("5xx"), works_again))
case("slow_queries", [slow_queries(db, "20s", query = "INSERT*")], expect_status(504), works_again)
'''

# Asks its cache, and what is behind it when the cache does not know.
CACHED = r'''#!/usr/bin/python3
import http.server, socket
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with socket.create_connection(("localhost", 6379), timeout=10) as cache:
                said = cache.makefile("rb")
                cache.sendall(b"SET k v\r\n" if self.path == "/set" else b"GET k\r\n")
                line = said.readline().decode().strip()
                known = "from cache" if line[0] == "$" else line
                answer = "from source" if line == "$-1" else known
        except OSError as error:
            answer = type(error).__name__
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
'''

CACHE = '''
load("@misrule/redis.star", "cache_down", "cache_full", "cache_stampede", "read_only")

cache = service("cache", interface("main", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"))
api = service("api", interface("public", "http", 8080), binary = "./cached.py",
              depends_on = [cache], healthcheck = tcp("localhost:8080"))
def read():
    cache.main.set("k", "v")
    return api.get(path = "/")
def write():
    return api.get(path = "/set")
def case(name, scenario, fault, normal, under):
    fault_scenario(name, scenario = scenario, faults = [fault],
                   control = lambda r: assert_eq(r.body, normal),
                   expect = lambda r: assert_true(r.body.startswith(under), r.body))

case("stampede", read, cache_stampede(cache), "from cache", "from source")
case("full", write, cache_full(cache), "+OK", "-OOM")
case("replica", write, read_only(cache), "+OK", "-READONLY")
case("down", read, cache_down(cache, api), "from cache", "ConnectionRefusedError")
'''

# Takes jobs from a stream one by one, and says how many it has done.
CONSUMER = r'''#!/usr/bin/python3
import http.server, socket, threading
done = 0
def work():
    global done
    with socket.create_connection(("localhost", 6379)) as broker:
        said = broker.makefile("rb")
        def reply():
            line = said.readline()
            if line[:1] == b"*":
                return [reply() for _ in range(int(line[1:]))]
            return said.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line
        last = b"0"
        while True:
            broker.sendall(b"XREAD COUNT 1 BLOCK 100000 STREAMS jobs " + last + b"\r\n")
            last = reply()[0][1][0][0]
            done += 1
class Consumer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(done).encode())
threading.Thread(target=work, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8080), Consumer).serve_forever()
'''

BEHIND = '''
load("@misrule/network.star", "slow_consumer", "stale_replica")

broker = service("broker", interface("main", "redis", 6379), image = "redis:7",
                 args = ["--repl-diskless-sync-delay", "0"],
                 healthcheck = tcp("localhost:6379"))
consumer = service("consumer", interface("public", "http", 8080), binary = "./consumer.py",
                   depends_on = [broker], healthcheck = http("localhost:8080/"))
def sync():
    broker.main.set("k", "old")
    wait_until(lambda: replica.main.get("k").data == "old", within = "60s")
replica = service("replica", interface("main", "redis", 6380), image = "redis:7",
                  args = ["--replicaof", "localhost", "6379"], depends_on = [broker],
                  healthcheck = tcp("localhost:6380"), seed = sync)

def done():
    return int(consumer.get(path = "/").body)
def produce():
    """Eight jobs of 20 KB: how many are not done after four seconds, at most?"""
    for _ in range(8):
        broker.main.command("XADD", "jobs", "*", "job", "x" * 20000)
    for _ in range(40):
        if done() == 8:
            return 0
        sleep("100ms")
    return 8 - done()
def catches_up(backlog):
    assert_true(backlog >= 6, "%d jobs are behind" % backlog)
    wait_until(lambda: done() == 8, within = "60s")
fault_scenario("slow", scenario = produce,
               faults = [slow_consumer(broker, consumer, bandwidth = "4KiB/s")],
               control = lambda backlog: assert_eq(backlog, 0), expect = catches_up)

def read_behind():
    """What the replica answers once it has what was written, after four seconds at most."""
    broker.main.set("k", "new")
    for _ in range(40):
        if replica.main.get("k").data == "new":
            break
        sleep("100ms")
    return replica.main.get("k").data
def is_stale(seen):
    assert_eq(seen, "old")
    wait_until(lambda: replica.main.get("k").data == "new", within = "60s")
fault_scenario("stale", scenario = read_behind, faults = [stale_replica(broker, replica)],
               control = lambda seen: assert_eq(seen, "new"), expect = is_stale)
'''


class Recipes(misrule.Project):
    def check(self, spec, count):
        run = self.run_spec(spec, timeout=200)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(len(run.report["tests"]), count)
        for test in run.report["tests"]:
            self.assertEqual(test["outcome"], "passed", run.output)
            self.assertTrue(all(rule["fired"] or rule["connections_cut"] for rule in test["rules"]),
                            test["rules"])

    @unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
    def test_postgres(self):
        for name in ("api.py", "schema.sql"):
            shutil.copy(SHOP / name, self.folder)
        self.check(ORDERS, 5)

    @unittest.skipUnless(shutil.which("redis-server"), "Redis is not installed")
    def test_redis(self):
        self.write("cached.py", CACHED).chmod(0o755)
        self.check(CACHE, 4)

    @unittest.skipUnless(shutil.which("redis-server"), "Redis is not installed")
    def test_network(self):
        """A real stream with a slow consumer, a real replica that is behind; both catch up."""
        self.write("consumer.py", CONSUMER).chmod(0o755)
        self.check(BEHIND, 2)

    def test_a_mistake_is_shown_here_and_there(self):
        run = self.run_spec(misrule.SERVICE + '''
load("@misrule/postgres.star", "lost_commit")
lost_commit(api)
''')
        self.assertEqual(run.code, 2, run.output)
        self.assertIn("@misrule/postgres.star:5", run.output)
        self.assertIn("spec.star:6", run.output)
        run = self.run_spec('load("@misrule/oracle.star", "lost_commit")\n')
        self.assertEqual(run.code, 2, run.output)
        self.assertIn("no such file; it has network.star, postgres.star, redis.star", run.output)


if __name__ == "__main__":
    misrule.main()
