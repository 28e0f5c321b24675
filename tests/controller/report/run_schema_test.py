#!/usr/bin/python3
"""The JSON of a run obeys docs/run.schema.json, and the schema refuses what is not a run."""

import copy
import json
import os
import pathlib
import subprocess
import sys
import unittest

import jsonschema

SOURCES = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", pathlib.Path(__file__).parents[3]))
SCHEMA = json.loads((SOURCES / "docs" / "run.schema.json").read_text())
RUN = json.loads(subprocess.run([sys.argv.pop(1)], check=True, capture_output=True).stdout)

WRONG = {
    "another schema": lambda run: run.update(schema="misrule.run/2"),
    "no seed": lambda run: run.pop("seed"),
    "a field that nobody knows": lambda run: run.update(extra=1),
    "an outcome that does not exist": lambda run: run["tests"][0].update(outcome="fine"),
    "an exit code that does not exist": lambda run: run.update(exit_code=7),
    "a test without its command": lambda run: run["tests"][0].pop("again"),
    "a rule without its tally": lambda run: run["tests"][0]["rules"][0].pop("fired"),
    "a rule without its cuts": lambda run: run["tests"][0]["rules"][0].pop("connections_cut"),
    "an attachment without its size": lambda run: run["tests"][0]["attachments"][0].pop("size"),
    "a test without attachments": lambda run: run["tests"][1].pop("attachments"),
    "a control without its verdict": lambda run: run["tests"][1]["control"].pop("outcome"),
    "a control that nobody knows": lambda run: run["tests"][1]["control"].update(outcome="fine"),
    "a finding without words": lambda run: run["tests"][1]["findings"][0].update(message=""),
    "a total that is no number": lambda run: run["totals"].update(passed="one"),
    "a problem without its text": lambda run: run["problems"][0].pop("rendered"),
}


class RunSchema(unittest.TestCase):
    def test_the_schema_is_one(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_the_run_is_valid(self):
        jsonschema.validate(RUN, SCHEMA)

    def test_what_is_wrong_is_refused(self):
        for name, spoil in WRONG.items():
            with self.subTest(name):
                spoiled = copy.deepcopy(RUN)
                spoil(spoiled)
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(spoiled, SCHEMA)

    def test_every_outcome_is_counted(self):
        outcomes = [test["outcome"] for test in RUN["tests"]]
        for outcome in set(outcomes):
            self.assertEqual(RUN["totals"][outcome], outcomes.count(outcome))
        self.assertEqual(RUN["totals"]["planned"], len(outcomes) + 1)

    def test_the_command_is_whole(self):
        self.assertEqual(RUN["tests"][0]["again"],
                         "misrule test examples/shop/shop.star --test test_checkout --seed 42"
                         " --set 'BUG=retry without key'")


if __name__ == "__main__":
    unittest.main()
