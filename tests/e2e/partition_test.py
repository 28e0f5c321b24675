"""Two services that cannot reach each other: what they had open, what they open, and afterwards."""

import subprocess
import unittest

import misrule

# Each end of the partition: it keeps one connection to its peer, asks it in the background, and
# tells how that went.
NODE = r'''#!/usr/bin/python3
import http.client, http.server, os, threading
OWN, PEER = int(os.environ["OWN"]), int(os.environ["PEER"])
kept, threads, results = [], [], {}
def pong_of(connection):
    connection.request("GET", "/ping")
    return connection.getresponse().read().decode()
def begin(name, ask):
    results[name] = "pending"
    def work():
        try:
            results[name] = ask()
        except OSError as error:
            results[name] = type(error).__name__
    threads.append(threading.Thread(target=work, daemon=True))
    threads[-1].start()
class Node(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        answer = getattr(self, "do_" + self.path.strip("/"))().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def do_ping(self):
        return "pong"
    def do_keep(self):
        kept.append(http.client.HTTPConnection("localhost", PEER))
        return pong_of(kept[-1])
    def do_ask(self):
        begin("kept", lambda: pong_of(kept[-1]))
        begin("blocking", lambda: pong_of(http.client.HTTPConnection("localhost", PEER)))
        begin("waiting", lambda: pong_of(http.client.HTTPConnection("localhost", PEER, timeout=60)))
        return "asked"
    def do_peek(self):
        return " ".join(results[name] for name in ("kept", "blocking", "waiting"))
    def do_results(self):
        for thread in threads:
            thread.join(25)
        return self.do_peek()
http.server.ThreadingHTTPServer(("", OWN), Node).serve_forever()
'''

NODES = '''
left = service("left", interface("main", "http", 9001), binary = "./node.py",
               env = {"OWN": "9001", "PEER": "9002"}, healthcheck = http("localhost:9001/ping"))
right = service("right", interface("main", "http", 9002), binary = "./node.py",
                env = {"OWN": "9002", "PEER": "9001"}, healthcheck = http("localhost:9002/ping"))
nodes = [left, right]

def each(path):
    return [node.get(path = path).body for node in nodes]
def connects(decision):
    return [e for e in events(type = "syscall")
            if e["syscall"] == "connect" and e.get("decision", "").startswith(decision)]
def ask_under(mode):
    """What is known while it lasts, and what came of it."""
    assert_eq(each("/keep"), ["pong", "pong"], "without a partition")
    def scenario():
        assert_eq(each("/ask"), ["asked", "asked"], "the test itself reaches both")
        decision = "delay" if mode == "silence" else "deny"
        wait_until(lambda: len(connects(decision)) == 4, within = "20s")
        return each("/peek")
    during = partition(left, right, mode = mode, run = scenario)
    return during, each("/results")
def said(action):
    return [e.detail for e in events(type = "lifecycle") if e.action == action]
'''

# A real driver's pool as it comes: four connections; and one on which the server speaks unasked.
POOLED = r'''#!/usr/bin/python3
import contextlib, http.server, os, threading
import psycopg, psycopg_pool
URL = os.environ["DATABASE_URL"]
pool = psycopg_pool.ConnectionPool(URL, open=True)
heard, threads, results = [], [], {}
def listen():
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("LISTEN news")
        heard.append("listening")
        heard.extend(notice.payload for notice in iter(connection.notifies().__next__, None))
def store(connection):
    asked = "INSERT INTO asked SELECT pg_backend_pid() RETURNING pid"
    return str(connection.execute(asked).fetchone()[0])
def pooled(name):
    with pool.connection() as connection:
        results[name] = store(connection)
def fresh():
    with psycopg.connect(URL) as connection:
        results["fresh"] = "connected"
def begin(function, *arguments):
    threads.append(threading.Thread(target=function, args=arguments, daemon=True))
    threads[-1].start()
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, answer = 200, getattr(self, "do_" + self.path.strip("/"))()
        except psycopg.Error as error:
            status, answer = 503, type(error).__name__
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer.encode())
    def do_heard(self):
        return " ".join(heard)
    def do_pids(self):
        with contextlib.ExitStack() as stack:
            taken = [stack.enter_context(pool.connection()) for _ in range(4)]
            return " ".join(sorted(map(store, taken)))
    def do_ask(self):
        results.update(dict.fromkeys("0123", "pending"), fresh="pending")
        for name in "0123":
            begin(pooled, name)
        begin(fresh)
        return "asked"
    def do_peek(self):
        return " ".join(sorted(results[name] for name in "0123")) + " " + results["fresh"]
    def do_results(self):
        for thread in threads:
            thread.join(25)
        return self.do_peek()
threading.Thread(target=listen, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
'''

POOL = misrule.POSTGRES.replace("healthcheck", 'seed = "asked.sql", healthcheck') + '''
api = service("api", interface("public", "http", 8080), binary = "./pooled.py", depends_on = [db],
              env = {"DATABASE_URL": "postgres://postgres:test@localhost:5432/postgres"},
              healthcheck = tcp("localhost:8080"))
def text(path):
    return api.get(path = path).body
def notify(word):
    db.main.exec(sql = "NOTIFY news, '%s'" % word)
def stored():
    return db.main.query(sql = "SELECT count(*) FROM asked").value()
def said(action):
    return [e.detail for e in events(type = "lifecycle") if e.action == action]
def held():
    return events(type = "syscall", service = api,
                  where = {"syscall": "connect", "decision": "delay*"})
def fill():
    wait_until(lambda: text("/heard") == "listening", within = "30s")
    pids = text("/pids")
    assert_eq((len(pids.split(" ")), stored()), (4, 4), pids)
    return pids

def test_silence():
    pids = fill()
    def during():
        text("/ask")
        notify("meanwhile")
        wait_until(held, within = "20s")
        return text("/peek"), text("/heard"), stored()
    cut_off = partition(api, db, run = during)
    assert_eq(cut_off, ("pending pending pending pending pending", "listening", 4))
    assert_eq(said("stalled")[0], "5 open connections fall silent")
    answered = text("/results").split(" ")
    assert_eq(answered[4], "connected")
    assert_true(all([pid in pids.split(" ") for pid in answered[:4]]), "the same sessions go on")
    assert_eq(stored(), 8)
    wait_until(lambda: text("/heard") == "listening meanwhile", within = "20s")

def test_reset():
    pids = fill()
    partition(api, db, mode = "reset", run = lambda: text("/ask"))
    assert_eq(said("cut")[0], "5 open connections cut")
    def take():
        reply = api.get(path = "/pids")
        return reply.ok and reply.body
    again = wait_until(take, within = "90s")
    assert_eq(len(again.split(" ")), 4, again)
    assert_true(not any([pid in pids.split(" ") for pid in again.split(" ")]), again)
'''


def have_pool():
    """The python that runs services has the driver."""
    return misrule.have_postgres() and subprocess.run(
        ["/usr/bin/python3", "-c", "import psycopg_pool"], capture_output=True).returncode == 0


class Partitions(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("node.py", NODE).chmod(0o755)

    @unittest.skipUnless(have_pool(), "PostgreSQL or psycopg_pool is not installed")
    def test_a_pool_of_a_driver(self):
        """S1-29: established pooled connections, both ways; they heal, or come anew."""
        self.write("pooled.py", POOLED).chmod(0o755)
        self.write("asked.sql", "CREATE TABLE asked (pid int);\n")
        run = self.run_spec(POOL)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(len(run.report["tests"]), 2)

    def test_partitions(self):
        """S1-29: in each mode, both ways, with what was open and what is opened."""
        run = self.run_spec(NODES + '''
def test_silence():
    during, after = ask_under("silence")
    assert_eq(during, ["pending pending pending"] * 2)
    assert_eq(after, ["pong pong pong"] * 2, "healed without a reset")
    assert_eq(said("stalled"), ["1 open connection falls silent"] * 2)

def test_reset():
    during, after = ask_under("reset")
    for result in after:
        lost = ["ConnectionResetError", "RemoteDisconnected", "BrokenPipeError"]
        assert_true(result.split(" ")[0] in lost, result)
        assert_eq(result.split(" ")[1:], ["ConnectionRefusedError"] * 2)
    assert_eq(said("cut"), ["1 open connection cut"] * 2)

def test_refuse():
    during, after = ask_under("refuse")
    for result in during:
        assert_eq(result.split(" ")[0], "pending")
    assert_eq(after, ["pong ConnectionRefusedError ConnectionRefusedError"] * 2)

def test_nothing_between_them():
    partition(left, right, run = lambda: left.get(path = "/ping"))

def keep_once():
    left.get(path = "/ask")
    assert_eventually(type = "syscall", within = "20s", where = lambda e: e["syscall"] == "connect")
    return left.get(path = "/peek")

split = partition(left, right, description = "They see each other no more.")
fault_scenario("assumed", scenario = keep_once, faults = [split],
               expect = lambda r: assert_eq(r.body.split(" ")[1:], ["pending"] * 2))
''')
        self.assertEqual(run.code, 1, run.output)
        outcomes = {test["name"]: test["outcome"] for test in run.report["tests"]}
        self.assertEqual(outcomes, {"test_silence": "passed", "test_reset": "passed",
                                    "test_refuse": "passed", "assumed": "passed",
                                    "test_nothing_between_them": "failed"}, run.output)
        self.assertIn("the fault never fired: partition(left, right)", run.output)


if __name__ == "__main__":
    misrule.main()
