"""Every action on HTTP, with the requests library and Go's client as they are by default: what a
program sees of it, and that its next five operations are answered as they should be."""

import itertools
import os
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from http_clients import CLIENTS  # noqa: E402
from proxy_process import ProxyProcess  # noqa: E402
from reply_server import DOCUMENT, ReplyServer  # noqa: E402

NEXT_FIVE = ["GET /next/1", "POST /next/2", "HEAD /next/3", "GET /status/503", "GET /next/5"]
EDITED = '{"items": [{"id": 1, "price": 0}], "total": 19.90}'
PLAIN = DOCUMENT.decode()


class Actions:
    CLIENT = None  # One of CLIENTS, by name.
    maxDiff = 3000

    def setUp(self):
        _, self.run_steps, there, package = next(c for c in CLIENTS if c[0] == self.CLIENT)
        if not there:
            self.skipTest(f"{package} is not installed")
        self.server = ReplyServer().__enter__()
        self.addCleanup(self.server.__exit__)
        self.proxy = ProxyProcess(self.server.port, "http", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)
        self.numbers = itertools.count()
        self.url = f"http://127.0.0.1:{self.proxy.port}"

    def fired(self):
        return int(self.proxy.tallies()[self.identity]["fired"])

    def asked_for(self, path):
        return [one for one in self.server.asked if one[1] == path]

    def wait_until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def next_five(self, told, raised_503):
        """What each says, and that the connection is used again, at the latest by the second."""
        self.assertEqual([(one["status"], one["body"]) for one in told],
                         [(200, "GET /next/1\n"), (200, "body"), (200, ""), (503, "real\n"),
                          (200, "GET /next/5\n")])
        self.assertEqual([one["reused"] for one in told[1:]], [True] * 4)
        self.assertEqual([one["raised"] for one in told], ["", "", "", raised_503, ""])

    def act(self, step, action, release=None, repeats=False, **match):
        """The step on a used connection, without and with the rule: what the client says of it."""
        method, path = step.split()
        steps = ["GET /first", step, *NEXT_FIVE]
        self.proxy.set_rules([])
        control = self.run_steps(self.url, steps)
        self.assertEqual((control[1]["status"], control[1]["raised"]), (200, ""))
        self.next_five(control[2:], control[5]["raised"])
        self.server.asked.clear()
        # A name of its own: what a rule has spent is not given back by another of its name.
        self.identity = f"r{next(self.numbers)}"
        rule = {"id": self.identity, "http": {"path": path, **match}, "trigger": {"times": 1},
                **action}
        self.proxy.set_rules([rule])
        if release is not None:
            release.start()
        told = self.run_steps(self.url, steps)
        self.reached = self.asked_for(path)
        if release is None:
            self.assertEqual(self.fired(), 1)
        self.assertEqual(told[0]["status"], 200)
        self.assertEqual(told[1]["reused"], not repeats)
        self.next_five(told[2:], control[5]["raised"])
        self.after = told[2]["reused"]  # Was the connection as good as before?
        return told[1]

    def test_error(self):
        told = self.act("POST /pay", {"error": {"status": 429, "body": "slow down"}})
        self.assertEqual((told["status"], told["body"], self.reached, self.after),
                         (429, "slow down", [], True))

    def test_respond(self):
        told = self.act("POST /pay", {"respond": {"status": 201, "body": '{"id": 9}'}})
        self.assertEqual((told["status"], told["body"], told["type"], told["raised"]),
                         (201, '{"id": 9}', "application/json", ""))
        self.assertEqual((self.reached, self.after), ([], True))

    def test_rewrite(self):
        for path in ("/json", "/chunked"):
            told = self.act(f"GET {path}", {"rewrite": {"body": {"$.items[0].price": 0},
                                                       "headers": {"X-A": "b"}}})
            self.assertEqual((told["status"], told["body"], told["raised"]), (200, EDITED, ""))
            self.assertEqual((len(self.reached), self.after), (1, True))

    def test_duplicate(self):
        told = self.act("POST /pay", {"duplicate": {}})
        self.assertEqual((told["status"], told["body"], told["raised"]), (200, "body", ""))
        self.assertEqual((self.reached, self.after), ([("POST", "/pay", b"body")] * 2, True))

    def test_corrupt(self):
        for path in ("/json", "/chunked"):
            told = self.act(f"GET {path}", {"corrupt": {"bytes": 3}})
            self.assertEqual((told["status"], len(told["body"]), self.after),
                             (200, len(PLAIN), True))
            # Go gives text that is no UTF-8 any more with a mark in the place of the wrong bytes.
            self.assertNotEqual(told["body"], PLAIN)
        told = self.act("POST /pay", {"corrupt": {"side": "request"}})
        self.assertEqual((told["status"], len(self.reached[0][2]), self.after), (200, 4, True))
        self.assertNotEqual(self.reached[0][2], b"body")

    def test_a_wrong_length(self):
        told = self.act("GET /json", {"corrupt": {"framing": True}})
        self.assertEqual((told["status"], told["body"], told["raised"]),
                         (200, PLAIN[:len(PLAIN) // 2], ""))

    def test_a_wrong_chunk(self):
        self.assertEqual(self.act("GET /chunked", {"corrupt": {"framing": True}})["raised"],
                         self.BAD_CHUNK)
        self.assertFalse(self.after)

    def test_truncate(self):
        for path, raised in (("/json", self.CUT), ("/chunked", self.CUT_CHUNK)):
            told = self.act(f"GET {path}", {"truncate": {"bytes": 12}})
            self.assertEqual((told["raised"], len(self.reached), self.after), (raised, 1, False))
            if not raised:
                self.assertEqual((told["body"], told["length"]), (PLAIN[:12], str(len(PLAIN))))

    def test_hold(self):
        for side in ("request", "reply"):
            with self.subTest(side):
                def look_and_release(side=side):
                    self.wait_until(lambda: self.fired() == 1)
                    # A held reply is of a request that the server has; a held request is not.
                    self.wait_until(lambda: side == "request" or self.asked_for("/json"))
                    self.seen = self.asked_for("/json")
                    self.proxy.set_rules([])
                release = threading.Thread(target=look_and_release)
                told = self.act("GET /json", {"hold": {"side": side}}, release=release)
                release.join()
                self.assertEqual((told["status"], told["body"], self.after), (200, PLAIN, True))
                self.assertEqual((len(self.seen), len(self.reached)), (int(side == "reply"), 1))

    def test_reset(self):
        told = self.act("POST /pay", {"drop": {"reset": True}})
        self.assertEqual((told["raised"], self.reached), (self.RESET, []))
        told = self.act("POST /pay", {"drop": {"reset": True, "side": "reply"}})
        self.assertEqual((told["raised"], len(self.reached)), (self.RESET, 1))
        self.assertFalse(self.after)

    def test_close(self):
        told = self.act("POST /pay", {"drop": {}})
        self.assertEqual((told["raised"], self.reached), (self.CLOSED, []))
        told = self.act("POST /pay", {"drop": {"side": "reply"}})
        self.assertEqual((told["raised"], len(self.reached)), (self.CLOSED, 1))
        self.assertFalse(self.after)

    def test_a_get_that_is_lost(self):
        """Once lost, it is repeated only by a client that repeats by itself."""
        told = self.act("GET /json", {"drop": {}}, repeats=self.REPEATS)
        self.assertEqual((told["raised"], told["body"], len(self.reached)),
                         ("", PLAIN, 1) if self.REPEATS else (self.CLOSED, "", 0))

    def test_by_the_status_of_the_reply(self):
        actions = {"corrupt": {"corrupt": {"bytes": 2}}, "truncate": {"truncate": {"bytes": 5}},
                   "hold": {"hold": {}}, "mask": {"error": {"status": 500}},
                   "respond": {"respond": {"body": "made"}}, "close": {"drop": {}},
                   "reset": {"drop": {"reset": True}}}
        expected = {"truncate": self.CUT, "close": self.CLOSED, "reset": self.RESET}
        for name, action in actions.items():
            with self.subTest(name):
                release = None
                if name == "hold":
                    def let_go():
                        self.wait_until(lambda: self.fired() == 1)
                        self.proxy.set_rules([])
                    release = threading.Thread(target=let_go)
                told = self.act("POST /json", action, release=release, reply_status="200")
                self.assertEqual(len(self.reached), 1)
                if name in expected:
                    self.assertEqual(told["raised"], expected[name])
                    self.assertNotEqual(told["body"], PLAIN)
                elif name == "mask":
                    self.assertEqual(told["status"], 500)
                else:
                    self.assertEqual((told["status"], told["raised"]), (200, ""))
                if name == "respond":
                    self.assertEqual(told["body"], "made")
                if name == "corrupt":
                    self.assertNotEqual(told["body"], PLAIN)
                self.assertEqual(self.after, name not in expected)


class Requests(Actions, unittest.TestCase):
    CLIENT = "requests"
    BAD_CHUNK = CUT_CHUNK = "ChunkedEncodingError"
    CUT = ""  # It does not compare the length with the body: a bug finder by itself.
    RESET = CLOSED = "ConnectionError"
    REPEATS = False


class Go(Actions, unittest.TestCase):
    CLIENT = "go"
    BAD_CHUNK = "invalid byte in chunk length"
    CUT = CUT_CHUNK = "unexpected EOF"
    RESET = "connection reset by peer"
    CLOSED = "EOF"
    REPEATS = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
