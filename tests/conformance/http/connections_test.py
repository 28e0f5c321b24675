"""What becomes of connections: old clients, clients that wait or leave, servers that leave, slow
ones beside quick ones, long uploads under a limit. With real servers and clients where the protocol
is the point, with plain sockets where a moment is."""

import hashlib
import os
import queue
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from echo_server import EchoServer  # noqa: E402
from proxy_process import ProxyProcess, is_sanitized, proxy_binary  # noqa: E402
from reply_server import ReplyServer  # noqa: E402

proxy_binary()  # Skips before a server is started.

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def get(path, fields=""):
    return f"GET {path} HTTP/1.1\r\nHost: s\r\n{fields}\r\n".encode()


def read_until(peer, end):
    seen = b""
    while end not in seen:
        piece = peer.recv(65536)
        if not piece:
            raise EOFError(seen)
        seen += piece
    return seen


def read_all(peer):
    seen = b""
    while piece := peer.recv(65536):
        seen += piece
    return seen


class Upstream:
    """A listener whose connections a test plays by hand."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            peer.settimeout(20)
            self.accepted.put(peer)

    def next(self):
        return self.accepted.get(timeout=20)

    def close(self):
        self.listener.close()


class Connections(unittest.TestCase):
    def proxy_to(self, port, **options):
        proxy = ProxyProcess(port, "http", record_all=True, **options).__enter__()
        self.addCleanup(proxy.__exit__)
        return proxy

    def with_upstream(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        return self.proxy_to(upstream.port), upstream

    def with_nginx(self, **options):
        server = EchoServer().__enter__()
        self.addCleanup(server.__exit__)
        return self.proxy_to(server.port, **options), server

    def connect(self, proxy):
        client = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
        self.addCleanup(client.close)
        return client

    def fired(self, proxy, identity="r"):
        return int(proxy.tallies()[identity]["fired"])

    def wait_until(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


class Continue(Connections):
    """Expect: 100-continue, with clients that never send the body before they are told to."""
    ASK = b"POST /sink HTTP/1.1\r\nHost: s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    TOLD = b"HTTP/1.1 100 Continue\r\n\r\n"

    def upload(self, port, times):
        """How long it takes until the client is told to go on, at best."""
        took = []
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            for _ in range(times):
                start = time.monotonic()
                client.sendall(self.ASK)
                self.assertEqual(read_until(client, b"\r\n\r\n"), self.TOLD)
                took.append(time.monotonic() - start)
                client.sendall(b"body")
                self.assertIn(b" 201 Created", read_until(client, b"taken\n"))
        return min(took)

    def test_the_client_is_told_to_go_on_at_once(self):
        proxy, server = self.with_nginx()
        self.assertLess(self.upload(server.port, 20), 0.05)
        self.assertLess(self.upload(proxy.port, 20), 0.05)
        # Nor does a rule that would like to see the body wait for it.
        proxy.set_rules([{"id": "r", "http": {"path": "/sink", "body": "body"},
                          "error": {"status": 503}}])
        self.assertLess(self.upload(proxy.port, 20), 0.05)
        self.assertEqual(self.fired(proxy), 0)
        self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_under_a_delay_it_is_told_later(self):
        proxy, _ = self.with_nginx()
        proxy.set_rules([{"id": "r", "http": {"path": "/sink"}, "delay": {"duration_us": 300_000}}])
        self.assertGreaterEqual(self.upload(proxy.port, 2), 0.3)
        self.assertEqual(self.fired(proxy), 2)

    def test_an_error_is_told_in_the_place_of_it(self):
        proxy, _ = self.with_nginx()
        proxy.set_rules([{"id": "r", "http": {"path": "/sink"}, "error": {"status": 413}}])
        client = self.connect(proxy)
        client.sendall(self.ASK)
        told = read_all(client)
        self.assertTrue(told.startswith(b"HTTP/1.1 413 "), told)
        self.assertIn(b"Connection: close\r\n", told)
        self.assertEqual(self.fired(proxy), 1)


class OldClients(Connections):
    """HTTP/1.0: the connection ends with the reply, unless the client asks for another thing."""
    PLAIN = b"GET %s HTTP/1.0\r\n\r\n"
    KEPT = b"GET %s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    def test_one_reply_and_the_end(self):
        proxy, _ = self.with_nginx()

        def ask(path):
            client = self.connect(proxy)
            client.sendall(self.PLAIN % path)
            head, _, body = read_all(client).partition(b"\r\n\r\n")
            return head.split()[1], b"Connection: close" in head, b"chunked" in head, body
        self.assertEqual(ask(b"/echo/x"), (b"200", True, False, b"/echo/x\n"))
        masked = {"status": 500, "body": "no", "mode": "mask"}
        for identity, action, status in (
                ("error", {"error": {"status": 503, "body": "no"}}, b"503"),
                ("made", {"respond": {"body": "no"}}, b"200"), ("mask", {"error": masked}, b"500")):
            proxy.set_rules([{"id": identity, "http": {"path": "/echo/x"}, **action}])
            self.assertEqual(ask(b"/echo/x"), (status, True, False, b"no"))
            self.assertEqual(ask(b"/echo/y"), (b"200", True, False, b"/echo/y\n"))
            self.assertEqual(self.fired(proxy, identity), 1)

    def test_a_connection_that_is_kept(self):
        proxy, _ = self.with_nginx()
        client = self.connect(proxy)

        def ask(path, end):
            client.sendall(self.KEPT % path)
            told = read_until(client, end)
            self.assertRegex(told, rb"(?i)\r\nconnection: keep-alive\r\n")
            return told.split()[1]
        self.assertEqual(ask(b"/echo/1", b"/echo/1\n"), b"200")
        proxy.set_rules([{"id": "r", "http": {"path": "/echo/2"},
                          "error": {"status": 503, "body": "no"}}])
        self.assertEqual(ask(b"/echo/2", b"no"), b"503")
        for number in range(3, 8):
            self.assertEqual(ask(b"/echo/%d" % number, b"/echo/%d\n" % number), b"200")
        self.assertEqual(self.fired(proxy), 1)
        self.assertEqual(proxy.counters()["connections_total"], 1)

    def test_a_body_that_ends_with_the_connection_is_rewritten_as_one(self):
        proxy, upstream = self.with_upstream()

        def exchange():
            client = self.connect(proxy)
            client.sendall(self.PLAIN % b"/json")
            server = upstream.next()
            read_until(server, b"\r\n\r\n")
            server.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}")
            server.close()
            return read_all(client)
        self.assertTrue(exchange().endswith(b"\r\n\r\n{\"a\": 1}"))
        proxy.set_rules([{"id": "r", "http": {"path": "/json"}, "rewrite": {"body": {"$.a": 22}}}])
        told = exchange()
        self.assertTrue(told.endswith(b"\r\n\r\n{\"a\": 22}"), told)
        self.assertNotIn(b"chunked", told)
        self.assertEqual(self.fired(proxy), 1)

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_curl(self):
        proxy, _ = self.with_nginx()
        url = f"http://127.0.0.1:{proxy.port}/echo/x"

        def curl():
            return subprocess.run(["curl", "-s0", "--max-time", "20", "-w", "%{http_code}", url],
                                  capture_output=True, text=True, check=True).stdout
        self.assertEqual(curl(), "/echo/x\n200")
        proxy.set_rules([{"id": "r", "http": {"path": "/echo/x"}, "error": {"status": 503}}])
        self.assertEqual(curl(), "503")
        self.assertEqual(self.fired(proxy), 1)


class Uploads(Connections):
    BYTES = 50 << 20
    RATE = 10_000_000  # Bytes per second: five seconds of it, where 1 MB/s would be fifty.

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_50_mb_under_a_limit(self):
        server = ReplyServer().__enter__()
        self.addCleanup(server.__exit__)
        proxy = self.proxy_to(server.port)
        content = os.urandom(1 << 20) * (self.BYTES >> 20)
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()

            def upload():
                server.asked.clear()
                start = time.monotonic()
                told = subprocess.run(
                    ["curl", "-s", "--max-time", "120", "-H", "Expect:", "-o", "/dev/null", "-w",
                     "%{http_code} %{size_upload}", "-T", file.name,
                     f"http://127.0.0.1:{proxy.port}/upload"],
                    capture_output=True, text=True, check=True).stdout
                took = time.monotonic() - start
                self.assertEqual(told, f"200 {self.BYTES}")
                self.assertEqual([hashlib.sha256(body).digest() for _, _, body in server.asked],
                                 [hashlib.sha256(content).digest()])
                return took
            upload()
            before = proxy.resident_kib()
            proxy.set_rules([{"id": "r", "link": {"bandwidth": self.RATE,
                                                  "direction": "to_server"}}])
            # A burst may pass at once; the rest takes its time, however fast the machine is.
            self.assertGreaterEqual(upload(), 0.8 * self.BYTES / self.RATE)
            self.assertEqual(self.fired(proxy), 1)
            if not is_sanitized():
                self.assertLess(proxy.resident_kib() - before, 8 * 1024)
        self.assertEqual(proxy.counters()["connections_opaque"], 0)


class Leaving(Connections):
    BEGUN = b"POST /up HTTP/1.1\r\nHost: s\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 5000

    def descriptors(self, proxy):
        return len(os.listdir(f"/proc/{proxy.pid}/fd"))

    def leave(self, client, reset):
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def server_sees_the_end(self, server):
        """All that the client sent, then the end of the stream: an orderly one or a reset."""
        seen = b""
        try:
            while piece := server.recv(65536):
                seen += piece
        except ConnectionResetError:
            pass
        server.close()
        return seen

    def test_a_client_that_leaves_within_its_upload(self):
        proxy, upstream = self.with_upstream()
        before = self.descriptors(proxy)
        for number in range(40):
            client = self.connect(proxy)
            client.sendall(self.BEGUN)
            server = upstream.next()
            read_until(server, b"x" * 5000)  # It is on its way before the client leaves.
            self.leave(client, reset=number % 2 == 1)
            self.assertEqual(self.server_sees_the_end(server), b"")
        self.wait_until(lambda: self.descriptors(proxy) == before)
        self.assertEqual(proxy.counters()["connections_open"], 0)

    def test_the_same_under_rules_that_keep_the_request(self):
        actions = {"drained": ({}, {"error": {"status": 503}}),
                   "gathered": ({"body": "y*"}, {"error": {"status": 503}}),
                   "twice": ({}, {"duplicate": {}}),
                   "held": ({}, {"hold": {}}),
                   "lost": ({}, {"drop": {"mode": "request"}}),
                   "damaged": ({}, {"corrupt": {"side": "request"}})}
        proxy, upstream = self.with_upstream()
        before = self.descriptors(proxy)
        for name, (match, action) in actions.items():
            for reset in (False, True):
                with self.subTest(name, reset=reset):
                    identity = f"{name}{reset}"
                    proxy.set_rules([{"id": identity, "http": {"path": "/up", **match}, **action}])
                    client = self.connect(proxy)
                    client.sendall(self.BEGUN)
                    server = upstream.next()
                    self.leave(client, reset)
                    if name in ("held", "lost") and not reset:
                        # An orderly end waits behind the request, or is lost with it.
                        self.wait_until(lambda: self.fired(proxy, identity) == 1)
                        proxy.set_rules([])
                    seen = self.server_sees_the_end(server)
                    # What a rule keeps from the server never comes; all else comes once at most.
                    self.assertLessEqual(len(seen), len(self.BEGUN))
                    if name in ("drained", "lost"):
                        self.assertEqual(seen, b"")
        proxy.set_rules([])
        self.wait_until(lambda: self.descriptors(proxy) == before)
        self.assertEqual(proxy.counters()["connections_open"], 0)

    def test_a_server_that_closes_an_idle_connection(self):
        proxy, upstream = self.with_upstream()
        for rules in ([], [{"id": "r", "http": {"path": "/other"}, "error": {"status": 503}}]):
            proxy.set_rules(rules)
            client = self.connect(proxy)
            client.sendall(get("/1"))
            server = upstream.next()
            read_until(server, b"\r\n\r\n")
            server.sendall(OK)
            self.assertEqual(read_until(client, b"ok"), OK)
            server.close()
            # The end of the stream and nothing else: no reply of anybody's own.
            self.assertEqual(client.recv(100), b"")

    def test_a_server_that_closes_as_the_next_request_comes(self):
        proxy, upstream = self.with_upstream()
        for _ in range(20):
            client = self.connect(proxy)
            client.sendall(get("/1"))
            server = upstream.next()
            read_until(server, b"\r\n\r\n")
            server.sendall(OK)
            self.assertEqual(read_until(client, b"ok"), OK)
            server.close()
            try:
                client.sendall(get("/2"))
                self.assertEqual(read_all(client), b"")
            except (ConnectionResetError, BrokenPipeError):
                pass  # As without a proxy: a client repeats what it may.

    def test_nginx_ends_an_idle_connection(self):
        import nginx_server
        plain = nginx_server.CONFIG
        nginx_server.CONFIG = plain.replace("absolute_redirect off;",
                                            "absolute_redirect off; keepalive_timeout 1s;")
        try:
            proxy, _ = self.with_nginx()
        finally:
            nginx_server.CONFIG = plain
        client = self.connect(proxy)
        client.sendall(get("/echo/1"))
        self.assertIn(b" 200 OK", read_until(client, b"/echo/1\n"))
        self.assertEqual(client.recv(100), b"")


class SlowClients(Connections):
    def test_a_head_byte_by_byte_blocks_nobody(self):
        proxy, _ = self.with_nginx(loops=1)
        proxy.set_rules([{"id": "r", "http": {"path": "/echo/refused"}, "error": {"status": 503}}])
        slow, quick = self.connect(proxy), self.connect(proxy)
        for number, byte in enumerate(get("/echo/refused")):
            slow.sendall(bytes([byte]))
            quick.sendall(get(f"/echo/{number}"))
            self.assertIn(b" 200 OK", read_until(quick, b"/echo/%d\n" % number))
        self.assertIn(b" 503 ", read_until(slow, b"\r\n\r\n"))
        self.assertEqual(self.fired(proxy), 1)
        slow.sendall(get("/echo/last"))
        self.assertIn(b" 200 OK", read_until(slow, b"/echo/last\n"))

    def test_many_heads_that_never_end(self):
        proxy, _ = self.with_nginx(loops=1)
        begun = [self.connect(proxy) for _ in range(50)]
        for client in begun:
            client.sendall(b"GET /echo/never HTTP/1.1\r\nX-Half: ")
        quick = self.connect(proxy)
        for number in range(20):
            quick.sendall(get(f"/echo/{number}"))
            told = read_until(quick, b"/echo/%d\n" % number)
            self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", told), [b"200"])
        self.assertEqual(proxy.counters()["connections_opaque"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
