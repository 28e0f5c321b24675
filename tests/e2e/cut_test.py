#!/usr/bin/python3
"""connect=deny(...) on a service that keeps its connections: what is open is cut; that counts."""

import misrule

# It answers each byte with the same byte, as long as the client likes.
ECHO = r'''#!/usr/bin/python3
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(64):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
Server(("", 9000), Echo).serve_forever()
'''

# It connects when it is told to fill its pool, and never again.
POOL = r'''#!/usr/bin/python3
import errno, http.server, socket
pool = []
def ask(connection):
    connection.sendall(b"x")
    if connection.recv(1) != b"x":
        raise ConnectionResetError(errno.ECONNRESET, "the other end closed it")
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 200
        try:
            if self.path == "/fill":
                pool.extend(socket.create_connection(("localhost", 9000)) for _ in range(2))
            for connection in pool:
                ask(connection)
        except OSError:
            status = 503
        self.send_response(status)
        self.end_headers()
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
'''

SPEC = '''
store = service("store", interface("main", "tcp", 9000), binary = "./echo.py",
                healthcheck = tcp("localhost:9000"))
api = service("api", interface("public", "http", 8080), binary = "./pool.py",
              depends_on = [store], healthcheck = http("localhost:8080/health"))
def ask():
    return api.get(path = "/").status
def test_it():
    assert_eq(api.get(path = "/fill").status, 200)
    assert_eq(ask(), 200, "without the rule")
    denied = deny("ECONNREFUSED"%s)
    assert_eq(fault(api, connect = denied, to = store, run = ask), %d)
'''


class Cut(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("echo.py", ECHO).chmod(0o755)
        self.write("pool.py", POOL).chmod(0o755)

    def test_what_was_open_is_cut_although_nobody_connects_again(self):
        run = self.run_spec(SPEC % ("", 503))
        self.assertEqual(run.code, 0, run.output)
        rule = run.test("test_it")["rules"][0]
        self.assertEqual((rule["fired"], rule["connections_cut"]), (0, 2), run.output)
        self.assertIn("cut 2 open connections", run.output)

    def test_what_is_kept_open_proves_nothing(self):
        run = self.run_spec(SPEC % (', established = "keep"', 200))
        self.assertEqual(run.code, 1, run.output)
        test = run.test("test_it")
        self.assertEqual((test["rules"][0]["fired"], test["rules"][0]["connections_cut"]), (0, 0))
        finding = test["findings"][0]
        self.assertIn("the fault never fired", finding["message"])
        written = 'deny("ECONNREFUSED", established = "keep")'
        self.assertEqual(finding["source_line"], "    denied = " + written)
        self.assertEqual(finding["position"]["column"], 14)
        self.assertIn(" " * 13 + "^" * len(written) + "\n", run.output, "the caret")


if __name__ == "__main__":
    misrule.main()
