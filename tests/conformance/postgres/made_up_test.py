"""Replies that are made up, changed or sent twice: what drivers read in text and in binary, what
the server holds, and that what follows is sound."""

import asyncio
import datetime
import decimal
import unittest
import uuid

from errors_test import needs
from lost_test import INSERT, PATTERN, Lost

READ = "select id, note from payments"
TYPED = ("select 1::int4 as whole, 'a'::text as word, 2.5::numeric as price, true as yes, "
         "'11111111-2222-3333-4444-555555555555'::uuid as key, 1.5::float8 as part, "
         "'2026-01-02 03:04:05+00'::timestamptz as at, '2026-01-02'::date as day")
MADE_UP = {"whole": 42, "word": "grüß", "price": "-12345.678", "yes": False,
           "key": "99999999-8888-7777-6666-555555555555", "part": 0.25,
           "at": "2030-12-31T23:59:58.5Z", "day": "2000-02-29"}
EXPECTED = (42, "grüß", decimal.Decimal("-12345.678"), False,
            uuid.UUID("99999999-8888-7777-6666-555555555555"), 0.25,
            datetime.datetime(2030, 12, 31, 23, 59, 58, 500000, datetime.timezone.utc),
            datetime.date(2000, 2, 29))
REAL_FIRST = 1


# Of types whose binary form is made here: what the server itself makes of the same text is what a
# driver has to read.
LITERALS = {
    "span": ("interval", "1 year 2 mons 3 days 04:05:06.789"),
    "back": ("interval", "-3 days 90 min"),
    "clock": ("time", "09:30:00.25"), "zoned": ("timetz", "09:30:00+02"),
    "wholes": ("int4[]", "{1, NULL, -3}"), "longs": ("int8[]", "{9007199254740993}"),
    "words": ("text[]", '{a, "b c", NULL, "d,\\"e", ""}'), "truths": ("bool[]", "{true,f}"),
    "parts": ("float8[]", "{0.5,-1e10}"), "prices": ("numeric[]", "{1.50,NULL,-0.001}"),
    "keys": ("uuid[]", "{11111111-2222-3333-4444-555555555555}"),
    "times": ("timestamptz[]", '{"2026-01-02 03:04:05+00"}'), "none": ("int4[]", "{}"),
    "spans": ("interval[]", '{"1 day","02:00:00"}'), "days": ("date[]", "{2026-01-02}"),
}
NULLS = "select " + ", ".join(f"null::{kind} as {name}" for name, (kind, _) in LITERALS.items())
SERVERS_OWN = "select " + ", ".join(f"'{text}'::{kind} as {name}"
                                    for name, (kind, text) in LITERALS.items())


def psycopg_connect(dsn, **more):
    import psycopg
    return psycopg.connect(dsn, autocommit=True, **more)


class Changed(Lost):
    def next_five(self, run):
        for number in range(5):
            self.assertEqual(run(f"select {number}::int4, {number + 10}::int4"),
                             (number, number + 10))

    def assert_skipped(self, rule, words):
        event = self.proxy.wait_for(
            lambda e: e.get("action") == "skipped" and e.get("rule") == rule)
        self.assertIn(words, event["reason"])
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 0)


def psycopg_run(connection, **how):
    def run(sql):
        return connection.execute(sql, **how).fetchone()
    return run


def psycopg2_run(connection):
    def run(sql):
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchone()
    return run


class Respond(Changed):
    ROWS = {"respond": {"columns": list(MADE_UP), "rows": [list(MADE_UP.values())]}}

    def faked_read(self, run):
        self.assertEqual(run(TYPED)[0], REAL_FIRST)
        rule = self.arm_once("select 1::int4 as whole*", **self.ROWS)
        self.assertEqual(run(TYPED), EXPECTED)
        self.assert_fired(rule)
        self.assertEqual(self.exchange(rule)["server"], "did_not")
        self.next_five(run)
        self.assertEqual(run(TYPED)[0], REAL_FIRST)

    @needs("psycopg")
    def test_psycopg_in_text(self):
        with psycopg_connect(self.dsn(), options="-ctimezone=UTC") as connection:
            self.faked_read(psycopg_run(connection))

    @needs("psycopg")
    def test_psycopg_in_binary(self):
        with psycopg_connect(self.dsn(), options="-ctimezone=UTC") as connection:
            self.faked_read(psycopg_run(connection, binary=True))

    @needs("psycopg")
    def test_psycopg_prepared_and_in_a_transaction(self):
        with psycopg_connect(self.dsn(), options="-ctimezone=UTC") as connection:
            with connection.transaction():
                self.faked_read(psycopg_run(connection, binary=True, prepare=True))
                self.assertEqual(connection.info.transaction_status.name, "INTRANS")

    @needs("asyncpg")
    def test_asyncpg(self):
        import asyncpg

        async def client():
            connection = await asyncpg.connect(self.dsn_url())
            loop = asyncio.get_running_loop()
            rows = []
            rows.append(tuple(await connection.fetchrow(TYPED)))
            rule = await loop.run_in_executor(
                None, lambda: self.arm_once("select 1::int4 as whole*", **self.ROWS))
            rows.append(tuple(await connection.fetchrow(TYPED)))
            for number in range(5):
                rows.append(tuple(await connection.fetchrow(f"select {number}::int4")))
            rows.append(tuple(await connection.fetchrow(TYPED)))
            await connection.close()
            return rule, rows
        rule, rows = asyncio.run(client())
        self.assertEqual(rows[1], EXPECTED)
        self.assertEqual(rows[2:7], [(number,) for number in range(5)])
        self.assertEqual((rows[0][0], rows[7][0]), (REAL_FIRST, REAL_FIRST))
        self.assert_fired(rule)

    dsn_url = __import__("lost_test").LostReplies.dsn_url

    @needs("psycopg2")
    def test_psycopg2_rows_and_none(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(READ)
        self.assertEqual(cursor.fetchall(), [])
        rule = self.arm_once(READ, respond={"columns": ["id", "note"],
                                            "rows": [[1, "a"], [2, None]]})
        cursor.execute(READ)
        self.assertEqual((cursor.fetchall(), cursor.rowcount), ([(1, "a"), (2, None)], 2))
        self.assert_fired(rule)
        self.next_five(psycopg2_run(connection))
        cursor.execute(INSERT, (1,))
        rule = self.arm_once(READ, respond={})
        cursor.execute(READ)
        self.assertEqual(cursor.fetchall(), [])
        self.assert_fired(rule)

    def faked_write(self, connection, execute):
        self.assertEqual(execute(1), 1)
        rule = self.arm_once(respond={"tag": "INSERT 0 1"})
        self.assertEqual(execute(2), 1)
        self.assert_fired(rule)
        told = self.exchange(rule)
        self.assertEqual((told["server"], told["failed"], told["reply"]),
                         ("did_not", False, "INSERT 0 1"))
        self.assertEqual(self.rows(), [("1",)], "the server knows nothing of it")
        self.assertEqual(execute(3), 1)
        self.assertEqual(self.rows(), [("1",), ("3",)])

    @needs("psycopg2")
    def test_fake_write_simple(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True

        def execute(number):
            cursor = connection.cursor()
            cursor.execute(INSERT, (number,))
            return cursor.rowcount
        self.faked_write(connection, execute)
        self.next_five(psycopg2_run(connection))

    @needs("psycopg")
    def test_fake_write_extended(self):
        with psycopg_connect(self.dsn()) as connection:
            self.faked_write(connection,
                             lambda number: connection.execute(INSERT, (number,)).rowcount)
            self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_fake_write_in_a_pipeline(self):
        with psycopg_connect(self.dsn()) as connection:
            rule = self.arm_once("insert into payments*on conflict*", respond={"tag": "INSERT 0 1"})
            with connection.pipeline():
                before = connection.execute(INSERT, (1,))
                faked = connection.execute(INSERT + " on conflict do nothing", (2,))
                after = connection.execute("select 77")
                self.assertEqual(after.fetchone(), (77,))
                self.assertEqual((before.rowcount, faked.rowcount), (1, 1))
            self.assert_fired(rule)
            self.next_five(psycopg_run(connection))
        self.assertEqual(self.rows(), [("1",)])

    @needs("psycopg")
    def test_fake_read_in_a_pipeline(self):
        with psycopg_connect(self.dsn()) as connection:
            rule = self.arm_once("select 5*", respond={"columns": ["five"], "rows": [[55]]})
            with connection.pipeline():
                before, faked, after = (connection.execute(f"select {n}::int4 as five")
                                        for n in (4, 5, 6))
                self.assertEqual([c.fetchone()[0] for c in (before, faked, after)], [4, 55, 6])
            self.assert_fired(rule)
            self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_a_commit_is_not_faked(self):
        import psycopg
        with psycopg.connect(self.dsn()) as connection:
            rule = self.arm_once("commit", respond={"tag": "COMMIT"})
            connection.execute(INSERT, (1,))
            connection.commit()
            self.assertEqual(self.rows(), [("1",)])
            self.assert_skipped(rule, "builds on it")

    @needs("psycopg")
    def test_what_does_not_fit_is_skipped(self):
        with psycopg_connect(self.dsn()) as connection:
            connection.execute("select 1::int4 as a", prepare=True)
            rule = self.arm_once("select 1::int4 as a",
                                 respond={"columns": ["b"], "rows": [[1]]})
            self.assertEqual(connection.execute("select 1::int4 as a", prepare=True).fetchone(),
                             (1,))
            self.assert_skipped(rule, "no column 'b'")


class Literals(Changed):
    """Every type of LITERALS, made up and rewritten, is what the server's own value is."""
    TEXTS = {name: text for name, (_, text) in LITERALS.items()}
    ACTIONS = ({"respond": {"columns": list(TEXTS), "rows": [list(TEXTS.values())]}},
               {"rewrite": {"columns": TEXTS}})

    @needs("psycopg")
    def test_psycopg(self):
        for how in ({}, {"binary": True}, {"binary": True, "prepare": True}):
            for action in self.ACTIONS:
                with self.subTest(how=how, action=list(action)), \
                        psycopg_connect(self.dsn(), options="-ctimezone=UTC") as connection:
                    run = psycopg_run(connection, **how)
                    expected = run(SERVERS_OWN)
                    self.assertEqual(set(run(NULLS)), {None}, "the control")
                    rule = self.arm_once("select null*", **action)
                    self.assertEqual(run(NULLS), expected)
                    self.assert_fired(rule)
                    self.next_five(run)

    @needs("asyncpg")
    def test_asyncpg(self):
        import asyncpg

        async def client(action):
            connection = await asyncpg.connect(self.dsn_url())
            loop = asyncio.get_running_loop()
            expected = tuple(await connection.fetchrow(SERVERS_OWN))
            control = tuple(await connection.fetchrow(NULLS))
            rule = await loop.run_in_executor(
                None, lambda: self.arm_once("select null*", **action))
            seen = tuple(await connection.fetchrow(NULLS))
            for number in range(5):
                self.assertEqual(await connection.fetchval(f"select {number}::int4"), number)
            await connection.close()
            return rule, control, seen, expected
        for action in self.ACTIONS:
            with self.subTest(action=list(action)):
                rule, control, seen, expected = asyncio.run(client(action))
                self.assertEqual(set(control), {None})
                self.assertEqual(seen, expected)
                self.assert_fired(rule)

    dsn_url = __import__("lost_test").LostReplies.dsn_url


class Long(Changed):
    """What is longer than one read."""
    COLUMNS = 300
    NAMES = [f"a_column_with_quite_a_long_name_so_that_many_fill_a_message_{n}"
             for n in range(COLUMNS)]
    WIDE = "select " + ", ".join(f"{n}::int4 as {name}" for n, name in enumerate(NAMES))

    @needs("psycopg")
    def test_a_parameter(self):
        import psycopg
        for length in (100 * 1024, 900 * 1024):
            with self.subTest(length=length), psycopg_connect(self.dsn()) as connection:
                rule = self.armed(postgres={"query": "select length*", "params": {"1": "*wanted"}},
                                  error={"code": "40001"})

                def ask(end, binary):
                    value = "x" * length + end
                    return connection.execute("select length(%b)" if binary else
                                              "select length(%t)", (value,)).fetchone()
                for binary in (False, True):
                    self.assertEqual(ask("other", binary), (length + 5,))
                    with self.assertRaises(psycopg.errors.SerializationFailure):
                        ask("wanted", binary)
                self.assertEqual(self.proxy.tallies()[rule]["fired"], 2)
                self.proxy.set_rules([])
                self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_a_parameter_that_is_too_long_is_a_near_miss(self):
        length = 2 * 1024 * 1024
        with psycopg_connect(self.dsn()) as connection:
            rule = self.armed(postgres={"query": "select length*", "params": {"1": "*x"}},
                              error={"code": "40001"})
            row = connection.execute("select length(%s::text)", ("x" * length,)).fetchone()
            self.assertEqual(row, (length,))
            tally = self.proxy.tallies()[rule]
            self.assertEqual(tally["fired"], 0)
            self.assertIn("values of more than 1 MiB are not looked into",
                          " ".join(tally["near_misses"]))

    @needs("psycopg")
    def test_a_description(self):
        for how in ({}, {"binary": True}, {"binary": True, "prepare": True}):
            for action in ("rewrite", "respond"):
                with self.subTest(how=how, action=action), \
                        psycopg_connect(self.dsn()) as connection:
                    run = psycopg_run(connection, **how)
                    self.assertEqual(run(self.WIDE), tuple(range(self.COLUMNS)))
                    last = self.NAMES[-1]
                    rule = self.arm_once("select 0*", **{action: {
                        "rewrite": {"columns": {last: -7}},
                        "respond": {"columns": [last], "rows": [[-7]]}}[action]})
                    row = run(self.WIDE)
                    self.assertEqual((len(row), row[-1]), (self.COLUMNS, -7))
                    self.assertEqual(row[5], 5 if action == "rewrite" else None)
                    self.assert_fired(rule)
                    self.next_five(run)


class Rewrite(Changed):
    EDIT = {"rewrite": {"columns": MADE_UP}}

    def rewritten(self, run):
        self.assertEqual(run(TYPED)[0], REAL_FIRST)
        rule = self.arm_once("select 1::int4 as whole*", **self.EDIT)
        self.assertEqual(run(TYPED), EXPECTED)
        self.assert_fired(rule)
        self.assertEqual(self.exchange(rule)["server"], "did")
        self.next_five(run)
        self.assertEqual(run(TYPED)[0], REAL_FIRST)

    @needs("psycopg")
    def test_psycopg_text_binary_prepared(self):
        for how in ({}, {"binary": True}, {"binary": True, "prepare": True}):
            with self.subTest(how=how):
                with psycopg_connect(self.dsn(), options="-ctimezone=UTC") as connection:
                    self.rewritten(psycopg_run(connection, **how))

    @needs("psycopg")
    def test_nulls(self):
        for how in ({}, {"binary": True}):
            with self.subTest(how=how), psycopg_connect(self.dsn()) as connection:
                run = psycopg_run(connection, **how)
                rule = self.arm_once("select 1::int4 as whole*", rewrite={
                    "columns": {"whole": None, "key": None, "at": None}})
                row = run(TYPED)
                self.assertEqual((row[0], row[4], row[6]), (None, None, None))
                self.assertEqual((row[1], row[3]), ("a", True))
                self.assert_fired(rule)
                self.next_five(run)

    @needs("psycopg2")
    def test_psycopg2_one_column_of_many_rows(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("insert into payments select n, 'note ' || n from generate_series(1, 50) n")
        rule = self.arm_once(READ, rewrite={"columns": {"NOTE": None}})
        cursor.execute(READ)
        self.assertEqual(cursor.fetchall(), [(number, None) for number in range(1, 51)])
        self.assert_fired(rule)
        cursor.execute(READ)
        self.assertEqual(cursor.fetchall()[0], (1, "note 1"))

    @needs("psycopg2")
    def test_what_is_not_there_is_skipped(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        cursor = connection.cursor()
        for columns, words in (({"nosuch": 1}, "no column 'nosuch'"),
                               ({"id": "x"}, "cannot hold the value")):
            rule = self.arm_once("select 7 as id", rewrite={"columns": columns})
            cursor.execute("select 7 as id")
            self.assertEqual(cursor.fetchall(), [(7,)])
            self.assert_skipped(rule, words)
        rule = self.arm_once("select 7 as id where false", rewrite={"columns": {"id": 1}})
        cursor.execute("select 7 as id where false")
        self.assert_skipped(rule, "no row")

    @needs("psycopg2")
    def test_a_row_that_is_too_long_passes(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        cursor = connection.cursor()
        rule = self.arm_once("select repeat*", rewrite={"columns": {"a": "short"}})
        cursor.execute("select repeat('x', 2000000) as a")
        self.assertEqual(len(cursor.fetchone()[0]), 2000000)
        self.assert_skipped(rule, "too long")


class Duplicate(Changed):
    TWICE = "insert into twice (id) values (%s)"

    def setUp(self):
        super().setUp()
        self.server.sql("drop table if exists twice; create table twice (id int); "
                        "grant all on twice to public", dbname="app")

    def stored(self):
        return self.server.sql("select id from twice order by id", dbname="app")

    def duplicated(self, execute):
        self.assertEqual(execute(1), 1)
        rule = self.arm_once("insert into twice*", duplicate={})
        self.assertEqual(execute(2), 1)
        self.assert_fired(rule)
        self.assertEqual(self.stored(), [("1",), ("2",), ("2",)])
        self.assertEqual(execute(3), 1)
        self.assertEqual(self.stored(), [("1",), ("2",), ("2",), ("3",)])

    @needs("psycopg2")
    def test_simple(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True

        def execute(number):
            cursor = connection.cursor()
            cursor.execute(self.TWICE, (number,))
            return cursor.rowcount
        self.duplicated(execute)
        self.next_five(psycopg2_run(connection))

    @needs("psycopg")
    def test_extended(self):
        for prepare in (False, True):
            with self.subTest(prepare=prepare), psycopg_connect(self.dsn()) as connection:
                self.setUp()
                self.duplicated(lambda number: connection.execute(
                    self.TWICE, (number,), prepare=prepare).rowcount)
                self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_twice_in_one_transaction(self):
        with psycopg_connect(self.dsn()) as connection:
            rule = self.armed(postgres={"query": "insert into twice*"}, duplicate={})
            with connection.transaction():
                for number in (1, 2):
                    row = connection.execute(self.TWICE + " returning id", (number,)).fetchall()
                    self.assertEqual(row, [(number,)])
            self.assertEqual(self.proxy.tallies()[rule]["fired"], 2)
        self.assertEqual(self.stored(), [("1",), ("1",), ("2",), ("2",)])

    @needs("psycopg2")
    def test_a_second_one_that_fails_leaves_the_first(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.arm_once(duplicate={})
        connection.cursor().execute(INSERT, (1,))
        self.assert_fired(rule)
        self.assertEqual(self.rows(), [("1",)])
        self.next_five(psycopg2_run(connection))

    @needs("psycopg")
    def test_in_the_extended_protocol_its_failure_is_told(self):
        import psycopg
        with psycopg_connect(self.dsn()) as connection:
            rule = self.arm_once(duplicate={})
            with self.assertRaises(psycopg.errors.UniqueViolation):
                connection.execute(INSERT, (1,))
            self.assert_fired(rule)
            self.assertEqual(self.rows(), [], "both are of one transaction")
            self.next_five(psycopg_run(connection))

    @needs("psycopg")
    def test_begin_is_not_duplicated(self):
        import psycopg
        with psycopg.connect(self.dsn()) as connection:
            rule = self.arm_once("begin", duplicate={})
            connection.execute(INSERT, (1,))
            self.assert_skipped(rule, "builds on it")


if __name__ == "__main__":
    unittest.main(verbosity=2)
