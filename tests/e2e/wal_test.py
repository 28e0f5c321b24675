"""wal_stream() on a real PostgreSQL: what is committed is told, whatever becomes of the server."""

import os
import shutil
import sys
import unittest

import misrule

NEWER = "/var/cache/misrule/postgres/17/bin/postgres"

DB = '''
db = service("db", interface("pg", "postgres", 5432), image = "postgres:%s",
             env = {"POSTGRES_PASSWORD": "test"}, healthcheck = tcp("localhost:5432"),
             observe = [wal_stream(%s)])
def rows(**wanted):
    return [e for e in events(type = "wal") if all([e.get(k) == v for k, v in wanted.items()])]
'''

TYPES = """create table kinds (id int primary key, n numeric, big bigint, ok bool, at timestamptz,
    doc jsonb, tags text[], marks int[], grid int[], gone text, note text)"""


class WalStream(misrule.Project):
    def run_with(self, body, tables="", image="15", **more):
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        return self.run_spec(DB % (image, tables) + "def test_it():\n" + lines, **more)

    def assert_passes(self, body, tables="", image="15"):
        run = self.run_with(body, tables, image)
        self.assertEqual(run.code, 0, run.output)
        return run

    def wal(self):
        return [e["fields"] for e in self.events("test_it") if e["type"] == "wal"]

    # S0-20, S1-8, S2-5, S2-17: listed tables alone; table, action, op; each step's rows at once.
    def test_rows_of_listed_tables(self):
        run = self.assert_passes('''
db.exec("create table orders (id int primary key, status text); create table other (id int)")
db.exec("insert into orders values (1, 'new'); insert into other values (1)")
assert_eq(len(events(where = lambda e: e.type == "wal" and e.data.get("action") == "INSERT")), 1)
db.exec("update orders set status = 'paid'")
db.exec("delete from orders")
db.exec("truncate orders")
assert_eventually(where = lambda e: e.type == "wal" and e.data.get("table") == "orders" and
                                    e.data.get("action") == "INSERT")
assert_eq([(e.op, e.table, e.get("status")) for e in events(type = "wal")],
          [("INSERT", "orders", "new"), ("UPDATE", "orders", "paid"), ("DELETE", "orders", None),
           ("TRUNCATE", "orders", None)])
assert_never(where = {"type": "wal", "table": "other"})
first = events(type = "wal")[0]
assert_eq((first.service, first.schema, first["id"], first.id), ("db", "public", "1", 1))
''', 'tables = ["orders"]')
        self.assertIn("wal_stream of db: 4 rows in 4 transactions", run.output)

    @unittest.skipUnless(os.path.exists(NEWER), f"{NEWER} is not there (tools/setup --postgres=17)")
    def test_both_majors(self):
        run = self.assert_passes('''
db.exec("create table t (id int primary key)")
db.exec("insert into t values (1)")
assert_eq(len(events(type = "wal")), 1)
''', image="17")
        self.assertIn("postgres:17 → PostgreSQL 17.", run.output)

    def test_types(self):
        self.assert_passes(f'''
db.exec("""{TYPES}""")
db.exec("""insert into kinds values (1, 12.50, 9007199254740993, true,
    '2026-01-02 03:04:05+00', '{{"a": [1]}}', '{{x,"y z",NULL}}', '{{1,2}}', '{{{{1}},{{2}}}}',
    null, '{{"b": 2}}')""")
data = events(type = "wal")[0].data
assert_eq((data["n"], data["big"], data["ok"]), (12.5, 9007199254740993, True))
assert_eq(data["doc"], {{"a": [1]}})
assert_eq((data["tags"], data["marks"], data["grid"]), (["x", "y z", None], [1, 2], [[1], [2]]))
assert_eq((data["gone"], data["at"], data["note"]), (None, "2026-01-02 03:04:05+00", {{"b": 2}}))
''', 'decoder = json_decoder()')

    # A table without a key stays as usable as it is without anybody who looks.
    def test_tables_without_a_key(self):
        self.assert_passes('''
assert_true(db.exec("create table t (a int, b text)").ok)
assert_true(db.exec("insert into t values (1, 'x')").ok)
assert_true(db.exec("update t set b = 'y'").ok)
assert_true(db.exec("delete from t").ok)
update = rows(action = "UPDATE")[0]
assert_eq((update.old["b"], update["b"]), ("x", "y"))
assert_eq(rows(action = "DELETE")[0].old["a"], 1)
''')

    # A long value that is not written again is not sent; the old row knows it where it is whole.
    def test_unchanged_long_values(self):
        self.assert_passes('''
db.exec("create table keyed (id int primary key, n int, body text)")
db.exec("create table whole (id int, n int, body text)")
for t in ["keyed", "whole"]:
    db.exec("alter table %s alter body set storage external" % t)
    db.exec("insert into %s values (1, 1, repeat('x', 9000))" % t)
    db.exec("update %s set n = 2" % t)
keyed, whole = rows(action = "UPDATE")
assert_eq((list(keyed.unchanged), keyed.get("body")),
          (["body"], None))
assert_eq((whole.get("unchanged"), len(whole["body"])), (None, 9000))
''')

    def test_transactions_are_whole_and_in_commit_order(self):
        self.assert_passes('''
db.exec("create table t (id int primary key)")
db.exec("begin; insert into t values (1); insert into t values (2); rollback")
db.exec("insert into t values (3); insert into t values (4)")
assert_eq([e.id for e in events(type = "wal")], [3, 4])
assert_eq(len({str(e["xid"]): 1 for e in events(type = "wal")}), 1)
steps = [e for e in events() if e.type in ["wal", "step_send", "step_recv"]]
assert_eq([str(e.type) for e in steps][-4:], ["step_send", "wal", "wal", "step_recv"])
''')
        # However late it is told, a row is after the request that committed it and no later one.
        known = {}
        for event in self.events("test_it"):
            if event["type"] == "step_send":
                known[event["query"]] = event["clock"]["test"]
            if event["type"] == "wal":
                self.assertEqual(event["clock"].get("test"),
                                 next(n for query, n in known.items()
                                      if "(%d)" % event["data"]["id"] in query), event)

    # decisions.md 16: the server goes down when it cannot write its WAL, and comes back.
    def test_a_restart_loses_and_repeats_nothing(self):
        self.assert_passes('''
db.exec("create table t (id int primary key)")
for i in range(5):
    db.exec("insert into t values (%d)" % i)
broken = deny("EIO", path = "*/pg_wal/*", times = 1)
def commit():
    return db.exec("insert into t values (100)")
assert_eq(fault(db, write = broken, run = commit).ok, False)
for i in range(5, 10):
    assert_true(db.exec("insert into t values (%d)" % i).ok)
there = [r["id"] for r in db.query("select id from t order by id").data]
assert_eq(sorted([e.data["id"] for e in events(type = "wal")]), there)
assert_true(len(there) >= 10)
went = [str(e["action"]) for e in events(type = "lifecycle", service = "db")]
assert_true("recovered" in went or went.count("ready") == 2, str(went))
''')

    def test_the_stream_is_no_traffic(self):
        self.assert_passes('''
db.exec("create table t (id int primary key)")
def write():
    return db.exec("insert into t values (1)")
reply = fault(db, error(query = "*"), source = "test", run = write)
assert_eq(reply.ok, False)
assert_eq(events(type = "wal"), [])
assert_never(type = "proxy", where = lambda e: e.get("from") != "test")
assert_never(type = "stdout", where = lambda e: "logical" in e.body or "replication" in e.body)
''')

    def test_what_a_server_lacks_is_said(self):
        spec = (DB % ("15", "")).replace("env =", 'args = ["-c", "wal_level=replica"], env =')
        run = self.run_spec(spec + "def test_it():\n    pass\n")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("wal_stream of db: the server has wal_level=replica", run.output)

    # decisions.md 16: on a server whose data stays, nothing of ours does.
    def test_what_was_made_is_removed(self):
        self.write("server.sh", """#!/bin/sh
bin=/usr/lib/postgresql/15/bin
[ -d data ] || $bin/initdb -D data -U postgres --auth=trust --no-sync >/dev/null
exec $bin/postgres -D data -c wal_level=logical -c unix_socket_directories=/tmp
""").chmod(0o755)
        self.folder.chmod(0o777)
        spec = '''
def seed():
    for what in ["replication_slots", "publication", "event_trigger",
                 "namespace where nspname like 'misrule%'"]:
        assert_eq(db.query("select count(*) as n from pg_" + what).data[0]["n"], 0, what)
db = service("db", interface("pg", "postgres", 5432), binary = "./server.sh", user = "postgres",
             healthcheck = tcp("localhost:5432"), seed = seed, observe = [wal_stream()])
def test_it():
    db.exec("create table if not exists t (id serial primary key)")
    db.exec("insert into t default values")
    assert_eq(len(events(type = "wal")), 1)
    assert_eq(db.query("select count(*) as n from pg_replication_slots").data[0]["n"], 1)
'''
        for _ in range(2):
            run = self.run_spec(spec)
            self.assertEqual(run.code, 0, run.output)

    # A server that is gone for good may have committed what nobody was told of, and its observer
    # has not done its work.
    def test_of_a_server_that_stays_away_nothing_is_known(self):
        self.write("server.sh", """#!/bin/sh
bin=/usr/lib/postgresql/15/bin
$bin/initdb -D data -U postgres --auth=trust --no-sync >/dev/null
$bin/postgres -D data -c wal_level=logical -c unix_socket_directories=/tmp &
until [ -e data/gone ]; do sleep 0.05; done
kill -QUIT $!
exec sleep 1000
""").chmod(0o755)
        self.folder.chmod(0o777)
        spec = '''
db = service("db", interface("pg", "postgres", 5432), binary = "./server.sh", user = "postgres",
             healthcheck = tcp("localhost:5432"), observe = [wal_stream()])
invariant(never({"type": "wal", "table": "other"}))
def test_it():
    db.exec("create table t (id int primary key)")
    assert_eq(events(type = "wal"), [])
    if env("STAYS", "") == "":
        db.exec("copy (select 1) to program 'touch gone'")
        wait_until(lambda: not db.exec("select 1").ok)
'''
        stays = self.run_spec(spec, "--set", "STAYS=yes")
        self.assertEqual(stays.code, 0, stays.output)
        shutil.rmtree(self.folder / "data")
        run = self.run_spec(spec)
        self.assertEqual((run.code, run.test("test_it")["outcome"]), (3, "error"), run.output)
        self.assertIn("never: undecided: the WAL of db: connection", run.output)
        self.assertNotIn("WARNING", run.output)

    # The test goes on without what it was to see: that is no verdict.
    def test_its_own_failure_is_an_error(self):
        run = self.run_with('''
db.exec("create table t (id int primary key)")
db.exec("drop publication misrule_observer")
db.exec("insert into t values (1)")
events(type = "wal")
''')
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("wal_stream of db: 42704", run.output)


if __name__ == "__main__":
    if not os.path.exists("/usr/lib/postgresql/15/bin/postgres"):
        print("skipped: PostgreSQL 15 is not installed")
        sys.exit(77)
    misrule.main()
