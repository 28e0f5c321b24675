"""PostgreSQL and TLS: both legs in every combination, SCRAM's channel binding, and what a client
may do before TLS stands."""

import contextlib
import os
import signal
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest

from tls_peers import Certificates, Server, TlsPeer
from postgres_server import PostgresServer
from proxy_process import ProxyProcess

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
QUERY = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
NO_OFFER = "channel binding is required, but server did not offer an authentication method"
NO_TLS = "channel binding required, but SSL not in use"


def startup(user="app", database="app"):
    body = b"".join(f"{k}\0{v}\0".encode() for k, v in (("user", user), ("database", database)))
    return struct.pack("!II", len(body) + 9, 3 << 16) + body + b"\0"


def query(text):
    return b"Q" + struct.pack("!I", len(text) + 5) + text.encode() + b"\0"


class PostgresTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="misrule-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.files = Certificates(cls.home)
        cls.server = PostgresServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        for path, name in ((cls.files.cert, "s.pem"), (cls.files.key, "s.key")):
            copy = shutil.copy(path, f"{cls.server.home}/{name}")
            os.chown(copy, cls.server.user.pw_uid, cls.server.user.pw_gid)
            os.chmod(copy, 0o600)
        cls.server.sql(f"alter system set ssl_cert_file = '{cls.server.home}/s.pem'",
                       f"alter system set ssl_key_file = '{cls.server.home}/s.key'",
                       "alter system set ssl = on")
        cls.server.stop()
        cls.server.start()
        cls.ca = f"{cls.home}/run-ca.pem"
        cls.made = ["--tls", "--tls-ca-out", cls.ca]
        cls.servers_own = ["--tls-cert", cls.files.cert, "--tls-key", cls.files.key]

    def proxy(self, *arguments, upstream=None, protocol="postgres", ends=True):
        proxy = ProxyProcess(upstream or self.server.port, protocol, record_all=True,
                             arguments=arguments)
        proxy.__enter__()
        if ends:
            self.addCleanup(proxy.__exit__)
        return proxy

    def psql(self, proxy, user="scram", sql=QUERY, **options):
        words = {"connect_timeout": "30", **options}
        done = subprocess.run(["psql", "-X", "-A", "-t", "-c", sql,
                               self.server.dsn(user, port=proxy.port, **words)],
                              capture_output=True, text=True, timeout=60)
        return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()

    def row(self, proxy, expected, **options):
        """One line of the matrix: what disable, prefer and require lead to."""
        for binding, text in zip(("disable", "prefer", "require"), expected):
            with self.subTest(channel_binding=binding):
                self.assertIn(text, self.psql(proxy, channel_binding=binding, **options))

    # The control of all rows: without a proxy everything is possible.
    def test_matrix_direct(self):
        self.row(self.server, ["t", "t", "t"], sslmode="require")

    def test_matrix_tls_plain(self):
        self.row(self.proxy(*self.made), ["f", "f", NO_OFFER], sslmode="require")

    def test_matrix_tls_tls_with_a_certificate_of_its_own(self):
        failed = "SCRAM channel binding check failed"
        self.row(self.proxy(*self.made, "--upstream-tls"), ["t", failed, failed],
                 sslmode="require")

    def test_matrix_tls_tls_without_plus(self):
        # A second proxy takes the offer away from a client that has TLS.
        inner = self.proxy("--upstream-tls")
        thinks = "client supports SCRAM channel binding but thinks the server does not"
        self.row(self.proxy(*self.made, upstream=inner.port), ["t", thinks, NO_OFFER],
                 sslmode="require")

    def test_matrix_tls_tls_with_the_servers_certificate(self):
        self.row(self.proxy(*self.servers_own, "--upstream-tls"), ["t", "t", "t"],
                 sslmode="require")

    def test_matrix_plain_tls(self):
        proxy = self.proxy("--upstream-tls")
        self.row(proxy, ["t", "t", NO_TLS], sslmode="disable")
        self.row(proxy, ["t", "t", NO_TLS], sslmode="prefer")

    def in_use(self, proxy, **options):
        import psycopg2
        connection = psycopg2.connect(self.server.dsn(port=proxy.port, **options))
        self.addCleanup(connection.close)
        return connection.info.ssl_in_use

    def test_modes(self):
        plain, tls = self.proxy(), self.proxy(*self.made)
        refused = "server does not support SSL, but SSL was required"
        self.assertFalse(self.in_use(plain))  # The default, prefer.
        self.assertFalse(self.in_use(plain, sslmode="disable"))
        for mode in ("require", "verify-full"):
            options = {"sslmode": mode, "sslrootcert": self.ca, "user": "app"}
            self.assertIn(refused, self.psql(plain, host="localhost", **options))
            self.assertTrue(self.in_use(tls, host="localhost", **options))
        self.assertFalse(self.in_use(tls, sslmode="disable"))
        self.assertTrue(self.in_use(tls))
        self.assertTrue(self.in_use(tls, sslmode="verify-full", sslrootcert=self.ca))

    def test_a_client_that_trusts_another_authority_is_told_of(self):
        proxy = self.proxy(*self.made)
        self.assertIn("certificate verify failed", self.psql(
            proxy, user="app", sslmode="verify-full", sslrootcert=self.files.ca, host="localhost"))
        told = proxy.wait_for(lambda e: e.get("action") == "tls_failed")
        self.assertIn("the client's TLS: tlsv1 alert unknown ca", told["reason"])

    def test_the_server_is_verified(self):
        other = Certificates(self.home, "other")
        good = self.proxy("--upstream-ca", self.files.ca)
        self.assertEqual(self.psql(good, user="app"), "t")
        bad = self.proxy("--upstream-ca", other.ca)
        said = self.psql(bad, user="app")
        self.assertIn("FATAL:  the server's TLS: certificate verify failed", said)
        wrong = self.proxy("--upstream-ca", self.files.ca, "--upstream-name", "elsewhere")
        self.assertIn("hostname mismatch", self.psql(wrong, user="app"))
        chain = self.proxy("--upstream-ca", self.files.ca, "--upstream-name", "elsewhere",
                           "--upstream-verify", "chain")
        self.assertEqual(self.psql(chain, user="app"), "t")

    def test_a_server_without_tls(self):
        inner = self.proxy()
        outer = self.proxy("--upstream-tls", upstream=inner.port)
        self.assertIn("FATAL:  the server does not support TLS", self.psql(outer, user="app"))

    def test_a_server_that_predates_tls(self):
        # It takes the request for a startup packet of a version that nobody knows.
        words = b"SFATAL\0C0A000\0Munsupported frontend protocol 1234.5679\0\0"

        def old_server(connection):
            self.assertEqual(connection.recv(8), SSL_REQUEST)
            connection.sendall(b"E" + struct.pack("!I", len(words) + 4) + words)

        with Server(old_server) as server:
            proxy = self.proxy("--upstream-tls", upstream=server.port)
            self.assertIn("FATAL:  the server answered SSLRequest with something else than S or N",
                          self.psql(proxy, user="app"))
            told = proxy.wait_for(lambda e: e.get("action") == "tls_failed")
            self.assertIn("something else than S or N", told["reason"])
        # Without upstream_tls such a server is never asked: the proxy itself says N.
        proxy = self.proxy()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(SSL_REQUEST)
            self.assertEqual(client.recv(1), b"N")

    def test_startup_faults_through_tls(self):
        proxy = self.proxy(*self.made)
        for number, (code, text) in enumerate((
                ("53300", "sorry, too many clients already"),
                ("57P03", "the database system is starting up"),
                ("28P01", 'password authentication failed for user "app"'))):
            for mode in ("require", "verify-full"):
                with self.subTest(code=code, sslmode=mode):
                    options = {"user": "app", "host": "localhost", "sslmode": mode,
                               "sslrootcert": self.ca}
                    self.assertEqual(self.psql(proxy, **options), "f")
                    rule = f"startup-{number}-{mode}"
                    proxy.set_rules([{"id": rule, "postgres": {"moment": "startup"},
                                      "error": {"code": code, "message": text},
                                      "trigger": {"times": 1}}])
                    self.assertIn(f"FATAL:  {text}", self.psql(proxy, **options))
                    self.assertEqual(proxy.tallies()[rule]["fired"], 1)
                    self.assertEqual(self.psql(proxy, **options), "f", "once")
                    proxy.set_rules([])
        self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def fires(self, *arguments, protocol="postgres", **options):
        import psycopg2
        proxy = self.proxy(*arguments, protocol=protocol)
        connection = psycopg2.connect(self.server.dsn(port=proxy.port, **options))
        self.addCleanup(connection.close)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("select 42")
        self.assertEqual(cursor.fetchall(), [(42,)])  # The control.
        proxy.set_rules([{"id": "one", "postgres": {"query": "select 42"},
                          "error": {"code": "40001"}}])
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            cursor.execute("select 42")
        self.assertEqual(proxy.tallies()["one"]["fired"], 1)
        cursor.execute("select 43")
        self.assertEqual(cursor.fetchall(), [(43,)])
        self.assertEqual(proxy.counters()["connections_opaque"], 0)

    def test_a_rule_fires_on_all_legs(self):
        for protocol in ("postgres", "auto"):
            for front, mode in (((), "disable"), (self.made, "require")):
                for back in ((), ("--upstream-tls",)):
                    with self.subTest(front=front, back=back, protocol=protocol):
                        self.fires(*front, *back, protocol=protocol, sslmode=mode)

    def test_large_rows_both_ways(self):
        import psycopg2
        proxy = self.proxy(*self.servers_own, "--upstream-tls")
        connection = psycopg2.connect(self.server.dsn(port=proxy.port, sslmode="require"))
        self.addCleanup(connection.close)
        body = os.urandom(3 << 20)
        cursor = connection.cursor()
        cursor.execute("select %s::bytea", (psycopg2.Binary(body),))
        self.assertEqual(bytes(cursor.fetchone()[0]), body)

    def test_cancel_through_tls(self):
        import psycopg2
        import threading
        proxy = self.proxy(*self.made, "--upstream-tls")
        connection = psycopg2.connect(self.server.dsn(port=proxy.port, sslmode="require"))
        self.addCleanup(connection.close)
        cursor = connection.cursor()
        pid = connection.info.backend_pid

        def cancel_once_it_runs():
            running = f"select 1 from pg_stat_activity where pid = {pid} and state = 'active'"
            while not self.server.sql(running):
                pass
            connection.cancel()

        thread = threading.Thread(target=cancel_once_it_runs)
        thread.start()
        with self.assertRaises(psycopg2.errors.QueryCanceled):
            cursor.execute("select pg_sleep(60)")
        thread.join()

    # What a client may do before TLS stands.

    def converse(self, peer):
        """A login without a password and a query, by hand."""
        peer.send(startup())
        peer.send(query("select 42"))
        content = b""
        while b"SELECT 1\0" not in content:
            some = peer.receive()
            self.assertNotEqual(some, b"")
            content += some
        self.assertIn(b"\0\0\0\x0242", content)

    def test_byte_by_byte(self):
        proxy = self.proxy(*self.made, "--upstream-tls")
        with TlsPeer(proxy.port, self.ca, before=SSL_REQUEST, step=1) as peer:
            self.converse(peer.handshake())
        self.assertEqual(len(proxy.units()), 1)

    def test_encryption_of_the_other_kind_first(self):
        proxy = self.proxy(*self.made)
        peer = TlsPeer(proxy.port, self.ca)
        peer.send_plain(GSS_REQUEST)
        self.assertEqual(peer.socket.recv(1), b"N")
        peer.send_plain(SSL_REQUEST)
        self.assertEqual(peer.socket.recv(1), b"S")
        with peer:
            self.converse(peer.handshake())

    def test_bytes_behind_the_request_are_refused(self):
        proxy = self.proxy(*self.made)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(SSL_REQUEST + startup())
            content = client.recv(1000)
            self.assertEqual(content[:1], b"E")
            self.assertIn(b"the client sent bytes behind its SSLRequest", content)
        told = proxy.wait_for(lambda e: e.get("action") == "tls_failed")
        self.assertIn("before TLS began", told["reason"])
        self.assertEqual(proxy.units(), [])

    def test_bytes_behind_the_answer_are_refused(self):
        def injects(connection):
            connection.recv(8)
            connection.sendall(b"SE\0\0\0\x08")
            connection.recv(1)

        with Server(injects) as server:
            proxy = self.proxy("--upstream-tls", upstream=server.port)
            self.assertIn("the server sent bytes behind its answer", self.psql(proxy, user="app"))

    def test_direct(self):
        for back in ((), ("--upstream-tls",)):
            proxy = self.proxy(*self.made, *back)
            with TlsPeer(proxy.port, self.ca, alpn=["postgresql"]) as peer:
                self.converse(peer.handshake())
                self.assertEqual(peer.tls.selected_alpn_protocol(), "postgresql")
            self.assertEqual(len(proxy.units()), 1)

    def test_direct_needs_its_protocol(self):
        proxy = self.proxy(*self.made)
        for alpn in ((), ("h2",)):
            with TlsPeer(proxy.port, self.ca, alpn=alpn) as peer:
                with self.assertRaises(ssl.SSLError):
                    peer.handshake()
        told = proxy.wait_for(lambda e: e.get("action") == "tls_failed")
        self.assertIn('"postgresql"', told["reason"])

    def test_tls_that_nobody_ends_is_told(self):
        for protocol in ("postgres", "auto"):
            proxy = self.proxy(protocol=protocol)
            with TlsPeer(proxy.port, alpn=["postgresql"]) as peer:
                # It flows: PostgreSQL 17 knows it, 15 does not.
                with contextlib.suppress(ssl.SSLError, OSError):
                    peer.handshake()
            told = proxy.wait_for(lambda e: e.get("action") == "opaque")
            self.assertIn("Give the listener tls", told["reason"])

    def test_an_unfinished_handshake_stops_nobody(self):
        proxy = self.proxy(*self.made, "--drain", "1s", ends=False)
        with socket.create_connection(("127.0.0.1", proxy.port)) as stalled:
            stalled.sendall(SSL_REQUEST)
            self.assertEqual(stalled.recv(1), b"S")
            stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
            self.assertEqual(self.psql(proxy, user="app", sslmode="require"), "f")
            proxy.process.send_signal(signal.SIGINT)
            self.assertEqual(proxy.process.wait(30), 0)
        proxy.__exit__()

    def test_a_new_libpq_goes_direct(self):
        program = shutil.which("psql", path=f"{self.server.bin}:/usr/bin")
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if int(version.split()[2].split(".")[0].rstrip("devbetarc")) < 17:
            self.skipTest(f"{version.strip()}: sslnegotiation=direct is newer")
        proxy = self.proxy(*self.made, "--upstream-tls")
        done = subprocess.run([program, "-X", "-A", "-t", "-c", QUERY, self.server.dsn(
            port=proxy.port, sslmode="require", sslnegotiation="direct")], capture_output=True,
            text=True, timeout=60)
        self.assertEqual((done.stdout.strip(), done.stderr), ("t", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
