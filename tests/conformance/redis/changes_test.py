"""Answers that rules make up, change, double or damage: in both versions, in pipelines and in
transactions; and the server has done what the event says, seen past the proxy.
"""

import os
import random
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fault_case import FaultCase  # noqa: E402
from redis_server import Wire, encoded  # noqa: E402

NEXT_FIVE = ["SET five 5", "GET five", "INCR five", "LRANGE none 0 -1", "MGET five none"]
THEIR_ANSWERS = ["+OK", "5", ":6", [], ["6", "$-1"]]


class ChangeCase(FaultCase):
    def next_five(self, wire):
        wire.send(*NEXT_FIVE)
        self.assertEqual([wire.read() for _ in NEXT_FIVE], THEIR_ANSWERS)


class MadeUpTest(ChangeCase):
    # What the real server answers after the setup, and the value that is to look the same.
    SETUP = ["SET t hello", "SET n 4", "HSET h f v", "RPUSH l a b", "SADD s m", "ZADD z 1.5 m",
             "XADD x 1-1 f v"]
    SAME = [
        ("GET t", "hello"), ("GET n", 4), ("GET none", None), ("HGETALL h", {"f": "v"}),
        ("HGETALL none", {}), ("LRANGE l 0 -1", ["a", "b"]), ("SMEMBERS s", ["m"]),
        ("ZRANGE z 0 -1 WITHSCORES", {"m": 1.5}), ("ZRANGE z 0 -1", ["m"]),
        ("ZSCORE z m", 1.5), ("ZSCORE z none", None), ("ZMSCORE z m none", [1.5, None]),
        ("ZPOPMIN z", {"m": 1.5}), ("EXISTS t", 1), ("INCR n", 5), ("INCRBYFLOAT n 1.5", 5.5),
        ("SET t x", "OK"), ("SET t x NX", None), ("SET t x GET", "hello"), ("TYPE l", "list"),
        ("MGET t none", ["hello", None]), ("LPOP none", None), ("LPOP none 2", None),
        ("BLPOP l 0", ["l", "a"]), ("LMPOP 1 none LEFT", None), ("ZADD z INCR 1 m", 2.5),
        ("SISMEMBER s m", True), ("SMISMEMBER s m none", [1, 0]), ("DEL t", 1), ("PING", "PONG"),
        ("XRANGE x - +", [["1-1", ["f", "v"]]]), ("CONFIG GET maxmemory", {"maxmemory": "0"}),
        ("GEOPOS z none", [None]), ("EVAL return{1,'a'} 0", [1, "a"]),
    ]

    def raw(self, port, hello, command, rule=None):
        with Wire(port) as wire:
            if hello:
                wire.call("HELLO 3")
            if rule is None:
                wire.send(command, "ECHO end")
            else:
                with rule:
                    wire.send(command, "ECHO end")
                    wire.socket.recv(1, socket.MSG_PEEK)
            seen = b""
            while not seen.endswith(b"$3\r\nend\r\n"):
                seen += wire.file.read1(65536)
            return seen

    def test_it_is_what_the_server_would_say(self):
        for hello in (False, True):
            for command, value in self.SAME:
                with self.subTest(command=command, hello=hello):
                    self.server.command("FLUSHALL")
                    for setup in self.SETUP:
                        self.server.command(*setup.split())
                    before = self.server.command("DEBUG", "DIGEST")
                    rule = self.rule(command=self.name_of(command), respond={"value": value})
                    made_up = self.raw(self.proxy.port, hello, command, rule)
                    self.assertEqual(self.server.command("DEBUG", "DIGEST"), before)
                    self.assertEqual(made_up, self.raw(self.server.port, hello, command))

    def name_of(self, command):
        words = command.split()
        return " ".join(words[:2]) if words[0] == "CONFIG" else words[0]

    def test_nil_is_of_the_version_when_it_is_told(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="GET", fires=3, respond={"value": None}):
            wire.send("GET a", "HELLO 3", "GET a", "RESET", "GET a", "PING")
            seen = [wire.read() for _ in range(6)]
        self.assertEqual([seen[0], seen[2], seen[4]], ["$-1", "_", "$-1"])
        self.assertEqual((seen[3], seen[5]), ("+RESET", "+PONG"))

    def test_in_a_transaction(self):
        with Wire(self.proxy.port) as wire:
            with self.rule(command="SET", respond={"value": "OK"}):
                wire.send("MULTI", "INCR n", "SET lost 1", "INCR n", "EXEC")
                seen = [wire.read() for _ in range(5)]
            self.assertEqual(seen, ["+OK"] + ["+QUEUED"] * 3 + [[":1", "+OK", ":2"]])
            self.assertEqual(self.last_unit("SET")["server"], "did_not")
            self.next_five(wire)
        self.assertEqual(self.server.command("EXISTS", "lost"), ":0")
        self.assertEqual(self.server.command("GET", "n"), "2")

    def test_an_exec_that_finds_a_watched_key_changed(self):
        for hello, nil in ((False, "*-1"), (True, "_")):
            with Wire(self.proxy.port) as wire:
                if hello:
                    wire.call("HELLO 3")
                with self.rule(command="EXEC", respond={"value": None}):
                    wire.send("WATCH w", "MULTI", "SET a 1", "EXEC", "GET a")
                    seen = [wire.read() for _ in range(5)]
                self.assertEqual(seen[3:], [nil, "_" if hello else "$-1"])
                # Done, and told as if it was not.
                with self.rule(command="EXEC", rewrite={"value": None}):
                    wire.send("WATCH w", "MULTI", "SET a 1", "EXEC", "GET a")
                    seen = [wire.read() for _ in range(5)]
                self.assertEqual(seen[3:], [nil, "1"])
            self.server.command("DEL", "a")

    def test_a_silent_command(self):
        with Wire(self.proxy.port) as wire:
            with self.rule(command="SET", respond={"value": "OK"}, fires=2):
                wire.send("CLIENT REPLY SKIP", "SET a 1", "CLIENT REPLY OFF", "SET a 2", "PING",
                          "CLIENT REPLY ON")
                self.assertEqual(wire.read(), "+OK")
            self.next_five(wire)
        self.assertEqual(self.server.command("EXISTS", "a"), ":0")

    def test_behind_a_command_that_blocks(self):
        with Wire(self.proxy.port) as wire, self.rule(command="PING", respond={"value": "PONG!"}):
            wire.send("BLPOP list 0", "PING", "ECHO end")
            self.wait_until_fired()
            self.server.command("RPUSH", "list", "x")
            self.assertEqual([wire.read() for _ in range(3)], [["list", "x"], "+PONG!", "end"])


class ChangedTest(ChangeCase):
    def test_the_server_has_done_it(self):
        with Wire(self.proxy.port) as wire:
            self.assertEqual(wire.call("INCR n"), ":1")  # Without the rule.
            with self.rule(command="INCR", fires=2, rewrite={"value": 99}):
                wire.send("INCR n", "GET n", "MULTI", "INCR n", "EXEC")
                seen = [wire.read() for _ in range(5)]
            self.assertEqual(seen, [":99", "2", "+OK", "+QUEUED", [":99"]])
            self.next_five(wire)
        self.assertEqual(self.server.command("GET", "n"), "3")
        self.assertEqual(self.last_unit("INCR")["server"], "did")

    def test_a_refusal_stays_one_and_is_not_counted(self):
        self.server.command("SET", "t", "text")
        with Wire(self.proxy.port) as wire, \
                self.rule(command="INCR", fires=0, rewrite={"value": 99}):
            self.assertEqual(wire.call("INCR t"), "-ERR value is not an integer or out of range")
        skipped = self.proxy.wait_for(lambda e: e.get("action") == "skipped")
        self.assertEqual(skipped["reason"], "the server refused the command")

    def test_a_large_reply_is_replaced(self):
        self.server.command("SET", "t", "x" * 3_000_000)
        with Wire(self.proxy.port) as wire:
            with self.rule(command="GET", rewrite={"value": "small"}):
                self.assertEqual(wire.call("GET t"), "small")
            self.next_five(wire)

    def keys_by_scan(self, wire):
        cursor, found, calls = "0", [], 0
        while calls < 1000:
            cursor, keys = wire.call(f"SCAN {cursor} COUNT 10")
            found += keys
            calls += 1
            if cursor == "0":
                break
        return found, calls

    def test_scan(self):
        self.server.command("MSET", *[w for n in range(100) for w in (f"k{n}", n)])
        everything = sorted(f"k{n}" for n in range(100))
        with Wire(self.proxy.port) as wire:
            found, calls = self.keys_by_scan(wire)
            self.assertEqual(sorted(found), everything)
            edits = {"cursor": {"cursor": "0"}, "empty": {"keys": []}, "less": {"missing": 1},
                     "twice": {"repeat": True}}
            seen = {}
            for name, edit in edits.items():
                with self.rule(command="SCAN", fires=None, rewrite={"value": edit}):
                    seen[name], rounds = self.keys_by_scan(wire)
                    self.assertEqual(rounds, 1 if name == "cursor" else calls)
            self.assertTrue(0 < len(seen["cursor"]) < 100)
            self.assertEqual(seen["empty"], [])
            self.assertEqual(len(seen["less"]), 100 - calls)
            self.assertEqual(sorted(seen["twice"]), sorted(everything * 2))
            self.assertEqual(sorted(self.keys_by_scan(wire)[0]), everything)


class TwiceTest(ChangeCase):
    def test_incr_happens_twice_and_is_told_once(self):
        for hello in (False, True):
            self.server.command("FLUSHALL")
            with Wire(self.proxy.port) as wire:
                if hello:
                    wire.call("HELLO 3")
                self.assertEqual(wire.call("INCR n"), ":1")
                with self.rule(command="INCR", duplicate={}):
                    wire.send("ECHO a", "INCR n", "ECHO b")
                    self.assertEqual([wire.read() for _ in range(3)], ["a", ":2", "b"])
                self.assertEqual(self.server.command("GET", "n"), "3")
                self.assertEqual(wire.call("INCR n"), ":4")

    def test_inline_and_without_answers(self):
        with Wire(self.proxy.port) as wire, self.rule(command="INCR", fires=2, duplicate={}):
            wire.socket.sendall(b"INCR n\r\n")
            self.assertEqual(wire.read(), ":1")
            wire.send("CLIENT REPLY SKIP", "INCR n", "GET n")
            self.assertEqual(wire.read(), "4")

    def test_not_in_a_transaction(self):
        with Wire(self.proxy.port) as wire, self.rule(command="INCR", fires=0, duplicate={}):
            wire.send("MULTI", "INCR n", "EXEC", "GET n")
            self.assertEqual([wire.read() for _ in range(4)], ["+OK", "+QUEUED", [":1"], "1"])


class DamagedTest(ChangeCase):
    def test_a_payload_keeps_its_length(self):
        self.server.command("SET", "t", "hello")
        self.server.command("RPUSH", "l", "one", "two")
        with Wire(self.proxy.port) as wire:
            self.assertEqual(wire.call("GET t"), "hello")
            with self.rule(fires=2, corrupt={"bytes": 2}, args={"1": "?"}):
                changed, items = wire.call("GET t"), wire.call("LRANGE l 0 -1")
            self.assertEqual(sum(a != b for a, b in zip(changed, "hello")), 2)
            self.assertEqual([len(item) for item in items], [3, 3])
            self.assertEqual(sum(a != b for a, b in zip("".join(items), "onetwo")), 2)
            self.next_five(wire)

    def test_nothing_to_change_is_said(self):
        with Wire(self.proxy.port) as wire, self.rule(command="GET", fires=0, corrupt={}):
            self.assertEqual(wire.call("GET none"), "$-1")

    def test_of_a_request(self):
        with Wire(self.proxy.port) as wire:
            with self.rule(command="SET", corrupt={"side": "request", "bytes": 3}):
                self.assertEqual(wire.call("SET k longvalue"), "+OK")
            self.next_five(wire)
        keys = self.server.command("KEYS", "*")
        self.assertNotEqual(self.server.command("GET", "k"), "longvalue", keys)

    def test_a_broken_frame_of_a_request_is_answered_by_the_server(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="SET", corrupt={"side": "request", "framing": True}):
            self.assertEqual(wire.call("SET k v"), "-ERR Protocol error: expected '$', got 'x'")
            self.assertEqual(wire.read(), "END")

    def test_a_truncated_reply_ends_the_connection(self):
        self.server.command("SET", "t", "hello")
        with Wire(self.proxy.port) as wire, self.rule(command="GET", truncate={"bytes": 3}):
            wire.send("PING", "GET t", "PING")
            self.assertEqual(wire.read(), "+PONG")
            self.assertEqual(wire.file.read(), b"$5\r\nhel")

    def test_a_truncated_request_is_not_done(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="SET", truncate={"bytes": 3, "side": "request"}):
            wire.send("PING", "SET k value")
            self.assertEqual([wire.read(), wire.read()], ["+PONG", "END"])
        self.assertEqual(self.server.command("EXISTS", "k"), ":0")


class MatchTest(ChangeCase):
    def test_by_argument(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="SET", args={"2": "7*"}, error={"code": "OOM"}):
            wire.send("SET a 1", "SET b 77", "GET a", "GET b", "SET 7 1")
            seen = [wire.read() for _ in range(5)]
        self.assertEqual((seen[0], seen[2:]), ("+OK", ["1", "$-1", "+OK"]))
        self.assertTrue(seen[1].startswith("-OOM"))

    def test_by_argument_of_a_subcommand(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="CONFIG GET", args={"1": "save"}, error={"code": "ERR"}):
            self.assertIsInstance(wire.call("CONFIG GET maxmemory"), list)
            self.assertEqual(wire.call("CONFIG GET save"), "-ERR injected error")

    def test_by_database(self):
        for hello in (False, True):
            with Wire(self.proxy.port) as wire, \
                    self.rule(command="GET", db="3", fires=5, error={"code": "LOADING"}):
                sent = ["GET a", "SELECT 3", "GET a", "SELECT 99", "GET a", "MULTI", "GET a",
                        "SELECT 0", "EXEC", "GET a", "SELECT 3", "GET a", "RESET", "GET a"]
                if hello:
                    sent = ["HELLO 3", "SELECT 3", "HELLO 3", "GET a", "GET a", "SELECT 3",
                            "GET a", "SELECT 3", "GET a", "MULTI", "GET a", "DISCARD", "RESET",
                            "GET a"]
                seen = []
                for command in sent:  # Step by step, so that each database is known.
                    seen.append(wire.call(command))
            loading = [n for n, told in enumerate(seen) if str(told).startswith("-LOADING")]
            # A refused command takes its transaction with it, so database 3 stays selected.
            self.assertEqual(loading, [3, 4, 6, 8, 10] if hello else [2, 4, 6, 9, 11])

    def test_by_database_in_one_piece(self):
        with Wire(self.proxy.port) as wire, \
                self.rule(command="GET", db="3", fires=2, error={"code": "LOADING"}):
            wire.send("GET a", "SELECT 3", "GET a", "MULTI", "SELECT 4", "GET a", "EXEC", "GET a",
                      "SELECT 3", "GET a", "RESET", "GET a")
            seen = [wire.read() for _ in range(12)]
        loading = [n for n, told in enumerate(seen) if str(told).startswith("-LOADING")]
        self.assertEqual(loading, [2, 9])


class EndTest(ChangeCase):
    def test_each_way_to_lose_something(self):
        ways = [({}, "END", "$-1"), ({"mode": "connection"}, "END", "$-1"),
                ({"side": "reply"}, "END", "1"), ({"reset": True}, "RESET", "$-1"),
                ({"reset": True, "side": "reply"}, "RESET", "1")]
        for drop, told, stored in ways:
            with self.subTest(drop=drop):
                self.server.command("DEL", "a")
                with Wire(self.proxy.port) as wire, self.rule(command="SET", drop=drop):
                    wire.send("SET a 1")
                    try:
                        seen = wire.read()
                    except ConnectionResetError:
                        seen = "RESET"
                self.assertEqual(seen, told)
                self.assertEqual(self.server.command("GET", "a"), stored)

    def test_each_way_to_be_silent(self):
        for mode, stored in (("request", "$-1"), ("reply", "1"), ("blackhole", "$-1")):
            with self.subTest(mode=mode):
                self.server.command("DEL", "a")
                with Wire(self.proxy.port) as wire:
                    with self.rule(command="SET", drop={"mode": mode}):
                        wire.send("PING", "SET a 1", "PING")
                        self.assertEqual(wire.read(), "+PONG")
                        self.wait_until_fired()
                        if stored == "1":
                            self.wait_until(lambda: self.server.command("GET", "a") == "1")
                        wire.socket.settimeout(0.3)
                        with self.assertRaises(TimeoutError):
                            wire.socket.recv(1)
                    wire.socket.settimeout(30)  # The rule is gone: the connection with it.
                    self.assertEqual(wire.socket.recv(10), b"")
                self.assertEqual(self.server.command("GET", "a"), stored)

    def test_hold_ends_with_its_rule_and_the_order_is_kept(self):
        for side in ("request", "reply"):
            with Wire(self.proxy.port) as wire:
                with self.rule(command="INCR", hold={"side": side}):
                    wire.send("PING", "INCR n", "ECHO end")
                    self.assertEqual(wire.read(), "+PONG")
                    self.wait_until_fired()
                self.assertTrue(wire.read().startswith(":"))
                self.assertEqual(wire.read(), "end")
        self.assertEqual(self.server.command("GET", "n"), "2")


class StepTest(ChangeCase):
    """Tagged commands in one pipeline under rules of every kind: each answer is its own."""

    def test_ten_thousand(self):
        actions = [{"error": {"code": "OOM"}}, {"respond": {"value": "OK"}}, {"duplicate": {}},
                   {"rewrite": {"value": "OK"}}, {"corrupt": {}},
                   {"error": {"code": "LOADING", "mode": "mask"}},
                   {"delay": {"duration_us": 500}},
                   {"delay": {"duration_us": 500, "side": "reply"}}]
        rules = [{"id": f"step-{n}", "redis": {"command": "SET"}, **action,
                  "trigger": {"probability": 0.1}} for n, action in enumerate(actions)]
        self.proxy.set_rules(rules)
        random_source = random.Random(7)
        commands, expected = [], []
        for n in range(5000):
            if random_source.random() < 0.05:
                commands += [encoded("MULTI"), encoded("SET", f"k{n}", n), encoded("EXEC")]
                expected += [None, None, None]
            else:
                commands.append(encoded("SET", f"k{n}", n))
                expected.append(None)
            commands.append(encoded("ECHO", f"tag-{n}"))
            expected.append(f"tag-{n}")
        with Wire(self.proxy.port) as wire:
            wire.socket.settimeout(200)
            sender = threading.Thread(target=wire.socket.sendall, args=(b"".join(commands),))
            sender.start()
            for tag in expected:
                seen = wire.read()
                if tag is not None:
                    self.assertEqual(seen, tag)
            sender.join()
            tallies = self.proxy.tallies()
            self.proxy.set_rules([])
            self.next_five(wire)
        for rule in rules:
            self.assertGreater(tallies[rule["id"]]["fired"], 20, rule)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
