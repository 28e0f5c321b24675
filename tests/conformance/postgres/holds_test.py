"""A statement that is held obeys the clocks and cancels of a server; what ends a connection ends it
as a server does."""

import asyncio
import threading
import time
import unittest

from errors_test import needs
from faults import FaultCase

HOLD_S = 20
SOON_S = 5  # Far less than the hold, with room for a busy machine.


class HoldsTest(FaultCase):
    def held(self, query, seconds=HOLD_S, **more):
        return self.armed(postgres={"query": query},
                          delay={"duration_us": int(seconds * 1_000_000), **more})

    def connect(self, **options):
        import psycopg
        connection = psycopg.connect(self.server.dsn(port=self.proxy.port), autocommit=True,
                                     **options)
        self.addCleanup(connection.close)
        return connection

    def refused_in(self, connection, sql):
        """(SQLSTATE, message, seconds)."""
        import psycopg
        begun = time.monotonic()
        with self.assertRaises(psycopg.Error) as caught:
            connection.execute(sql)
        return (caught.exception.sqlstate, caught.exception.diag.message_primary,
                time.monotonic() - begun)

    @needs("psycopg")
    def test_control_without_a_cancel_the_hold_lasts(self):
        self.held("select 5*", seconds=1)
        begun = time.monotonic()
        self.assertEqual(self.connect().execute("select 5").fetchone(), (5,))
        self.assertGreaterEqual(time.monotonic() - begun, 1)

    @needs("psycopg")
    def test_cancel_ends_a_hold(self):
        rule = self.held("select 5*")
        connection = self.connect()
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        code, message, took = self.refused_in(connection, "select 5")
        timer.join()
        self.assertEqual((code, message), ("57014", "canceling statement due to user request"))
        self.assertLess(took, SOON_S)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.assertEqual(connection.execute("select 77").fetchone(), (77,))

    @needs("psycopg")
    def test_cancel_of_a_held_extended_statement_in_a_transaction(self):
        self.held("insert*")
        connection = self.connect()
        connection.execute("begin")
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        import psycopg
        with self.assertRaises(psycopg.errors.QueryCanceled):
            connection.execute("insert into payments (id) values (%s)", (1,))
        timer.join()
        self.assertEqual(connection.info.transaction_status.name, "INERROR")
        connection.execute("rollback")
        self.assertEqual(connection.execute("select count(*) from payments").fetchone(), (0,))

    @needs("psycopg")
    def test_statement_timeout_ends_a_hold_as_it_ends_a_slow_statement(self):
        real = self.connect(options="-c statement_timeout=500")
        expected = self.refused_in(real, "select pg_sleep(20)")
        self.held("select 5*")
        for connection in (self.connect(options="-c statement_timeout=500"), self.connect()):
            connection.execute("set statement_timeout = '500ms'")
            code, message, took = self.refused_in(connection, "select 5")
            self.assertEqual((code, message), expected[:2])
            self.assertGreaterEqual(took, 0.5)
            self.assertLess(took, SOON_S)
            self.assertEqual(connection.execute("select 77").fetchone(), (77,))

    @needs("psycopg")
    def test_end_of_the_rule_ends_the_hold(self):
        self.held("select 5*")
        connection = self.connect()
        timer = threading.Timer(0.3, self.proxy.set_rules, [[]])
        timer.start()
        begun = time.monotonic()
        self.assertEqual(connection.execute("select 5").fetchone(), (5,))
        timer.join()
        self.assertLess(time.monotonic() - begun, SOON_S)

    @needs("psycopg")
    def test_commit_that_is_held_is_not_visible_yet(self):
        self.outcome(lambda _: None, "")
        self.held("commit", seconds=2)
        connection = self.connect()
        connection.execute("begin")
        connection.execute("insert into payments (id) values (1)")
        thread = threading.Thread(target=connection.execute, args=("commit",))
        thread.start()
        time.sleep(0.5)
        self.assertEqual(self.server.sql("select count(*) from payments", dbname="app"), [("0",)])
        thread.join()
        self.assertEqual(self.server.sql("select count(*) from payments", dbname="app"), [("1",)])

    @needs("psycopg")
    def test_reply_that_is_held_leaves_the_work_done(self):
        self.outcome(lambda _: None, "")
        self.held("insert*", seconds=2, side="reply")
        connection = self.connect()
        thread = threading.Thread(target=connection.execute,
                                  args=("insert into payments (id) values (%s)", (1,)))
        begun = time.monotonic()
        thread.start()
        while self.server.sql("select count(*) from payments", dbname="app") == [("0",)]:
            self.assertLess(time.monotonic() - begun, SOON_S)
        thread.join()
        self.assertGreaterEqual(time.monotonic() - begun, 2)

    @needs("asyncpg")
    def test_asyncpg_gives_up_on_a_held_statement(self):
        import asyncpg
        self.held("select 5*")

        async def client():
            connection = await asyncpg.connect(host="127.0.0.1", port=self.proxy.port, user="app",
                                               database="app")
            with self.assertRaises(asyncio.TimeoutError):
                await connection.fetchval("select 5", timeout=0.5)
            # It cancels on a connection of its own, and goes on when the server has answered.
            seen = await connection.fetchval("select 77")
            await connection.close()
            return seen
        begun = time.monotonic()
        self.assertEqual(asyncio.run(client()), 77)
        self.assertLess(time.monotonic() - begun, SOON_S)


class EndsTest(FaultCase):
    def ending(self, rule, sql):
        """What psycopg2 makes of it: (error, SQLSTATE, closed, usable after reconnecting)."""
        import psycopg2
        connection = psycopg2.connect(self.server.dsn(port=self.proxy.port))
        self.addCleanup(connection.close)
        connection.autocommit = True
        if rule:
            self.armed(trigger={"times": 1}, postgres={"query": sql.split("(")[0] + "*"}, **rule)
        with connection.cursor() as cursor:
            try:
                cursor.execute(sql)
                seen = "no error"
            except psycopg2.Error as error:
                seen = type(error).__name__, error.pgcode, str(error).splitlines()[0]
        closed = connection.closed
        again = psycopg2.connect(self.server.dsn(port=self.proxy.port))
        with again.cursor() as cursor:
            cursor.execute("select 77")
            usable = cursor.fetchall()
        again.close()
        return seen, closed, usable

    @needs("psycopg2")
    def test_fatal_error_is_the_real_one(self):
        sql = "select pg_terminate_backend(pg_backend_pid())"
        real = self.ending(None, sql)
        text = "terminating connection due to administrator command"
        injected = self.ending({"error": {"code": "57P01", "message": text}}, sql)
        self.assertEqual(injected, real)
        self.assertNotEqual(real[1], 0)

    @needs("psycopg2")
    def test_drop_ends_the_connection_and_the_transaction(self):
        import psycopg2
        self.outcome(lambda _: None, "")
        self.armed(postgres={"query": "commit"}, drop={})
        connection = psycopg2.connect(self.server.dsn(port=self.proxy.port))
        self.addCleanup(connection.close)
        with connection.cursor() as cursor:
            cursor.execute("insert into payments (id) values (1)")
        with self.assertRaises(psycopg2.OperationalError):
            connection.commit()
        self.assertNotEqual(connection.closed, 0)
        self.assertEqual(self.server.sql("select count(*) from payments", dbname="app"), [("0",)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
