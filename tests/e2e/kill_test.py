#!/usr/bin/python3
"""kill -9 of each process of a run: nothing is left of it, counted before, during and after."""

import os
import pathlib
import re
import shutil
import signal
import tempfile
import time

import misrule
import world
from misrule import POSTGRES, SERVICE, SLOW

SPEC = POSTGRES + SERVICE + SLOW + '''
def test_it():
    assert_eq(db.main.exec(sql = "CREATE TABLE t (n int)").ok, True)
    assert_true(int(api.get(path = "/mess?name=NAME&key=KEY").body) >= 0)
    wait_a_minute()
'''


def marks(name, key):
    """What a service's mess would be if it got out of its world."""
    left = [path for path in (f"/tmp/{name}", f"/run/user-of-misrule/{name}", f"/dev/shm/{name}")
            if os.path.exists(path)]
    segments = pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()
    return left + [line for line in segments if line.split()[0] == str(key)]


class Kill(misrule.Project):
    def setUp(self):
        super().setUp()
        if not misrule.have_postgres():
            self.skipTest("PostgreSQL is not installed")

    def kill(self, who, code):
        name, key = f"mess-{os.getpid()}", 0x6D000000 + os.getpid()
        spec = SPEC.replace("NAME", name).replace("KEY", str(key))
        self.assertEqual(marks(name, key), [])
        process = self.start(spec)
        run = world.of_run(process.pid, self.folder)
        victim = run.wait_for(who, step="/write")
        self.assertGreaterEqual(len(run.namespaces), 4, "the control: there is a world")
        self.assertGreaterEqual(len(run.all), 5)
        world.kill(victim)
        if who == "service":
            # Its test goes on to its own end: the run is interrupted to see what is left of it.
            process.send_signal(signal.SIGINT)
        # Longer than the step that the killed server leaves waiting (30 s).
        output, _ = process.communicate(timeout=90)
        run.assert_gone(self)
        self.assertEqual(marks(name, key), [])
        if code is not None:
            self.assertEqual(process.returncode, code, output)

    def test_coordinator(self):
        self.kill("coordinator", -9)

    def test_nursery(self):
        self.kill("nursery", 3)

    def test_init(self):
        self.kill("init", 3)

    def test_worker(self):
        self.kill("worker", 3)

    def test_service(self):
        self.kill("service", None)

    def test_postgres(self):
        self.kill("postgres", None)

    def test_the_next_run_sweeps_what_killed_ones_left(self):
        """Coordinator, nursery and PID 1 at once: nobody is left who could tidy up."""
        process = self.start(SPEC.replace("NAME", "x").replace("KEY", "1234567"))
        run = world.of_run(process.pid, self.folder)
        run.wait_for("init", step="/write")
        for who in ("coordinator", "nursery", "init"):
            world.kill(run.pids[who], signal.SIGSTOP)
        for who in ("nursery", "init", "coordinator"):
            world.kill(run.pids[who])
        process.communicate(timeout=20)
        misrule.wait_until(lambda: not run.namespaces & world.namespaces_in_use(), 3)
        self.assertTrue(list((misrule.STATE / "worlds").glob(run.run + "*")), "the control")
        self.assertEqual(self.run_spec(SERVICE + "def test_it():\n    pass\n").code, 0)
        run.assert_gone(self)


class Preparation(misrule.Project):
    def setUp(self):
        super().setUp()
        if not misrule.have_postgres():
            self.skipTest("PostgreSQL is not installed")

        # Of its own: other runs on this machine make clusters, too.
        misrule.STATE.mkdir(exist_ok=True)
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=misrule.STATE))
        self.state.chmod(0o755)
        os.environ["MISRULE_STATE_DIR"] = str(self.state)

    def tearDown(self):
        if os.environ.pop("MISRULE_STATE_DIR", None):
            shutil.rmtree(self.state)
        super().tearDown()

    def test_an_interrupt_while_a_cluster_is_made(self):
        """The first run with these settings makes a cluster; Ctrl-C then leaves none half made."""
        spec = POSTGRES.replace('"test"', f'"password-{os.getpid()}"')
        spec += "def test_it():\n    pass\n"
        cache = self.state / "cache"
        took = []
        for _ in range(3):
            process = self.start(spec)
            made = misrule.wait_until(lambda: list(cache.glob("*.making")), 60)
            self.assertTrue(made, "the control: it is being made")
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=20)
            took.append(time.monotonic() - asked)
            self.assertEqual(process.returncode, 130, output)
            self.assertEqual(list(cache.glob("*.making")), [])
        # The quickest of three: a machine that is busy for a moment decides nothing.
        self.assertLess(min(took), 2.0)
        self.assertEqual(self.run_spec(spec).code, 0, "the next run makes it")

    def servers(self):
        """Processes that work in this test's state folder."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
            except OSError:
                continue
            if str(self.state) in command:
                found.append(command.replace("\0", " "))
        return found

    def test_an_end_while_a_cluster_is_seeded(self):
        """The server that takes the seed is a daemon; it ends with the run all the same."""
        self.write("slow.sql", "CREATE TABLE seeding (n int);\nSELECT pg_sleep(600);\n")
        spec = POSTGRES.replace('"postgres:16"', '"postgres:16", seed = "slow.sql"')
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
            with self.subTest(number):
                process = self.start(spec + "def test_it():\n    pass\n")
                seeding = misrule.wait_until(
                    lambda: any("psql" in command for command in self.servers()), 60)
                self.assertTrue(seeding, "the control: it is being seeded")
                self.assertTrue(any("bin/postgres -D" in command for command in self.servers()))
                process.send_signal(number)
                output, _ = process.communicate(timeout=20)
                self.assertEqual(process.returncode, code, output)
                misrule.wait_until(lambda: not self.servers(), 20)
                self.assertEqual(self.servers(), [])


class Keep(misrule.Project):
    def test_a_kept_world_is_entered_and_ended(self):
        run = self.run_spec(SERVICE + "def test_it():\n    pass\n", "--keep")
        self.assertEqual(run.code, 0, run.output)
        said = re.search(r"^kept: \S*misrule enter (\S+) · \S*misrule end (\S+)$", run.output, re.M)
        self.assertTrue(said, run.output)
        run_id = said[1]
        self.assertEqual(said[2], run_id)
        try:
            inside = self.misrule("enter", run_id, "/usr/bin/python3", "-c",
                                  "import urllib.request as u;"
                                  "print(u.urlopen('http://localhost:8080/health').read())")
            self.assertEqual((inside.returncode, inside.stdout.strip()), (0, "b'ok'"), inside)
        finally:
            ended = self.misrule("end", run_id)
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual(list((misrule.STATE / "worlds").glob(run_id + "*")), [])
        self.assertNotEqual(self.misrule("end", run_id).returncode, 0)

    def test_what_is_not_kept_says_why(self):
        spec = SERVICE.replace('"./api.py"', '"/bin/false"') + "def test_it():\n    pass\n"
        run = self.run_spec(spec, "--keep")
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("not kept: test_it ended in an error\n", run.output)
        run_id = os.readlink(self.folder / ".misrule" / "runs" / "latest")
        self.assertEqual(list((misrule.STATE / "worlds").glob(run_id + "*")), [])


if __name__ == "__main__":
    misrule.main()
