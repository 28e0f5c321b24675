"""Rules that are about some sessions, and about every so manieth statement."""

import unittest

from errors_test import needs
from faults import FaultCase

PATTERN = "insert into payments*"
INSERT = "insert into payments (id) values (%s)"


class Sessions(FaultCase):
    def setUp(self):
        self.server.sql("truncate payments; alter table payments disable trigger all",
                        dbname="app")

    def connect(self, autocommit=True, **options):
        import psycopg
        connection = psycopg.connect(self.server.dsn(port=self.proxy.port), autocommit=autocommit,
                                     **options)
        self.addCleanup(connection.close)
        return connection

    def fails(self, connection, number):
        import psycopg
        try:
            connection.execute(INSERT, (number,))
            return False
        except psycopg.errors.DiskFull:
            return True

    def arm(self, trigger=None, **match):
        return self.armed(postgres={"query": PATTERN, **match}, error={"code": "disk_full"},
                          **({"trigger": trigger} if trigger else {}))

    @needs("psycopg")
    def test_an_application_by_its_name(self):
        nightly, shop = self.connect(application_name="nightly"), self.connect()
        self.assertEqual([self.fails(nightly, 1), self.fails(shop, 2)], [False, False])
        rule = self.arm(application_name="nightly")
        self.assertEqual([self.fails(nightly, 3), self.fails(shop, 4)], [True, False])
        shop.execute("set application_name = 'nightly'")
        self.assertEqual(self.fails(shop, 5), True)
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 2)

    @needs("psycopg")
    def test_a_user_and_a_database(self):
        connection = self.connect()
        rule = self.arm(user="app", database="app")
        self.assertTrue(self.fails(connection, 1))
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)
        other = self.arm(user="somebody")
        self.assertFalse(self.fails(connection, 1))
        tally = self.proxy.tallies()[other]
        self.assertEqual(tally["fired"], 0)
        self.assertIn("of another session", " ".join(tally["near_misses"]))

    @needs("psycopg")
    def test_within_a_transaction_only(self):
        alone, within = self.connect(), self.connect(autocommit=False)
        rule = self.arm(in_transaction=True)
        self.assertFalse(self.fails(alone, 1))
        within.execute("select 1")
        self.assertTrue(self.fails(within, 2))
        within.rollback()
        self.assertEqual(self.proxy.tallies()[rule]["fired"], 1)

    @needs("psycopg")
    def test_every_third(self):
        connection = self.connect()
        self.arm(trigger={"every": 3})
        self.assertEqual([self.fails(connection, number) for number in range(7)],
                         [False, False, True, False, False, True, False])


if __name__ == "__main__":
    unittest.main(verbosity=2)
