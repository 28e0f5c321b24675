"""Which statements a rule is about: by kind, table, schema, column, regular expression, prepared
name and bound values, as drivers send them. Each rule first meets what it is not about."""

import asyncio
import unittest

from errors_test import needs
from made_up_test import Changed, psycopg_connect

ERROR = {"error": {"code": "40001", "message": "matched"}}


class Matching(Changed):
    def setUp(self):
        super().setUp()
        self.server.sql("create schema if not exists shop; "
                        "create table if not exists shop.orders (id int, city text); "
                        "grant all on schema shop to public; "
                        "grant all on shop.orders to public", dbname="app")

    def statement_of(self, match, wanted, others):
        """The error meets `wanted`, and none of the others; with psycopg's extended protocol."""
        import psycopg
        with self.subTest(match=match), psycopg_connect(self.dsn()) as connection:
            rule = self.armed(postgres=match, **ERROR)
            for sql, *arguments in others:
                connection.execute(sql, arguments or None)
            self.assertEqual(self.proxy.tallies()[rule]["fired"], 0, others)
            sql, *arguments = wanted
            with self.assertRaises(psycopg.errors.SerializationFailure):
                connection.execute(sql, arguments or None)
            self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
            self.proxy.set_rules([])
            connection.execute(sql, arguments or None)

    @needs("psycopg")
    def test_what_the_parser_sees(self):
        self.statement_of(
            {"statement": "DELETE"}, ("with x as (select 1) delete from payments",),
            [("select 'delete'",), ("with x as (select 1) select * from x",)])
        self.statement_of({"statement": "CREATE*"}, ("create temp table a (b int)",),
                          [("select 1 as create_table",), ("select 1",)])
        self.statement_of(
            {"table": "orders"}, ("select * from payments p join shop.orders o on o.id = p.id",),
            [("select 'orders' from payments",),
             ("with orders as (select 1) select * from orders",)])
        self.statement_of({"table": "shop.orders"}, ("update shop.orders set id = 1",),
                          [("select 1",), ("select * from payments",)])
        self.statement_of({"schema": "shop"}, ("truncate shop.orders",),
                          [("select * from payments",)])
        self.statement_of({"column": "city"},
                          ("insert into shop.orders (id, city) values (1, 'x')",),
                          [("insert into shop.orders values (1, 'city')",),
                           ("select id as city from shop.orders",)])
        self.statement_of({"query_regex": r"from payments\s+where id in \(\d+, \d+\)"},
                          ("SELECT 1 FROM payments WHERE id IN (10, 20)",),
                          [("select 1 from payments where id in (10)",)])
        self.statement_of({"table": "orders", "column": "city", "statement": "select"},
                          ("select city from shop.orders",),
                          [("select id from shop.orders",), ("delete from shop.orders",)])

    @needs("psycopg")
    def test_bound_values(self):
        sql = "select %s::int, %s::text"
        self.statement_of({"params": {"1": "7*", "2": "x"}}, (sql, 71, "x"),
                          [(sql, 17, "x"), (sql, 71, "y"), (sql, 71, None)])

    @needs("asyncpg")
    def test_bound_values_in_binary(self):
        import datetime
        import decimal
        import uuid

        import asyncpg
        key = uuid.UUID("99999999-8888-7777-6666-555555555555")
        cases = [("int8", 7, 8, "7"), ("int2", -7, 7, "-7"), ("bool", True, False, "t"),
                 ("float8", 2.5, 2.25, "2.5"), ("text", "grüß", "gruß", "grü*"),
                 ("uuid", key, uuid.UUID(int=1), str(key)),
                 ("date", datetime.date(2026, 11, 21), datetime.date(2026, 11, 20), "2026-11-21"),
                 ("timestamp", datetime.datetime(2026, 1, 2, 3, 4, 5, 250000),
                  datetime.datetime(2026, 1, 2), "2026-01-02 03:04:05.25"),
                 ("numeric", decimal.Decimal("12345.6700"), decimal.Decimal("1"), "12345.6700"),
                 ("bytea", b"\x01\xff", b"\x01", "?x01ff")]

        async def client():
            connection = await asyncpg.connect(self.dsn_url())
            for type_name, wanted, other, pattern in cases:
                sql = f"select $1::{type_name}"
                rule = await asyncio.to_thread(
                    lambda: self.armed(postgres={"params": {"1": pattern}}, **ERROR))
                self.assertEqual(await connection.fetchval(sql, other), other)
                with self.assertRaises(asyncpg.SerializationError, msg=type_name):
                    await connection.fetchval(sql, wanted)
                self.assertEqual(await connection.fetchval(sql, other), other)
                self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
            await connection.close()
        asyncio.run(client())

    dsn_url = __import__("lost_test").LostReplies.dsn_url

    @needs("psycopg2")
    def test_prepared_by_name(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("prepare of_orders as select * from shop.orders")
        cursor.execute("prepare of_nothing as select 1")
        rule = self.armed(postgres={"prepared": "of_ord*"}, **ERROR)
        cursor.execute("execute of_nothing")
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            cursor.execute("execute of_orders")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        rule = self.armed(postgres={"table": "orders"}, **ERROR)
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            cursor.execute("execute of_orders")
        cursor.execute("deallocate all")
        cursor.execute("prepare of_orders as select 2")
        cursor.execute("execute of_orders")
        self.assertEqual(cursor.fetchall(), [(2,)], "what was forgotten does not match")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)

    @needs("psycopg2")
    def test_what_the_parser_refuses_has_no_table(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        connection.autocommit = True
        rule = self.armed(postgres={"table": "*"}, **ERROR)
        with self.assertRaises(psycopg2.errors.SyntaxError):
            connection.cursor().execute("selec * from shop.orders")
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 0)
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            connection.cursor().execute("select * from shop.orders")

    @needs("psycopg2")
    def test_once_per_transaction(self):
        import psycopg2
        connection = psycopg2.connect(self.dsn())
        self.armed(postgres={"table": "payments"}, respond={"columns": ["id"], "rows": [[9]]},
                   trigger={"nth": 2, "per": "transaction"})
        seen = []
        for _ in range(2):
            for _ in range(3):
                cursor = connection.cursor()
                cursor.execute("select id from payments")
                seen.append(cursor.fetchall())
            connection.commit()
        self.assertEqual(seen, [[], [(9,)], []] * 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
