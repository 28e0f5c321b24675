"""Rules that come and go while connections are open, servers that go down, clients that vanish."""

import json
import os
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import PostgresServer, skip  # noqa: E402
from proxy_process import ProxyProcess, is_sanitized, proxy_binary  # noqa: E402

proxy_binary()  # Skips before a server is started.

try:
    import psycopg
except ImportError as missing:
    skip(f"{missing.name} is not installed (Debian: python3-psycopg)")


class LiveRulesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.sql("create table t (id int primary key, n int)",
                       "insert into t select n, 0 from generate_series(1, 10) n",
                       "alter table t owner to app", dbname="app")

    def setUp(self):
        self.proxy = ProxyProcess(self.server.port, "postgres", record_all=True).__enter__()
        self.addCleanup(self.proxy.__exit__)

    def connect(self, **more):
        connection = psycopg.connect(self.server.dsn(port=self.proxy.port), autocommit=True, **more)
        self.addCleanup(connection.close)
        return connection

    def wait_until(self, condition, limit=10):
        deadline = time.monotonic() + limit
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not happen in time")
            time.sleep(0.02)

    def delay(self, query, seconds=30, **more):
        return {"id": "slow", "postgres": {"query": query},
                "delay": {"durationUs": int(seconds * 1e6)}, **more}

    def in_background(self, work):
        results = []
        thread = threading.Thread(target=lambda: results.append(work()))
        thread.start()
        self.addCleanup(thread.join, 30)
        return thread, results

    def test_a_rule_added_half_way_fires_on_an_open_pooled_connection(self):
        pool = [self.connect() for _ in range(5)]
        update = "update t set n = n + 1 where id = 1"
        for connection in pool:
            connection.execute(update)
        before = self.proxy.counters()["connections_total"]
        self.proxy.set_rules([{"id": "fails", "postgres": {"query": "UPDATE t*"},
                               "error": {"code": "40001", "message": "try again"},
                               "trigger": {"times": 1}}])
        with self.assertRaises(psycopg.errors.SerializationFailure) as caught:
            pool[3].execute(update)
        self.assertEqual(caught.exception.diag.message_primary, "try again")
        for connection in pool:
            connection.execute(update)
        self.assertEqual(self.proxy.counters()["connections_total"], before)
        self.assertEqual(self.proxy.tallies()["fails"]["fired"], 1)
        self.assertEqual(self.server.sql("select n from t where id = 1", dbname="app"), [("10",)])
        event = next(e for e in self.proxy.units() if e.get("rule") == "fails")
        self.assertEqual((event["action"], event["server"], event["code"], event["failed"]),
                         ("error", "did_not", "40001", True))

    def test_a_held_statement_goes_on_when_its_rule_goes(self):
        self.proxy.set_rules([self.delay("*select 77*")])
        connection, other = self.connect(), self.connect()
        thread, results = self.in_background(
            lambda: connection.execute("select 77").fetchone())
        self.wait_until(lambda: self.proxy.tallies()["slow"]["fired"] == 1)
        self.assertEqual(other.execute("select 1").fetchone(), (1,))
        self.assertTrue(thread.is_alive())
        ended = time.monotonic()
        self.proxy.set_rules([])
        thread.join(10)
        self.assertLess(time.monotonic() - ended, 2)
        self.assertEqual(results, [(77,)])
        told = [e for e in self.proxy.events if e.get("action") == "released"]
        self.assertEqual([e["rule"] for e in told], ["slow"])

    def test_a_delay_takes_its_time_and_changes_nothing_else(self):
        connection = self.connect()
        self.proxy.set_rules([self.delay("*from t*", 0.4, trigger={"nth": 2})])
        took = []
        for _ in range(3):
            began = time.monotonic()
            self.assertEqual(connection.execute("select count(*) from t").fetchone(), (10,))
            took.append(time.monotonic() - began)
        self.assertGreaterEqual(took[1], 0.4)
        self.assertLess(max(took[0], took[2]), 0.4)
        delayed = [e for e in self.proxy.units() if e["action"] == "delay"]
        self.assertEqual(len(delayed), 1)
        self.assertGreaterEqual(delayed[0]["duration_ms"], 400)
        self.assertEqual(delayed[0]["server"], "did")

    def test_a_drop_ends_the_connection_and_the_session(self):
        connection, other = self.connect(), self.connect()
        session = connection.info.backend_pid
        self.proxy.set_rules([{"id": "gone", "postgres": {"query": "delete*"}, "drop": {}}])
        with self.assertRaises(psycopg.OperationalError):
            connection.execute("delete from t")
        self.wait_until(lambda: self.server.sql(
            f"select 1 from pg_stat_activity where pid = {session}") == [])
        self.assertEqual(other.execute("select count(*) from t").fetchone(), (10,))

    def test_a_terminated_session_says_the_servers_words(self):
        def words(port):
            timer = threading.Timer(0.5, lambda: self.server.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where query like "
                "'%pg_sleep(38)%' and pid <> pg_backend_pid()"))
            timer.start()
            done = subprocess.run(["psql", "-X", self.server.dsn(port=port), "-c",
                                   "select pg_sleep(38)"], capture_output=True, text=True)
            timer.join()
            return done.returncode, done.stderr
        through = words(self.proxy.port)
        self.assertIn("terminating connection due to administrator command", through[1])
        self.assertEqual(through, words(self.server.port))

    def test_a_server_that_is_down_and_comes_back(self):
        before = self.connect()
        self.server.stop()
        self.addCleanup(lambda: self.server.process or self.server.start())
        with self.assertRaises(psycopg.OperationalError):
            before.execute("select 1")
        with self.assertRaises(psycopg.OperationalError):
            self.connect()
        self.server.start()
        self.assertEqual(self.connect().execute("select 1").fetchone(), (1,))

    def test_no_secret_reaches_an_event(self):
        with psycopg.connect(self.server.dsn("scram", port=self.proxy.port),
                             autocommit=True) as connection:
            connection.execute("select 1")
        with psycopg.connect(self.server.dsn("postgres", port=self.proxy.port),
                             autocommit=True) as connection:
            connection.execute("create role r login password 'hunter2'")
            connection.execute("drop role r")
        self.wait_until(lambda: any("drop role" in e["query"] for e in self.proxy.units()))
        text = str(self.proxy.events)
        self.assertIn("create role r login password", text)
        for secret in ("hunter2", "secret", "SCRAM"):
            self.assertNotIn(secret, text)

    def test_long_text_is_cut_in_events_and_says_so(self):
        connection = self.connect()
        connection.execute("select '" + "x" * 100_000 + "'")
        self.wait_until(lambda: self.proxy.units())
        event = self.proxy.units()[-1]
        self.assertLess(len(event["query"]), 2100)
        self.assertRegex(event["query"], r"… \(\d+ bytes more\)$")

    def test_traffic_goes_on_when_nobody_reads_the_events(self):
        unread = subprocess.Popen([proxy_binary(), "--protocol", "postgres", "--record-all",
                                   "--upstream", f"127.0.0.1:{self.server.port}"],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(unread.wait, 10)
        self.addCleanup(unread.terminate)
        port = json.loads(unread.stdout.readline())["listen"].split(":")[1]
        unread.stdout.close()
        for _ in range(3):
            with psycopg.connect(self.server.dsn(port=port), autocommit=True) as connection:
                self.assertEqual(connection.execute("select 79").fetchone(), (79,))
        self.assertIsNone(unread.poll())

    def test_text_in_another_encoding_is_shown_as_utf8(self):
        connection = self.connect(client_encoding="latin1")
        self.assertEqual(connection.execute("select 'café'").fetchone(), ("café",))
        self.wait_until(lambda: self.proxy.units())
        self.assertEqual(self.proxy.units()[-1]["query"], "select 'caf\ufffd'")

    def test_clients_that_vanish_leave_nothing_behind(self):
        def descriptors():
            return len(os.listdir(f"/proc/{self.proxy.pid}/fd"))
        self.connect().close()
        self.wait_until(lambda: self.proxy.counters()["connections_open"] == 0)
        before = descriptors()
        pids = []
        for n in range(20):
            pid = os.fork()
            if pid == 0:
                connection = psycopg.connect(self.server.dsn(port=self.proxy.port))
                connection.execute("select 1" if n % 2 else "select repeat('x', 5000000)")
                os.kill(os.getpid(), 9)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        self.wait_until(lambda: self.proxy.counters()["connections_open"] == 0)
        self.assertEqual(descriptors(), before)
        self.assertEqual(self.server.sql("select count(*) from pg_stat_activity "
                                         "where usename = 'app'"), [("0",)])

    def test_a_cancel_reaches_what_is_held_on_another_loop(self):
        with ProxyProcess(self.server.port, "postgres", loops=4) as proxy:
            proxy.set_rules([self.delay("*select 78*")])
            dsn = self.server.dsn(port=proxy.port)
            # The kernel spreads connections over the loops: with eight, some are on another one.
            connections = [psycopg.connect(dsn, autocommit=True) for _ in range(8)]
            for connection in connections:
                timer = threading.Timer(0.2, connection.cancel)
                timer.start()
                with self.assertRaises(psycopg.errors.QueryCanceled):
                    connection.execute("select 78")
                timer.join()
                self.assertEqual(connection.execute("select 1").fetchone(), (1,))
                connection.close()
            self.assertEqual(proxy.tallies()["slow"]["fired"], 8)

    @unittest.skipIf(is_sanitized(), "not measured with a sanitizer")
    def test_idle_connections_cost_little(self):
        self.connect().close()
        before = self.proxy.resident_kib()
        connections = [self.connect() for _ in range(80)]
        for connection in connections:
            connection.execute("select 1")
        self.assertLess((self.proxy.resident_kib() - before) / 80, 16)

    def test_sigterm_lets_what_runs_finish(self):
        connection = self.connect()
        thread, results = self.in_background(
            lambda: connection.execute("select 'done' from pg_sleep(1)").fetchone())
        self.wait_until(lambda: self.server.sql(
            "select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(1)%' "
            "and pid <> pg_backend_pid()"))
        self.proxy.process.terminate()
        thread.join(10)
        self.assertEqual(results, [("done",)])
        connection.close()
        self.assertEqual(self.proxy.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
