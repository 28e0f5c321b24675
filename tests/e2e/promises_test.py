#!/usr/bin/python3
"""docs/events.md against events: each type has the fields that it promises, and no others."""

import json
import pathlib
import re
import shutil
import unittest

import misrule
from misrule import POSTGRES, SERVICE

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "events.md"
COMMON = {"number", "time_ns", "source_time_ns", "service", "type", "clock", "after", "fields"}

# All that the table of a type names happens in one of these tests; how they end is not asked.
SPEC = SERVICE + POSTGRES.replace("healthcheck", "observe = [wal_stream()], healthcheck") + '''
cache = service("cache", interface("main", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"), observe = [keyspace(), pubsub("news")])
def answer():
    return feed.get(path = "/health").status
feed = service("feed", interface("main", "http", 8090), binary = "./feed.py",
               healthcheck = http("localhost:8090/health"), observe = [
                   stderr(), file("/tmp/feed.log", decoder = decoder("json")),
                   poll("answer", answer), tail_http("/sse")])
store = service("store", interface("main", "http", 9000), interface("raw", "http", 9001),
                binary = "./api.py", env = {"PORT": "9000"},
                healthcheck = http("localhost:9000/health"))

def get(path):
    return api.get(path = path)

def test_steps():
    api.post(path = "/", body = "x")
    api.get(path = "/say?status=200")
    db.main.query(sql = "SELECT 1 AS n")
    db.main.query(sql = "SELECT * FROM nothing")
    db.main.exec(sql = "BEGIN; CREATE TABLE t (n int); COMMIT")
    store.raw.get(path = "/")
    cache.main.set("a", "1")
    cache.main.delete("a", "b")
    api.post(path = "/", body = "x" * 70000)
    api.get(path = "/large")

def test_rules():
    fault(db, error(query = "SELECT*", code = "40001", label = "e"), source = "test",
          run = lambda: db.main.query(sql = "SELECT 1"))
    fault(api, delay("1ms", path = "/health"), source = "test", run = lambda: get("/health"))
    fault(api, link(latency = "1ms", label = "slow"), source = "test",
          run = lambda: get("/health"))
    fault(api, write = deny("EIO", path = "/tmp/f", label = "w"),
          run = lambda: get("/write?path=/tmp/f"))
    fault(api, connect = deny("ECONNREFUSED", to = store), run = lambda: get("/connect"))
    get("/connect?host=127.0.0.1&port=9999")

def test_exits():
    fault(api, write = deny("EIO", path = "/tmp/f"),
          run = lambda: [get("/write?path=/tmp/f"), get("/exit?code=3")])
    fault(api, write = deny("EIO", path = "/tmp/f"),
          run = lambda: [get("/write?path=/tmp/f"), get("/kill")])

def test_rows():
    db.main.exec(sql = "CREATE TABLE w (id int PRIMARY KEY, long text)")
    db.main.exec(sql = "ALTER TABLE w ALTER long SET STORAGE EXTERNAL")
    db.main.exec(sql = "INSERT INTO w VALUES (1, repeat('x', 70000))")
    db.main.exec(sql = "UPDATE w SET id = 2")
    db.main.exec(sql = "DELETE FROM w")
    assert_eventually(type = "wal", where = {"action": "DELETE"})

def test_observed():
    cache.main.set("k", "1")
    cache.main.command("PUBLISH", "news", '{"n": 1}')
    feed.get(path = "/write")
    log("said", about = "it")
    attach("note.txt", "text")
    for type in ("keyspace", "pubsub", "poll", "file", "tail_http", "stderr"):
        assert_eventually(type = type, within = "60s")

def die():
    cache.main.set("a", "1")
    cache.main.command("SHUTDOWN", "NOSAVE")

def test_gap():
    fault(cache, delay("1ms", command = "SHUTDOWN"), source = "test", run = die)
    assert_never(type = "proxy", where = {"key": "z"})

def test_opaque():
    """Bytes that are no HTTP."""
    get("/garbage")
'''

MORE = r'''
    def do_say(self, status="200"):
        print("to the other stream", file=sys.stderr, flush=True)
        return "{}"
    def do_large(self):
        return "[%s]" % ("1," * 40000 + "1")
    def do_kill(self):
        os.kill(os.getpid(), 9)
    def do_garbage(self):
        with socket.create_connection(("localhost", 9000), timeout=5) as connection:
            connection.sendall(b"\x00\x01no http at all\r\n\r\n")
            connection.recv(10)
        return "sent"
'''

FEED = r"""#!/usr/bin/python3
import http.server, sys, time
class Feed(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if self.path == "/sse":
            self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if self.path == "/write":
            print("to the other stream", file=sys.stderr, flush=True)
            with open("/tmp/feed.log", "a") as log:
                log.write('{"n": 1}\n')
        if self.path == "/sse":
            self.wfile.write(b'id: 1\nevent: add\ndata: {"n": 1}\n\n')
            time.sleep(1000)
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("", 8090), Feed).serve_forever()
"""


def promised():
    """The fields of each type, as the page says. A meaning that begins with the name of a step's
    type is about that one alone."""
    fields = {}
    types = []
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            types = re.findall(r"`(\w+)`", line)
        elif line.startswith("| `") and types:
            cell, meaning = line.split("|")[1:3]
            alone = re.match(r"\s*`(step_\w+)`", meaning)
            for name in [alone[1]] if alone else types:
                fields.setdefault(name, set()).update(re.findall(r"`(\w+)`", cell))
    return fields


@unittest.skipUnless(misrule.have_postgres() and shutil.which("redis-server"),
                     "no PostgreSQL or no Redis on this machine")
class Promises(misrule.Project):
    def setUp(self):
        super().setUp()
        code = misrule.API.replace("    def do_health", MORE + "    def do_health")
        code = code.replace('self.send_header("X-Took"',
                            'self.send_header("Content-Type", "application/json")\n'
                            '        self.send_header("X-Took"')
        self.write("api.py", code).chmod(0o755)
        self.write("feed.py", FEED).chmod(0o755)

    def test_every_type_has_its_fields_and_no_others(self):
        run = self.run_spec(SPEC, "--trace-otlp", str(self.folder / "trace.json"))
        page = promised()
        seen = {}
        for test in re.findall(r"def (test_\w+)", SPEC):
            for event in self.events(test):
                fields = set(event) - COMMON
                if isinstance(event.get("data"), dict):  # Members of a line, columns of a row.
                    fields -= set(event["data"]) - page[event["type"]]
                seen.setdefault(event["type"], set()).update(fields)
        # Nobody is told of a key before the request that changed it, nor without knowing of it.
        observed = self.events("test_observed")
        asked = next(e for e in observed if e["type"] == "step_send" and e.get("command") == "SET")
        told = next(e for e in observed if e["type"] == "keyspace")
        self.assertGreaterEqual(told["clock"].get("test", 0), asked["clock"]["test"])
        # Of one stream as of the other: which of them a server's own words are on is its choice.
        seen["stdout"] = seen["stderr"] = seen["stdout"] | seen["stderr"]
        self.assertEqual(set(seen), set(page), run.output)
        for name in sorted(page):
            with self.subTest(type=name):
                self.assertEqual(seen[name], page[name], run.output)

    def test_a_reply_says_what_was_asked(self):
        run = self.run_spec(SERVICE + POSTGRES + '''
def test_it():
    api.get(path = "/health")
    db.main.query(sql = "SELECT 1")
    for e in events(type = "step_recv"):
        print(e.protocol, e.get("method"), e.get("path"), e.get("query"))
    assert_eventually(type = "step_recv", where = lambda e: e.path == "/health", within = "0s")
    assert_never(type = "step_recv", where = {"query": "SELECT 2"})
    assert_never(type = "step_recv", where = {"query": "SELECT 1"})
''')
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("assert_never: event", run.test("test_it")["findings"][0]["message"])
        replies = [event for event in self.events("test_it") if event["type"] == "step_recv"]
        self.assertEqual([(event["protocol"], event.get("method"), event.get("path"),
                           event.get("query")) for event in replies],
                         [("http", "GET", "/health", None), ("postgres", None, None, "SELECT 1")])


class Bodies(misrule.Project):
    def test_a_long_body_is_cut_in_the_log_and_whole_for_the_spec(self):
        code = misrule.API.replace("    def do_health", "    def do_large(self, n):\n"
                                   '        return "x" * int(n)\n    def do_health')
        self.write("api.py", code).chmod(0o755)
        run = self.run_spec(SERVICE + '''
def test_it():
    for n in [65536, 65537, 1000000]:
        assert_eq(len(api.get(path = "/large?n=%d" % n).body), n)
''')
        self.assertEqual(run.code, 0, run.output)
        replies = [event for event in self.events("test_it") if event["type"] == "step_recv"]
        self.assertEqual([(len(event["body"]), event.get("cut")) for event in replies],
                         [(65536, None), (65536, True), (65536, True)])

    @unittest.skipUnless(misrule.have_postgres(), "no PostgreSQL on this machine")
    def test_many_rows_are_left_out_of_the_log(self):
        run = self.run_spec(POSTGRES + '''
def test_it():
    assert_eq(len(db.main.query(sql = "SELECT generate_series(1, 100000) AS n").data), 100000)
    assert_eq(len(db.main.query(sql = "SELECT generate_series(1, 10) AS n").data), 10)
''')
        self.assertEqual(run.code, 0, run.output)
        many, few = [event for event in self.events("test_it") if event["type"] == "step_recv"]
        self.assertEqual((many.get("data"), many["cut"]), (None, True))
        self.assertEqual((len(few["data"]), few.get("cut")), (10, None))
        log = self.folder / ".misrule/runs/latest/spec.test_it/events.jsonl"
        self.assertLess(log.stat().st_size, 200_000)


class Recordings(misrule.Project):
    def test_calls_of_an_unnamed_family_are_recorded(self):
        """A filter that names no family is about every call, so it cannot pass unseen."""
        for where, code in (('lambda e: e.name == "openat" and e.path == "/tmp/f"', 1),
                            ('lambda e: e.name == "openat" and e.path == "/tmp/other"', 0),
                            ('{"path": "/tmp/f"}', 1)):
            run = self.run_spec(SERVICE + """
def test_it():
    assert_eq(api.get(path = "/write?path=/tmp/f").status, 200)
    assert_never(type = "syscall", service = "api", where = %s)
""" % where)
            self.assertEqual(run.code, code, run.output)


class Addresses(misrule.Project):
    def test_a_steps_host_is_the_declared_address(self):
        """The proxy's port is another one in every run, and no server knows it."""
        code = misrule.API.replace("    def do_health", "    def do_host(self):\n"
                                   '        return self.headers["Host"]\n    def do_health')
        self.write("api.py", code).chmod(0o755)
        run = self.run_spec(SERVICE + '''
def test_it():
    assert_eq(api.get(path = "/host").body, "localhost:8080")
    assert_eq(api.public.internal_addr, "localhost:8080")
    assert_eq(api.get(path = "/host", headers = {"Host": "shop"}).body, "shop", "what a spec says")
''')
        self.assertEqual(run.code, 0, run.output)


@unittest.skipUnless(misrule.have_postgres(), "no PostgreSQL on this machine")
class Images(misrule.Project):
    def test_a_stand_in_takes_the_images_arguments(self):
        tuned = POSTGRES.replace("env =", 'args = ["-c", "max_connections=17"], env =')
        for spec, wanted in ((POSTGRES, "100"), (tuned, "17")):
            run = self.run_spec(spec + """
def test_it():
    rows = db.main.query(sql = "SHOW max_connections").data
    assert_eq(rows[0]["max_connections"], "%s")
""" % wanted)
            self.assertEqual(run.code, 0, run.output)

    def test_a_password_in_a_step_is_nowhere(self):
        run = self.run_spec(POSTGRES + """
def test_it():
    db.main.exec(sql = "CREATE ROLE bob LOGIN PASSWORD 'hunter2'")
    assert_eq(db.main.query(sql = "SELECT count(*) AS n FROM pg_roles WHERE rolname = 'bob'").data,
              [{"n": 1}])
    fail("so that the story is told")
""", "-v")
        self.assertEqual(run.code, 1, run.output)
        folder = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it"
        told = (folder / "events.jsonl").read_text() + run.output + json.dumps(run.report)
        self.assertIn("CREATE ROLE bob LOGIN PASSWORD '***'", told)
        self.assertNotIn("hunter2", told)


if __name__ == "__main__":
    misrule.main()
