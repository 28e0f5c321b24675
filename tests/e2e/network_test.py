"""Where services listen, and how others reach them there."""

import misrule

# Listens on IPv6's loopback address alone, as a runtime does that reads "localhost" so.
SIX = r'''#!/usr/bin/python3
import http.server, socket
class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())
Six(("::1", 9000), Handler).serve_forever()
'''

STORE = '''
store = service("store", interface("main", "http", 9000), binary = "./six.py",
                healthcheck = http("localhost:9000/"))
'''


class Network(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("six.py", SIX).chmod(0o755)

    def test_a_server_on_the_ipv6_loopback_alone(self):
        run = self.run_spec(STORE + misrule.SERVICE + '''
def test_it():
    assert_eq(store.get(path = "/").status, 200, "a step")
    for host in ["localhost", "127.0.0.1", "::1"]:
        assert_eq(api.get(path = "/connect?host=" + host).status, 200, host)
    failing = error(path = "/", status = 500)
    reply = fault(store, failing, source = "test", run = lambda: store.get(path = "/"))
    assert_eq(reply.status, 500)
    refused = fault(api, connect = deny("ECONNREFUSED", to = store),
                    run = lambda: api.get(path = "/connect"))
    assert_eq((refused.status, refused.body), (503, "ECONNREFUSED"))
''')
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual([rule["fired"] >= 1 for rule in run.test("test_it")["rules"]],
                         [True, True], run.output)

    def test_a_server_on_neither_is_never_ready(self):
        self.write("six.py", SIX.replace("9000", "9001")).chmod(0o755)
        run = self.run_spec(STORE.replace('9000/"', '9000/", timeout = "2s"') +
                            "\ndef test_it():\n    pass\n")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("refused", run.output)


if __name__ == "__main__":
    misrule.main()
