"""Faulty links between services: what a client of a slow, cut or silent network sees."""

import misrule

# An http server whose answers have a size, and a client of it.
PEERS = misrule.SERVICE.replace('"./api.py"', '"./client.py"') + '''
store = service("store", interface("main", "http", 9000), binary = "./store.py",
                healthcheck = http("localhost:9000/"))
def fetch():
    return api.get(path = "/fetch")
def passes():
    reply = fetch()
    assert_eq((reply.status, reply.body), (200, "100000"))
'''

STORE = r'''#!/usr/bin/python3
import http.server
class Store(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100000)
http.server.ThreadingHTTPServer(("", 9000), Store).serve_forever()
'''

CLIENT = r'''#!/usr/bin/python3
import http.client, http.server
class Client(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = 200, "ok"
        if self.path == "/fetch":
            try:
                connection = http.client.HTTPConnection("localhost", 9000, timeout=1)
                connection.request("GET", "/")
                body = str(len(connection.getresponse().read()))
            except Exception as error:
                status, body = 503, type(error).__name__
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())
http.server.ThreadingHTTPServer(("", 8080), Client).serve_forever()
'''


class Links(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("store.py", STORE).chmod(0o755)
        self.write("client.py", CLIENT).chmod(0o755)

    def under(self, link, then):
        """Without the fault it passes, under it `then` holds, afterwards it passes again."""
        lines = ["def test_it():", "passes()", f"reply = fault(store, {link}, run = fetch)", then,
                 "passes()"]
        run = self.run_spec(PEERS + "\n    ".join(lines) + "\n")
        self.assertEqual(run.code, 0, run.output)
        self.assertGreaterEqual(run.test("test_it")["rules"][0]["fired"], 1)
        return run

    def test_latency(self):
        run = self.under('link(latency = "200ms")',
                         'assert_true(reply.status == 200 and reply.duration_ms >= 400)')
        events = [event for event in self.events("test_it") if event.get("action") == "link"]
        # The connection before may still be on its way out when the rule is armed, and is slow too.
        self.assertEqual({(event["from"], event["to"], event["decision"]) for event in events},
                         {("api", "store", "link(latency=200ms)")}, run.output)

    def test_bandwidth(self):
        self.under('link(bandwidth = "200KB/s", direction = "to_client")',
                   'assert_true(reply.body == "100000" and reply.duration_ms >= 400)')

    def test_a_reply_that_is_cut_short(self):
        self.under("link(close_after = 50000, direction = \"to_client\")",
                   'assert_eq((reply.status, reply.body), (503, "IncompleteRead"))')

    def test_a_reset(self):
        self.under("link(reset_after = 0)",
                   'assert_eq((reply.status, reply.body), (503, "ConnectionResetError"))')

    def test_silence(self):
        self.under("link(blackhole = True)",
                   'assert_eq((reply.status, reply.body), (503, "TimeoutError"))')

    def test_a_link_that_no_connection_met(self):
        run = self.run_spec(PEERS + '''
def test_it():
    fault(store, link(latency = "1s"), run = lambda: None)
''')
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("the fault never fired: any traffic -> link(latency=1s)",
                      run.output.replace("→", "->"))


if __name__ == "__main__":
    misrule.main()
