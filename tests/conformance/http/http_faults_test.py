"""HTTP faults with clients as people have them, in front of nginx. Each test first shows the same
operation without the fault, and that the rule fired with it."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from echo_server import EchoServer  # noqa: E402
from proxy_process import ProxyProcess  # noqa: E402

GO_CLIENT = os.path.join(HERE, "go", "client.go")
REQUESTS_CLIENT = """
import requests, sys
session = requests.Session()
for step in sys.argv[2:]:
    method, path = step.split()
    try:
        body = "body" if method == "POST" else None
        answer = session.request(method, sys.argv[1] + path, data=body)
        print(answer.status_code, answer.text.strip() if answer.ok else "")
    except requests.exceptions.ConnectionError as error:
        print("ConnectionError")
"""


def has_requests():
    return subprocess.run(["/usr/bin/python3", "-c", "import requests"],
                          capture_output=True).returncode == 0


def rule(path, action, identity="r", **more):
    return {"id": identity, "http": {"path": path}, **action, **more}


def error(status=503, **more):
    return {"error": {"status": status, **more}}


def delay(milliseconds, **more):
    return {"delay": {"duration_us": milliseconds * 1000, **more}}


def curl(*arguments):
    """Exit code, and what -w and the bodies say."""
    done = subprocess.run(["curl", "-s", "--max-time", "20", *arguments], capture_output=True,
                          text=True)
    return done.returncode, done.stdout


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = EchoServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.proxy = ProxyProcess(self.server.port, "http", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)
        self.url = f"http://127.0.0.1:{self.proxy.port}"
        self.server.forget()

    def tearDown(self):
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def fired(self, identity="r"):
        return int(self.proxy.tallies()[identity]["fired"])

    def connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, path, method="GET", body=None):
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()


class Tallies(Faults):
    def test_a_rule_that_never_fired_says_what_came_nearest(self):
        self.proxy.set_rules([rule("/nowhere", error(), "unmet"), rule("/echo/a", error(), "met")])
        connection = self.connection()
        for path in ("/echo/a", "/echo/b", "/echo/b"):
            self.ask(connection, path)
        tallies = self.proxy.tallies()
        self.assertIn("2x GET /echo/b", tallies["unmet"]["near_misses"])
        self.assertEqual((tallies["met"]["fired"], tallies["met"]["near_misses"]), (1, []))


class Errors(Faults):
    STEPS = ["GET /echo/1", "GET /echo/2", "POST /echo/3", "GET /echo/4", "GET /echo/5",
             "GET /echo/6"]

    def in_step(self, run):
        """An injected 404 and nginx's own leave the next operations alike; nginx saw one less."""
        real = run(["GET /nosuch", *self.STEPS])
        control = run(["GET /echo/x", *self.STEPS])
        self.assertNotEqual(control[0], real[0])
        self.assertEqual(control[1:], real[1:])
        self.server.forget()
        self.proxy.set_rules([rule("/echo/x", error(404))])
        injected = run(["GET /echo/x", *self.STEPS])
        self.assertIn("404", injected[0])
        self.assertEqual(injected[1:], real[1:])
        self.assertEqual(len(self.server.served()), len(self.STEPS))
        self.assertEqual(self.fired(), 1)

    def test_python_http_client(self):
        def run(steps):
            connection = self.connection()
            connection.connect()
            socket_used = connection.sock
            told = []
            for step in steps:
                method, path = step.split()
                status, text = self.ask(connection, path, method, "b" if method == "POST" else None)
                told.append(f"{status} {'' if status == 404 else text}")
                self.assertIs(connection.sock, socket_used, "the connection was given up")
            return told
        self.in_step(run)

    @unittest.skipUnless(has_requests(), "python3-requests is not installed")
    def test_python_requests(self):
        def run(steps):
            done = subprocess.run(["/usr/bin/python3", "-c", REQUESTS_CLIENT, self.url, *steps],
                                  capture_output=True, text=True, check=True)
            return done.stdout.splitlines()
        self.in_step(run)

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_curl(self):
        def run(steps):
            arguments = []
            for number, step in enumerate(steps):
                method, path = step.split()
                arguments += ["--next"] if number else []
                arguments += ["-s", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"]
                arguments += ["-d", "body"] if method == "POST" else []
                arguments.append(self.url + path)
            code, told = curl(*arguments)
            self.assertEqual(code, 0)
            # One connection for all: num_connects is 1 for the first alone.
            self.assertEqual([line.split()[1] for line in told.splitlines()],
                             ["1"] + ["0"] * (len(steps) - 1))
            return told.splitlines()
        self.in_step(run)

    @unittest.skipIf(shutil.which("go") is None, "go is not installed")
    def test_go(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "client")
            subprocess.run(["go", "build", "-o", program, GO_CLIENT], check=True,
                           env={**os.environ, "GO111MODULE": "off"})

            def run(steps):
                done = subprocess.run([program, self.url, *steps], capture_output=True, text=True,
                                      check=True)
                return [line for line in done.stdout.splitlines() if line[:1].isdigit()]
            self.in_step(run)

    def test_method_and_query(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/a?x=1", "POST", "b")[0], 200)
        self.proxy.set_rules([{"id": "r", "http": {"path": "/echo/?", "method": "post"},
                               **error(500, body='{"error": "no"}')}])
        self.assertEqual(self.ask(connection, "/echo/a?x=1"), (200, "/echo/a"))
        self.assertEqual(self.ask(connection, "/echo/a?x=1", "POST", "b"),
                         (500, '{"error": "no"}'))
        self.assertEqual(self.fired(), 1)

    def test_statuses_without_body_and_head(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x", "HEAD"), (200, ""))
        for status in (204, 304, 503):
            self.proxy.set_rules([rule("/echo/x", error(status), identity=f"r{status}")])
            for method in ("GET", "HEAD"):
                self.assertEqual(self.ask(connection, "/echo/x", method)[0], status)
                self.assertEqual(self.ask(connection, "/echo/next"), (200, "/echo/next"))
            self.assertEqual(self.fired(f"r{status}"), 2)

    def test_bodies_are_drained_or_the_connection_ends(self):
        sizes = {0: True, 200: True, 64 << 10: True, 1 << 20: True, 2 << 20: False,
                 20 << 20: False}
        for size, reused in sizes.items():
            for expect in ([], ["-H", "Expect: 100-continue"]):
                with self.subTest(size=size, expect=expect):
                    self.drain(size, reused and not (expect and size > 0), expect)

    def drain(self, size, reused, expect):
        with tempfile.NamedTemporaryFile() as body:
            body.write(b"A" * size)
            body.flush()
            # Without a header of ours curl would add an Expect to long bodies by itself.
            fields = expect or ["-H", "Expect:"]
            post = ["-o", "/dev/null", "-w", "%{http_code}\n", *fields,
                    "--data-binary", f"@{body.name}", self.url + "/sink"]
            next_one = ["--next", "-s", "-w", "%{http_code} %{num_connects}\n",
                        self.url + "/echo/next"]
            self.proxy.set_rules([])
            self.assertEqual(curl(*post, *next_one), (0, "201\n/echo/next\n200 0\n"))
            self.server.forget()
            identity = f"r{size}{len(expect)}"
            self.proxy.set_rules([rule("/sink", error(503), identity=identity)])
            connects = 0 if reused else 1
            self.assertEqual(curl(*post, *next_one), (0, f"503\n/echo/next\n200 {connects}\n"))
            self.assertEqual(self.server.served(), ["GET /echo/next 200"])
            self.assertEqual(self.fired(identity), 1)

    def test_five_pipelined_with_a_rule_on_the_third(self):
        paths = [f"/echo/{n}" for n in range(1, 6)]
        wire = "".join(f"GET {path} HTTP/1.1\r\nHost: s\r\n\r\n" for path in paths[:-1])
        wire += f"GET {paths[-1]} HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"

        def run():
            with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=20) as client:
                client.sendall(wire.encode())
                received = b""
                while piece := client.recv(65536):
                    received += piece
            return [line for line in received.decode().splitlines()
                    if line.startswith(("HTTP/", "/echo"))]
        ok = "HTTP/1.1 200 OK"
        self.assertEqual(run(), [line for path in paths for line in (ok, path)])
        self.proxy.set_rules([rule("/echo/3", error(503))])
        self.assertEqual(run(), [ok, "/echo/1", ok, "/echo/2", "HTTP/1.1 503 Service Unavailable",
                                 ok, "/echo/4", ok, "/echo/5"])
        self.assertEqual(self.fired(), 1)

    def test_ten_thousand_on_one_connection_with_a_rule_on_one_in_a_hundred(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/0"), (200, "/echo/0"))
        self.proxy.set_rules([rule("/echo/*", error(503), trigger={"every": 100})])
        refused = 0
        for number in range(10_000):
            status, text = self.ask(connection, f"/echo/{number}")
            refused += status == 503
            self.assertEqual(text, f"/echo/{number}" if status == 200 else "")
        self.assertEqual((refused, self.fired()), (100, 100))
        self.assertEqual(self.proxy.counters()["connections_total"], 1)

    @unittest.skipIf(shutil.which("ab") is None, "ab is not installed (Debian: apache2-utils)")
    def test_ab_with_keep_alive(self):
        def run():
            told = subprocess.run(["ab", "-q", "-k", "-n", "1000", "-c", "4", self.url + "/echo/x"],
                                  capture_output=True, text=True, check=True).stdout
            figures = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
            return {name: int(figures.get(name, "0").split()[0])
                    for name in ("Complete requests", "Non-2xx responses", "Keep-Alive requests")}
        # nginx ends a connection after 100,000 requests; none is ended here.
        self.assertEqual(run(), {"Complete requests": 1000, "Non-2xx responses": 0,
                                 "Keep-Alive requests": 1000})
        self.proxy.set_rules([rule("/echo/x", error(503), trigger={"probability": 0.1})])
        told = run()
        self.assertEqual(told["Complete requests"], 1000)
        self.assertEqual(told["Keep-Alive requests"], 1000)
        self.assertEqual(told["Non-2xx responses"], self.fired())
        self.assertGreater(self.fired(), 50)


class Drops(Faults):
    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_curl_gets_an_empty_reply(self):
        self.assertEqual(curl(self.url + "/echo/x"), (0, "/echo/x\n"))
        self.server.forget()
        self.proxy.set_rules([rule("/echo/x", {"drop": {}})])
        self.assertEqual(curl(self.url + "/echo/x")[0], 52)
        self.assertEqual(self.server.served(), [])
        self.assertEqual(self.fired(), 1)

    def test_http_client_sees_the_end(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x")[0], 200)
        self.proxy.set_rules([rule("/echo/x", {"drop": {}})])
        with self.assertRaises(http.client.RemoteDisconnected):
            self.ask(connection, "/echo/x", "POST", "A" * 1000)
        self.assertEqual(self.fired(), 1)
        self.assertEqual(self.ask(self.connection(), "/echo/y")[0], 200)

    @unittest.skipUnless(has_requests(), "python3-requests is not installed")
    def test_requests_raises(self):
        def run():
            return subprocess.run(["/usr/bin/python3", "-c", REQUESTS_CLIENT, self.url,
                                   "GET /echo/1", "GET /echo/x", "GET /echo/2"],
                                  capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(run(), ["200 /echo/1", "200 /echo/x", "200 /echo/2"])
        self.proxy.set_rules([rule("/echo/x", {"drop": {}}, trigger={"times": 1})])
        self.assertEqual(run(), ["200 /echo/1", "ConnectionError", "200 /echo/2"])
        self.assertEqual(self.fired(), 1)


class LostAndMasked(Faults):
    """The server does it; its reply does not reach the client."""

    def test_a_lost_reply(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x"), (200, "/echo/x"))
        self.server.forget()
        self.proxy.set_rules([rule("/echo/x", {"drop": {"side": "reply"}})])
        with self.assertRaises(http.client.RemoteDisconnected):
            self.ask(connection, "/echo/x")
        self.assertEqual(self.fired(), 1)
        self.assertEqual(self.server.served(), ["GET /echo/x 200"])
        told = self.proxy.units()[-1]
        self.assertEqual((told["server"], told["failed"], told["reply"]),
                         ("did", True, "connection closed in place of 200"))

    def test_a_masked_success_and_the_next_five(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x"), (200, "/echo/x"))
        self.server.forget()
        self.proxy.set_rules([rule("/echo/x", error(503, mode="mask", body="no"))])
        self.assertEqual(self.ask(connection, "/echo/x"), (503, "no"))
        self.assertEqual(self.fired(), 1)
        told = self.proxy.units()[-1]
        self.assertEqual((told["server"], told["failed"], told["status"], told["reply"]),
                         ("did", True, 503, "503 in place of 200"))
        for number in range(5):
            path = f"/echo/{number}"
            self.assertEqual(self.ask(connection, path), (200, path))
        self.assertEqual(self.server.served()[0], "GET /echo/x 200")

    def test_a_masked_success_in_a_pipeline(self):
        self.proxy.set_rules([rule("/echo/2", error(503, mode="mask", body="no"))])
        with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=20) as client:
            requests = "".join(f"GET /echo/{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in (1, 2, 3))
            client.sendall(requests.encode())
            seen = b""
            while b"/echo/3" not in seen:
                seen += client.recv(65536)
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", seen), [b"200", b"503", b"200"])
        self.assertLess(seen.index(b"/echo/1"), seen.index(b"no"))
        self.assertLess(seen.index(b"no"), seen.index(b"/echo/3"))
        self.assertNotIn(b"/echo/2", seen)
        self.assertEqual(self.fired(), 1)

    def lost(self, mode):
        """Silence until the fault ends; then the connection does. What the server has seen."""
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x"), (200, "/echo/x"))
        self.server.forget()
        self.proxy.set_rules([rule("/echo/x", {"drop": {"mode": mode}})])
        connection.sock.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            self.ask(connection, "/echo/x")
        self.assertEqual(self.fired(), 1)
        connection.sock.settimeout(20)
        self.proxy.set_rules([])
        self.assertEqual(connection.sock.recv(100), b"")
        return self.server.served()

    def test_a_lost_request(self):
        self.assertEqual(self.lost("request"), [])

    def test_a_reply_that_never_comes(self):
        self.assertEqual(self.lost("reply"), ["GET /echo/x 200"])

    def test_a_black_hole(self):
        self.assertEqual(self.lost("blackhole"), [])


class ByStatus(Faults):
    """A rule on the status of nginx's reply, and the ways to damage or keep it."""

    def ask_for_503(self, connection):
        connection.request("GET", "/gone")
        answer = connection.getresponse()
        return answer.status, answer.read()

    def told(self, action, identity):
        """What the client is told of /gone, which is answered with 503; /echo is untouched."""
        connection = self.connection()
        self.real = self.ask_for_503(connection)
        self.assertEqual(self.real[0], 503)
        self.server.forget()
        self.proxy.set_rules([{"id": identity, "http": {"reply_status": "503"}, **action}])
        self.assertEqual(self.ask(connection, "/echo/x"), (200, "/echo/x"))
        self.assertEqual(self.fired(identity), 0)
        try:
            return self.ask_for_503(connection)
        finally:
            self.assertEqual(self.fired(identity), 1)
            self.assertEqual(self.server.served(), ["GET /echo/x 200", "GET /gone 503"])
            used = self.connection() if identity == "cut" else connection
            for number in range(5):
                self.assertEqual(self.ask(used, f"/echo/{number}"), (200, f"/echo/{number}"))

    def test_corrupted(self):
        status, body = self.told({"corrupt": {"bytes": 4}}, "corrupt")
        self.assertEqual((status, len(body)), (503, len(self.real[1])))
        self.assertEqual(sum(a != b for a, b in zip(body, self.real[1])), 4)

    def test_cut(self):
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.told({"truncate": {"bytes": 7}}, "cut")
        self.assertEqual(caught.exception.partial, self.real[1][:7])

    def test_held_until_the_rule_ends(self):
        def release():
            self.proxy.wait_for(lambda event: event.get("rule") == "hold")
            self.seen_by_server = self.server.served()
            self.proxy.set_rules([])
        connection = self.connection()
        real = self.ask_for_503(connection)
        self.server.forget()
        self.proxy.set_rules([{"id": "hold", "http": {"reply_status": "503"}, "hold": {}}])
        let_go = threading.Thread(target=release)
        let_go.start()
        self.assertEqual(self.ask_for_503(connection), real)
        let_go.join()
        self.assertEqual(self.seen_by_server, ["GET /gone 503"])
        for number in range(5):
            self.assertEqual(self.ask(connection, f"/echo/{number}"), (200, f"/echo/{number}"))


class Delays(Faults):
    HOLD_MS = 1500

    def timed(self, connection, path):
        start = time.monotonic()
        answer = self.ask(connection, path)
        return answer, (time.monotonic() - start) * 1000

    def hold(self, side):
        """What nginx had served when the client had been waiting for a third of the hold."""
        connection = self.connection()
        answer, took = self.timed(connection, "/echo/x")
        self.assertEqual(answer, (200, "/echo/x"))
        self.assertLess(took, self.HOLD_MS)
        self.proxy.set_rules([rule("/echo/x", delay(self.HOLD_MS, side=side))])
        self.server.forget()
        early = []
        look = threading.Timer(self.HOLD_MS / 3000, lambda: early.extend(self.server.served()))
        look.start()
        answer, took = self.timed(connection, "/echo/x")
        look.join()
        self.assertEqual(answer, (200, "/echo/x"))
        self.assertGreaterEqual(took, self.HOLD_MS)
        self.assertEqual(self.fired(), 1)
        self.assertEqual(self.ask(connection, "/echo/y"), (200, "/echo/y"))
        return early

    def test_a_held_request_has_not_reached_the_server(self):
        self.assertEqual(self.hold("request"), [])

    def test_a_held_reply_is_of_a_request_that_was_served(self):
        self.assertEqual(self.hold("reply"), ["GET /echo/x 200"])

    def test_what_a_vanished_rule_holds_goes_on_at_once(self):
        connection = self.connection()
        self.assertEqual(self.ask(connection, "/echo/x"), (200, "/echo/x"))
        self.proxy.set_rules([rule("/echo/x", delay(20_000))])
        threading.Timer(0.3, lambda: self.proxy.set_rules([])).start()
        answer, took = self.timed(connection, "/echo/x")
        self.assertEqual(answer, (200, "/echo/x"))
        self.assertGreaterEqual(took, 200)
        self.assertLess(took, 10_000)
        # Written when the answer was on its way: it may be read a moment later.
        self.proxy.wait_for(lambda event: event.get("action") == "released")


class Refusals(Faults):
    def test_what_no_server_could_say_is_refused_as_a_whole(self):
        with self.assertRaisesRegex(ValueError, "status=99 is not within 200 to 599"):
            self.proxy.set_rules([rule("/echo/x", error(503)),
                                  rule("/echo/x", error(99), identity="bad")])
        self.assertEqual(self.ask(self.connection(), "/echo/x"), (200, "/echo/x"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
