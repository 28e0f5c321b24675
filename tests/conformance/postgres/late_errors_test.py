"""Errors in the course of a reply, of a COPY, of a session: what drivers see of them, that the
server's transaction has failed as they were told, and that what follows is sound."""

import io
import socket
import struct
import threading
import unittest

from errors_test import needs
from lost_test import INSERT
from made_up_test import Changed, psycopg2_run, psycopg_connect, psycopg_run

ROWS = "select n from generate_series(1, 30) n"
PATTERN = "select n from generate_series*"
ERROR = {"code": "53100", "message": "could not extend file: No space left on device"}


class AfterRows(Changed):
    def arm_after(self, rows, query=PATTERN):
        return self.arm_once(query, error={**ERROR, "after_rows": rows})

    @needs("psycopg2")
    def test_psycopg2_sees_an_error_and_a_failed_transaction(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        cursor = connection.cursor()
        cursor.execute(ROWS)
        self.assertEqual(len(cursor.fetchall()), 30)
        rule = self.arm_after(10)
        cursor.execute(INSERT, (1,))
        with self.assertRaises(psycopg2.errors.DiskFull):
            cursor.execute(ROWS)
        self.assert_fired(rule)
        self.assertEqual(connection.info.transaction_status, 3)
        with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
            cursor.execute("select 1")
        connection.rollback()
        self.next_five(psycopg2_run(connection))
        self.assertEqual(self.rows(), [])

    @needs("psycopg2")
    def test_a_named_cursor_has_what_it_fetched_before(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        rule = self.armed(trigger={"nth": 2, "times": 1}, postgres={"query": "fetch*"},
                          error={**ERROR, "after_rows": 5})
        cursor = connection.cursor("named")
        cursor.execute(ROWS)
        self.assertEqual([row[0] for row in cursor.fetchmany(10)], list(range(1, 11)))
        with self.assertRaises(psycopg2.errors.DiskFull):
            cursor.fetchmany(10)
        self.assert_fired(rule)
        self.assertEqual(connection.info.transaction_status, 3)
        connection.rollback()
        self.next_five(psycopg2_run(connection))

    @needs("psycopg2")
    def test_an_error_before_it_keeps_its_position(self):
        import psycopg2
        text = "select 1; select nosuch; select n from generate_series(1, 3) n; select 4"

        def place(dsn):
            connection = psycopg2.connect(dsn)
            connection.autocommit = True
            with self.assertRaises(psycopg2.errors.UndefinedColumn) as caught:
                connection.cursor().execute(text)
            self.next_five(psycopg2_run(connection))
            return caught.exception.diag.statement_position
        real = place(self.server.dsn())
        self.arm_once(PATTERN, error=ERROR)
        self.assertEqual((place(self.dsn()), real), ("18", "18"))

    @needs("psycopg")
    def test_psycopg_streams_the_rows_before_it(self):
        import psycopg
        for sql in (ROWS, ROWS.replace("30", "%s::int")):
            with self.subTest(sql=sql), psycopg_connect(self.dsn()) as connection:
                rule = self.arm_after(10)
                seen = []
                with self.assertRaises(psycopg.errors.DiskFull):
                    arguments = (30,) if "%s" in sql else None
                    for row in connection.cursor().stream(sql, arguments):
                        seen.append(row[0])
                self.assertEqual(seen, list(range(1, 11)))
                self.assert_fired(rule)
                self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_writes_of_the_statement_are_undone(self):
        import psycopg
        with psycopg_connect(self.dsn()) as connection:
            rule = self.arm_after(1, "insert into payments*")
            with self.assertRaises(psycopg.errors.DiskFull):
                connection.execute("insert into payments values (1), (2), (3) returning id")
            self.assert_fired(rule)
            self.assertEqual(self.rows(), [])
            rule = self.arm_after(1, "insert into payments*")
            with self.assertRaises(psycopg.errors.DiskFull):
                connection.execute("insert into payments values (%s), (2) returning id", (1,))
            self.assert_fired(rule)
            self.assertEqual(self.rows(), [])
            self.next_five(psycopg_run(connection))

    @needs("psycopg2")
    def test_the_servers_own_error_comes_first(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_after(10, "select 1/*")
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            connection.cursor().execute("select 1/(n-1) from generate_series(1, 9) n")
        self.assert_skipped(rule, "by itself")

    @needs("psycopg2")
    def test_copy_out(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        cursor = connection.cursor()
        sql = f"copy ({ROWS}) to stdout"
        whole = io.StringIO()
        cursor.copy_expert(sql, whole)
        self.assertEqual(len(whole.getvalue().split()), 30)
        rule = self.arm_after(10, "copy*")
        part = io.StringIO()
        with self.assertRaises(psycopg2.errors.DiskFull):
            cursor.copy_expert(sql, part)
        self.assert_fired(rule)
        self.assertEqual(part.getvalue().split(), [str(n) for n in range(1, 11)])
        self.assertEqual(connection.info.transaction_status, 3)
        connection.rollback()
        self.next_five(psycopg2_run(connection))

    def copied_in(self, copy, rows):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_after(rows, "copy payments from stdin*")
        with self.assertRaises(psycopg2.errors.DiskFull):
            connection.cursor().copy_expert("copy payments from stdin", io.StringIO(copy))
        self.assert_fired(rule)
        self.assertEqual(self.rows(), [])
        self.next_five(psycopg2_run(connection))
        connection.cursor().copy_expert("copy payments from stdin", io.StringIO("1\tx\n"))
        self.assertEqual(self.rows(), [("1",)])

    @needs("psycopg2")
    def test_copy_in(self):
        self.copied_in("".join(f"{n}\tnote\n" for n in range(1, 5001)), 100)

    @needs("psycopg2")
    def test_copy_in_of_fewer_rows(self):
        self.copied_in("1\ta\n2\tb\n", 100)

    @needs("psycopg")
    def test_psycopg_copies_in_binary(self):
        import psycopg
        with psycopg_connect(self.dsn()) as connection:
            rule = self.arm_after(5, "copy payments*")
            with self.assertRaises(psycopg.errors.DiskFull):
                with connection.cursor().copy("copy payments from stdin (format binary)") as copy:
                    copy.set_types(["int4", "text"])
                    for number in range(1, 20001):
                        copy.write_row((number, "note"))
            self.assert_fired(rule)
            self.assertEqual(self.rows(), [])
            self.next_five(psycopg_run(connection))


    @needs("asyncpg")
    def test_asyncpg_is_told_of_a_copy_that_fails(self):
        import asyncio

        import asyncpg

        async def client():
            connection = await asyncpg.connect(self.dsn_url())
            loop = asyncio.get_running_loop()
            for _ in range(10):  # It sends rows before the server has said that the COPY begins.
                rule = await loop.run_in_executor(None, self.arm_after, 100, "copy*payments*")
                lines = b"".join(b"%d\tnote\n" % n for n in range(1, 20001))
                with self.assertRaises(asyncpg.DiskFullError) as caught:
                    await connection.copy_to_table("payments", source=io.BytesIO(lines))
                self.assertEqual(caught.exception.message, ERROR["message"])
                await loop.run_in_executor(None, self.assert_fired, rule)
                self.assertEqual(await connection.fetchval("select count(*) from payments"), 0)
            await connection.copy_to_table("payments", source=io.BytesIO(b"1\tx\n"))
            for number in range(5):
                self.assertEqual(await connection.fetchval("select $1::int", number), number)
            await connection.close()
        asyncio.run(client())
        self.assertEqual(self.rows(), [("1",)])

    dsn_url = __import__("lost_test").LostReplies.dsn_url


class Moments(Changed):
    def moment(self, moment, times=1, **more):
        return self.armed(trigger={"times": times}, postgres={"moment": moment, **more.pop(
            "match", {})}, **more)

    @needs("psycopg2")
    def test_a_server_that_takes_no_more_sessions(self):
        import psycopg2
        for code, text in (("53300", "sorry, too many clients already"),
                           ("57P03", "the database system is starting up"),
                           ("28P01", "password authentication failed for user \"app\""),
                           ("3D000", "database \"app\" does not exist")):
            for sslmode in ("disable", "prefer"):
                with self.subTest(code=code, sslmode=sslmode):
                    rule = self.moment("startup", error={"code": code, "message": text})
                    with self.assertRaises(psycopg2.OperationalError) as caught:
                        psycopg2.connect(self.dsn() + f" sslmode={sslmode}")
                    self.assertIn(f"FATAL:  {text}", str(caught.exception))
                    self.assert_fired(rule)
                    connection = psycopg2.connect(self.dsn() + f" sslmode={sslmode}")
                    self.next_five(psycopg2_run(connection))
                    connection.close()

    @needs("asyncpg")
    def test_asyncpg_knows_the_class(self):
        import asyncio

        import asyncpg
        rule = self.moment("startup", error={"code": "53300"})

        async def client():
            with self.assertRaises(asyncpg.TooManyConnectionsError):
                await asyncpg.connect(self.dsn_url())
        asyncio.run(client())
        self.assert_fired(rule)

    dsn_url = __import__("lost_test").LostReplies.dsn_url

    @needs("psycopg2")
    def test_of_one_database_alone(self):
        import psycopg2
        rule = self.moment("startup", match={"database": "postgres"}, error={"code": "57P03"})
        psycopg2.connect(self.dsn()).close()
        with self.assertRaises(psycopg2.OperationalError):
            psycopg2.connect(self.server.dsn(port=self.proxy.port, dbname="postgres"))
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_a_session_that_ends_as_it_begins(self):
        import psycopg2
        rule = self.moment("startup", drop={})
        with self.assertRaises(psycopg2.OperationalError) as caught:
            psycopg2.connect(self.dsn())
        self.assertIn("closed the connection unexpectedly", str(caught.exception))
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_a_session_that_begins_late(self):
        import psycopg2
        rule = self.moment("startup", delay={"duration_us": 200000})
        connection = psycopg2.connect(self.dsn())
        self.assert_fired(rule)
        self.assertGreaterEqual(self.exchange(rule)["duration_ms"], 200)
        self.next_five(psycopg2_run(connection))

    def read_all(self, connection):
        seen = b""
        while chunk := connection.recv(65536):
            seen += chunk
        return seen

    def test_the_bytes_of_a_refusal(self):
        rule = self.moment("startup", error={"code": "53300"})
        with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=10) as connection:
            body = struct.pack("!I", 3 << 16) + b"user\0app\0database\0app\0\0"
            connection.sendall(struct.pack("!I", 4 + len(body)) + body)
            seen = self.read_all(connection)
        self.assertEqual(seen[:1], b"E", "before anything about authentication")
        self.assertIn(b"SFATAL\0VFATAL\0C53300\0", seen)
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_a_session_that_is_ended_while_it_waits(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        run = psycopg2_run(connection)
        self.next_five(run)
        text = "terminating connection due to administrator command"
        rule = self.moment("idle", error={"code": "57P01", "message": text})
        self.assertEqual(run("select 1, 2"), (1, 2), "it waits once this is done")
        self.assert_fired(rule)
        with self.assertRaises(psycopg2.OperationalError) as caught:
            run("select 2")
        self.assertIsNone(caught.exception.pgcode, "as after pg_terminate_backend")
        self.assertTrue(connection.closed)
        self.assertEqual(self.exchange(rule)["reply"], f"FATAL 57P01: {text}")
        connection = psycopg2.connect(self.dsn())
        self.next_five(psycopg2_run(connection))
        waiting = self.server.sql("select count(*) from pg_stat_activity where usename = 'app' "
                                  "and query = 'select 1, 2'")
        self.assertEqual(waiting, [("0",)], "the server's session has ended, too")

    @needs("psycopg2")
    def test_not_within_a_transaction(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        rule = self.moment("idle", error={"code": "57P01"})
        cursor = connection.cursor()
        cursor.execute(INSERT, (1,))
        cursor.execute("select 1")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 0)
        connection.commit()
        self.assert_fired(rule)
        self.assertEqual(self.rows(), [("1",)])


class Damaged(Changed):
    @needs("psycopg2")
    def test_corrupted_rows_keep_their_lengths(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        cursor = connection.cursor()
        sql = "select 'abcdefghij' as a, 'klmnop' as b"
        rule = self.arm_once("select 'abc*", corrupt={"bytes": 3})
        cursor.execute(sql)
        seen = "".join(cursor.fetchone())
        self.assert_fired(rule)
        self.assertEqual(len(seen), 16)
        self.assertEqual(sum(a != b for a, b in zip(seen, "abcdefghijklmnop")), 3)
        self.next_five(psycopg2_run(connection))

    @needs("psycopg2")
    def test_a_corrupted_frame_loses_the_client(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        rule = self.arm_once("select 'abc*", corrupt={"framing": True})
        seen = []

        def run():
            try:
                connection.cursor().execute("select 'abcdef'")
                seen.append("a row")
            except psycopg2.Error:
                seen.append("lost")
        # It finds that out, or takes what follows for a length and waits for as much for ever.
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(5)
        self.assertIn(seen, ([], ["lost"]))
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_a_corrupted_request(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_once("select 'aaaa*", corrupt={"bytes": 1, "side": "request"})
        cursor = connection.cursor()
        sent = "select '" + "a" * 4000 + "'"
        try:
            cursor.execute(sent)
            self.assertNotEqual(cursor.fetchone()[0], "a" * 4000)
        except psycopg2.Error as error:
            self.assertEqual(error.pgcode[:2], "42")
        self.assert_fired(rule)
        self.next_five(psycopg2_run(connection))
        rule = self.arm_once("select 'abc*", corrupt={"framing": True, "side": "request"})
        with self.assertRaises(psycopg2.OperationalError):
            cursor.execute("select 'abcdef'")
        self.assertTrue(connection.closed, "a server that lost track ends the session")
        self.assert_fired(rule)

    @needs("psycopg2")
    def test_a_reply_that_is_cut_off(self):
        import psycopg2
        for cut in (0, 1, 40, 10 ** 6):
            with self.subTest(cut=cut):
                self.setUp()
                connection = psycopg2.connect(self.dsn())
                connection.autocommit = True
                rule = self.arm_once(truncate={"bytes": cut})
                with self.assertRaises(psycopg2.OperationalError):
                    connection.cursor().execute(INSERT + " returning id, id, id", (1,))
                self.assert_fired(rule)
                self.assertEqual(self.rows(), [("1",)], "the server did it")
                self.assertEqual(self.exchange(rule)["server"], "did")

    @needs("psycopg2")
    def test_a_request_that_is_cut_off(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_once(truncate={"bytes": 20, "side": "request"})
        with self.assertRaises(psycopg2.OperationalError):
            connection.cursor().execute(INSERT, (1,))
        self.assert_fired(rule)
        self.assertEqual(self.rows(), [])

    @needs("psycopg")
    def test_a_reply_lost_by_a_reset(self):
        import psycopg
        connection = psycopg_connect(self.dsn())
        rule = self.arm_once(drop={"side": "reply", "reset": True})
        with self.assertRaises(psycopg.OperationalError):
            connection.execute(INSERT, (1,))
        self.assertEqual(self.exchange(rule)["reply"], "connection reset in place of INSERT 0 1")
        self.assert_fired(rule)
        self.assertEqual(self.rows(), [("1",)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
