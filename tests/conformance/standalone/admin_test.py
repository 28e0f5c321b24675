#!/usr/bin/python3
"""The admin API of `misrule proxy` by curl, and by clients that mean no good."""

import http.client
import json
import os
import pathlib
import signal
import socket
import threading
import unittest

from standalone import LIMIT, Standalone, program, wait_until

import postgres_server
import psycopg2
from prometheus_client.parser import text_string_to_metric_families

FAILS = '{"rules": [{"id": "no-select", "postgres": {"query": "select*"}, ' \
        '"error": {"code": "40001"}}]}'
STATEMENTS = 4000


class WithProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres_server.PostgresServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def proxy(self, *arguments, **more):
        started = Standalone(["--upstream", f"127.0.0.1:{self.server.port}", *arguments], **more)
        self.addCleanup(started.__exit__)
        return started.__enter__()

    def connect(self, proxy):
        connection = psycopg2.connect(self.server.dsn(port=proxy.port))
        self.addCleanup(connection.close)
        connection.autocommit = True
        return connection

    def select(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("select 41 + 1")
            return cursor.fetchone()[0]

    def raw(self, proxy):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(LIMIT)
        client.connect(proxy.admin_socket)
        return client


class Answers(WithProxy):
    def test_health_and_version(self):
        proxy = self.proxy()
        health = proxy.ask("/health")
        self.assertEqual((health["status"], health["rules_version"]), ("ok", 0))
        self.assertRegex(proxy.ask("/version")["version"], r"^\d+\.\d+\.\d+$")
        status, body = proxy.curl("/helth")
        self.assertEqual(status, 404)
        self.assertIn("did you mean /health?", body)
        status, body = proxy.curl("/rules", "-X", "DELETE")
        self.assertEqual(status, 405)
        self.assertIn("GET and PUT", body)

    def test_rules_are_put_and_acknowledged(self):
        proxy = self.proxy("--loops", "2")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        answer = proxy.ask("/rules", "-X", "PUT", "--data-binary", FAILS)
        self.assertEqual((answer["version"], answer["rules"]), (1, 1))
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            self.select(connection)
        self.assertEqual(proxy.fired("no-select"), 1)
        rules = proxy.ask("/rules")
        self.assertEqual((rules["version"], rules["rules"][0]["id"]), (1, "no-select"))
        status, body = proxy.curl("/rules", "-X", "PUT", "-H", 'If-Match: "0"', "-d", FAILS)
        self.assertEqual(status, 412)
        self.assertIn("version 1 is in force", body)
        rules["rules"] = []
        answer = proxy.ask("/rules", "-X", "PUT", "-H", 'If-Match: "1"', "-d", json.dumps(rules))
        self.assertEqual(answer["version"], 2)
        self.assertEqual(self.select(connection), 42)
        status, headers = proxy.curl("/rules", "-I")
        self.assertEqual(status, 200)
        self.assertIn('etag: "2"', headers.lower())

    def test_wrong_rules_change_nothing(self):
        proxy = self.proxy()
        proxy.ask("/rules", "-X", "PUT", "--data-binary", FAILS)
        wrong = 'rules:\n  - {id: a, drop: {mode: softly}}\n'
        for body, place in ((wrong, "request body:2:"), ("{", "request body:"),
                            ("rules: [1]", "request body:1:9: ")):
            status, answer = proxy.curl("/rules", "-X", "PUT", "--data-binary", body)
            self.assertEqual(status, 400, answer)
            self.assertIn(place, answer)
        self.assertIn("rules_refused", proxy.ask("/health"))
        connection = self.connect(proxy)
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            self.select(connection)

    def test_what_is_held_is_let_go(self):
        proxy = self.proxy("--record-all")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        rules = '{"rules": [{"id": "slow", "postgres": {"query": "select*"}, "hold": {}}]}'
        proxy.ask("/rules", "-X", "PUT", "-d", rules)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.select(connection)))
        asking.start()
        wait_until(lambda: any(c["held"] for c in proxy.ask("/connections")["connections"]),
                   "something is held")
        self.assertEqual(answers, [])
        released = proxy.ask("/rules/release?rule=slow", "-X", "POST")
        self.assertEqual(released, {"rule": "slow", "released": 1})
        asking.join(LIMIT)
        self.assertEqual((answers, proxy.fired("slow")), ([42], 1))
        status, body = proxy.curl("/rules/release?rule=fast", "-X", "POST")
        self.assertEqual(status, 404)
        self.assertIn("there is no rule 'fast'", body)

    def test_near_misses_are_told(self):
        rules = FAILS.replace("select*", "delete from orders*")
        proxy = self.proxy()
        proxy.ask("/rules", "-X", "PUT", "--data-binary", rules)
        self.select(self.connect(proxy))
        one = proxy.ask("/rules/stats")["rules"][0]
        self.assertEqual((one["fired"], one["armed"]), (0, True))
        self.assertGreater(one["considered"], 0)
        self.assertIn("select", " ".join(one["near_misses"]).lower())

    def test_connections_with_their_state(self):
        proxy = self.proxy(rules="rules: []\n")
        connection = self.connect(proxy)

        def state():
            return proxy.ask("/connections")["connections"][0]

        self.select(connection)
        seen = state()
        self.assertEqual((seen["protocol"], seen["state"], seen["held"]),
                         ("postgres", "idle", False))
        self.assertRegex(seen["client"], r"^127\.0\.0\.1:\d+$")
        self.assertGreater(seen["bytes_to_client"], 0)
        connection.autocommit = False
        self.select(connection)
        self.assertEqual(state()["state"], "transaction")
        connection.rollback()
        self.assertEqual(len(proxy.ask("/connections?limit=0")["connections"]), 0)
        connection.close()
        wait_until(lambda: "connections_open 0" in proxy.curl("/metrics")[1], "its end")
        self.assertEqual(proxy.ask("/connections"), {"open": 0, "connections": []})

    def test_metrics_can_be_parsed(self):
        proxy = self.proxy()
        proxy.ask("/rules", "-X", "PUT", "--data-binary", FAILS)
        connection = self.connect(proxy)
        for _ in range(3):
            with self.assertRaises(psycopg2.errors.SerializationFailure):
                self.select(connection)
        status, text = proxy.curl("/metrics")
        self.assertEqual(status, 200)
        samples = {(sample.name, *sorted(sample.labels.values())): sample.value
                   for family in text_string_to_metric_families(text)
                   for sample in family.samples}
        self.assertEqual(samples["misrule_proxy_rule_fired_total", "no-select"], 3)
        self.assertEqual(samples["misrule_proxy_rules_version",], 1)
        self.assertEqual(samples["misrule_proxy_connections_open",], 1)
        self.assertEqual(samples["misrule_proxy_connections_opaque_total",], 0)
        self.assertGreaterEqual(samples["misrule_proxy_messages_total",], 3)
        self.assertGreater(samples["misrule_proxy_bytes_total", "to_server"], 0)
        self.assertEqual(samples["misrule_proxy_admin_requests_total", "200"], 1)


class Streams(WithProxy):
    def follow(self, proxy):
        """A reader that decides itself when it reads; the answer's head has been read."""
        client = self.raw(proxy)
        client.sendall(b"GET /events HTTP/1.1\r\nHost: misrule\r\n\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        response.client = client
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("content-type"), "application/x-ndjson")
        return response

    def read_until(self, response, is_last):
        events = []
        while not events or not is_last(events[-1]):
            line = response.readline()
            self.assertTrue(line, "the stream ended")
            events.append(json.loads(line))
        return events

    def test_a_slow_reader_is_told_what_it_lost(self):
        proxy = self.proxy("--record-all", rules="rules: []\n")
        slow = self.follow(proxy)
        connection = self.connect(proxy)
        for _ in range(STATEMENTS):
            self.assertEqual(self.select(connection), 42)
        wait_until(lambda: "events_left_out_total 0" not in proxy.curl("/metrics")[1],
                   "something is left out")
        # It reads again, and then it keeps up: the change of rules reaches it.
        received = self.read_until(slow, lambda e: e.get("action") == "events_left_out")
        lost = received[-1]["count"]
        proxy.write_rules("rules: [] # again\n")
        rest = self.read_until(slow, lambda e: e.get("action") == "rules_loaded")
        lost += sum(e["count"] for e in rest if e.get("action") == "events_left_out")
        seen = [e for e in received + rest if e["type"] == "proxy" and "reply" in e]
        self.assertGreater(lost, 0)
        self.assertEqual(len(seen) + lost, STATEMENTS)
        self.assertIn("proxy", {e["type"] for e in received})

    def test_a_reader_that_keeps_up_loses_nothing(self):
        proxy = self.proxy("--record-all", rules="rules: []\n")
        reader = self.follow(proxy)
        connection = self.connect(proxy)
        for number in range(100):
            self.assertEqual(self.select(connection), 42)
            events = self.read_until(reader, lambda e: e["type"] == "proxy")
            self.assertIn("select", events[-1]["query"])
        self.assertFalse([e for e in events if e.get("action") == "events_left_out"])

    def test_readers_are_bounded_and_their_places_are_given_back(self):
        proxy = self.proxy()
        readers = [self.follow(proxy) for _ in range(16)]
        status, body = proxy.curl("/events")
        self.assertEqual(status, 503, body)
        for reader in readers:
            reader.close()
            reader.client.close()
        wait_until(lambda: "event_readers 0" in proxy.curl("/metrics")[1], "no reader")
        self.assertEqual(self.follow(proxy).status, 200)


class NoGood(WithProxy):
    def status_of(self, client):
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.status

    def test_garbage_and_giants_are_refused(self):
        proxy = self.proxy()
        for bytes_sent, status in (
                (b"\x00\x01garbage\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nX: " + b"a" * 60000 + b"\r\n\r\n", 431),
                (b"PUT /rules HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
                (b"PUT /rules HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400)):
            client = self.raw(proxy)
            client.sendall(bytes_sent)
            self.assertEqual(self.status_of(client), status, bytes_sent[:30])
        self.assertEqual(proxy.ask("/health")["status"], "ok")

    def test_a_crowd_that_says_nothing_does_not_stop_traffic(self):
        proxy = self.proxy()
        before = proxy.descriptors()
        crowd = [self.raw(proxy) for _ in range(200)]
        for client in crowd[:50]:
            client.sendall(b"GET /rules HTTP/1.1\r\nHo")
        connection = self.connect(proxy)
        for _ in range(100):
            self.assertEqual(self.select(connection), 42)
        for client in crowd:
            client.close()
        wait_until(lambda: proxy.descriptors() <= before + 2, "the crowd is forgotten")
        self.assertEqual(proxy.ask("/health")["status"], "ok")

    def test_the_socket_is_its_owners_alone(self):
        proxy = self.proxy()
        self.assertEqual(os.stat(proxy.admin_socket).st_mode & 0o777, 0o600)

    def test_a_browser_that_was_led_here_is_refused(self):
        proxy = self.proxy("--admin", "127.0.0.1:0", admin=False)
        port = int(proxy.ready["admin"].rsplit(":", 1)[1])
        for host, status in (("localhost", 200), (f"127.0.0.1:{port}", 200), ("evil.test", 403)):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
            client.request("GET", "/rules", headers={"Host": host})
            self.assertEqual(client.getresponse().status, status)
            client.close()

    def test_it_goes_while_clients_follow(self):
        proxy = self.proxy()
        client = self.raw(proxy)
        client.sendall(b"GET /events HTTP/1.1\r\nHost: misrule\r\n\r\n")
        wait_until(lambda: "event_readers 1" in proxy.curl("/metrics")[1], "a reader")
        self.assertEqual(proxy.end(signal.SIGTERM), 0)
        self.assertFalse(pathlib.Path(proxy.admin_socket).exists())


if __name__ == "__main__":
    program("misrule")  # Skips the whole test where nothing has been built.
    unittest.main()
