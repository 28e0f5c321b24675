"""TLS from the first byte: Redis, HTTP, and bytes that nobody decodes; how a connection ends, what
links do to it, and clients that are no clients."""

import hashlib
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

from tls_peers import (CUT, LIMIT, Certificates, Server, TlsPeer, client_context, free_port,
                       server_context)
from nginx_server import NginxServer
from proxy_process import ProxyProcess
from redis_server import RedisServer, encoded

# For nginx_server.CONFIG, in its place of braces.
NGINX_TLS = """\
  server {{
    listen 127.0.0.1:TLS_PORT ssl http2;
    ssl_certificate CERT; ssl_certificate_key KEY; root {home}/files;
    ssl_client_certificate AUTHORITY; ssl_verify_client optional;
    location /name {{ return 200 "$ssl_server_name\\n"; }}
    location /peer {{ return 200 "$ssl_client_s_dn\\n"; }}
    location /sink {{ proxy_pass http://127.0.0.1:{port}/taken; proxy_http_version 1.1; }}
  }}
}}
"""


def echo(connection):
    while content := connection.recv(65536):
        connection.sendall(content)


class Proxied(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="misrule-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.files = Certificates(cls.home)
        cls.ca = f"{cls.home}/run-ca.pem"
        cls.made = ["--tls", "--tls-ca-out", cls.ca]

    def proxy(self, protocol, upstream, *arguments, ends=True):
        proxy = ProxyProcess(upstream, protocol, record_all=True, arguments=arguments)
        proxy.__enter__()
        if ends:
            self.addCleanup(proxy.__exit__)
        return proxy

    def legs(self):
        """Every combination: is the client's leg TLS, is the server's, the proxy's arguments."""
        for front in (False, True):
            for back in (False, True):
                yield front, back, [*(self.made if front else ()),
                                    *(["--upstream-tls"] if back else ())]


class Redis(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tls_port = free_port()
        cls.server = RedisServer("--tls-port", str(cls.tls_port), "--tls-cert-file",
                                 cls.files.cert, "--tls-key-file", cls.files.key,
                                 "--tls-ca-cert-file", cls.files.ca, "--tls-auth-clients", "no")
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def cli(self, port, tls, *words):
        secure = ["--tls", "--cacert", self.ca] if tls else []
        done = subprocess.run(["redis-cli", "-h", "localhost", "-p", str(port), *secure, *words],
                              capture_output=True, text=True, timeout=60)
        return (done.stdout + done.stderr).strip()

    def test_a_rule_fires_on_all_legs(self):
        for protocol in ("redis", "auto"):
            for front, back, arguments in self.legs():
                with self.subTest(protocol=protocol, front=front, back=back):
                    proxy = self.proxy(protocol, self.tls_port if back else self.server.port,
                                       *arguments)
                    self.assertEqual(self.cli(proxy.port, front, "SET", "k", "v"), "OK")
                    self.assertEqual(self.cli(proxy.port, front, "GET", "k"), "v")
                    proxy.set_rules([{"id": "one", "redis": {"command": "GET"},
                                      "error": {"code": "LOADING"}}])
                    self.assertIn("LOADING", self.cli(proxy.port, front, "GET", "k"))
                    self.assertEqual(proxy.tallies()["one"]["fired"], 1)
                    self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_tls_that_nobody_ends_is_told(self):
        for protocol, arguments in (("redis", ()), ("http", ()), ("auto", ())):
            proxy = self.proxy(protocol, self.tls_port, *arguments)
            with TlsPeer(proxy.port, self.files.ca) as peer:
                peer.handshake().send(encoded("PING"))
                self.assertEqual(peer.receive(), b"+PONG\r\n")  # It flows, undecoded.
            told = proxy.wait_for(lambda e: e.get("action") == "opaque")
            self.assertIn("Give the listener tls", told["reason"])
            self.assertEqual(proxy.counters()["connections_opaque"], 1)

    def test_a_client_without_tls_is_told_of(self):
        proxy = self.proxy("redis", self.server.port, *self.made)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) as client:
            client.sendall(encoded("PING"))
            self.assertNotIn(b"PONG", client.recv(1000))
        told = proxy.wait_for(lambda e: e.get("action") == "tls_failed")
        self.assertIn("the client's TLS: wrong version number", told["reason"])

    def test_a_large_value_both_ways(self):
        proxy = self.proxy("redis", self.tls_port, *self.made, "--upstream-tls")
        value = os.urandom(5 << 20)
        with TlsPeer(proxy.port, self.ca) as peer:
            peer.handshake().send(encoded("SET", "large", value))
            self.assertEqual(peer.receive(), b"+OK\r\n")
            peer.send(encoded("GET", "large"))
            head = b"$%d\r\n" % len(value)
            self.assertEqual(peer.receive_exactly(len(head) + len(value) + 2),
                             head + value + b"\r\n")

    def test_pipelines_byte_by_byte(self):
        proxy = self.proxy("redis", self.tls_port, *self.made, "--upstream-tls")
        with TlsPeer(proxy.port, self.ca, step=1) as peer:
            peer.handshake().send(b"".join(encoded("ECHO", str(n)) for n in range(20)))
            expected = b"".join(b"$%d\r\n%d\r\n" % (len(str(n)), n) for n in range(20))
            self.assertEqual(peer.receive_exactly(len(expected)), expected)


class Http(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        import nginx_server
        cls.tls_port = free_port()
        more = NGINX_TLS
        for word, value in (("TLS_PORT", str(cls.tls_port)), ("CERT", cls.files.cert),
                            ("KEY", cls.files.key), ("AUTHORITY", cls.files.ca)):
            more = more.replace(word, value)
        before = nginx_server.CONFIG
        nginx_server.CONFIG = before[:before.rindex("}}")] + more
        cls.addClassCleanup(setattr, nginx_server, "CONFIG", before)
        cls.server = NginxServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def curl(self, proxy, tls, path, *arguments, ca=None, host="localhost"):
        scheme = "https" if tls else "http"
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "60", "--noproxy", "*", "--cacert", ca or self.ca,
             "--connect-to", f"{host}:{proxy.port}:127.0.0.1:{proxy.port}",
             *arguments, f"{scheme}://{host}:{proxy.port}{path}"],
            capture_output=True, timeout=90)
        return done.stdout if done.returncode == 0 else done.stderr

    def test_a_rule_fires_on_all_legs(self):
        for protocol in ("http", "auto"):
            for front, back, arguments in self.legs():
                with self.subTest(protocol=protocol, front=front, back=back):
                    proxy = self.proxy(protocol, self.tls_port if back else self.server.port,
                                       *arguments)
                    self.assertEqual(self.curl(proxy, front, "/small"), b"hello\n")
                    proxy.set_rules([{"id": "one", "http": {"path": "/small"},
                                      "error": {"status": 418}}])
                    said = self.curl(proxy, front, "/small", "-w", "%{http_code}", "-o",
                                     "/dev/null")
                    self.assertEqual(said, b"418")
                    self.assertEqual(proxy.tallies()["one"]["fired"], 1)
                    self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_large_bodies(self):
        proxy = self.proxy("http", self.tls_port, *self.made, "--upstream-tls")
        with open(f"{self.server.home}/files/big", "rb") as file:
            wanted = hashlib.sha256(file.read()).hexdigest()
        self.assertEqual(hashlib.sha256(self.curl(proxy, True, "/big")).hexdigest(), wanted)
        self.assertEqual(self.curl(proxy, True, "/sink", "--data-binary",
                                   f"@{self.server.home}/files/big"), b"taken\n")

    def test_names_are_handed_on(self):
        proxy = self.proxy("http", self.tls_port, *self.made, "--upstream-tls")
        # A certificate is made for whatever name is asked for, too.
        self.assertEqual(self.curl(proxy, True, "/name", host="shop.example"), b"shop.example\n")
        fixed = self.proxy("http", self.tls_port, *self.made, "--upstream-name", "own.example")
        self.assertEqual(self.curl(fixed, True, "/name", host="shop.example"), b"own.example\n")
        self.assertIn(b"certificate", self.curl(proxy, True, "/name", ca=self.files.ca))

    def test_who_we_are_upstream(self):
        cert, key = self.files.issue("proxy", "DNS:proxy")
        known = self.proxy("http", self.tls_port, "--upstream-cert", cert, "--upstream-key", key)
        self.assertEqual(self.curl(known, False, "/peer"), b"CN=proxy\n")
        unknown = self.proxy("http", self.tls_port, "--upstream-tls")
        self.assertEqual(self.curl(unknown, False, "/peer"), b"\n")

    def test_http_1_where_there_is_a_choice(self):
        proxy = self.proxy("http", self.tls_port, *self.made, "--upstream-tls")
        said = self.curl(proxy, True, "/small", "--http2", "-w", "%{http_version}")
        self.assertEqual(said, b"hello\n1.1")
        self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_http_2_alone_flows_undecoded(self):
        proxy = self.proxy("http", self.tls_port, *self.made, "--upstream-tls")
        with TlsPeer(proxy.port, self.ca, alpn=["h2"]) as peer:
            peer.handshake()
            self.assertEqual(peer.tls.selected_alpn_protocol(), "h2")
            peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
            self.assertEqual(peer.receive_exactly(9)[3], 4)  # The server's settings.
        proxy.wait_for(lambda e: e.get("action") == "opaque")


class Bytes(Proxied):
    def wire(self, protocol, serve, *arguments, context=None):
        server = Server(serve, context)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server, self.proxy(protocol, server.port, *arguments)

    def test_both_ways_at_once(self):
        sent = os.urandom(4 << 20)
        for alpn in ((), ("acme/1", "acme/2")):
            context = server_context(self.files, alpn[1:])
            server, proxy = self.wire("tcp", echo, *self.made, "--upstream-tls", context=context)
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) as plain:
                client = client_context(self.ca, alpn).wrap_socket(plain,
                                                                   server_hostname="localhost")
                self.addCleanup(client.close)
                self.assertEqual(client.selected_alpn_protocol(), alpn[1] if alpn else None)
                writer = threading.Thread(target=client.sendall, args=(sent,))
                writer.start()
                received = b""
                while len(received) < len(sent):
                    received += client.recv(65536)
                writer.join()
                self.assertEqual(received, sent)

    def test_an_end_that_is_told_is_told_on(self):
        def answers(connection):
            while connection.recv(100):
                pass
            connection.sendall(b"all read")  # After the client's end: the other half stands.

        for back in (False, True):
            context = server_context(self.files) if back else None
            server, proxy = self.wire("tcp", answers, *self.made,
                                      *(["--upstream-tls"] if back else ()), context=context)
            with TlsPeer(proxy.port, self.ca) as peer:
                peer.handshake().send(b"question")
                peer.end()
                self.assertEqual(peer.receive_exactly(8), b"all read")
                if not back:  # Python's server ends without telling TLS.
                    self.assertEqual(peer.receive(), b"")
            self.assertEqual(server.problems, [])

    def test_an_end_that_is_not_told_is_not_told_on(self):
        def cuts(connection):
            connection.recv(100)
            connection.sendall(b"half of it")
            os.close(connection.detach())  # No close_notify.

        server, proxy = self.wire("tcp", cuts, *self.made, "--upstream-tls",
                                  context=server_context(self.files))
        with TlsPeer(proxy.port, self.ca) as peer:
            peer.handshake().send(b"question")
            self.assertEqual(peer.receive_exactly(10), b"half of it")
            with self.assertRaisesRegex(ssl.SSLError, CUT):
                peer.receive()
        ends = []
        server, proxy = self.wire("tcp", lambda c: ends.append(c.recv(100)), *self.made,
                                  "--upstream-tls", context=server_context(self.files))
        with TlsPeer(proxy.port, self.ca) as peer:
            peer.handshake().send(b"")
            peer.socket.shutdown(socket.SHUT_WR)
            with self.assertRaisesRegex(ssl.SSLError, CUT):
                peer.receive()
        self.assertEqual(ends, [])
        self.assertIn(CUT, server.problems[0])

    def test_a_reset_stays_one(self):
        def resets(connection):
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(connection.detach())

        for back in (False, True):
            server, proxy = self.wire("tcp", resets, *self.made,
                                      *(["--upstream-tls"] if back else ()),
                                      context=server_context(self.files) if back else None)
            with TlsPeer(proxy.port, self.ca) as peer:
                peer.handshake().send(b"question")
                with self.assertRaises(ConnectionResetError):
                    peer.receive()

    def test_links_carry_records(self):
        server, proxy = self.wire("tcp", echo, *self.made, "--upstream-tls",
                                  context=server_context(self.files))
        sent = os.urandom(20000)

        def exchange():
            with TlsPeer(proxy.port, self.ca) as peer:
                peer.handshake().send(sent)
                return peer.receive_exactly(len(sent))

        self.assertEqual(exchange(), sent)
        proxy.set_rules([{"id": "slow", "link": {"slice_bytes": 100, "latency_us": 1000,
                                                 "bandwidth": 2000000}}])
        self.assertEqual(exchange(), sent)
        self.assertEqual(proxy.tallies()["slow"]["fired"], 1)
        # What counts is what is on the wire: the handshake, too.
        proxy.set_rules([{"id": "cut", "link": {"reset_after": 5000, "direction": "to_client"}}])
        with self.assertRaises(ConnectionResetError):
            exchange()
        proxy.set_rules([{"id": "early", "link": {"reset_after": 100, "direction": "to_client"}}])
        with TlsPeer(proxy.port, self.ca) as peer:
            with self.assertRaises((ConnectionResetError, BrokenPipeError)):
                peer.handshake()
        self.assertEqual(proxy.tallies()["early"]["fired"], 1)

    def test_noise(self):
        server, proxy = self.wire("tcp", echo, *self.made, "--upstream-tls",
                                  context=server_context(self.files))
        dice = random.Random(5)
        with TlsPeer(proxy.port, self.ca) as peer:  # A good beginning, to be spoilt.
            try:
                peer.tls.do_handshake()
            except ssl.SSLWantReadError:
                hello = peer.outgoing.read()
        for round_number in range(300):
            content = bytearray(hello)
            if round_number % 3 == 0:
                content = bytearray(dice.randbytes(dice.randrange(1, 2000)))
            for _ in range(dice.randrange(8)):
                content[dice.randrange(len(content))] = dice.randrange(256)
            del content[dice.randrange(1, len(content) + 1):]
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=LIMIT) as client:
                try:
                    client.sendall(content)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        with TlsPeer(proxy.port, self.ca) as peer:
            peer.handshake().send(b"still here")
            self.assertEqual(peer.receive(), b"still here")

    def test_a_client_that_stalls_stops_nobody(self):
        server = Server(echo)
        server.__enter__()
        self.addCleanup(server.__exit__)
        proxy = self.proxy("tcp", server.port, *self.made, "--drain", "1s", ends=False)
        with socket.create_connection(("127.0.0.1", proxy.port)) as stalled:
            stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
            with TlsPeer(proxy.port, self.ca) as peer:
                peer.handshake().send(b"passes")
                self.assertEqual(peer.receive(), b"passes")
            proxy.process.send_signal(signal.SIGINT)
            self.assertEqual(proxy.process.wait(LIMIT), 0)
        proxy.__exit__()

    def test_a_look_at_the_port_is_no_failure(self):
        server, proxy = self.wire("tcp", echo, *self.made)
        socket.create_connection(("127.0.0.1", proxy.port)).close()
        with TlsPeer(proxy.port, self.ca) as peer:
            peer.handshake().send(b"passes")
            self.assertEqual(peer.receive(), b"passes")
        proxy.counters()
        self.assertEqual([e for e in proxy.events if e.get("action") == "tls_failed"], [])

    def test_files_and_keys_are_as_they_should_be(self):
        server, proxy = self.wire("tcp", echo, "--tls")
        ready = proxy.wait_for(lambda e: e.get("action") == "ready")
        self.assertEqual(oct(os.stat(ready["ca"]).st_mode & 0o777), "0o644")
        key = os.path.join(os.path.dirname(ready["ca"]), "ca.key")
        self.assertEqual(oct(os.stat(key).st_mode & 0o777), "0o600")
        with open(key) as file:
            secret = file.read().splitlines()[1]
        with TlsPeer(proxy.port, ready["ca"]) as peer:
            peer.handshake().send(b"passes")
        self.assertNotIn(secret, str(proxy.events))


if __name__ == "__main__":
    unittest.main(verbosity=2)
