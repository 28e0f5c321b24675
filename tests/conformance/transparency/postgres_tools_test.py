"""PostgreSQL's own programs with their default settings, through the idle proxy."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from fragments import Fragmented
from transparency import MemoryWatch, PostgresTransparency, ProxyProcess, skip

for program in ("psql", "pgbench", "pg_dump"):
    if shutil.which(program) is None:
        skip(f"{program} is not installed (Debian: postgresql-client, postgresql-contrib)")


def psql(dsn, *arguments, **more):
    done = subprocess.run(["psql", "-X", dsn, *arguments], capture_output=True, text=True,
                          timeout=60, **more)
    return done.returncode, done.stdout, done.stderr


SCRIPT = """\
create temp table t (id int primary key, name text);
insert into t values (1, 'one'), (2, 'zwei'), (3, null);
begin; update t set name = 'un' where id = 1; savepoint s; select 1/0; rollback to s; commit;
select * from t order by id;
prepare p (int) as select name from t where id = $1; execute p(2); deallocate p;
select 1 \\; select 2 \\; select 3;
select 'a;b' as "x;y", $$c;d$$ /* e;f */ -- g;h
;
do $$ begin raise notice 'noticed'; end $$;
set application_name = 'renamed'; show application_name;
copy t to stdout;
select nosuch;
;
insert into t values (1, 'again');
declare c cursor for select 1;
"""


class ToolsTest(PostgresTransparency):
    def test_psql_with_default_settings(self):
        for user in ("app", "scram"):
            code, out, err = self.same(lambda dsn: psql(dsn, "-c", "select 40 + 2"), user)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("42", out)

    def test_psql_runs_a_script_of_everything(self):
        code, out, err = self.same(lambda dsn: psql(dsn, input=SCRIPT))
        self.assertEqual(code, 0)
        self.assertIn("division by zero", err)
        self.assertIn("noticed", err)

    def test_psql_cannot_have_tls_and_is_told_so(self):
        result = psql(self.server.dsn(port=self.proxy.port, sslmode="require"), "-c", "select 1")
        self.assertEqual(result, psql(self.server.dsn(sslmode="require"), "-c", "select 1")[:2] +
                         (result[2],))
        self.assertIn("server does not support SSL", result[2])

    def test_a_wrong_password_is_refused_with_the_servers_words(self):
        def run(dsn):
            code, out, err = psql(dsn.replace("=secret", "=wrong"), "-c", "select 1")
            return code, out, re.sub(r"port \d+", "port", err)
        code, _, err = self.same(run, "scram")
        self.assertEqual(code, 2)
        self.assertIn("password authentication failed", err)
        self.assertNotIn("wrong", str(self.proxy.events))

    def test_one_byte_at_a_time(self):
        with Fragmented(self.server.port) as near_server:
            with ProxyProcess(near_server.port, "postgres", record_all=True) as proxy, \
                    Fragmented(proxy.port) as near_client:
                code, _, err = self.same(lambda dsn: psql(dsn, input=SCRIPT), "scram",
                                         way=(proxy, near_client.port))
                self.assertEqual(code, 0)
                self.assertIn("division by zero", err)

    def test_ctrl_c_cancels_what_runs(self):
        self.cancel(lambda: self.server.sql(
            "select 1 from pg_stat_activity where query like '%pg_sleep(37)%' "
            "and state = 'active' and pid <> pg_backend_pid()"))

    def test_ctrl_c_cancels_what_is_held(self):
        self.proxy.set_rules([{"id": "held", "postgres": {"query": "*pg_sleep*"},
                               "delay": {"duration_us": 30_000_000}}])
        self.addCleanup(self.proxy.set_rules, [])
        self.cancel(lambda: self.proxy.tallies()["held"]["fired"] == 1)

    def cancel(self, is_under_way):
        client = subprocess.Popen(
            ["psql", "-X", self.server.dsn(port=self.proxy.port), "-c", "select pg_sleep(37)"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while not is_under_way():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        sent = time.monotonic()
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=20)
        self.assertLess(time.monotonic() - sent, 3)
        self.assertIn("canceling statement due to user request", err)

    def test_copy_of_50_mb_both_ways_with_flat_memory(self):
        self.server.sql("create table big as select n, repeat(md5(n::text), 30) as text "
                        "from generate_series(1, 55000) n", "grant all on big to app",
                        "create table big_in (like big)", "grant all on big_in to app",
                        dbname="app")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "big")

            def run(dsn):
                psql(dsn, "-c", "truncate big_in")
                out = psql(dsn, "-c", f"\\copy big to '{path}'")
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
                self.assertGreater(os.path.getsize(path), 50_000_000)
                back = psql(dsn, "-c", f"\\copy big_in from '{path}'")
                same = psql(dsn, "-c", "select count(*) from (select * from big except "
                                       "select * from big_in) x",
                            "-c", "select count(*) from big_in")
                return out, digest, back, same
            with MemoryWatch(self.proxy) as memory:
                out, _, back, same = self.same(run)
        self.assertEqual((out[1], back[1]), ("COPY 55000\n", "COPY 55000\n"))
        self.assertIn("55000", same[1])
        self.assertLess(memory.grown_kib, 8 * 1024)

    def needs_pg_dump(self):
        said = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True).stdout
        if int(re.search(r"\d+", said).group()) < self.server.major:
            self.skipTest(f"pg_dump is too old for PostgreSQL {self.server.major}: {said.strip()}")

    def test_pg_dump_into_psql(self):
        self.needs_pg_dump()
        self.server.sql("create table dumped (id serial primary key, t text)",
                        "insert into dumped (t) select md5(n::text) from generate_series(1, 500) n",
                        "alter table dumped owner to app", dbname="app")
        self.server.sql("create database copied owner app")

        def dump(dsn):
            done = subprocess.run(["pg_dump", "-t", "dumped", "-d", dsn], capture_output=True,
                                  text=True, check=True, timeout=60)
            # Newer versions print a random word of their own.
            return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)
        direct = dump(self.server.dsn())
        through = dump(self.server.dsn(port=self.proxy.port))
        self.assertEqual(through, direct)
        loaded = psql(self.server.dsn(dbname="copied", port=self.proxy.port), input=through)
        self.assertEqual(loaded[0], 0, loaded)
        self.assertEqual(dump(self.server.dsn(dbname="copied")), direct)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    @unittest.skipIf(shutil.which("pg_restore") is None, "pg_restore is not installed")
    def test_pg_dump_into_pg_restore_in_parallel(self):
        self.needs_pg_dump()
        self.server.sql("create database shop owner app", "create database restored owner app")
        self.server.sql(
            "set role app; create table a (id int primary key, t text, b bytea, at timestamptz);"
            "insert into a select n, case when n % 7 > 0 then repeat(md5(n::text), n % 40) end,"
            " decode(md5(n::text), 'hex'), 'epoch'::timestamptz + n * '1 h'::interval"
            " from generate_series(1, 3000) n;"
            "create table b (a int references a, n numeric); insert into b select id, id / 3.0"
            " from a; create index on b (a); create view v as select * from a;"
            "create function f(x int) returns int language sql as 'select $1 + 1';"
            "select lo_from_bytea(77, 'large object')", dbname="shop")
        direct, through = (self.server.dsn(port=port) for port in (None, self.proxy.port))
        with tempfile.TemporaryDirectory() as folder:
            def dump(name, dsn, dbname="shop"):
                path = os.path.join(folder, name)
                subprocess.run(["pg_dump", "-Fd", "-j", "2", "-Z", "0", "-f", path, "-d",
                                dsn.replace("dbname=app", f"dbname={dbname}")], check=True,
                               capture_output=True, timeout=100)
                said = subprocess.run(["pg_restore", "-f", "-", path], check=True,
                                      capture_output=True, timeout=100).stdout
                return path, re.sub(rb"(?m)^\\(un)?restrict .*$", b"", said)
            before = self.proxy.counters()
            path, real = dump("through", through)
            self.assertEqual(real, dump("direct", direct)[1])
            self.assertIn(b"large object".hex().encode(), real.lower())
            subprocess.run(["pg_restore", "-j", "2", "-d",
                            through.replace("dbname=app", "dbname=restored"), path], check=True,
                           capture_output=True, timeout=100)
            self.assertEqual(dump("restored", direct, "restored")[1], real)
        after = self.proxy.counters()
        self.assertGreater(after["connections_total"], before["connections_total"] + 4)
        self.assertEqual(after["connections_opaque"], 0)

    def test_replication_streams(self):
        self.server.sql("select pg_create_logical_replication_slot('s', 'test_decoding')",
                        dbname="app")
        self.addCleanup(self.server.sql, "select pg_drop_replication_slot('s')", dbname="app")
        self.server.sql("create table streamed (id int)", "insert into streamed values (77)",
                        dbname="app")
        program = shutil.which("pg_recvlogical") or f"{self.server.bin}/pg_recvlogical"
        reader = subprocess.Popen(
            [program, "--slot", "s", "--start", "-f", "-", "-d",
             self.server.dsn("postgres", port=self.proxy.port)], stdout=subprocess.PIPE, text=True)
        seen = ""
        while "integer]:77" not in seen:
            line = reader.stdout.readline()
            self.assertTrue(line, seen)
            seen += line
        reader.send_signal(signal.SIGINT)
        reader.communicate(timeout=20)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)


class BenchToolTest(PostgresTransparency):
    record_all = False

    def test_pgbench_in_every_mode(self):
        subprocess.run(["pgbench", "-i", "-q", "-s", "1", self.server.dsn()], check=True,
                       capture_output=True)
        for script in ("select-only", "tpcb-like"):
            for mode in ("simple", "extended", "prepared"):
                with self.subTest(script=script, mode=mode):
                    # PostgreSQL 14 to 16 count a prepared utility statement once per session.
                    utility = script == "tpcb-like" and mode == "prepared"
                    self.same(lambda dsn: self.pgbench(dsn, script, mode),
                              undercounted={"BEGIN": 800, "END": 800} if utility else None)

    def pgbench(self, dsn, script, mode):
        done = subprocess.run(
            ["pgbench", "-n", "-b", script, "-M", mode, "-c", "4", "-t", "200", "--random-seed=7",
             dsn], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stdout.splitlines()
                if "processed" in line or "failed" in line]


if __name__ == "__main__":
    unittest.main(verbosity=2)
