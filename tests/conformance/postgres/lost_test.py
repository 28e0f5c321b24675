"""Replies that are lost or told otherwise, and requests that never arrive: what drivers with
default settings see, what the server did, and that what follows is sound."""

import asyncio
import threading
import unittest

from errors_test import needs
from faults import FaultCase

INSERT = "insert into payments (id) values (%s)"
PATTERN = "insert into payments*"
CODE, TEXT = "40001", "could not serialize access"


class Lost(FaultCase):
    def setUp(self):
        self.server.sql("truncate payments; alter table payments disable trigger all",
                        dbname="app")

    def rows(self):
        return self.server.sql("select id from payments order by id", dbname="app")

    def dsn(self):
        return self.server.dsn(port=self.proxy.port)

    def arm_once(self, query=PATTERN, **action):
        return self.armed(trigger={"times": 1}, postgres={"query": query}, **action)

    def assert_fired(self, rule):
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def exchange(self, rule):
        return self.proxy.wait_for(lambda event: event.get("rule") == rule and "server" in event)


class LostReplies(Lost):
    ACTION = {"drop": {"side": "reply"}}

    def assert_lost(self, rule):
        self.assert_fired(rule)
        told = self.exchange(rule)
        self.assertEqual((told["server"], told["failed"]), ("did", True))
        self.assertIn("connection closed in place of INSERT 0 1", told["reply"])

    @needs("psycopg2")
    def test_psycopg2_autocommit(self):
        import psycopg2
        for loses, expected in ((False, [("1",)]), (True, [("1",), ("2",)])):
            connection = psycopg2.connect(self.dsn())
            connection.autocommit = True
            if not loses:
                connection.cursor().execute(INSERT, (1,))
                self.assertEqual(self.rows(), expected)
                continue
            rule = self.arm_once(**self.ACTION)
            with self.assertRaises(psycopg2.OperationalError):
                connection.cursor().execute(INSERT, (2,))
            self.assertTrue(connection.closed)
            self.assertEqual(self.rows(), expected, "the server did it")
            self.assert_lost(rule)

    @needs("psycopg")
    def test_psycopg_extended_protocol(self):
        import psycopg
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(INSERT, (1,))
        rule = self.arm_once(**self.ACTION)
        connection = psycopg.connect(self.dsn(), autocommit=True)
        with self.assertRaises(psycopg.OperationalError) as caught:
            connection.execute(INSERT, (2,))
        self.assertIsNone(caught.exception.sqlstate)
        self.assertTrue(connection.closed)
        self.assertEqual(self.rows(), [("1",), ("2",)])
        self.assert_lost(rule)

    @needs("asyncpg")
    def test_asyncpg(self):
        import asyncpg

        async def client():
            connection = await asyncpg.connect(self.dsn_url())
            await connection.execute("insert into payments (id) values ($1)", 1)
            rule = self.arm_once(**self.ACTION)
            with self.assertRaises(asyncpg.PostgresConnectionError):
                await connection.execute("insert into payments (id) values ($1)", 2)
            return rule
        rule = asyncio.run(client())
        self.assertEqual(self.rows(), [("1",), ("2",)])
        self.assert_lost(rule)

    def dsn_url(self):
        words = dict(word.split("=", 1) for word in self.dsn().split())
        return (f"postgres://{words['user']}:{words.get('password', '')}@{words['host']}:"
                f"{words['port']}/{words['dbname']}?sslmode=disable")

    @needs("psycopg2")
    def test_a_commit_whose_answer_is_lost(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.cursor().execute(INSERT, (1,))
        rule = self.arm_once("commit", **self.ACTION)
        with self.assertRaises(psycopg2.OperationalError):
            connection.commit()
        self.assertEqual(self.rows(), [("1",)], "it was committed all the same")
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_an_error_of_the_server_is_lost_too(self):
        import psycopg2
        self.server.sql("insert into payments (id) values (1)", dbname="app")
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_once(**self.ACTION)
        with self.assertRaises(psycopg2.OperationalError):
            connection.cursor().execute(INSERT, (1,))
        self.assertTrue(connection.closed)
        self.assert_fired(rule)
        self.assertEqual(self.exchange(rule)["server"], "did_not")


class MaskedReplies(Lost):
    ACTION = {"error": {"code": CODE, "message": TEXT, "mode": "mask"}}

    @needs("psycopg2")
    def test_psycopg2_and_the_next_five(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(INSERT, (1,))
        rule = self.arm_once(**self.ACTION)
        with self.assertRaises(psycopg2.errors.SerializationFailure) as caught:
            cursor.execute(INSERT, (2,))
        self.assertEqual(caught.exception.diag.message_primary, TEXT)
        self.assert_fired(rule)
        for number in range(5):
            cursor.execute("select %s, count(*) from payments", (number,))
            self.assertEqual(cursor.fetchall(), [(number, 2)], "the server did it")
        told = self.exchange(rule)
        self.assertEqual((told["server"], told["failed"], told["code"]), ("did", True, CODE))

    @needs("psycopg")
    def test_psycopg_with_rows_that_are_not_seen(self):
        import psycopg
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            rule = self.arm_once(**self.ACTION)
            with self.assertRaises(psycopg.errors.SerializationFailure):
                connection.execute(INSERT + " returning id", (1,))
            for number in range(5):
                found = connection.execute("select %s, count(*) from payments", (number,))
                self.assertEqual(found.fetchall(), [(number, 1)])
        self.assert_fired(rule)

    @needs("psycopg")
    def test_psycopg_commit(self):
        import psycopg
        with psycopg.connect(self.dsn()) as connection:
            connection.execute(INSERT, (1,))
            rule = self.arm_once("commit", **self.ACTION)
            with self.assertRaises(psycopg.errors.SerializationFailure):
                connection.commit()
            self.assertEqual(connection.info.transaction_status.name, "IDLE")
            self.assertEqual(connection.execute("select count(*) from payments").fetchone(), (1,))
        self.assert_fired(rule)

    @needs("psycopg")
    def test_inside_a_transaction_it_stays_away_and_says_why(self):
        import psycopg
        with psycopg.connect(self.dsn()) as connection:
            rule = self.arm_once(**self.ACTION)
            connection.execute(INSERT, (1,))
        tally = self.proxy.tallies()[rule]
        self.assertEqual(tally["fired"], 0)
        self.assertIn("in a transaction", " ".join(tally["near_misses"]))
        self.assertEqual(self.rows(), [("1",)])

    @needs("psycopg2")
    def test_the_servers_own_error_is_told(self):
        import psycopg2
        self.server.sql("insert into payments (id) values (1)", dbname="app")
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        self.arm_once(**self.ACTION)
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            connection.cursor().execute(INSERT, (1,))
        connection.cursor().execute(INSERT, (2,))
        self.assertEqual(self.rows(), [("1",), ("2",)])


class LostMessages(Lost):
    """The connection stays open and silent, until the client gives up or the fault ends."""

    def in_background(self, statement):
        import psycopg
        connection = psycopg.connect(self.dsn(), autocommit=True)
        self.addCleanup(connection.close)
        seen = []

        def run():
            try:
                seen.append(connection.execute(*statement).rowcount)
            except psycopg.Error as error:
                seen.append((type(error).__name__, error.sqlstate))
        thread = threading.Thread(target=run)
        thread.start()
        return connection, thread, seen

    def wait_fired(self, rule):
        for _ in range(500):
            if self.proxy.tallies()[rule]["fired"]:
                return
            threading.Event().wait(0.01)
        self.fail("the rule did not fire")

    def lose(self, mode, rows_meanwhile):
        rule = self.arm_once(drop={"mode": mode})
        connection, thread, seen = self.in_background((INSERT, (1,)))
        self.wait_fired(rule)
        for _ in range(1000):
            if self.rows() == rows_meanwhile:
                break
            threading.Event().wait(0.01)
        connection.cancel()  # Reaches a server that is busy with nothing.
        thread.join(1)
        self.assertTrue(thread.is_alive(), "nobody answers")
        self.assertEqual(self.rows(), rows_meanwhile)
        self.proxy.set_rules([])
        thread.join(20)
        self.assertFalse(thread.is_alive())
        self.assertEqual(seen, [("OperationalError", None)], "the connection ends with the fault")
        self.assertEqual(self.rows(), rows_meanwhile, "nothing that was lost comes back")

    @needs("psycopg")
    def test_a_request_that_is_lost(self):
        self.lose("request", [])

    @needs("psycopg")
    def test_a_reply_that_is_lost(self):
        self.lose("reply", [("1",)])

    @needs("psycopg")
    def test_a_black_hole(self):
        self.lose("blackhole", [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
