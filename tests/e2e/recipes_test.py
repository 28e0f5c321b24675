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
        self.assertIn("no such file; it has postgres.star, redis.star", run.output)


if __name__ == "__main__":
    misrule.main()
