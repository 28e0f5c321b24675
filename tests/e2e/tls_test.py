"""TLS in a spec: services speak it with proxies, proxies with servers, and rules see inside."""

import subprocess

import misrule

PROGRAM = r'''#!/usr/bin/python3
import http.server, json, os, ssl, subprocess
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = 200, {}
        if self.path == "/ca":
            body = {"ca": os.environ.get("MISRULE_CA_FILE", "")}
        if self.path == "/pay":
            words = "host=localhost user=postgres dbname=postgres sslmode=verify-full sslrootcert="
            done = subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c",
                                   "select 'paid'", words + os.environ["MISRULE_CA_FILE"]],
                                  capture_output=True, text=True)
            status = 200 if done.returncode == 0 else 503
            body = {"said": (done.stdout + done.stderr).strip()}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
'''

SPEC = '''
db = service("db", interface("main", "postgres", 5432, tls = True), image = "postgres:15",
             env = {"POSTGRES_HOST_AUTH_METHOD": "trust"},
             healthcheck = tcp("localhost:5432"))
api = service("api", interface("public", "http", 8080), binary = "./shop.py", depends_on = [db],
              healthcheck = tcp("localhost:8080"))
'''


class Tls(misrule.Project):
    def setUp(self):
        super().setUp()
        program = self.folder / "shop.py"
        program.write_text(PROGRAM)
        program.chmod(0o755)

    def test_a_rule_fires_inside(self):
        run = self.run_spec(SPEC + '''
def test_paid():
    assert_eq(api.get(path = "/pay").data, {"said": "paid"})
    assert_eq(db.main.query(sql = "select 42 as n").data, [{"n": 42}])
def test_full():
    full = error(query = "select 'paid'*", code = "disk_full")
    resp = fault(db, full, run = lambda: api.get(path = "/pay"))
    assert_eq(resp.status, 503)
    assert_true("No space left" in resp.body or "disk" in resp.body, resp.body)
''')
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(run.test("test_full")["rules"][0]["fired"], 1, run.output)
        key = self.folder / ".misrule" / "runs" / "latest" / "tls" / "ca.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        events = self.folder / ".misrule" / "runs" / "latest" / "spec.test_paid" / "events.jsonl"
        self.assertNotIn(key.read_text().splitlines()[1], events.read_text())

    def test_the_authority_is_there_where_it_is_needed(self):
        ask = '''
def test_ca():
    assert_eq(api.get(path = "/ca").data, {"ca": "%s"})
'''
        run = self.run_spec(SPEC + ask % "/run/misrule-ca.pem")
        self.assertEqual(run.code, 0, run.output)
        run = self.run_spec(SPEC.replace(", tls = True", "") + ask % "")
        self.assertEqual(run.code, 0, run.output)

    def test_a_server_with_tls(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=cache",
                        "-addext", "subjectAltName=DNS:cache", "-keyout", self.folder / "s.key",
                        "-out", self.folder / "s.pem"], check=True, capture_output=True)
        spec = '''
cache = service("cache", interface("main", "redis", 6390, tls = {"client": False, "upstream":
                    {"ca": "s.pem", "server_name": "cache"}}),
                binary = "redis-server", args = ["--port", "0", "--tls-port", "6390", "--save", "",
                    "--tls-cert-file", "s.pem", "--tls-key-file", "s.key", "--tls-ca-cert-file",
                    "s.pem", "--tls-auth-clients", "no"])
def test_cache():
    assert_eq(cache.main.set("k", "v").ok, True)
    assert_eq(cache.main.get("k").data, "v")
    oom = error(command = "SET", code = "OOM")
    refused = fault(cache, oom, source = "test", run = lambda: cache.main.set("k", "w"))
    assert_eq(refused.code, "OOM")
    assert_eq(cache.main.get("k").data, "v")
'''
        run = self.run_spec(spec)
        self.assertEqual(run.code, 0, run.output)
        run = self.run_spec(spec.replace('"server_name": "cache"', '"server_name": "other"'))
        self.assertNotEqual(run.code, 0, run.output)
        self.assertIn("hostname mismatch", (self.folder / ".misrule" / "runs" / "latest" /
                                            "spec.test_cache" / "events.jsonl").read_text())

    def test_what_is_wrong_is_said_before_anything_starts(self):
        for tls, problem in (('{"certt": "a"}', 'did you mean cert'),
                             ('{"cert": "none.pem"}', 'there is no such file'),
                             ('{"cert": "shop.py"}', 'a certificate and its key come together'),
                             ('{"upstream": {"verify": "maybe"}}', 'one of "none", "chain"'),
                             ('"yes"', 'want True or a dict')):
            run = self.run_spec(SPEC.replace("tls = True", "tls = " + tls) + '''
def test_it():
    api.get(path = "/ca")
''')
            self.assertNotEqual(run.code, 0)
            self.assertIn(problem, run.output)


if __name__ == "__main__":
    misrule.main()
