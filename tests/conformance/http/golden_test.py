"""What clients make of an error, real and made up: for each status the reply of a real nginx and
the one of a rule are to be the same to a program, field by field, and so are its next five
operations.

Two things differ by intent, and are put aside here: nginx words some reasons in its own way (ours
are the registry's), and makes up Date and Server, which no client looks at.
"""

import http
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import nginx_server  # noqa: E402
from http_clients import CLIENTS  # noqa: E402
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402

proxy_binary()  # Skips before a server is started.

STATUSES = [400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 429,
            500, 501, 502, 503, 504, 200, 201, 202, 204, 304]
METHODS = ["GET", "POST", "HEAD"]
NEXT_FIVE = ["GET /echo/1", "POST /echo/2", "HEAD /echo/3", "GET /gone", "GET /echo/5"]
# nginx's words, and the registry's.
REASONS = {"Not Allowed": "Method Not Allowed", "Request Time-out": "Request Timeout",
           "Request Entity Too Large": "Content Too Large",
           "Service Temporarily Unavailable": "Service Unavailable",
           "Gateway Time-out": "Gateway Timeout"}
# The registry's, where Python's are older.
NEWER = {413: "Content Too Large"}
BODILESS = (204, 304)


def body_of(status):
    return "" if status in BODILESS else f"told {status}\n"


def as_registered(seen, status):
    """With the registry's words; a 304 that nginx is told to return says what a body would be, the
    one of a file does not."""
    seen = {**seen, "reason": REASONS.get(seen["reason"], seen["reason"])}
    if status == 304 and seen["length"] == "0":
        seen |= {"length": None, "type": None}
    return seen


class GoldenServer(nginx_server.NginxServer):
    """/golden/503 answers 503, /echo/x itself."""

    def __enter__(self):
        plain = nginx_server.CONFIG
        locations = "    charset utf-8;\n    location /echo { return 200 \"$uri\\n\"; }\n"
        locations += "    location /gone { return 503; }\n"
        for status in STATUSES:
            text = f' "told {status}\\n"' if body_of(status) else ""
            locations += f"    location = /golden/{status} {{ return {status}{text}; }}\n"
        doubled = locations.replace("{", "{{").replace("}", "}}")
        nginx_server.CONFIG = plain.replace("    location /empty {{", doubled +
                                            "    location /empty {{")
        try:
            return super().__enter__()
        finally:
            nginx_server.CONFIG = plain


def error(status):
    return {"error": {"status": status, "body": body_of(status)}}


def mask(status):
    return {"error": {"status": status, "body": body_of(status), "mode": "mask"}}


def respond(status):
    return {"respond": {"status": status, "body": body_of(status)}}


def by_status(status):
    return mask(status) if status >= 400 else respond(status)


class Golden(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.server = GoldenServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.proxy = ProxyProcess(self.server.port, "http").__enter__()
        self.addCleanup(self.proxy.__exit__)
        self.url = f"http://127.0.0.1:{self.proxy.port}"

    def steps(self, path):
        steps = []
        for status in STATUSES:
            for method in METHODS:
                steps += [f"{method} {path}/{status}", *NEXT_FIVE]
        return steps

    def compare(self, steps, real, ours):
        self.assertEqual((len(real), len(ours)), (len(steps), len(steps)))
        for number, (step, one, other) in enumerate(zip(steps, real, ours)):
            target = number - number % (1 + len(NEXT_FIVE))
            said = f"{step}, {number - target} after {steps[target]}"
            expected = as_registered(one, one["status"]) if "golden" in step else one
            self.assertEqual(other, expected, said)

    def check_real(self, steps, real, keeps_alive):
        """The control: it is what the golden reply is meant to be."""
        for number, (step, seen) in enumerate(zip(steps, real)):
            if "golden" not in step:
                continue
            if keeps_alive and number > 0:
                self.assertTrue(seen["reused"], step)
            status = int(step.rsplit("/", 1)[1])
            self.assertEqual(seen["status"], status)
            self.assertEqual(as_registered(seen, status)["reason"],
                             NEWER.get(status, http.HTTPStatus(status).phrase))
            head = step.startswith("HEAD")
            self.assertEqual(seen["body"], "" if head else body_of(status))
            length = str(len(body_of(status))) if body_of(status) else None
            self.assertEqual(as_registered(seen, status)["length"], length, step)

    def golden(self, run, keeps_alive):
        steps = self.steps("/golden")
        real = run(self.url, steps)
        self.check_real(steps, real, keeps_alive)
        for kind, action, match in (("error", error, {}), ("mask", mask, {}),
                                    ("respond", respond, {}),
                                    ("status", by_status, {"reply_status": "*"})):
            with self.subTest(kind):
                self.proxy.set_rules([{"id": f"{kind}{status}",
                                       "http": {"path": f"/golden/{status}", **match},
                                       **action(status)} for status in STATUSES])
                self.server.forget()
                self.compare(steps, real, run(self.url, steps))
                tallies = self.proxy.tallies()
                self.assertEqual({tally["fired"] for tally in tallies.values()}, {len(METHODS)})
                reached = sum("/golden" in line for line in self.server.served())
                made_up = kind in ("error", "respond")
                self.assertEqual(reached, 0 if made_up else len(STATUSES) * len(METHODS))
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


def add_tests():
    for name, run, there, package in CLIENTS:
        def test(self, run=run, keeps_alive=name != "urllib"):
            self.golden(run, keeps_alive)
        wrapped = unittest.skipUnless(there, f"{package} is not installed")(test)
        setattr(Golden, f"test_{name}", wrapped)


add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2)
