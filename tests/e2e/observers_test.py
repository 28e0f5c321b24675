"""What observe=[...] makes of what services print and write, whatever they do to their files."""

import shutil
import unittest

import misrule

WRITER = r"""#!/usr/bin/python3
import http.server, os, sys
os.makedirs("logs", exist_ok=True)
def write(text, name="logs/app.log", mode="ab"):
    with open(name, mode) as file:
        file.write(text)
print('{"level": "info", "n": 1}')
print("level=warn stock=-1 msg=\"two words\"")
print("GET /x 12ms", file=sys.stderr, flush=True)
write(b"n=1\n")
write(b"n=2\nn=")
def rename_within_a_line():
    os.rename("logs/app.log", "logs/app.log.1")
    write(b"3\n", "logs/app.log.1")
    write(b"n=4 text=\xff\n")
    write(b"n=5 long=" + b"x" * 1000000 + b"\n")
def rename_again():
    os.rename("logs/app.log", "logs/app.log.2")
    write(b"n=6 last=true\n")
class Turns(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        {"/first": rename_within_a_line, "/second": rename_again}.get(self.path, lambda: None)()
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("", 8080), Turns).serve_forever()
"""

SPEC = r"""
work = service("work", interface("main", "http", 8080), binary = "./writer.py", cwd = "data",
               healthcheck = http("localhost:8080/health"), observe = [
    %s
    file("logs/app.log", decoder = decoder("logfmt")),
    file("/tmp/never.log"),
])
"""

DECODED = """stdout(decoder = decoder("logfmt")),
    observe.stderr(decoder("regex", "(?P<ms>[0-9]+)ms")),"""


class Observers(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("writer.py", WRITER).chmod(0o755)
        (self.folder / "data").mkdir()
        (self.folder / "data").chmod(0o777)

    def test_lines_of_streams_and_files(self):
        run = self.run_spec(SPEC % DECODED + r"""
def test_it():
    # A file that is renamed before anybody has looked at it is nobody's.
    for turn, seen in (("/first", "2"), ("/second", "5")):
        assert_eventually(type = "file", where = {"n": seen}, within = "60s")
        assert_eq(work.get(path = turn).status, 200)
    assert_eventually(type = "file", where = {"last": True}, within = "60s")
    lines = events(type = "file")
    assert_eq([str(e.n) for e in lines], ["1", "2", "3", "4", "5", "6"])
    assert_eq((str(lines[3].text), len(lines[4].long)), ("\ufffd", 1000000))
    assert_eq((lines[0].path, lines[0].body, lines[0].data["n"]), ("logs/app.log", "n=1", 1))
    printed = events(type = "stdout")
    assert_eq([e.data.get("stock") for e in printed if e.get("stock") != None], [-1])
    assert_eq([str(e.msg) for e in events(type = "stdout") if e.get("msg") != None], ["two words"])
    assert_eq([(e.ms, e.stream) for e in events(type = "stderr")], [(12, "stderr")])
    assert_never(type = "stdout", where = {"stock": "-2"})
""")
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("file(/tmp/never.log) of work has not been seen: there was no such file",
                      run.output)
        lags = {e["observer"]: e["events"] for e in self.events("test_it")
                if e.get("action") == "observed"}
        self.assertEqual(lags, {"file(logs/app.log)": 6, "file(/tmp/never.log)": 0})

    # Lines of JSON are decoded without anybody asking; the control for stdout() and stderr().
    def test_json_is_decoded_without_an_observer(self):
        run = self.run_spec(SPEC % "" + """
def test_it():
    assert_eventually(type = "stdout", where = lambda e: e.body == "GET /x 12ms")
    assert_eventually(type = "stdout", where = lambda e: e.get("level") == "info")
    lines = events(type = "stdout")
    assert_eq([str(e.stream) for e in lines if "12ms" in e.body], ["stderr"])
    assert_eq([e.data["n"] for e in lines if e.get("level") == "info"], [1])
    assert_eq([e.get("stock") for e in lines if "stock" in e.body], [None])
""")
        self.assertEqual(run.code, 0, run.output)

    def test_what_decodes_nothing_is_noted(self):
        run = self.run_spec(SPEC % 'stdout(decoder("regex", "(?P<no>[0-9]{99})")),' + """
def test_it():
    assert_eventually(type = "stdout")
""")
        self.assertEqual(run.code, 0, run.output)
        self.assertRegex(run.output, r"stdout of work: none of \d lines? fits its pattern")

    # Its own failure is an error of the run.
    def test_a_path_that_is_no_file(self):
        run = self.run_spec(SPEC % 'file("/tmp"),' + """
def test_it():
    events(type = "file")
""")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn('file("/tmp") of work: it is no regular file', run.output)


FEED = r"""#!/usr/bin/python3
import http.server, os, time
class Feed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/health":
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/gone":
            self.send_error(410)
            return
        is_sse = self.path == "/sse"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if is_sse else "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        after = int(self.headers.get("Last-Event-ID", "0"))
        for n in range(after + 1, after + 3):
            text = '{"n": %d}' % n
            text = "id: %d\nevent: add\ndata: %s\n\n" % (n, text) if is_sse else text + "\n"
            # In pieces that are no events.
            for piece in (text[:7], text[7:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece.encode()))
        if is_sse and after < 4:
            self.wfile.write(b"0\r\n\r\n")
            return
        time.sleep(1000)
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("", 8080), Feed).serve_forever()
"""

FED = """
feed = service("feed", interface("http", "http", 8080), binary = "./feed.py",
               healthcheck = http("localhost:8080/health"), observe = [%s])
"""


class HttpTail(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("feed.py", FEED).chmod(0o755)

    # Two events a connection: the third one asks for what comes after the fourth.
    def test_events_and_lines(self):
        both = 'tail_http("/sse"), tail_http("http://localhost:8080/lines")'
        run = self.run_spec(FED % both + """
def test_it():
    assert_eventually(type = "tail_http", where = {"id": "6"}, within = "60s")
    sse = events(type = "tail_http", where = {"url": "/sse"})
    assert_eq([(e.id, e.event, e.n, e.data["n"]) for e in sse],
              [(str(n), "add", n, n) for n in range(1, 7)])
    lines = events(where = {"type": "tail_http", "url": "*/lines"})
    assert_eq([e.body for e in lines], ['{"n": 1}', '{"n": 2}'])
    assert_never(type = "tail_http", where = {"n": "9"})
    assert_never(type = "proxy")
""")
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("tail_http(/sse) of feed: 6 events", run.output)

    def test_a_refusal_is_an_error(self):
        run = self.run_spec(FED % 'tail_http("/gone")' + "def test_it():\n    pass\n")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("tail_http(/gone) of feed: the answer is 410", run.output)
        run = self.run_spec(FED % 'tail_http("/health")' + "def test_it():\n    pass\n")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("the response has an end: it is no stream", run.output)


POLLED = misrule.SERVICE.replace("api = ", """
def size():
    %s
api = """).replace("healthcheck", 'observe = [poll("size", size, every = "5ms")], healthcheck')


class Poll(misrule.Project):
    # What it asks is neither traffic nor a step, and no rule meets it.
    def test_changes_are_told(self):
        run = self.run_spec(POLLED % """
    there = api.get(path = "/read?path=/tmp/count")
    return {"n": int(there.body)} if there.ok and there.body else None""" + """
def test_it():
    api.get(path = "/write?path=/tmp/other")
    assert_eq([e.value for e in events(type = "poll")], [None])
    sent = len(events(type = "step_send"))
    fault(api, respond(status = 500, path = "/write*"), source = "test",
          run = lambda: api.get(path = "/write?path=/tmp/count"))
    assert_eq([e.value for e in events(type = "poll")], [None])
    assert_eq(len(events(type = "step_send")), sent + 1)
    assert_never(type = "proxy", where = {"path": "/read*"})
""")
        self.assertEqual(run.code, 0, run.output)
        self.assertRegex(run.output, r"poll\(size\) of api: 1 change in \d+ calls?")

    def test_the_previous_value_is_known(self):
        run = self.run_spec("""
""" + POLLED % """
    return api.get(path = "/read?path=/tmp/count").body""" + """
def test_it():
    assert_eq([str(e.value) for e in events(type = "poll")], ["ENOENT"])
    api.get(path = "/write?path=/tmp/count")
    last = events(type = "poll")[-1]
    assert_eq((last.name, last.value, last.service), ("size", "x", "api"))
    assert_true(last.previous in ["ENOENT", ""], str(last.previous))
""")
        self.assertEqual(run.code, 0, run.output)

    # An error in the function is the test's, with where it stands; the rest of the test runs.
    def test_its_error_is_the_tests(self):
        for body, said in (("return 1 // 0", "division by zero"),
                           ('return events(type = "poll")', "has no place in a function"),
                           ("return size", "poll: ")):
            run = self.run_spec(POLLED % body + """
def test_it():
    api.get(path = "/health")
""")
            self.assertEqual(run.code, 1, run.output)
            self.assertIn(said, run.output)


REDIS = """
cache = service("cache", interface("main", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"), %s observe = [%s])
"""


@unittest.skipIf(shutil.which("redis-server") is None, "redis-server is not installed")
class Redis(misrule.Project):
    def test_keys_and_messages(self):
        run = self.run_spec(REDIS % ("", """
    keyspace(keys = ["order:*"]), pubsub("news.*"),
    observe.pubsub("raw", decoder = decoder("line"))""") + """
def test_it():
    cache.set("order:1", "new")
    cache.set("other", "x")
    cache.delete("order:1")
    cache.command("PUBLISH", "news.eu", '{"n": 7}')
    cache.command("PUBLISH", "weather", "rain")
    cache.command("PUBLISH", "raw", '{"n": 8}')
    assert_eq([(e.op, e.key, e.database, e.service) for e in events(type = "keyspace")],
              [("set", "order:1", 0, "cache"), ("del", "order:1", 0, "cache")])
    news, raw = events(type = "pubsub")
    assert_eq((news.channel, news.n, news.data["n"], news.body), ("news.eu", 7, 7, '{"n": 7}'))
    assert_eq((raw.channel, raw.body, raw.get("n")), ("raw", '{"n": 8}', None))
    assert_never(type = "keyspace", where = {"key": "other"})
    assert_never(type = "proxy", where = lambda e: e.get("from") != "test")
""")
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("keyspace, pubsub(news.*), pubsub(raw) of cache: 4 events, told within",
                      run.output)

    # No rule on traffic or on connections meets the observer; the control is the step.
    def test_it_is_no_traffic(self):
        run = self.run_spec(REDIS % ("", "keyspace()") + """
def test_it():
    cache.set("a", "1")
    reply = fault(cache, error(command = "SET"), source = "test", run = lambda: cache.set("b", "2"))
    assert_eq(reply.ok, False)
    assert_eq([str(e.key) for e in events(type = "keyspace")], ["a"])
""")
        self.assertEqual(run.code, 0, run.output)

    # What happened while nobody listened is not known: absence of it is no proof.
    def test_a_restart_leaves_a_gap(self):
        run = self.run_spec(REDIS % ("", "keyspace()") + """
def die():
    cache.set("a", "1")
    cache.command("SHUTDOWN", "NOSAVE")
def test_it():
    fault(cache, delay("1ms", command = "SHUTDOWN"), source = "test", run = die)
    assert_eventually(type = "keyspace", where = {"key": "a"})
    assert_never(type = "proxy", where = {"key": "z"})
    assert_never(type = "keyspace", where = {"key": "z"})
""")
        self.assertEqual(run.test("test_it")["outcome"], "inconclusive", run.output)
        self.assertIn("not all keyspace events of cache are recorded: the connection of keyspace "
                      "was lost", run.output)

    # A server that is not ours is not configured: what is missing is said.
    def test_what_a_server_lacks_is_said(self):
        spec = """
cache = service("cache", interface("main", "redis", 6379), binary = "redis-server", cwd = "/tmp",
                args = ["--save", "", %s], healthcheck = tcp("localhost:6379"),
                observe = [keyspace()])
def test_it():
    cache.set("a", "1")
    assert_eq(len(events(type = "keyspace")), 1)
"""
        run = self.run_spec(spec % "")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn('keyspace of cache: the server has notify-keyspace-events="" and needs "KA"',
                      run.output)
        run = self.run_spec(spec % '"--notify-keyspace-events", "KA"')
        self.assertEqual(run.code, 0, run.output)


if __name__ == "__main__":
    misrule.main()
