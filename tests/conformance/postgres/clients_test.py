"""An injected error is the real one for drivers with ways of their own: the batches and savepoints
and timeouts, pgx's batches, pools, statements that are prepared in SQL."""

import importlib.util
import os
import shutil
import subprocess
import threading
import time
import unittest

from errors_test import ROW, needs
from faults import CODE, TEXT, FaultCase

HERE = os.path.dirname(os.path.abspath(__file__))
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")  # To start, not to run.
JAR = "/usr/share/java/postgresql.jar"
MODULES = "/var/cache/misrule/go"  # tools/setup fetches them.
SOON_S = 15  # Less than what is held, with room for a busy machine.


def build_folder(name):
    folder = os.path.join(os.environ["MISRULE_BINARY_DIR"], name)
    os.makedirs(folder, exist_ok=True)
    return folder


class ProgramCase(FaultCase):
    """Programs print what they see: the outputs must be equal."""

    def printed(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def same_in_each_mode(self, client_of, modes):
        for mode in modes:
            with self.subTest(mode):
                at, query = ("commit", "COMMIT*") if mode == "commit" else ("row", ROW)
                if mode == "copy":
                    query = "copy*"
                seen, _ = self.same_as_real(client_of(mode), at, query)
                self.assertIn(CODE, seen)

    def same_when_it_is_the_nth(self, client, nth):
        """For a client that runs the statement without harm before."""
        real = self.outcome(client, self.server.dsn(), trigger="row")
        rule = self.armed(trigger={"nth": nth}, postgres={"query": ROW},
                          error={"message": TEXT, "code": CODE})
        injected = self.outcome(client, self.server.dsn(port=self.proxy.port))
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.assertEqual(injected, real)
        self.assertIn(CODE, real[0])


class IdleEnd:
    """A session that is ended while it waits in a pool: the next checkouts find it out."""
    FATAL = {"code": "57P01", "message": "terminating connection due to administrator command"}

    def arm_idle(self, nth=1):
        return self.armed(trigger={"nth": nth, "times": 1}, postgres={"moment": "idle"},
                          error=self.FATAL)

    def assert_goes_on(self, answers, rule):
        self.assertEqual(answers[-3:], [77, 77, 77])
        self.assertLessEqual(answers.count("dead"), 1)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


@unittest.skipIf(shutil.which("javac") is None, "no Java compiler is installed (Debian: a JDK)")
@unittest.skipIf(not os.path.exists(JAR), "libpostgresql-jdbc-java is not installed")
class JdbcTest(ProgramCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classes = build_folder("java-tests")
        subprocess.run(["javac", "-cp", JAR, "-d", cls.classes,
                        os.path.join(HERE, "java", "Faults.java")], check=True, timeout=120)

    def client_of(self, mode):
        def client(dsn):
            words = dict(word.split("=", 1) for word in dsn.split())
            url = (f"jdbc:postgresql://{words['host']}:{words['port']}/{words['dbname']}"
                   f"?user={words['user']}")
            return self.printed("java", *QUICK, "-cp", f"{JAR}:{self.classes}", "Faults", url, mode)
        return client

    def test_errors(self):
        self.same_in_each_mode(self.client_of, ("transaction", "commit", "batch",
                                                "batch-transaction", "batch-texts", "fetch"))

    def test_a_statement_that_the_driver_prepared(self):
        self.same_when_it_is_the_nth(self.client_of("prepared"), 8)

    def test_autosave_goes_on_in_the_transaction(self):
        seen, rows = self.same_as_real(self.client_of("autosave"), "row", ROW)
        self.assertIn("77 77", seen)
        self.assertEqual([row[0] for row in rows], ["1", "2", "3", "87"])

    def test_a_statement_that_sql_prepared(self):
        self.same_when_it_is_the_nth(self.client_of("named"), 2)

    def test_query_timeout_ends_what_is_held(self):
        client = self.client_of("timeout")
        expected = self.outcome(client, self.server.dsn())
        self.assertIn("57014", expected[0])
        self.assertIn("in time", expected[0])
        rule = self.armed(postgres={"query": "select pg_sleep*"}, delay={"duration_us": 20_000_000})
        self.assertEqual(self.outcome(client, self.server.dsn(port=self.proxy.port)), expected)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)


class PgxTest(ProgramCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("go") is None:
            raise unittest.SkipTest("no Go compiler is installed")
        cls.program = os.path.join(build_folder("go-tests"), "pgx-faults")
        done = subprocess.run(
            ["go", "build", "-o", cls.program, "."], cwd=os.path.join(HERE, "pgx"),
            capture_output=True, text=True, timeout=600,
            env={**os.environ, "GO111MODULE": "on", "GOFLAGS": "-mod=readonly", "GOPROXY": "off",
                 "GOMODCACHE": MODULES, "GOCACHE": build_folder("go-cache")})
        if "module lookup disabled" in done.stderr:
            raise unittest.SkipTest(f"pgx is not in {MODULES} (tools/setup fetches it)")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        super().setUpClass()

    def client_of(self, mode):
        return lambda dsn: self.printed(self.program, dsn, mode)

    def test_errors(self):
        self.same_in_each_mode(self.client_of, ("autocommit", "simple", "prepared", "transaction",
                                                "commit", "batch", "copy"))

    def test_rows_that_are_made_up(self):
        """In the mode of its own: described first, and read in binary."""
        real = "1 a true 1.5 2026-01-02 [1 2] {3600000000 1 14} 2.5"
        fake = "42 grüß false -0.25 2000-02-29 [3] {1000 -2 0} -77.125"
        client = self.client_of("rows")
        control = self.outcome(client, self.server.dsn(port=self.proxy.port))
        self.assertEqual(control[0].count(real), 3)
        values = {"whole": 42, "word": "grüß", "yes": False, "part": -0.25, "day": "2000-02-29",
                  "wholes": "{3}", "span": "-2 days 00:00:00.001", "price": "-77.125"}
        for action in ({"respond": {"columns": list(values), "rows": [list(values.values())]}},
                       {"rewrite": {"columns": values}}):
            with self.subTest(action=list(action)):
                rule = self.armed(trigger={"nth": 2}, postgres={"query": "select 1::int4*"},
                                  **action)
                seen = self.outcome(client, self.server.dsn(port=self.proxy.port))
                self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
                self.assertEqual(seen[0].splitlines().count(fake), 1)
                self.assertEqual(seen[0].replace(fake, real), control[0])

    def test_a_long_batch(self):
        """One Sync at its end: nothing is told of it before all of it has been sent."""
        seen = self.printed(self.program, self.server.dsn(port=self.proxy.port), "long-batch")
        self.assertIn("sum 4999950000 of 100000", seen)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


class PgxPoolTest(IdleEnd, PgxTest):
    # Its own alone.
    test_errors = test_rows_that_are_made_up = test_a_long_batch = None

    def test_a_pool_goes_on_after_one_was_ended_while_it_waited(self):
        rule = self.arm_idle(nth=4)  # Begun, prepared, asked, asked again.
        seen = self.printed(self.program, self.server.dsn(port=self.proxy.port), "pool")
        answers = [77 if line == "77" else "dead" for line in seen.splitlines()]
        self.assertEqual(len(answers), 10, seen)
        self.assert_goes_on(answers, rule)


class Named(FaultCase):
    def connect(self):
        import psycopg
        connection = psycopg.connect(self.server.dsn(port=self.proxy.port), autocommit=True)
        self.addCleanup(connection.close)
        return connection

    def by_protocol(self, connection, name, *arguments):
        result = connection.pgconn.exec_prepared(name, list(arguments))
        from psycopg.pq import DiagnosticField
        return (result.error_field(DiagnosticField.SQLSTATE),
                [result.get_value(row, 0) for row in range(result.ntuples)])

    @needs("psycopg")
    def test_a_rule_knows_what_sql_prepared_when_the_protocol_binds_it(self):
        connection = self.connect()
        connection.execute("prepare p as select 77 + $1::int")
        self.assertEqual(self.by_protocol(connection, b"p", b"1")[1], [b"78"])
        rule = self.armed(postgres={"query": "*select 77 + *"}, error={"code": "40001"})
        self.assertEqual(self.by_protocol(connection, b"p", b"1")[0], b"40001")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.proxy.set_rules([])
        self.assertEqual(self.by_protocol(connection, b"p", b"2")[1], [b"79"])

    @needs("psycopg")
    def test_deallocate_all_ends_what_a_name_meant(self):
        connection = self.connect()
        connection.pgconn.prepare(b"p", b"select 'old'")
        rule = self.armed(postgres={"query": "select 'old'*"}, error={"code": "40001"})
        self.assertEqual(self.by_protocol(connection, b"p")[0], b"40001")
        connection.execute("deallocate all")
        self.assertEqual(self.by_protocol(connection, b"p")[0], b"26000", "the server forgot it")
        connection.pgconn.prepare(b"p", b"select 'new'")
        self.assertEqual(self.by_protocol(connection, b"p")[1], [b"new"])
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)

    @needs("asyncpg")
    def test_an_error_at_parse_is_told_before_any_sync(self):
        import asyncio

        import asyncpg

        async def client():
            connection = await asyncpg.connect(host="127.0.0.1", port=self.proxy.port, user="app",
                                               database="app")
            try:
                self.armed(postgres={"query": "select 5*"}, error={"code": "40001"})
                begun = time.monotonic()
                with self.assertRaises(asyncpg.SerializationError):
                    statement = await connection.prepare("select 5")
                    await statement.fetch()
                self.assertLess(time.monotonic() - begun, SOON_S)
                return await connection.fetchval("select 77")
            finally:
                await connection.close()
        self.assertEqual(asyncio.run(asyncio.wait_for(client(), 60)), 77)

    @needs("psycopg2")
    def test_what_may_not_be_in_a_transaction_is_not_put_in_one(self):
        import psycopg2
        connection = psycopg2.connect(self.server.dsn("postgres", port=self.proxy.port))
        self.addCleanup(connection.close)
        connection.autocommit = True
        self.armed(postgres={"query": "nothing like this*"}, error={"code": "40001"})
        with connection.cursor() as cursor:
            cursor.execute("create database by_rule_free_path")
            cursor.execute("vacuum payments")
            cursor.execute("drop database by_rule_free_path")

    @needs("psycopg")
    def test_notifications_reach_the_idle_one_while_another_is_held(self):
        import psycopg
        listener, held = self.connect(), self.connect()
        listener.execute("listen news")
        self.armed(postgres={"query": "select 5*"}, delay={"duration_us": 20_000_000})
        thread = threading.Thread(target=lambda: held.execute("select 5"))
        thread.start()
        self.server.sql("notify news, 'idle'", dbname="app")
        begun = time.monotonic()
        message = next(listener.notifies())
        self.assertEqual(message.payload, "idle")
        self.assertLess(time.monotonic() - begun, SOON_S)
        # One whose own statement is held gets it, too, and then the statement's answer.
        seen = []
        listener.add_notify_handler(lambda told: seen.append(told.payload))
        waiting = threading.Thread(target=lambda: listener.execute("select 5"))
        waiting.start()
        self.server.sql("notify news, 'held'", dbname="app")
        self.proxy.set_rules([])
        for each in (thread, waiting):
            each.join(30)
        listener.execute("select 1")
        self.assertEqual(seen, ["held"])
        self.assertIsInstance(listener, psycopg.Connection)


class AsyncpgPoolTest(IdleEnd, FaultCase):
    @needs("asyncpg")
    def test_a_pool_goes_on_after_one_was_ended_while_it_waited(self):
        import asyncio

        import asyncpg

        async def client():
            loop = asyncio.get_running_loop()
            async with asyncpg.create_pool(host="127.0.0.1", port=self.proxy.port, user="app",
                                           database="app", min_size=1, max_size=1) as pool:
                first = await pool.fetchval("select pg_backend_pid()")
                rule = await loop.run_in_executor(None, self.arm_idle)
                answers = []
                for _ in range(5):
                    try:
                        answers.append(await pool.fetchval("select 77", timeout=60))
                    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError,
                            asyncpg.InternalClientError):
                        # The last: an end that is read together with the ReadyForQuery before it.
                        answers.append("dead")
                self.assertNotEqual(await pool.fetchval("select pg_backend_pid()"), first)
                return answers, rule
        self.assert_goes_on(*asyncio.run(client()))


@unittest.skipIf(importlib.util.find_spec("psycopg_pool") is None,
                 "python3-psycopg-pool is not installed")
class PoolTest(IdleEnd, FaultCase):
    def test_a_pool_goes_on_after_one_was_ended_while_it_waited(self):
        import psycopg
        import psycopg_pool
        with psycopg_pool.ConnectionPool(self.server.dsn(port=self.proxy.port), min_size=1,
                                         max_size=1, kwargs={"autocommit": True}) as pool:
            pool.wait(30)
            rule = self.arm_idle()
            answers = []
            for _ in range(5):
                try:
                    with pool.connection(timeout=30) as connection:
                        answers.append(connection.execute("select 77").fetchone()[0])
                except psycopg.OperationalError:
                    answers.append("dead")
            self.assert_goes_on(answers, rule)

    def test_a_pool_goes_on_after_what_ended_a_connection(self):
        import psycopg
        import psycopg_pool
        with psycopg_pool.ConnectionPool(self.server.dsn(port=self.proxy.port), min_size=1,
                                         max_size=1, kwargs={"autocommit": True}) as pool:
            with pool.connection() as connection:
                first = connection.execute("select pg_backend_pid()").fetchone()
            rule = self.armed(trigger={"times": 1}, postgres={"query": "select 5*"},
                              error=self.FATAL)
            with self.assertRaisesRegex(psycopg.OperationalError, self.FATAL["message"]), \
                    pool.connection() as connection:
                connection.execute("select 5")
            with pool.connection(timeout=30) as connection:
                self.assertEqual(connection.execute("select 5").fetchone(), (5,))
                self.assertNotEqual(connection.execute("select pg_backend_pid()").fetchone(), first)
            self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)

    def test_a_pool_goes_on_after_the_server_ended_all_that_were_idle(self):
        import psycopg
        import psycopg_pool
        with psycopg_pool.ConnectionPool(self.server.dsn(port=self.proxy.port), min_size=2,
                                         max_size=2, kwargs={"autocommit": True}) as pool:
            pool.wait(30)
            self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity "
                            "where usename = 'app'")
            answers = []
            for _ in range(5):  # Those that are dead are found out one by one, as without a proxy.
                try:
                    with pool.connection(timeout=30) as connection:
                        answers.append(connection.execute("select 77").fetchone())
                except psycopg.OperationalError:
                    answers.append("dead")
            self.assertEqual(answers[-1], (77,))
            self.assertLessEqual(answers.count("dead"), 2)
            pool.check()


if __name__ == "__main__":
    unittest.main(verbosity=2)
