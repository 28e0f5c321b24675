"""What people's programs make of it: redis-py meets each injected fault as it meets the real one,
its pool goes on, and the server says what has been done.
"""

import importlib.util
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_case import FaultCase  # noqa: E402
from postgres_server import skip  # noqa: E402
from redis_server import Wire  # noqa: E402

if importlib.util.find_spec("redis") is None:
    skip("python3-redis is not installed")
import redis  # noqa: E402

TEXTS = {
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "BUSY": "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
            "NOSAVE.",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to "
                  "'no'.",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY": "READONLY You can't write against a read only replica.",
    "NOAUTH": "NOAUTH Authentication required.",
    "CLUSTERDOWN": "CLUSTERDOWN The cluster is down",
    "TRYAGAIN": "TRYAGAIN Multiple keys request during rehashing of slot",
    "CROSSSLOT": "CROSSSLOT Keys in request don't hash to the same slot",
}


class DriverCase(FaultCase):
    def client(self, **options):
        client = redis.Redis(port=self.proxy.port, decode_responses=True, **options)
        self.addCleanup(client.close)
        return client

    def next_five(self, client):
        self.assertTrue(client.set("five", 5))
        self.assertEqual(client.get("five"), "5")
        self.assertEqual(client.incr("five"), 6)
        self.assertEqual(client.lrange("none", 0, -1), [])
        self.assertEqual(client.pipeline().get("five").mget("five", "none").execute(),
                         ["6", ["6", None]])


class ErrorTest(DriverCase):
    def test_each_code_has_the_servers_text(self):
        for code, text in TEXTS.items():
            with Wire(self.proxy.port) as wire, \
                    self.rule(command="SET", error={"code": code}):
                self.assertEqual(wire.call("SET a 1"), "-" + text)
            self.assertEqual(self.server.command("EXISTS", "a"), ":0")

    def test_loading_then_ready_on_the_same_pool(self):
        client = self.client()
        self.assertTrue(client.set("a", 1))
        with self.rule(command="GET", fires=3, trigger={"times": 3}, error={"code": "LOADING"}):
            tries = 0
            while True:
                try:
                    self.assertEqual(client.get("a"), "1")
                    break
                except redis.exceptions.BusyLoadingError:
                    tries += 1
        self.assertEqual(tries, 3)
        self.next_five(client)

    def test_readonly_once(self):
        client = self.client()
        with self.rule(command="SET", trigger={"times": 1}, error={"code": "READONLY"}):
            with self.assertRaises(redis.exceptions.ReadOnlyError):
                client.set("a", 1)
            self.assertTrue(client.set("a", 2))
        self.assertEqual(self.server.command("GET", "a"), "2")
        self.next_five(client)

    def test_no_client_more_is_let_in(self):
        def attempt(port):
            client = redis.Redis(port=port, decode_responses=True)
            try:
                return client.ping()
            except redis.RedisError as error:
                return type(error).__name__, str(error)
            finally:
                client.close()
        self.assertTrue(attempt(self.proxy.port))
        with self.setting("maxclients", "2"):  # The proxy's connections ended; ours and one more.
            with Wire(self.server.port), Wire(self.server.port) as refused:
                text = refused.read()
                self.assertEqual(refused.read(), "END")
                real = attempt(self.server.port)
        self.assertEqual(text, "-ERR max number of clients reached")
        message = "max number of clients reached"
        with self.rule(fires=None, error={"message": message}):
            with Wire(self.proxy.port) as wire:
                self.assertEqual([wire.read(), wire.read()], [text, "END"])
            # What it says depends on whether the refusal is there when it looks for the first time.
            self.assertEqual(attempt(self.proxy.port)[0], real[0])
        self.assertIs(attempt(self.proxy.port), True)

    def test_in_a_pipeline_and_in_a_transaction(self):
        client = self.client()
        client.set("a", 1)
        with self.rule(command="SET", error={"code": "OOM"}):
            pipe = client.pipeline(transaction=False)
            seen = pipe.get("a").set("b", 2).get("a").get("a").execute(raise_on_error=False)
        self.assertEqual([seen[0], seen[2], seen[3]], ["1", "1", "1"])
        self.assertIsInstance(seen[1], redis.exceptions.ResponseError)
        with self.rule(command="SET", error={"code": "OOM"}), \
                self.assertRaisesRegex(redis.exceptions.ResponseError, "Command # 2 .*error"):
            client.pipeline().incr("n").set("b", 2).execute()
        self.assertEqual(self.server.command("EXISTS", "b", "n"), ":0")
        self.next_five(client)


class TransactionTest(DriverCase):
    def test_a_watched_key_that_has_changed(self):
        client = self.client()

        def move(pipe):
            value = int(pipe.get("a") or 0)
            pipe.multi()
            pipe.set("a", value + 1)
        client.transaction(move, "a")
        with self.rule(command="EXEC", trigger={"times": 1}, respond={"value": None}):
            client.transaction(move, "a")  # redis-py tries again.
        self.assertEqual(self.server.command("GET", "a"), "2")
        with self.rule(command="EXEC", respond={"value": None}):
            with client.pipeline() as pipe, self.assertRaises(redis.exceptions.WatchError):
                pipe.watch("a")
                move(pipe)
                pipe.execute()
        self.assertEqual(self.server.command("GET", "a"), "2")
        self.next_five(client)

    def test_a_lost_answer_of_exec(self):
        client = self.client()
        with self.rule(command="EXEC", drop={"side": "reply"}), \
                self.assertRaises(redis.exceptions.ConnectionError):
            client.pipeline().set("a", 1).set("b", 2).execute()
        self.assertEqual(self.server.command("MGET", "a", "b"), ["1", "2"])
        self.next_five(client)

    def test_an_item_that_is_made_up(self):
        client = self.client()
        client.set("a", "real")
        with self.rule(command="GET", respond={"value": "fake"}):
            self.assertEqual(client.pipeline().get("a").incr("n").execute(), ["fake", 1])
        with self.rule(command="GET", rewrite={"value": None}):
            self.assertEqual(client.pipeline().incr("n").get("a").execute(), [2, None])
        self.next_five(client)


class LossTest(DriverCase):
    def test_a_dropped_request_times_out_and_the_pool_goes_on(self):
        client = self.client(socket_timeout=3)
        client.set("a", 1)
        with self.rule(command="GET", trigger={"times": 1}, drop={"mode": "request"}):
            with self.assertRaises(redis.exceptions.TimeoutError):
                client.get("a")
            self.assertEqual(client.get("a"), "1")
        self.next_five(client)

    def test_a_late_reply_is_nobody_elses(self):
        client = self.client(socket_timeout=3)
        client.mset({"a": "1", "b": "2"})
        with self.rule(command="GET", trigger={"times": 1},
                       delay={"duration_us": 4_000_000, "side": "reply"}):
            with self.assertRaises(redis.exceptions.TimeoutError):
                client.get("a")
            began = time.monotonic()
            while time.monotonic() - began < 2:
                self.assertEqual(client.get("b"), "2")
        self.next_five(client)

    def test_a_truncated_or_broken_reply(self):
        client = self.client()
        client.set("a", "x" * 100)
        with self.rule(command="GET", truncate={"bytes": 10}), \
                self.assertRaises(redis.exceptions.ConnectionError):
            client.get("a")
        with self.rule(command="GET", corrupt={"framing": True}, fires=None), \
                self.assertRaises((redis.exceptions.InvalidResponse, ValueError,
                                   redis.exceptions.ConnectionError)):
            client.get("a")
        client.connection_pool.disconnect()
        self.next_five(client)

    def test_twice(self):
        client = self.client()
        with self.rule(command="INCR*", duplicate={}):
            self.assertEqual(client.incr("n"), 1)
        self.assertEqual(self.server.command("GET", "n"), "2")
        self.next_five(client)


class MessageTest(DriverCase):
    def test_a_lost_message(self):
        client = self.client()
        listener = client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(listener.close)
        listener.subscribe("news")
        self.wait_until(lambda: client.pubsub_numsub("news") == [("news", 1)])

        def heard(count):
            seen = []
            while len(seen) < count:
                message = listener.get_message(timeout=20)
                if message:
                    seen.append(message["data"])
            return seen
        client.publish("news", "control")
        self.assertEqual(heard(1), ["control"])
        with self.rule(channel="news", trigger={"nth": 2}, drop={}):
            for n in range(1, 4):
                client.publish("news", n)
            self.assertEqual(heard(2), ["1", "3"])
        self.next_five(client)


if __name__ == "__main__":
    unittest.main(verbosity=2)
