"""For each SQLSTATE that a real server can be made to send: what a driver raises for the server's
own error, and what it raises for ours, field by field; and the next five operations."""

import os
import re
import select
import threading
import unittest

from errors_test import needs
from faults import FaultCase
from golden_cases import ELSEWHERE, OPTIONAL, SCHEMA, SIMPLE_ONLY, STATEMENTS, WITHOUT

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "../../../codecs/postgres/sqlstate_table.cc")

HARMLESS = "insert into payments (id) values (500)"  # What fails in the injected case.
PATTERN = "insert into payments (id) values (500)"
UNNAMED = "XX000"  # A message that names no condition.
LIMIT_S = 60


def psycopg_connect(dsn, **more):
    import psycopg
    return psycopg.connect(dsn, autocommit=True, **more)


def fields(error):
    """What ours says of what a server says: where in which source it was raised stays away."""
    diag = error.diag
    return {"type": type(error).__name__, "sqlstate": error.sqlstate, "severity": diag.severity,
            "severity_nonlocalized": diag.severity_nonlocalized,
            "message": diag.message_primary}


class Golden(FaultCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not hasattr(FaultCase, "golden_schema"):
            FaultCase.golden_schema = True
            # For SET ROLE alone. A newer server looks at the role when it is granted.
            cls.server.sql(SCHEMA, "alter role app noinherit", "grant postgres to app",
                           dbname="app")

    def setUp(self):
        self.server.sql("truncate payments; alter table payments disable trigger all",
                        dbname="app")

    def direct(self):
        return self.server.dsn()

    def through(self):
        return self.server.dsn(port=self.proxy.port)

    def attempt(self, connection, sql, extended):
        import psycopg
        try:
            cursor = connection.execute(sql, prepare=extended)
            seen = cursor.fetchall() if cursor.description else cursor.rowcount
        except psycopg.Error as error:
            seen = fields(error)
        return seen, connection.info.transaction_status.name, connection.closed

    def next_five(self, connection, extended):
        """Where a transaction is open it has failed, and is rolled back first."""
        return [self.attempt(connection, "select 77", extended),
                self.attempt(connection, "rollback", False),
                self.attempt(connection, "select 'eighty-seven'", True),
                self.attempt(connection, "select count(*) from parents", extended),
                self.attempt(connection, "select 97", False)]

    def outcome(self, dsn, before, statement, extended):
        with psycopg_connect(dsn) as connection:
            for sql in before:
                self.attempt(connection, sql, False)
            return [self.attempt(connection, statement, extended),
                    *self.next_five(connection, extended)]

    def injected(self, before, extended, error):
        rule = self.armed(trigger={"times": 1}, postgres={"query": PATTERN}, error=error)
        seen = self.outcome(self.through(), before, HARMLESS, extended)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        self.proxy.set_rules([])
        return seen

    def compare(self, name, real, before, extended):
        """`real`: what the server's own error led to."""
        told = real[0][0]
        self.assertIsInstance(told, dict, f"{name} was not raised")
        self.assertEqual(self.injected(before, extended,
                                       {"code": name, "message": told["message"]}), real)
        # Its message alone means it, or nothing: never another one.
        seen = self.injected(before, extended, {"message": told["message"]})[0][0]
        self.assertIn(seen["sqlstate"], (told["sqlstate"], UNNAMED), told["message"])


@needs("psycopg")
class Statements(Golden):
    def one(self, name, statement, before, extended):
        real = self.outcome(self.direct(), before, statement, extended)
        if name in OPTIONAL and real[0][0]["sqlstate"] == "0A000":
            self.skipTest("the server has it not")
        if "begin" not in before:
            control = self.outcome(self.through(), before, "select 1", extended)
            self.assertEqual(control[0][0], [(1,)], "the control")
            self.assertEqual(control[1:], real[1:])
        if name == "in_failed_sql_transaction":
            self.refused_in_a_failed_transaction(real, before, extended)
            return
        if "default_transaction_read_only" in "".join(before):
            before = ()  # What fails in ours must be able to succeed.
        self.compare(name, real, before, extended)

    def refused_in_a_failed_transaction(self, real, before, extended):
        """There the server's own is the only one."""
        rule = self.armed(postgres={"query": "select 1"}, error={"code": "25P02"})
        seen = self.outcome(self.through(), before, "select 1", extended)
        self.assertEqual(seen, real)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 0)
        self.proxy.set_rules([])

    def each(self, extended):
        for name, statement, *before in STATEMENTS:
            if extended and name in SIMPLE_ONLY:
                continue
            with self.subTest(name):
                self.one(name, statement, before, extended)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)

    def test_the_table_is_covered(self):
        """Each code has its counterpart, or a reason why it has none."""
        told = {name for name, *_ in STATEMENTS} | set(ELSEWHERE)
        with open(TABLE) as table:
            rows = re.findall(r'\{"(\w{5})", "(\w+)"\}', table.read())
        self.assertGreater(len(rows), 200)
        for code, name in rows:
            reasons = [why for prefix, why in WITHOUT.items() if code.startswith(prefix)]
            self.assertTrue(name in told or reasons, f"{code} {name}")

    def test_the_codes_are_the_names(self):
        """What a statement is listed under is what the server itself says of it."""
        with open(TABLE) as table:
            codes = {}
            for code, name in re.findall(r'\{"(\w{5})", "(\w+)"\}', table.read()):
                codes.setdefault(name, set()).add(code)
        for name, statement, *before in STATEMENTS:
            told = self.outcome(self.direct(), before, statement, False)[0][0]
            if not (name in OPTIONAL and told["sqlstate"] == "0A000"):
                self.assertIn(told["sqlstate"], codes[name], name)

    def test_simple(self):
        self.each(False)

    def test_extended(self):
        self.each(True)


@needs("psycopg")
class Contention(Golden):
    """What takes two sessions."""

    def both_protocols(self, name, real_of, before=()):
        for extended in (False, True):
            with self.subTest(extended=extended):
                self.compare(name, real_of(extended), before, extended)

    def test_lock_not_available(self):
        for wait, sql in (("", "select * from locked where id = 1 for update nowait"),
                          ("set lock_timeout = 50", "update locked set n = n + 1 where id = 1")):
            def real(extended):
                with psycopg_connect(self.direct()) as other, other.transaction():
                    other.execute("update locked set n = n + 1 where id = 1")
                    return self.outcome(self.direct(), [wait] if wait else [], sql, extended)
            self.both_protocols("lock_not_available", real)

    def test_serialization_failure(self):
        def real(extended):
            with psycopg_connect(self.direct()) as connection, \
                    psycopg_connect(self.direct()) as other:
                connection.execute("begin isolation level repeatable read")
                connection.execute("select * from locked")
                other.execute("update locked set n = n + 1 where id = 1")
                return [self.attempt(connection, "update locked set n = n + 1 where id = 1",
                                     extended), *self.next_five(connection, extended)]
        self.both_protocols("serialization_failure", real,
                            before=["begin isolation level repeatable read"])

    def test_deadlock_detected(self):
        def real(extended):
            with psycopg_connect(self.direct(), options="-cdeadlock_timeout=50ms") as connection, \
                    psycopg_connect(self.direct(), options="-cdeadlock_timeout=50s") as other:
                pid = other.info.backend_pid
                for session, row in ((connection, 1), (other, 2)):
                    session.execute("begin")
                    session.execute("update locked set n = n + 1 where id = %s", (row,))
                thread = threading.Thread(
                    target=other.execute, args=("update locked set n = n + 1 where id = 1",))
                thread.start()
                waits = f"select 1 from pg_locks where pid = {pid} and not granted"
                while not self.server.sql(waits):
                    pass
                seen = [self.attempt(connection, "update locked set n = n + 1 where id = 2",
                                     extended), *self.next_five(connection, extended)]
                thread.join(LIMIT_S)
                self.assertFalse(thread.is_alive())
                other.execute("rollback")
                return seen
        self.server.sql("alter role app set deadlock_timeout to default")
        self.server.sql("grant set on parameter deadlock_timeout to app")
        self.both_protocols("deadlock_detected", real, before=["begin"])


@needs("psycopg")
class Ends(Golden):
    """Errors that end the session: FATAL, and nothing behind it."""

    def test_admin_shutdown(self):
        for extended in (False, True):
            with self.subTest(extended=extended):
                text = "terminating connection due to administrator command"
                ends = "select pg_terminate_backend(pg_backend_pid())"
                real = self.ended(self.direct(), ends, extended)
                self.assertIn(text, real)
                rule = self.armed(postgres={"query": PATTERN},
                                  error={"code": "admin_shutdown", "message": text})
                self.assertIn(text, self.ended(self.through(), HARMLESS, extended))
                self.assert_told(rule, f"FATAL 57P01: {text}")
                self.proxy.set_rules([])

    def ended(self, dsn, sql, extended):
        """libpq has the words; of code and fields it forgets what came with the end, or not."""
        import psycopg
        with psycopg_connect(dsn) as connection:
            with self.assertRaises(psycopg.OperationalError) as caught:
                connection.execute(sql, prepare=extended)
            self.assertTrue(connection.closed)
            for _ in range(5):
                with self.assertRaises(psycopg.OperationalError):
                    connection.execute("select 77")
            return str(caught.exception)

    def waited(self, dsn, *before):
        """What a session hears that is ended while it waits: only at its next statement."""
        connection = psycopg_connect(dsn)
        try:
            for sql in before:
                connection.execute(sql)
            ended = select.select([connection.pgconn.socket], [], [], LIMIT_S)[0]
            self.assertTrue(ended, "the server says its last word")
            (seen, *state) = self.attempt(connection, "select 77", False)
            return seen["type"], state
        finally:
            connection.close()

    def assert_told(self, rule, words):
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        told = self.proxy.wait_for(lambda e: e.get("rule") == rule and "reply" in e)
        self.assertEqual(told["reply"], words)

    def test_idle_session_timeout(self):
        real = self.waited(self.direct(), "set idle_session_timeout = 50")
        text = "terminating connection due to idle-session timeout"
        self.assertIn(text, self.server.log_text())
        rule = self.armed(trigger={"nth": 2}, postgres={"moment": "idle"},
                          error={"code": "idle_session_timeout", "message": text})
        self.assertEqual(self.waited(self.through(), "set work_mem = '1MB'"), real)
        self.assert_told(rule, f"FATAL 57P05: {text}")

    def test_idle_in_transaction_session_timeout(self):
        """A server ends it while it waits, ours at its next statement: for libpq that is one."""
        real = self.waited(self.direct(), "set idle_in_transaction_session_timeout = 50", "begin")
        text = "terminating connection due to idle-in-transaction timeout"
        self.assertIn(text, self.server.log_text())
        rule = self.armed(postgres={"query": PATTERN}, error={
            "code": "idle_in_transaction_session_timeout", "message": text})
        with psycopg_connect(self.through()) as connection:
            connection.execute("begin")
            seen, *state = self.attempt(connection, HARMLESS, False)
        self.assertEqual((seen["type"], state), real)
        self.assert_told(rule, f"FATAL 25P03: {text}")


@needs("psycopg2")
class Startup(Golden):
    """Sessions that do not begin. libpq tells a text."""

    def refused(self, dsn):
        import psycopg2
        try:
            psycopg2.connect(dsn).close()
        except psycopg2.OperationalError as error:
            return str(error).split("failed: ", 1)[-1]
        return None

    def one(self, name, user, dbname="app", **more):
        words = {"password": "wrong", **more}
        real = self.refused(self.server.dsn(user, dbname).replace("password=secret", "") +
                            "".join(f" {k}={v}" for k, v in words.items()))
        self.assertIsNotNone(real)
        self.assertIsNone(self.refused(self.through()), "the control")
        self.assertTrue(real.startswith("FATAL:  "), real)
        message = real.removeprefix("FATAL:  ").split("\n", 1)[0]
        for error in ({"code": name, "message": message}, {"code": name, "message": message}):
            rule = self.armed(trigger={"times": 1}, postgres={"moment": "startup"}, error=error)
            self.assertEqual(self.refused(self.through()), real)
            self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
            self.assertIsNone(self.refused(self.through()), "once")
            self.proxy.set_rules([])

    def test_too_many_connections(self):
        self.one("too_many_connections", "nobody")

    def test_invalid_password(self):
        self.one("invalid_password", "scram")

    def test_invalid_catalog_name(self):
        self.one("invalid_catalog_name", "app", "nosuch")

    def test_invalid_authorization_specification(self):
        self.one("invalid_authorization_specification", "outside")


if __name__ == "__main__":
    unittest.main(verbosity=2)
