"""An injected error is the real one, for drivers and for the rows on the server."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
import unittest

from faults import CODE, TEXT, FaultCase

ROW = "INSERT INTO payments (id, note)*"
INSERT = "insert into payments (id) values (%s)"
FAULTED = "INSERT INTO payments (id, note) VALUES (%s, %s)"
GO_SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go", "faults.go")


def needs(module):
    return unittest.skipIf(importlib.util.find_spec(module) is None,
                           f"python3-{module} is not installed")


def words_of(dsn):
    return dict(word.split("=", 1) for word in dsn.split())


class Psycopg2Test(FaultCase):
    def attempt(self, connection, sql, arguments=None):
        import psycopg2
        with connection.cursor() as cursor:
            try:
                cursor.execute(sql, arguments)
                seen = cursor.fetchall() if cursor.description else cursor.rowcount
            except psycopg2.Error as error:
                seen = type(error).__name__, error.pgcode, error.diag.message_primary
        return seen, connection.info.transaction_status, connection.closed

    def next_five(self, connection):
        return [self.attempt(connection, "select 77"), self.attempt(connection, INSERT, (2,)),
                self.attempt(connection, "select %s", ("eighty-seven",)),
                self.attempt(connection, "insert into payments (id) values (3), (4)"),
                self.attempt(connection, "select count(*) from payments")]

    def connected(self, dsn, autocommit):
        import psycopg2
        connection = psycopg2.connect(dsn)
        connection.autocommit = autocommit
        return connection

    @needs("psycopg2")
    def test_psycopg2_autocommit(self):
        def client(dsn):
            connection = self.connected(dsn, True)
            seen = [self.attempt(connection, INSERT, (1,)),
                    self.attempt(connection, FAULTED, (10, "x")), *self.next_five(connection)]
            connection.close()
            return seen
        seen, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual(seen[1][0][:2], ("SerializationFailure", CODE))
        self.assertEqual([row[0] for row in rows], ["1", "2", "3", "4"])

    @needs("psycopg2")
    def test_psycopg2_transaction_is_rolled_back(self):
        def client(dsn):
            connection = self.connected(dsn, False)
            seen = [self.attempt(connection, INSERT, (1,)),
                    self.attempt(connection, FAULTED, (10, "x")), *self.next_five(connection)]
            connection.commit()
            seen += [connection.info.transaction_status, *self.next_five(connection)]
            connection.commit()
            connection.close()
            return seen
        seen, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual(seen[2][0][1], "25P02")
        self.assertEqual([row[0] for row in rows], ["2", "3", "4"], "1 went with its transaction")

    @needs("psycopg2")
    def test_psycopg2_retries_and_succeeds(self):
        def client(dsn):
            connection = self.connected(dsn, False)
            seen = []
            for _ in range(2):
                seen += [self.attempt(connection, INSERT, (1,)),
                         self.attempt(connection, FAULTED, (10, "x"))]
                if isinstance(seen[-1][0], int):
                    connection.commit()
                else:
                    connection.rollback()
            connection.close()
            return seen
        _, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual(rows, [("1", "-"), ("10", "x")])

    @needs("psycopg2")
    def test_psycopg2_savepoint(self):
        def client(dsn):
            connection = self.connected(dsn, False)
            seen = [self.attempt(connection, INSERT, (1,)), self.attempt(connection, "savepoint s"),
                    self.attempt(connection, FAULTED, (10, "x")),
                    self.attempt(connection, "rollback to s"), *self.next_five(connection)]
            connection.commit()
            connection.close()
            return seen
        self.same_as_real(client, "row", ROW)

    @needs("psycopg2")
    def test_psycopg2_several_statements_in_one_string(self):
        def client(dsn):
            connection = self.connected(dsn, True)
            seen = [self.attempt(connection, "insert into payments (id) values (1); "
                                             "INSERT INTO payments (id, note) VALUES (10, 'x;'); "
                                             "insert into payments (id) values (11)"),
                    *self.next_five(connection)]
            connection.close()
            return seen
        _, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual([row[0] for row in rows], ["2", "3", "4"], "the whole string is undone")

    @needs("psycopg2")
    def test_psycopg2_commit_in_one_string(self):
        def client(dsn):
            connection = self.connected(dsn, True)
            sql = ("begin; insert into payments values (10, 'x'); commit; "
                   "insert into payments (id) values (11)")
            seen = [self.attempt(connection, sql), *self.next_five(connection)]
            connection.close()
            return seen
        _, rows = self.same_as_real(client, "commit", "COMMIT*")
        self.assertEqual([row[0] for row in rows], ["2", "3", "4"])

    @needs("psycopg2")
    def test_psycopg2_commit(self):
        import psycopg2

        def client(dsn):
            connection = self.connected(dsn, False)
            seen = [self.attempt(connection, FAULTED, (10, "x"))]
            try:
                connection.commit()
            except psycopg2.Error as error:
                seen.append((type(error).__name__, error.pgcode, error.diag.message_primary))
            seen += [connection.info.transaction_status, *self.next_five(connection)]
            connection.commit()
            connection.close()
            return seen
        seen, rows = self.same_as_real(client, "commit", "COMMIT")
        self.assertEqual(seen[1][1], CODE)
        self.assertEqual([row[0] for row in rows], ["2", "3", "4"], "10 is not committed later")

    @needs("psycopg2")
    def test_psycopg2_copy(self):
        import io

        import psycopg2

        def client(dsn):
            connection = self.connected(dsn, True)
            seen = []
            with connection.cursor() as cursor:
                try:
                    cursor.copy_expert("COPY payments FROM STDIN", io.StringIO("20\tx\n21\ty\n"))
                    seen.append(cursor.rowcount)
                except psycopg2.Error as error:
                    seen.append((type(error).__name__, error.pgcode, error.diag.message_primary))
            seen += self.next_five(connection)
            connection.close()
            return seen
        self.same_as_real(client, "row", "COPY payments*")


class Psycopg3Test(FaultCase):
    def attempt(self, connection, sql, arguments=None, **options):
        import psycopg
        try:
            cursor = connection.execute(sql, arguments, **options)
            seen = cursor.fetchall() if cursor.description else cursor.rowcount
        except psycopg.Error as error:
            seen = type(error).__name__, error.sqlstate, error.diag.message_primary
        return seen, connection.info.transaction_status.name, connection.closed

    def next_five(self, connection):
        return [self.attempt(connection, "select %s::int", (77,)),
                self.attempt(connection, INSERT, (2,)),
                self.attempt(connection, "select %s::text", ("87",), prepare=True),
                self.attempt(connection, INSERT, (3,), prepare=True),
                self.attempt(connection, "select count(*) from payments", prepare=True)]

    @needs("psycopg")
    def test_psycopg3_autocommit(self):
        import psycopg
        for prepare in (False, True):
            def client(dsn):
                with psycopg.connect(dsn, autocommit=True) as connection:
                    return [self.attempt(connection, INSERT, (1,), prepare=prepare),
                            self.attempt(connection, FAULTED, (10, "x"), prepare=prepare),
                            *self.next_five(connection)]
            with self.subTest(prepare=prepare):
                seen, rows = self.same_as_real(client, "row", ROW)
                self.assertEqual(seen[1][0][:2], ("SerializationFailure", CODE))
                self.assertEqual([row[0] for row in rows], ["1", "2", "3"])

    @needs("psycopg")
    def test_psycopg3_statement_already_prepared(self):
        import psycopg

        def client(dsn):
            with psycopg.connect(dsn, autocommit=True) as connection:
                # What fails has run before under the same name, without a note.
                seen = [self.attempt(connection, FAULTED, (n, None), prepare=True) for n in (5, 6)]
                return seen + [self.attempt(connection, FAULTED, (10, "x"), prepare=True),
                               self.attempt(connection, FAULTED, (11, "y"), prepare=True),
                               *self.next_five(connection)]

        direct, through = self.server.dsn(), self.server.dsn(port=self.proxy.port)
        real = self.outcome(client, direct, trigger="row")
        rule_id = self.armed(trigger={"nth": 3}, postgres={"query": ROW},
                             error={"message": TEXT, "code": CODE})
        injected = self.outcome(client, through)
        self.assertEqual(self.proxy.tallies()[rule_id]["fired"], 1)
        self.assertEqual(injected, real)
        self.assertEqual([row[0] for row in real[1]], ["2", "3", "5", "6", "11"])

    @needs("psycopg")
    def test_psycopg3_transaction(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn, autocommit=True) as connection:
                try:
                    with connection.transaction():
                        connection.execute(INSERT, (1,))
                        connection.execute(FAULTED, (10, "x"))
                except psycopg.Error as error:
                    seen.append((type(error).__name__, error.sqlstate))
                return seen + self.next_five(connection)
        _, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual([row[0] for row in rows], ["2", "3"], "1 went with its transaction")

    @needs("psycopg")
    def test_psycopg3_nested_transaction(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn) as connection:
                connection.execute(INSERT, (1,))
                try:
                    with connection.transaction():
                        connection.execute(FAULTED, (10, "x"))
                except psycopg.Error as error:
                    seen.append((type(error).__name__, error.sqlstate))
                seen += self.next_five(connection)
            return seen
        _, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual([row[0] for row in rows], ["1", "2", "3"])

    @needs("psycopg")
    def test_psycopg3_commit(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn) as connection:
                seen.append(self.attempt(connection, FAULTED, (10, "x")))
                try:
                    connection.commit()
                except psycopg.Error as error:
                    seen.append((type(error).__name__, error.sqlstate))
                seen += self.next_five(connection)
            return seen
        _, rows = self.same_as_real(client, "commit", "COMMIT")
        self.assertEqual([row[0] for row in rows], ["2", "3"])

    @needs("psycopg")
    def test_psycopg3_pipeline(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn, autocommit=True) as connection:
                cursors = [connection.cursor() for _ in range(4)]
                try:
                    with connection.pipeline():
                        cursors[0].execute(INSERT + " returning id", (1,))
                        cursors[1].execute(FAULTED, (10, "x"))
                        cursors[2].execute("select 2")
                        cursors[3].execute("select 3")
                except psycopg.Error as error:
                    seen.append((type(error).__name__, error.sqlstate))
                for cursor in cursors:
                    try:
                        seen.append(cursor.fetchall())
                    except psycopg.Error as error:
                        seen.append(type(error).__name__)
                return seen + self.next_five(connection)
        _, rows = self.same_as_real(client, "row", ROW)
        self.assertEqual([row[0] for row in rows], ["2", "3"], "the segment is undone")

    @needs("psycopg")
    def test_psycopg3_pipeline_goes_on_behind_a_sync(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn, autocommit=True) as connection:
                with connection.pipeline() as pipeline:
                    faulted = connection.cursor()
                    try:
                        faulted.execute(FAULTED, (10, "x"))
                        pipeline.sync()
                    except psycopg.Error as error:
                        seen.append((type(error).__name__, error.sqlstate))
                    behind = connection.execute("select 87")
                    pipeline.sync()
                    seen.append(behind.fetchall())
                return seen + self.next_five(connection)
        self.same_as_real(client, "row", ROW)

    @needs("psycopg")
    def test_psycopg3_executemany(self):
        import psycopg

        def client(dsn):
            seen = []
            with psycopg.connect(dsn, autocommit=True) as connection:
                with connection.cursor() as cursor:
                    try:
                        cursor.executemany(FAULTED, [(10, "x"), (11, "y"), (12, "z")])
                        seen.append(cursor.rowcount)
                    except psycopg.Error as error:
                        seen.append((type(error).__name__, error.sqlstate))
                return seen + self.next_five(connection)
        self.same_as_real(client, "row", ROW)


class AsyncpgTest(FaultCase):
    async def attempt(self, call, *arguments):
        import asyncpg
        try:
            seen = await call(*arguments)
            seen = [tuple(row) for row in seen] if isinstance(seen, list) else seen
        except asyncpg.PostgresError as error:
            seen = type(error).__name__, error.sqlstate, error.message
        return seen

    async def next_five(self, connection):
        return [await self.attempt(connection.fetch, "select $1::int", 77),
                await self.attempt(connection.execute, "insert into payments (id) values ($1)", 2),
                await self.attempt(connection.fetchval, "select $1::text", "87"),
                await self.attempt(connection.execute, "insert into payments (id) values (3)"),
                await self.attempt(connection.fetchval, "select count(*) from payments"),
                connection.is_in_transaction(), connection.is_closed()]

    def client(self, body):
        import asyncpg

        async def run(words):
            connection = await asyncpg.connect(host=words["host"], port=int(words["port"]),
                                               user=words["user"], database=words["dbname"])
            seen = await body(connection)
            seen += await self.next_five(connection)
            await connection.close()
            return seen
        return lambda dsn: asyncio.run(run(words_of(dsn)))

    FAULTED = "INSERT INTO payments (id, note) VALUES ($1, $2)"

    @needs("asyncpg")
    def test_asyncpg(self):
        async def body(connection):
            insert = "insert into payments (id) values ($1)"
            return [await self.attempt(connection.execute, insert, 1),
                    await self.attempt(connection.execute, self.FAULTED, 10, "x")]
        seen, rows = self.same_as_real(self.client(body), "row", ROW)
        self.assertEqual(seen[1][:2], ("SerializationError", CODE))
        self.assertEqual([row[0] for row in rows], ["1", "2", "3"])

    @needs("asyncpg")
    def test_asyncpg_transaction(self):
        async def body(connection):
            transaction = connection.transaction()
            await transaction.start()
            seen = [await self.attempt(connection.execute, "insert into payments (id) values (1)"),
                    await self.attempt(connection.execute, self.FAULTED, 10, "x"),
                    await self.attempt(connection.fetchval, "select 5")]
            await transaction.rollback()
            return seen
        _, rows = self.same_as_real(self.client(body), "row", ROW)
        self.assertEqual([row[0] for row in rows], ["2", "3"])

    @needs("asyncpg")
    def test_asyncpg_commit(self):
        async def body(connection):
            transaction = connection.transaction()
            await transaction.start()
            return [await self.attempt(connection.execute, self.FAULTED, 10, "x"),
                    await self.attempt(transaction.commit)]
        _, rows = self.same_as_real(self.client(body), "commit", "COMMIT")
        self.assertEqual([row[0] for row in rows], ["2", "3"])

    @needs("asyncpg")
    def test_asyncpg_executemany(self):
        async def body(connection):
            return [await self.attempt(connection.executemany, self.FAULTED,
                                       [(10, "x"), (11, "y"), (12, "z")])]
        self.same_as_real(self.client(body), "row", ROW)

    @needs("asyncpg")
    def test_asyncpg_copy(self):
        async def body(connection):
            return [await self.attempt(lambda: connection.copy_records_to_table(
                "payments", records=[(10, "x"), (11, "y")]))]
        self.same_as_real(self.client(body), "row", "COPY*payments*")


class GoTest(FaultCase):
    @unittest.skipIf(shutil.which("go") is None, "no Go compiler is installed")
    @unittest.skipIf(not os.path.isdir("/usr/share/gocode/src/github.com/lib/pq"),
                     "golang-github-lib-pq-dev is not installed")
    def test_go_lib_pq(self):
        folder = self.enterContext_(tempfile.TemporaryDirectory())
        program = os.path.join(folder, "faults")
        # The cache stays: compiling Go's own library takes longer than everything else here.
        cache = os.path.join(os.environ["MISRULE_BINARY_DIR"], "go-cache")
        subprocess.run(["go", "build", "-o", program, GO_SOURCE], check=True, timeout=600,
                       env={**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off",
                            "GOFLAGS": "", "GOCACHE": cache})
        for mode, at, query in (("autocommit", "row", ROW), ("prepared", "row", ROW),
                                ("transaction", "row", ROW), ("commit", "commit", "COMMIT")):
            def client(dsn):
                done = subprocess.run([program, dsn + " sslmode=disable", mode], timeout=60,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout
            with self.subTest(mode):
                seen, _ = self.same_as_real(client, at, query)
                self.assertIn(CODE, seen)

    def enterContext_(self, context):
        entered = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return entered


if __name__ == "__main__":
    unittest.main(verbosity=2)
