"""Drivers with their default settings, through the idle proxy."""

import asyncio
import importlib.util
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from transparency import PostgresTransparency

GO_SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go", "client.go")


def needs(module):
    return unittest.skipIf(importlib.util.find_spec(module) is None,
                           f"python3-{module} is not installed")


class DriversTest(PostgresTransparency):
    @needs("psycopg2")
    def test_psycopg2(self):
        import psycopg2

        def run(dsn):
            with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
                cursor.execute("create temp table t (id int, name text)")
                cursor.executemany("insert into t values (%s, %s)",
                                   [(n, f"n{n}") for n in range(20)])
                connection.commit()
                try:
                    cursor.execute("select 1/0")
                except psycopg2.errors.DivisionByZero as error:
                    code = error.pgcode
                connection.rollback()
                cursor.execute("select sum(id), max(name) from t")
                result = code, cursor.fetchall()
                with connection.cursor("named") as stream:
                    stream.itersize = 5
                    stream.execute("select id from t order by id")
                    result += (stream.fetchall(),)
            connection.close()
            return result
        self.assertEqual(self.same(run)[1], [(190, "n9")])

    @needs("psycopg2")
    def test_psycopg2_cancel_leaves_the_connection_usable(self):
        import psycopg2
        connection = psycopg2.connect(self.server.dsn(port=self.proxy.port))
        self.addCleanup(connection.close)
        connection.autocommit = True
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with connection.cursor() as cursor, self.assertRaises(psycopg2.errors.QueryCanceled):
            cursor.execute("select pg_sleep(20)")
        timer.join()
        with connection.cursor() as cursor:
            cursor.execute("select 77")
            self.assertEqual(cursor.fetchall(), [(77,)])

    @needs("psycopg2")
    def test_notifications_arrive_on_an_idle_connection(self):
        import psycopg2
        connection = psycopg2.connect(self.server.dsn(port=self.proxy.port))
        self.addCleanup(connection.close)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("listen news")
        for word in ("first", "second"):
            self.server.sql(f"notify news, '{word}'", dbname="app")
            self.assertTrue(select.select([connection], [], [], 5)[0])
            connection.poll()
            self.assertEqual(connection.notifies.pop().payload, word)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    @needs("psycopg")
    def test_psycopg3(self):
        import psycopg

        def run(dsn):
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("create temp table t (id int, name text)")
                for n in range(8):  # The sixth is prepared.
                    connection.execute("insert into t values (%s, %s)", (n, f"n{n}"))
                with connection.transaction(force_rollback=True):
                    connection.execute("delete from t")
                with connection.cursor(binary=True) as cursor:
                    cursor.execute("select * from t order by id")
                    rows = cursor.fetchall()
                with connection.cursor() as cursor, cursor.copy("copy t from stdin") as copy:
                    for n in range(1000):
                        copy.write_row((n, "copied"))
                count = connection.execute("select count(*) from t").fetchone()
            return rows, count
        self.assertEqual(self.same(run)[1], (1008,))

    @needs("psycopg")
    def test_psycopg3_pipeline(self):
        import psycopg

        def run(dsn):
            with psycopg.connect(dsn, autocommit=True) as connection:
                with connection.pipeline() as pipeline:
                    cursors = [connection.execute("select %s::int * 2", (n,)) for n in range(30)]
                    pipeline.sync()
                    results = [cursor.fetchone() for cursor in cursors]
                codes = []
                try:
                    with connection.pipeline():
                        # First: the server forgets to count what an error catches unfinished.
                        connection.execute("select nosuch")
                        connection.execute("select 1")
                        connection.execute("select 2")
                except psycopg.Error as error:
                    codes.append(error.sqlstate)
                results.append(connection.execute("select 'usable'").fetchone())
            return results, codes
        results, codes = self.same(run)
        self.assertEqual((results[29], results[30], codes), ((58,), ("usable",), ["42703"]))

    @needs("asyncpg")
    def test_asyncpg(self):
        import asyncpg

        async def client(words):
            connection = await asyncpg.connect(host=words["host"], port=int(words["port"]),
                                               user=words["user"], database=words["dbname"],
                                               password=words.get("password"))
            await connection.execute("create temp table t (id int, name text)")
            await connection.executemany("insert into t values ($1, $2)",
                                         [(n, f"n{n}") for n in range(50)])
            rows = [tuple(r) for r in await connection.fetch("select * from t where id < $1", 3)]
            try:
                await connection.fetch("select 1/$1::int", 0)
            except asyncpg.DivisionByZeroError as error:
                rows.append(error.sqlstate)
            async with connection.transaction():
                cursor = await connection.cursor("select id from t order by id")
                rows.append([r["id"] for r in await cursor.fetch(10)])
            await connection.copy_records_to_table("t", records=[(n, "x") for n in range(500)])
            rows.append(await connection.fetchval("select count(*) from t"))
            await connection.close()
            return rows

        def run(dsn):
            return asyncio.run(client(dict(word.split("=", 1) for word in dsn.split())))
        for user in ("app", "scram"):
            self.assertEqual(self.same(run, user)[-1], 550)

    @unittest.skipIf(shutil.which("go") is None, "no Go compiler is installed")
    @unittest.skipIf(not os.path.isdir("/usr/share/gocode/src/github.com/lib/pq"),
                     "golang-github-lib-pq-dev is not installed")
    def test_go_lib_pq(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "client")
            subprocess.run(["go", "build", "-o", program, GO_SOURCE], check=True, timeout=280,
                           env={**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off",
                                "GOFLAGS": "", "GOCACHE": os.path.join(
                                    os.environ["MISRULE_BINARY_DIR"], "go-cache")})

            def run(dsn):
                # lib/pq asks for TLS unless told otherwise: its own default fails directly, too.
                done = subprocess.run([program, dsn + " sslmode=disable"], capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout
            for user in ("app", "scram"):
                self.assertIn("rows 20", self.same(run, user))

    @needs("psycopg2")
    def test_a_connection_that_idles_stays_usable(self):
        import psycopg2

        def run(dsn):
            connection = psycopg2.connect(dsn)
            with connection.cursor() as cursor:
                cursor.execute("select 1")
                time.sleep(0.5)
                cursor.execute("select 2")
                result = cursor.fetchall()
            connection.close()
            return result
        self.same(run)


if __name__ == "__main__":
    unittest.main(verbosity=2)
