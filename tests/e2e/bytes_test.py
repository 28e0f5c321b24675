#!/usr/bin/python3
"""Bytes that are no UTF-8, wherever they come from: the verdict is the true one, JSON is JSON."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import misrule
import world
from misrule import BINARY, SERVICE, SLOW

# "café" in Latin-1. surrogateescape is how Python spells such a byte in names and variables.
RAW = b"caf\xe9"
NAME = os.fsdecode(RAW)

LATIN = misrule.API.replace('    def do_health(self):', r'''    def do_latin(self):
        os.write(1, b"caf\xe9\n")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"caf\xe9")
    def do_health(self):''')


class Bytes(misrule.Project):
    def run_bytes(self, spec, *arguments, name="spec.star", env=None, timeout=100):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(spec if isinstance(spec, bytes) else spec.encode())
        process = subprocess.run(
            [str(BINARY), "test", os.fsencode(name), "--json", "report.json", *arguments],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=timeout, env={**os.environ, **(env or {})})
        # Strictly UTF-8, or this raises.
        report = json.loads((self.folder / "report.json").read_bytes().decode("utf-8"))
        return misrule.Run(process.returncode, process.stdout.decode("utf-8", "replace"), report)

    def assert_finding(self, run, code, text):
        self.assertEqual(run.code, code, run.output)
        self.assertIn(text, json.dumps(run.test("test_it")["findings"], ensure_ascii=False))
        latest = self.folder / ".misrule" / "runs" / "latest" / "result.json"
        json.loads(latest.read_bytes().decode("utf-8"))

    def test_a_service_that_prints_them_and_ends(self):
        api = r'binary = "/bin/sh", args = ["-c", "printf \"caf\\351\\n\"; exit 3"]'
        spec = SERVICE.replace('binary = "./api.py"', api) + "def test_it():\n    pass\n"
        run = self.run_bytes(spec)
        self.assert_finding(run, 3, "api exited with status 3 before it was ready")
        self.assertIn("caf\ufffd", run.output)

    def test_a_body_in_a_failure(self):
        self.write("api.py", LATIN)
        for body in ("fail(api.get(path = '/latin').body)",
                     "assert_true(False, api.get(path = '/latin').body)"):
            run = self.run_bytes(SERVICE + f"def test_it():\n    {body}\n")
            self.assert_finding(run, 1, "caf\ufffd")

    def test_an_exit_that_nothing_explains(self):
        self.write("api.py", LATIN)
        run = self.run_bytes(SERVICE + "def test_it():\n    api.get(path = '/latin')\n"
                             "    api.get(path = '/exit')\n")
        self.assert_finding(run, 1, "although no fault explains it")

    def test_what_came_nearest_to_a_rule(self):
        spec = SERVICE + r'''
def ask():
    api.get(path = "/caf%s" % env("X"))
def test_it():
    fault(api.public, drop(path = "/nowhere*"), run = ask)
'''
        run = self.run_bytes(spec, env={"X": NAME})
        self.assert_finding(run, 1, "never fired")

    def test_a_variable_of_the_environment(self):
        spec = SERVICE.replace('binary =', 'env = {"X": env("X")}, binary =') + '''
def test_it():
    fail(env("X"))
'''
        run = self.run_bytes(spec, env={"X": NAME})
        self.assert_finding(run, 1, "caf\ufffd")

    def test_the_names_of_a_file_and_of_folders(self):
        passing = SERVICE + '''
def test_it():
    assert_eq(api.get(path = "/health").status, 200)
'''
        run = self.run_bytes(passing, name=NAME + ".star")
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(run.test("test_it")["file"], "caf\ufffd.star")
        inner = os.path.join(os.fsencode(self.folder), RAW)
        os.mkdir(inner)
        self.folder = pathlib.Path(os.fsdecode(inner))
        self.write("api.py", misrule.API).chmod(0o755)
        self.assertEqual(self.run_bytes(passing).code, 0, "a folder of that name")

    def test_an_error_of_a_spec(self):
        run = self.run_bytes(b'fail("caf\xe9")\ndef test_it():\n    pass\n')
        self.assertEqual(run.code, 2, run.output)


class StuckNursery(misrule.Project):
    """A nursery that says nothing any more: both ways out are there."""

    SPEC = SERVICE + SLOW + "def test_it():\n    wait_a_minute()\n"

    def stop_nursery(self, *arguments):
        process = self.start(self.SPEC, *arguments)
        run = world.of_run(process.pid, self.folder)
        run.wait_for("worker", step="/write")
        world.kill(run.pids["nursery"], signal.SIGSTOP)
        return process, run

    def test_an_interrupt(self):
        process, run = self.stop_nursery()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        run.assert_gone(self)

    def test_the_deadline(self):
        process, run = self.stop_nursery("--timeout", "15s")
        output, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 1, output)
        self.assertIn("the deadline of 15 s passed", output)
        run.assert_gone(self)


if __name__ == "__main__":
    sys.exit(misrule.main())
