"""What nobody asked for: published messages, invalidations of a client's cache, news about keys.
Rules lose, double, delay and change them one by one; what is around them stays as it was.
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_case import FaultCase  # noqa: E402
from redis_server import Wire  # noqa: E402


class PushCase(FaultCase):
    def subscribed(self, *commands, hello=False):
        wire = Wire(self.proxy.port)
        self.addCleanup(wire.__exit__)
        if hello:
            wire.call("HELLO 3")
        for command in commands:
            wire.send(command)
            for _ in command.split()[1:]:
                wire.read()
        return wire

    def publish(self, *pairs, command="PUBLISH"):
        for channel, text in pairs:
            self.server.command(command, channel, text)

    def messages(self, wire, count):
        return [wire.read()[-1] for _ in range(count)]


class PublishedTest(PushCase):
    def test_one_message_is_lost(self):
        for hello in (False, True):
            wire = self.subscribed("SUBSCRIBE news other", hello=hello)
            self.publish(("news", "control"))
            self.assertEqual(self.messages(wire, 1), ["control"])
            with self.rule(channel="news", trigger={"nth": 2}, drop={}):
                self.publish(("news", "1"), ("other", "a"), ("news", "2"), ("other", "b"),
                             ("news", "3"))
                self.assertEqual(self.messages(wire, 4), ["1", "a", "b", "3"])
            wire.send("UNSUBSCRIBE news", "UNSUBSCRIBE other", "SET a 1", "GET a", "PING")
            seen = [wire.read() for _ in range(5)]
            self.assertEqual(seen[2:], ["+OK", "1", "+PONG"])

    def test_by_pattern_and_in_shards(self):
        wire = self.subscribed("PSUBSCRIBE n*", hello=True)
        with self.rule(channel="news", drop={}):
            self.publish(("news", "lost"), ("name", "kept"))
            self.assertEqual(wire.read(), ["pmessage", "n*", "name", "kept"])
        sharded = self.subscribed("SSUBSCRIBE shard", hello=True)
        with self.rule(channel="shard", duplicate={}):
            self.publish(("shard", "x"), command="SPUBLISH")
            self.assertEqual([sharded.read() for _ in range(2)], [["smessage", "shard", "x"]] * 2)

    def test_by_what_it_says(self):
        wire = self.subscribed("SUBSCRIBE news")
        with self.rule(channel="n*", args={"1": "*paid*"}, drop={}):
            self.publish(("news", "order 1 made"), ("news", "order 1 paid"), ("news", "end"))
            self.assertEqual(self.messages(wire, 2), ["order 1 made", "end"])
        event = [e for e in self.proxy.events if e.get("reply") == "dropped"][-1]
        self.assertEqual((event["key"], event["operation"]), ("news", "message"))

    def test_doubled_changed_damaged(self):
        wire = self.subscribed("SUBSCRIBE news other")
        with self.rule(channel="news", duplicate={}):
            self.publish(("news", "x"), ("other", "y"))
            self.assertEqual(self.messages(wire, 3), ["x", "x", "y"])
        with self.rule(channel="news", rewrite={"value": "made up"}):
            self.publish(("news", "x"), ("other", "y"))
            self.assertEqual(self.messages(wire, 2), ["made up", "y"])
        with self.rule(channel="news", corrupt={"bytes": 2}):
            self.publish(("news", "hello"), ("other", "y"))
            seen = self.messages(wire, 2)
        self.assertEqual((len(seen[0]), seen[1]), (5, "y"))
        self.assertEqual(sum(a != b for a, b in zip(seen[0], "hello")), 2)

    def test_delayed_ones_keep_the_order(self):
        wire = self.subscribed("SUBSCRIBE news other")
        with self.rule(channel="news", hold={}):
            self.publish(("other", "a"), ("news", "b"), ("other", "c"))
            self.assertEqual(self.messages(wire, 1), ["a"])
            self.wait_until_fired()
            wire.socket.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                wire.socket.recv(1)
        wire.socket.settimeout(30)
        wire.file = wire.socket.makefile("rb")  # One that has met a timeout is of no more use.
        self.assertEqual(self.messages(wire, 2), ["b", "c"])
        with self.rule(channel="news", delay={"duration_us": 100_000}):
            self.publish(("news", "b"), ("other", "c"))
            self.assertEqual(self.messages(wire, 2), ["b", "c"])

    def test_the_end_of_a_subscription(self):
        for drop in ({"mode": "connection"}, {"reset": True}):
            wire = self.subscribed("SUBSCRIBE news")
            with self.rule(channel="news", drop=drop):
                self.publish(("news", "x"))
                try:
                    self.assertEqual(wire.read(), "END")
                except ConnectionResetError:
                    self.assertTrue(drop.get("reset"))

    def test_to_oneself_between_answers(self):
        wire = self.subscribed("SUBSCRIBE news", hello=True)
        with self.rule(channel="news", drop={}):
            wire.send("PUBLISH news lost", "GET a")
            self.assertEqual([wire.read(), wire.read()], [":1", "_"])

    def test_a_large_message(self):
        wire = self.subscribed("SUBSCRIBE news other")
        with self.rule(channel="news", drop={}):
            self.publish(("news", "x" * 3_000_000), ("other", "y"))
            self.assertEqual(self.messages(wire, 1), ["y"])
        with self.rule(channel="news", fires=0, duplicate={}):
            self.publish(("news", "x" * 3_000_000), ("other", "y"))
            self.assertEqual([len(m) for m in self.messages(wire, 2)], [3_000_000, 1])

    def test_rules_on_commands_leave_messages_alone(self):
        wire = self.subscribed("SUBSCRIBE news")
        with self.rule(fires=0, drop={}):
            self.publish(("news", "x"))
            self.assertEqual(self.messages(wire, 1), ["x"])


class CacheTest(PushCase):
    """A client keeps what it has read until the server tells it that it has changed."""

    class Cached:
        def __init__(self, wire):
            self.wire, self.kept = wire, {}

        def get(self, key):
            if key not in self.kept:
                self.kept[key] = self.answer(f"GET {key}")
            return self.kept[key]

        def answer(self, command):
            self.wire.send(command)
            while True:
                told = self.wire.read()
                if not isinstance(told, list) or told[0] != "invalidate":
                    return told
                for key in told[1]:
                    self.kept.pop(key, None)

        def look(self):
            self.answer("PING")

    def cached(self):
        wire = self.subscribed(hello=True)
        self.assertEqual(wire.call("CLIENT TRACKING ON"), "+OK")
        return self.Cached(wire)

    def read_while_it_changes(self, **rule):
        self.server.command("MSET", "a", "old", "b", "old")
        cache = self.cached()
        cache.get("a"), cache.get("b")
        with self.rule(**rule):
            self.server.command("MSET", "a", "new", "b", "new")
            cache.look()
            seen = cache.get("a"), cache.get("b")
        return seen

    def test_a_lost_invalidation_leaves_a_stale_value(self):
        invalidations = "__redis__:invalidate"
        self.assertEqual(self.read_while_it_changes(channel=invalidations, fires=None,
                                                    delay={"duration_us": 1000}), ("new", "new"))
        self.assertEqual(self.read_while_it_changes(channel=invalidations, fires=2, drop={}),
                         ("old", "old"))
        self.assertEqual(self.read_while_it_changes(channel=invalidations, args={"1": "a"},
                                                    drop={}), ("old", "new"))

    def test_in_version_2_by_a_second_connection(self):
        told = self.subscribed("SUBSCRIBE __redis__:invalidate")
        with Wire(self.proxy.port) as wire:
            for client in self.server.command("CLIENT", "LIST", "TYPE", "PUBSUB").splitlines():
                number = client.split()[0].removeprefix("id=")
            self.assertEqual(wire.call(f"CLIENT TRACKING ON REDIRECT {number}"), "+OK")
            wire.send("GET a", "GET b")
            wire.read(), wire.read()
            with self.rule(channel="__redis__:invalidate", args={"1": "a"}, drop={}):
                self.server.command("SET", "a", "new")
                self.server.command("SET", "b", "new")
                self.assertEqual(told.read(), ["message", "__redis__:invalidate", ["b"]])

    def test_news_about_keys(self):
        with self.setting("notify-keyspace-events", "KEA"):
            wire = self.subscribed("PSUBSCRIBE __key*__:*")
            self.server.command("SET", "a", "1")
            self.assertEqual([wire.read()[2] for _ in range(2)],
                             ["__keyspace@0__:a", "__keyevent@0__:set"])
            with self.rule(channel="__keyevent@0__:expired", drop={}):
                self.server.command("SET", "a", "1", "PX", "1")
                self.wait_until(lambda: self.server.command("EXISTS", "a") == ":0")
                self.server.command("SET", "b", "1")
                seen = []
                while "__keyspace@0__:b" not in seen:
                    seen.append(wire.read()[2])
            self.assertNotIn("__keyevent@0__:expired", seen)
            self.assertIn("__keyspace@0__:a", seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
