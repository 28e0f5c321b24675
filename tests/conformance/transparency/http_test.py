"""HTTP clients through the idle proxy, in front of nginx."""

import hashlib
import http.client
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fragments import Fragmented  # noqa: E402
from nginx_server import NginxServer  # noqa: E402
from proxy_process import ProxyProcess  # noqa: E402
from transparency import MemoryWatch  # noqa: E402


def curl(*arguments):
    """Exit code, heads, body as a digest and its length, errors."""
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *arguments], capture_output=True)
    answer = re.sub(rb"^Date: .*\r\n", b"", done.stdout, flags=re.MULTILINE)
    head, _, body = answer.partition(b"\r\n\r\n")
    return (done.returncode, head.decode().split("\r\n"), hashlib.sha256(body).hexdigest(),
            len(body), done.stderr)


class HttpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name, context in (("server", NginxServer()), ("proxy", None)):
            context = context or ProxyProcess(cls.server.port, "http", record_all=True)
            setattr(cls, name, context.__enter__())
            cls.addClassCleanup(context.__exit__)

    def same(self, run):
        """run(port), directly and through the proxy; as many requests decoded as nginx logged."""
        direct = run(self.server.port)
        self.server.forget()
        before, at = self.proxy.counters(), len(self.proxy.events)
        through = run(self.proxy.port)
        served = self.server.served()
        after = self.proxy.counters()
        self.assertEqual(through, direct)
        self.assertEqual(after["connections_opaque"], 0)
        self.assertEqual(after["messages_total"] - before["messages_total"], len(served))
        told = [f"{e['method']} {e['path']} {e.get('status')}" for e in self.proxy.events[at:]
                if e["type"] == "proxy"]
        self.assertEqual(sorted(told), sorted(re.sub(r"\?\S*", "", line) for line in served))
        return through

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_curl(self):
        def run(port):
            url = f"http://127.0.0.1:{port}"
            return [curl("-i", f"{url}/small"), curl("-i", f"{url}/nosuch?x=1"),
                    curl("-i", "-I", f"{url}/small"), curl("-i", f"{url}/empty"),
                    curl("-i", "-r", "100-199", f"{url}/big"),
                    curl("-i", "-d", "a=b", f"{url}/sink"),
                    curl("-i", "-0", f"{url}/small"),
                    curl("-i", "-H", "Expect: 100-continue", "-d", "x" * 2000, f"{url}/sink"),
                    curl("-i", "-H", "Transfer-Encoding: chunked", "-d", "chunked", f"{url}/sink")]
        results = self.same(run)
        self.assertEqual({code for code, *_ in results}, {0})
        self.assertEqual(results[0][1][0], "HTTP/1.1 200 OK")

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_50_mb_each_way_with_flat_memory(self):
        with tempfile.NamedTemporaryFile() as upload:
            upload.write(os.urandom(1 << 20) * 50)
            upload.flush()

            def run(port):
                return [curl("-i", f"http://127.0.0.1:{port}/big"),
                        curl("-i", "-H", "Expect:", "-T", upload.name,
                             f"http://127.0.0.1:{port}/sink/upload")]
            with MemoryWatch(self.proxy) as memory:
                results = self.same(run)
        self.assertEqual(results[0][3], 50 << 20)
        self.assertLess(memory.grown_kib, 8 * 1024)

    def test_a_connection_is_kept_alive(self):
        def run(port):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            answers = []
            for n in range(50):
                connection.request("POST" if n % 3 == 0 else "GET",
                                   "/sink" if n % 3 == 0 else "/small",
                                   body="b" * n if n % 3 == 0 else None)
                reply = connection.getresponse()
                answers.append((reply.status, reply.read()))
            connection.close()
            return answers
        before = self.proxy.counters()["connections_total"]
        self.same(run)
        self.assertEqual(self.proxy.counters()["connections_total"], before + 1)

    def test_pipelined_requests_are_answered_in_order(self):
        def run(port):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                paths = ["small", "nosuch", "empty", "moved"] * 5
                connection.sendall(b"".join(f"GET /{p} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                                            for p in paths[:-1]))
                connection.sendall(f"GET /{paths[-1]} HTTP/1.1\r\nHost: x\r\n"
                                   "Connection: close\r\n\r\n".encode())
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            return re.findall(rb"HTTP/1.1 (\d+)", answer)
        self.assertEqual(self.same(run), [b"200", b"404", b"204", b"302"] * 5)

    def test_a_client_that_half_closes_gets_its_answer(self):
        def run(port):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(b"GET /small HTTP/1.0\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer.endswith(b"hello\n")
        self.assertTrue(self.same(run))

    @unittest.skipIf(importlib.util.find_spec("requests") is None,
                     "python3-requests is not installed")
    def test_requests(self):
        import requests

        def run(port):
            with requests.Session() as session:
                session.trust_env = False
                url = f"http://127.0.0.1:{port}"
                return [(r.status_code, r.text) for r in
                        (session.get(f"{url}/moved"), session.post(f"{url}/sink", json={"a": 1}),
                         session.head(f"{url}/small"))]
        self.same(run)

    @unittest.skipIf(shutil.which("ab") is None, "ab is not installed (Debian: apache2-utils)")
    def test_ab(self):
        def run(port):
            done = subprocess.run(["ab", "-q", "-k", "-n", "2000", "-c", "8",
                                   f"http://127.0.0.1:{port}/small"],
                                  capture_output=True, text=True)
            return re.findall(r"(?:Complete|Failed|Keep-Alive) requests: +(\d+)", done.stdout)
        self.same(run)

    def test_what_is_not_the_protocol_flows_and_is_told_as_opaque(self):
        with ProxyProcess(self.server.port, "postgres") as proxy:
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
            for _ in range(3):
                connection.request("GET", "/small")
                self.assertEqual(connection.getresponse().read(), b"hello\n")
            connection.close()
            self.assertEqual(proxy.counters()["connections_opaque"], 1)
            told = [e for e in proxy.events if e.get("action") == "opaque"]
            self.assertEqual(len(told), 1)
            self.assertTrue(told[0]["reason"])

    @unittest.skipIf(shutil.which("curl") is None, "curl is not installed")
    def test_one_byte_at_a_time(self):
        with Fragmented(self.server.port) as near_server, \
                ProxyProcess(near_server.port, "http") as proxy, \
                Fragmented(proxy.port) as near_client:
            for arguments in (["/small"], ["/sink", "-d", "x" * 300], ["/empty"]):
                through = curl("-i", f"http://127.0.0.1:{near_client.port}{arguments[0]}",
                               *arguments[1:])
                direct = curl("-i", f"http://127.0.0.1:{self.server.port}{arguments[0]}",
                              *arguments[1:])
                self.assertEqual(through, direct)
            self.assertEqual(proxy.counters()["messages_total"], 3)
            self.assertEqual(proxy.counters()["connections_opaque"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
