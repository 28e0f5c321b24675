"""WebSocket messages and server-sent events under rules, with python3-websockets at both ends."""

import asyncio
import http.client
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from proxy_process import ProxyProcess  # noqa: E402
from reply_server import ReplyServer  # noqa: E402

try:
    import websockets
    from websocket_server import WebSocketServer
except ImportError:
    websockets = None


@unittest.skipIf(websockets is None, "python3-websockets is not installed")
class Messages(unittest.TestCase):
    COMPRESSION = None

    def setUp(self):
        self.server = WebSocketServer(self.COMPRESSION).__enter__()
        self.addCleanup(self.server.__exit__)
        self.proxy = ProxyProcess(self.server.port, "http", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)

    def rule(self, text, identity="r", direction=None, trigger=None, **action):
        match = {"websocket": text, **({"direction": direction} if direction else {})}
        rule = {"id": identity, "http": match, **action}
        self.proxy.set_rules([{**rule, "trigger": trigger} if trigger else rule])

    def fired(self, identity="r"):
        return int(self.proxy.tallies()[identity]["fired"])

    def talk(self, dialogue, **options):
        """Runs a coroutine with a socket through the proxy."""
        async def run():
            url = f"ws://127.0.0.1:{self.proxy.port}/chat?room=1"
            options.setdefault("compression", None)
            async with websockets.connect(url, max_size=1 << 24, ping_interval=None,
                                          close_timeout=5, **options) as socket:
                return await asyncio.wait_for(dialogue(socket), 60)
        return asyncio.run(run())

    async def echoes(self, socket, *messages):
        for message in messages:
            await socket.send(message)
        return [await socket.recv() for _ in messages]

    def not_opaque(self):
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_ten_thousand_echoes_without_and_with_a_rule(self):
        texts = [f"message {number}" for number in range(2500)]

        async def dialogue(socket):
            told = []
            for start in range(0, len(texts), 100):
                told += await self.echoes(socket, *texts[start:start + 100])
            return told
        self.assertEqual(self.talk(dialogue), texts)
        self.rule("nothing like it", drop={})
        self.assertEqual(self.talk(dialogue), texts)
        self.assertEqual(self.fired(), 0)
        self.rule("message 7*", identity="d", direction="to_server", duplicate={})
        self.server.told.clear()

        async def doubled(socket):
            return await self.echoes(socket, "message 6", "message 7"), await socket.recv()
        self.assertEqual(self.talk(doubled), (["message 6", "message 7"], "message 7"))
        self.assertEqual(self.server.told, ["message 6", "message 7", "message 7"])
        self.assertEqual(self.fired("d"), 1)
        self.not_opaque()

    def test_all_kinds_of_messages_pass(self):
        async def dialogue(socket):
            await socket.send(["in ", "three ", "parts"])
            ping = await socket.ping(b"are you there")
            told = [await socket.recv()]
            await ping
            return told + await self.echoes(socket, b"\x00\xff binary", "", "x" * 70_000,
                                            "y" * 3_000_000)
        expected = ["in three parts", b"\x00\xff binary", "", "x" * 70_000, "y" * 3_000_000]
        self.assertEqual(self.talk(dialogue), expected)
        # Taken whole where a rule looks at them, and passed on as they were.
        self.rule("in three parts", delay={"duration_us": 1000})
        self.server.told.clear()
        self.assertEqual(self.talk(dialogue), expected)
        self.assertEqual(self.server.told, expected)
        self.assertEqual(self.fired(), 2)
        self.not_opaque()

    def test_a_lost_message(self):
        async def dialogue(socket):
            await socket.send("lost")
            return await self.echoes(socket, "kept")
        self.rule("lost", direction="to_server", drop={})
        self.assertEqual(self.talk(dialogue), ["kept"])
        self.assertEqual(self.server.told, ["kept"])
        self.rule("lost", identity="c", direction="to_client", drop={})
        self.assertEqual(self.talk(dialogue), ["kept"])
        self.assertEqual(self.server.told, ["kept", "lost", "kept"])
        self.assertEqual(self.fired("c"), 1)
        self.not_opaque()

    def test_closed_after_five_messages(self):
        async def dialogue(socket):
            told = []
            try:
                for number in range(10):
                    told += await self.echoes(socket, str(number))
            except websockets.ConnectionClosed as closed:
                return told, closed.rcvd.code, closed.rcvd.reason
            return told
        self.assertEqual(len(self.talk(dialogue)), 10)
        self.rule("*", direction="to_client", trigger={"after": 5},
                  error={"status": 1011, "message": "out of order"})
        self.assertEqual(self.talk(dialogue), (["0", "1", "2", "3", "4"], 1011, "out of order"))
        self.assertEqual(self.fired(), 1)

    def test_corrupted(self):
        async def dialogue(socket):
            return await self.echoes(socket, b"0123456789")
        self.assertEqual(self.talk(dialogue), [b"0123456789"])
        self.rule("0123*", direction="to_server", corrupt={"bytes": 2})
        told = self.talk(dialogue)[0]
        self.assertEqual(sum(a != b for a, b in zip(told, b"0123456789")), 2)
        self.assertEqual(self.fired(), 1)

    def test_delay(self):
        async def dialogue(socket):
            start = time.monotonic()
            told = await self.echoes(socket, "slow", "next")
            return told, time.monotonic() - start
        self.rule("slow", direction="to_server", delay={"duration_us": 400_000})
        told, took = self.talk(dialogue)
        self.assertEqual(told, ["slow", "next"])
        self.assertGreaterEqual(took, 0.4)
        self.assertEqual(self.fired(), 1)

    def test_a_rule_arrives_while_the_socket_is_open(self):
        async def dialogue(socket):
            first = await self.echoes(socket, "a")
            self.rule("b", direction="to_server", drop={})
            await socket.send("b")
            return first + await self.echoes(socket, "c")
        self.assertEqual(self.talk(dialogue), ["a", "c"])
        self.assertEqual(self.fired(), 1)
        self.not_opaque()

    def test_a_refused_handshake_is_an_ordinary_reply(self):
        self.proxy.set_rules([{"id": "r", "http": {"path": "/chat"}, "error": {"status": 403}}])
        with self.assertRaises(websockets.InvalidStatusCode) as caught:
            self.talk(lambda socket: self.echoes(socket, "x"))
        self.assertEqual(caught.exception.status_code, 403)
        self.assertEqual(self.fired(), 1)


@unittest.skipIf(websockets is None, "python3-websockets is not installed")
class Compressed(Messages):
    """Both ends would compress: the offer is taken out while a rule is about messages."""
    COMPRESSION = "deflate"

    def talk(self, dialogue, **options):
        return super().talk(dialogue, compression="deflate")

    def test_a_rule_arrives_while_the_socket_is_open(self):
        async def dialogue(socket):
            first = await self.echoes(socket, "a")
            self.rule("b", direction="to_server", drop={})
            return first + await self.echoes(socket, "b", "c")
        self.assertEqual(self.talk(dialogue), ["a", "b", "c"])
        told = self.proxy.wait_for(lambda event: event.get("action") == "opaque")
        self.assertIn("compressed", told["reason"])
        self.assertEqual(self.fired(), 0)


class Events(unittest.TestCase):
    ALL = [": hello", "data: one", "data: two", "event: x\ndata: three"]

    def setUp(self):
        self.server = ReplyServer().__enter__()
        self.addCleanup(self.server.__exit__)
        self.proxy = ProxyProcess(self.server.port, "http", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)

    def rule(self, text, **action):
        self.proxy.set_rules([{"id": "r", "http": {"sse": text}, **action}])

    def fired(self):
        return int(self.proxy.tallies()["r"]["fired"])

    def listen(self, between=lambda: None):
        """Asks for each event when the one before it is there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        wire = b""
        while piece := answer.read1(65536):
            wire += piece
            for last in (b"data: one\n\n", b"data: two\n\n"):
                if piece.endswith(last):
                    between()
                    self.server.next_event.release()
        # The connection goes on.
        connection.request("GET", "/next")
        self.assertEqual(connection.getresponse().read(), b"GET /next\n")
        connection.close()
        return wire.decode("latin-1").split("\n\n")[:-1]

    def test_each_arrives_by_itself(self):
        self.assertEqual(self.listen(), self.ALL)
        self.rule("nothing like it", drop={})
        self.assertEqual(self.listen(), self.ALL)
        self.assertEqual(self.fired(), 0)

    def test_a_lost_event(self):
        self.rule("three", drop={})
        self.assertEqual(self.listen(), self.ALL[:3])
        self.assertEqual(self.fired(), 1)

    def test_twice(self):
        self.rule("three", duplicate={})
        self.assertEqual(self.listen(), self.ALL + self.ALL[3:])
        self.assertEqual(self.fired(), 1)

    def test_later(self):
        self.rule("two", delay={"duration_us": 400_000})
        start = time.monotonic()
        self.assertEqual(self.listen(), self.ALL)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertEqual(self.fired(), 1)

    def test_corrupted(self):
        self.rule("three", corrupt={"bytes": 2})
        told = self.listen()
        self.assertEqual(told[:3], self.ALL[:3])
        # Its lines are as they were, its data is not.
        self.assertTrue(told[3].startswith("event: x\ndata: "), told)
        self.assertEqual(len(told[3].encode("latin-1")), len(self.ALL[3]))
        self.assertEqual(sum(a != b for a, b in zip(told[3], self.ALL[3])), 2)
        self.assertEqual(self.fired(), 1)

    def test_held_until_the_rule_ends(self):
        self.rule("two", hold={})
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()

        def read_until(end):
            seen = b""
            while not seen.endswith(end):
                piece = answer.read1(65536)
                self.assertNotEqual(piece, b"", seen)
                seen += piece
            return seen
        read_until(b"data: one\n\n")
        self.server.next_event.release()  # "two" is sent, and so is what follows it.
        self.server.next_event.release()
        self.proxy.wait_for(lambda event: event.get("rule") == "r")
        self.assertEqual(self.fired(), 1)
        connection.sock.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            answer.read1(65536)
        connection.sock.settimeout(20)
        self.proxy.set_rules([])
        # http.client gives a reply up that timed out: what comes is read from the socket.
        seen = b""
        while not seen.endswith(b"0\r\n\r\n"):
            seen += connection.sock.recv(65536)
        self.assertLess(seen.index(b"data: two\n\n"), seen.index(b"data: three\n\n"))
        connection.close()

    def test_a_rule_arrives_while_events_flow(self):
        self.assertEqual(self.listen(lambda: self.rule("three", drop={})), self.ALL[:3])
        self.assertEqual(self.fired(), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
