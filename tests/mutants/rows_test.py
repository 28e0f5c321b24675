#!/usr/bin/python3
"""rows.py finds what it is for."""

import unittest

import rows


class Rows(unittest.TestCase):
    TABLE = {"rows": {"S0": 2}, "without": {}}

    def test_numbers_are_found_in_names_and_comments(self):
        self.assertEqual(rows.rows_in("TEST_F(Rows, S0_1_S0_12_AName) {  // S1-3, S2-20"),
                         {"S0-1", "S0-12", "S1-3", "S2-20"})
        self.assertEqual(rows.rows_in("def test_s0(self): ALSO0_1 S3-4"), set())

    def test_a_row_needs_both(self):
        both = {"S0-1": ["a"], "S0-2": ["b"]}
        self.assertEqual(list(rows.findings(self.TABLE, both, both)), [])
        self.assertEqual(list(rows.findings(self.TABLE, {"S0-1": ["a"]}, both)),
                         ["S0-2 has no test"])
        self.assertEqual(list(rows.findings(self.TABLE, both, {"S0-2": ["b"]})),
                         ["S0-1 has no mutant"])
        self.assertEqual(list(rows.findings(self.TABLE, {}, {"S0-1": ["a"]})),
                         ["S0-1 has no test", "S0-2 has no test and no mutant"])

    def test_reasons_are_for_what_is_missing(self):
        table = {"rows": {"S0": 2}, "without": {"S0-2": "why"}}
        one = {"S0-1": ["a"]}
        self.assertEqual(list(rows.findings(table, one, one)), [])
        both = {"S0-1": ["a"], "S0-2": ["b"]}
        self.assertEqual(list(rows.findings(table, both, both)),
                         ["S0-2 has a test and a mutant: it needs no reason"])

    def test_a_number_that_is_no_row_is_a_mistake(self):
        both = {"S0-1": ["a"], "S0-2": ["b"]}
        self.assertEqual(list(rows.findings(self.TABLE, {**both, "S0-3": ["x_test.cc"]}, both)),
                         ["S0-3 is no row: x_test.cc"])


if __name__ == "__main__":
    unittest.main()
