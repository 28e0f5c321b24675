"""What rules do to requests and replies, with clients as people have them. Each test shows the same
operation without the rule, and that the rule fired with it; then the connection is used again."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from proxy_process import ProxyProcess  # noqa: E402
from reply_server import DOCUMENT, ReplyServer  # noqa: E402

EDITED = b'{"items": [{"id": 1, "price": 0}], "total": 19.90}'


class Actions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ReplyServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.proxy = ProxyProcess(self.server.port, "http", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)
        self.url = f"http://127.0.0.1:{self.proxy.port}"
        self.server.asked.clear()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        self.addCleanup(self.connection.close)

    def rule(self, match, identity="r", **action):
        self.proxy.set_rules([{"id": identity, "http": match, **action}])

    def fired(self, identity="r"):
        return int(self.proxy.tallies()[identity]["fired"])

    def ask(self, path, method="GET", body=None, headers=None):
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer

    def in_step(self):
        """The same connection answers the next five as it should."""
        before = self.connection.sock
        for number in range(5):
            status, body, _ = self.ask(f"/next/{number}", "POST", f"body {number}")
            self.assertEqual((status, body), (200, f"body {number}".encode()))
        self.assertIs(self.connection.sock, before)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def skipped(self):
        return self.proxy.wait_for(lambda event: event.get("action") == "skipped")["reason"]


class Details(Actions):
    """One match each: what it wants is refused, what it does not want passes."""

    def told_apart(self, match, wanted, other):
        """`wanted` and `other` are arguments of ask()."""
        self.assertEqual([self.ask(*one)[0] for one in (wanted, other)], [200, 200])
        self.rule(match, error={"status": 503})
        self.assertEqual([self.ask(*one)[0] for one in (wanted, other)], [503, 200])
        self.assertEqual(self.fired(), 1)
        self.in_step()

    def test_host(self):
        self.told_apart({"host": "SHOP.*"}, ("/a", "GET", None, {"Host": "shop.example:80"}),
                        ("/a", "GET", None, {"Host": "[::1]:80"}))

    def test_the_path_decoded_or_as_it_was_sent(self):
        for number, (pattern, wanted, other) in enumerate([
                ("/café", "/caf%C3%A9", "/cafe"),
                ("/café/*", "/caf%c3%a9/a", "/caf%C3%A9%2Fa"),
                ("/caf%C3%a9", "/caf%c3%A9", "/caf%25C3%A9"),
                ("/a%2Fb", "/a%2fb", "/a/b"),
                ("/a%2fb", "/a%2Fb", "/a%252Fb"),
                ("/a/b", "/a/./b?x=%2F", "/a%2Fb"),
                ("/%61*", "/%61bc", "/abc"),
                ("/a/../b%20c", "/a/../b%20c", "/b%20c")]):
            with self.subTest(pattern):
                self.proxy.set_rules([])
                self.assertEqual([self.ask(path)[0] for path in (wanted, other)], [200, 200])
                self.rule({"path": pattern}, identity=f"p{number}", error={"status": 503})
                self.assertEqual([self.ask(path)[0] for path in (wanted, other)], [503, 200])
                self.assertEqual(self.fired(f"p{number}"), 1)
        self.in_step()

    def test_a_path_with_an_encoded_byte_is_one_condition_of_several(self):
        self.told_apart({"path": "/a%2F*", "method": "POST", "reply_status": "200"},
                        ("/a%2fb", "POST", "x"), ("/a%2fb", "GET"))

    def test_header(self):
        self.told_apart({"headers": {"X-Tenant": "acme*"}},
                        ("/a", "GET", None, {"x-tenant": "acme-1"}),
                        ("/a", "GET", None, {"x-tenant": "other"}))

    def test_query_parameter(self):
        self.told_apart({"query": {"user name": "a b*"}}, ("/a?x=1&user%20name=a+b%21",),
                        ("/a?user%20name=c",))

    def test_body(self):
        self.told_apart({"body": "*\"id\": 7*"}, ("/a", "POST", '{"id": 7}'),
                        ("/a", "POST", '{"id": 8}'))

    def test_body_in_chunks(self):
        def pieces(last):
            return iter([b'{"id"', b": ", last])
        self.rule({"body": "*\"id\": 7*"}, error={"status": 503})
        self.assertEqual(self.ask("/a", "POST", pieces(b"8}"))[0], 200)
        self.assertEqual(self.ask("/a", "POST", pieces(b"7}"))[0], 503)
        self.assertEqual(self.server.asked, [("POST", "/a", b'{"id": 8}')])
        self.in_step()

    def test_a_long_body_is_matched_by_its_beginning(self):
        long = "start " + "x" * 300_000
        self.rule({"body": "start*"}, delay={"duration_us": 1000})
        self.assertEqual(self.ask("/a", "POST", long)[:2], (200, long.encode()))
        self.assertEqual(self.fired(), 1)
        self.rule({"body": "start*"}, identity="s", error={"status": 503})
        self.assertEqual(self.ask("/a", "POST", long)[0], 503)
        self.assertEqual(self.fired("s"), 1)
        self.in_step()

    def test_reply_status(self):
        for path in ("/status/503", "/status/404"):
            self.assertEqual(self.ask(path)[1], b"real\n")
        self.rule({"reply_status": "5*"}, error={"status": 429, "body": "slow down"})
        self.assertEqual(self.ask("/status/503")[:2], (429, b"slow down"))
        self.assertEqual(self.ask("/status/404")[:2], (404, b"real\n"))
        self.assertEqual(self.fired(), 1)
        told = [event for event in self.proxy.units() if event.get("rule") == "r"][-1]
        self.assertEqual((told["status"], told["server"], told["reply"]),
                         (429, "did", "429 in place of 503"))
        self.in_step()


class Respond(Actions):
    def test_a_made_up_answer(self):
        self.assertEqual(self.ask("/a", "POST", "x")[:2], (200, b"x"))
        self.server.asked.clear()
        self.rule({"path": "/a"}, respond={"status": 201, "body": '{"id": 9}',
                                           "headers": {"Location": "/a/9"}})
        status, body, answer = self.ask("/a", "POST", "x")
        self.assertEqual((status, body, answer.headers["Location"], answer.headers["Content-Type"]),
                         (201, b'{"id": 9}', "/a/9", "application/json"))
        self.assertEqual(self.server.asked, [])
        self.assertEqual(self.ask("/a", "HEAD")[:2], (201, b""))
        self.assertEqual(self.fired(), 2)
        self.in_step()

    def test_without_a_body(self):
        self.rule({"path": "/a"}, respond={"status": 204})
        self.assertEqual(self.ask("/a")[:2], (204, b""))
        self.in_step()


class Rewrite(Actions):
    EDIT = {"body": {"$.items[0].price": 0}}

    def rewritten(self, path):
        control = self.ask(path)
        self.assertEqual(control[0], 200)
        self.rule({"path": path}, rewrite=self.EDIT)
        status, body, answer = self.ask(path)
        self.assertEqual((status, body), (200, EDITED))
        self.assertEqual(self.fired(), 1)
        self.in_step()
        return control[2], answer

    def test_a_body_with_a_length(self):
        control, answer = self.rewritten("/json")
        self.assertEqual(control.headers["ETag"], '"1"')
        self.assertIsNone(answer.headers["ETag"])
        self.assertEqual(answer.headers["Content-Length"], str(len(EDITED)))

    def test_a_chunked_body_stays_chunked_with_its_trailers(self):
        _, answer = self.rewritten("/chunked")
        self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
        with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=20) as raw:
            raw.sendall(b"GET /chunked HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n")
            wire = b""
            while piece := raw.recv(65536):
                wire += piece
        self.assertTrue(wire.endswith(b"\r\n0\r\nX-Sum: 7\r\n\r\n"), wire[-60:])

    def compressed(self, path):
        plain = self.ask(path)[1]
        self.assertNotEqual(plain, DOCUMENT)
        self.rule({"path": path}, rewrite=self.EDIT)
        self.assertEqual(self.ask(path)[1], plain)
        self.assertIn("is compressed", self.skipped())
        self.assertEqual(self.fired(), 0)
        self.rule({"path": path}, identity="d", rewrite={**self.EDIT, "decode": True})
        status, body, answer = self.ask(path)
        self.assertEqual((status, body, answer.headers["Content-Encoding"]), (200, EDITED, None))
        self.assertEqual(self.fired("d"), 1)
        self.in_step()

    def test_gzip(self):
        self.compressed("/gzip")

    @unittest.skipIf(shutil.which("zstd") is None, "zstd is not installed")
    def test_zstd(self):
        self.server.zstd = subprocess.run(["zstd", "-c"], input=DOCUMENT, capture_output=True,
                                          check=True).stdout
        self.compressed("/zstd")

    def test_what_is_not_there_is_said(self):
        self.rule({"path": "/json"}, rewrite={"body": {"$.nothing": 1}})
        self.assertEqual(self.ask("/json")[1], DOCUMENT)
        self.assertIn("no $.nothing", self.skipped())
        self.assertEqual(self.fired(), 0)
        self.in_step()

    def test_status_and_headers(self):
        self.rule({"path": "/json"}, rewrite={"status": 503, "headers": {"ETag": None, "X-A": "b",
                                                                        "Server": "mine"}})
        status, body, answer = self.ask("/json")
        self.assertEqual((status, body, answer.headers["ETag"], answer.headers["X-A"]),
                         (503, DOCUMENT, None, "b"))
        self.assertEqual(answer.headers.get_all("Server"), ["mine"])
        self.rule({"path": "/json"}, identity="n", rewrite={"status": 204})
        self.assertEqual(self.ask("/json")[:2], (204, b""))
        self.rule({"path": "/status/204"}, identity="o", rewrite={"status": 200})
        self.assertEqual(self.ask("/status/204")[:2], (200, b""))
        self.in_step()


class Duplicate(Actions):
    def test_the_server_does_it_twice_and_the_client_is_told_once(self):
        self.assertEqual(self.ask("/pay", "POST", "10 EUR")[:2], (200, b"10 EUR"))
        self.server.asked.clear()
        self.rule({"path": "/pay"}, duplicate={})
        self.assertEqual(self.ask("/pay", "POST", "10 EUR")[:2], (200, b"10 EUR"))
        self.assertEqual(self.ask("/pay")[:2], (200, b"GET /pay\n"))
        self.in_step()
        twice = [one for one in self.server.asked if one[1] == "/pay"]
        self.assertEqual(twice, [("POST", "/pay", b"10 EUR")] * 2 + [("GET", "/pay", b"")] * 2)
        self.assertEqual(self.fired(), 2)

    def test_a_request_that_ends_its_connection(self):
        self.rule({"path": "/pay"}, duplicate={})
        for method, body in (("POST", "10 EUR"), ("GET", None)):
            self.server.asked.clear()
            status, text, _ = self.ask("/pay", method, body, {"Connection": "close"})
            self.assertEqual((status, text), (200, (body or "GET /pay\n").encode()))
            # The client's connection ends when the server has done both.
            self.assertEqual(self.connection.sock.recv(100), b"")
            self.connection.close()
            self.assertEqual(self.server.asked, [(method, "/pay", (body or "").encode())] * 2)
        self.assertEqual(self.fired(), 2)

    def test_what_cannot_be_sent_twice_is_said(self):
        self.rule({"path": "/pay"}, duplicate={})
        with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=20) as client:
            client.sendall(b"GET /pay HTTP/1.0\r\n\r\n")
            self.assertEqual(client.recv(65536).split()[1], b"200")
        self.assertIn("the connection ends", self.skipped())
        self.assertEqual((len(self.server.asked), self.fired()), (1, 0))


class Damage(Actions):
    def test_payload(self):
        for path, length in (("/json", True), ("/chunked", False)):
            self.assertEqual(self.ask(path)[1], DOCUMENT)
            self.rule({"path": path}, identity=path[1:], corrupt={"bytes": 3})
            body = self.ask(path)[1]
            self.assertEqual(len(body), len(DOCUMENT))
            self.assertEqual(sum(a != b for a, b in zip(body, DOCUMENT)), 3, (path, length))
            self.assertEqual(self.fired(path[1:]), 1)
            self.in_step()

    def test_of_a_request(self):
        self.rule({"path": "/a"}, corrupt={"side": "request"})
        body = self.ask("/a", "POST", "0123456789")[1]
        self.assertEqual(sum(a != b for a, b in zip(body, b"0123456789")), 1)
        self.in_step()

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_what_curl_says(self):
        """Each exit code stands beside the one without the rule."""
        def curl(path):
            return subprocess.run(["curl", "-s", "--max-time", "20", "-o", "/dev/null",
                                   self.url + path]).returncode
        expected = {"truncate": ({"truncate": {"bytes": 10}}, "/json", 18),
                    "chunk": ({"corrupt": {"framing": True}}, "/chunked", 56),
                    "empty": ({"drop": {}}, "/json", 52),
                    "reset": ({"drop": {"reset": True}}, "/json", 56),
                    "cut chunk": ({"truncate": {"bytes": 10}}, "/chunked", 18),
                    "gzip": ({"rewrite": {"headers": {"Content-Encoding": "gzip"}}}, "/json", 0)}
        for name, (action, path, code) in expected.items():
            with self.subTest(name):
                self.proxy.set_rules([])
                self.assertEqual(curl(path), 0)
                self.rule({"path": path}, identity=name, **action)
                self.assertEqual(curl(path), code)
                self.assertEqual(self.fired(name), 1)

    def test_a_cut_reply(self):
        self.rule({"path": "/json"}, truncate={"bytes": 10})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask("/json")
        self.assertEqual(caught.exception.partial, DOCUMENT[:10])
        self.connection.close()
        self.assertEqual(self.ask("/a")[0], 200)
        told = [event for event in self.proxy.units() if event.get("rule") == "r"][-1]
        self.assertEqual((told["reply"], told["server"]), ("connection closed within 200", "did"))

    def test_a_cut_request(self):
        self.rule({"path": "/a"}, truncate={"bytes": 4, "side": "request"})
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
            self.ask("/a", "POST", "0123456789")
        self.assertEqual(self.fired(), 1)

    def test_a_body_that_is_not_longer_is_said(self):
        self.rule({"path": "/json"}, truncate={"bytes": 1000})
        self.assertEqual(self.ask("/json")[1], DOCUMENT)
        self.assertIn("bytes only", self.skipped())
        self.assertEqual(self.fired(), 0)
        self.in_step()


class Replies(Actions):
    """A rule on the status of the reply, and each thing it can do."""

    def test_actions(self):
        def is_lost(path):
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
                self.ask(path)
            self.connection.close()
        self.assertEqual(self.ask("/status/200")[:2], (200, b"real\n"))
        expected = [("mask", {"error": {"status": 500}}, (500, b"")),
                    ("made", {"respond": {"body": "made"}}, (200, b"made")),
                    ("edit", {"rewrite": {"status": 418}}, (418, b"real\n"))]
        for identity, action, told in expected:
            self.rule({"path": "/status/*", "reply_status": "200"}, identity=identity, **action)
            self.assertEqual(self.ask("/status/200")[:2], told)
            self.assertEqual(self.ask("/status/404")[:2], (404, b"real\n"))
            self.assertEqual(self.fired(identity), 1)
            self.in_step()
        for identity, action in (("drop", {"drop": {}}), ("reset", {"drop": {"reset": True}})):
            self.rule({"path": "/status/*", "reply_status": "2*"}, identity=identity, **action)
            is_lost("/status/200")
            self.assertEqual(self.fired(identity), 1)

    def test_delay(self):
        self.rule({"reply_status": "404"}, delay={"duration_us": 400_000})
        start = time.monotonic()
        self.assertEqual(self.ask("/status/404")[:2], (404, b"real\n"))
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertEqual(self.fired(), 1)
        self.in_step()

    def test_hold_until_the_rule_ends(self):
        self.rule({"path": "/a"}, hold={"side": "reply"})
        self.connection.request("GET", "/a")
        while not self.server.asked:
            time.sleep(0.01)
        self.connection.sock.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.connection.sock.recv(1)
        self.connection.sock.settimeout(20)
        self.proxy.set_rules([])
        self.assertEqual(self.connection.getresponse().read(), b"GET /a\n")
        self.in_step()

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_interim_replies_pass(self):
        self.rule({"path": "/early", "reply_status": "200"}, rewrite={"headers": {"X-Seen": "1"}})
        told = subprocess.run(["curl", "-s", "-i", "--max-time", "20", self.url + "/early"],
                              capture_output=True, text=True, check=True).stdout
        self.assertLess(told.index("HTTP/1.1 103"), told.index("HTTP/1.1 200"))
        self.assertIn("X-Seen: 1", told)
        self.assertEqual(self.fired(), 1)


class Refusals(Actions):
    CASES = [
        ({"path": "/a"}, {"rewrite": {}}, "rewrite\\(\\) of nothing"),
        ({"path": "/a"}, {"rewrite": {"body": {"items": 1}}}, "no place in a JSON document"),
        ({"path": "/a"}, {"rewrite": {"headers": {"Content-Length": "1"}}}, "follows from the"),
        ({"path": "/a"}, {"rewrite": {"columns": {"a": 1}}}, "columns= is for postgres"),
        ({"path": "/a"}, {"respond": {"status": 100}}, "only announces"),
        ({"path": "/a"}, {"respond": {"status": 204, "body": "x"}}, "has no body"),
        ({"path": "/a"}, {"respond": {"headers": {"a b": "x"}}}, "no field's name"),
        ({"reply_status": "OK"}, {"error": {}}, "can never match"),
        ({"reply_status": "200"}, {"duplicate": {}}, "reply_status= is known"),
        ({"host": "http://shop/"}, {"error": {}}, "name and port alone"),
        ({"websocket": "*", "sse": "*"}, {"drop": {}}, "say one"),
        ({"sse": "*"}, {"error": {}}, "is about messages"),
        ({"sse": "*"}, {"corrupt": {"framing": True}}, "changes the data of an event"),
        ({"websocket": "*"}, {"error": {"status": 503}}, "no close code"),
        ({"websocket": "*"}, {"drop": {"mode": "connection"}}, "loses the message"),
        ({"path": "/a", "direction": "to_server"}, {"drop": {}}, "direction= says"),
    ]

    def test_what_can_never_be(self):
        for match, action, why in self.CASES:
            with self.subTest(why), self.assertRaisesRegex(ValueError, why):
                self.rule(match, **action)


if __name__ == "__main__":
    unittest.main(verbosity=2)
