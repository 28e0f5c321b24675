#!/usr/bin/python3
"""Sentences of docs/specs.md that no other test is about, beside what would be otherwise."""

import pathlib
import re
import shutil
import unittest

import misrule

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "specs.md"

# Every test quotes its sentences.
NATIVE = '''
second = service("second", interface("main", "http", 9001), binary = "python3",
                 args = ["../api.py"], cwd = "work", env = {"PORT": "9001", "A": "own"},
                 healthcheck = http("localhost:9001/health"), restart = "never")
api = service("api", interface("public", "http", 8080), binary = "./api.py",
              depends_on = [second], intercept = ["fsync"],
              healthcheck = http("localhost:8080/health"))

def test_programs():
    """`binary`, `args`, `cwd`: relative to the spec, a name on the PATH. `env`: beside PATH, HOME,
    LANG, TZ and PYTHONUNBUFFERED, nothing else of the machine's."""
    assert_true(second.get(path = "/cwd").body.endswith("/work"))
    assert_eq(second.get(path = "/env").body, "A HOME LANG PATH PORT PYTHONUNBUFFERED TZ")

def test_order():
    """`depends_on`: services that must be ready first."""
    ready = {"type": "lifecycle", "service": "second", "action": "ready"}
    begin = {"type": "lifecycle", "service": "api", "action": "starting"}
    assert_before(first = ready, then = begin)

def test_steps():
    """A step that is refused, reset or too late (`timeout=`) is a response with `ok` False and
    `status` 0."""
    held = delay("60s", path = "/health", method = "GET")
    late = fault(api, held, source = "test",
                 run = lambda: api.get(path = "/health", timeout = "300ms"))
    assert_eq((late.ok, late.status), (False, 0))
    assert_true(late.error != "" and late.duration_ms >= 290, late.error)
    cut = fault(api, reset(path = "/health"), source = "test",
                run = lambda: api.get(path = "/health"))
    assert_eq((cut.ok, cut.status), (False, 0))
    assert_eq(api.get(path = "/health").ok, True, "without a rule")

def test_links():
    """A link takes hold of connections; several of them hold together."""
    links = [link(latency = "100ms"), link(latency = "80ms", direction = "to_client")]
    reply = fault(second, rules = links, source = "test",
                  run = lambda: second.get(path = "/health"))
    assert_eq(reply.status, 200)
    assert_true(reply.duration_ms >= 280, "%d ms" % reply.duration_ms)

def test_the_last_value_is_the_failure():
    """At the deadline it is asked once more, and the failure shows its last value."""
    wait_until(lambda: second.get(path = "/nothing").status == 200 and "ok", within = "300ms")

def test_limits():
    """`log`: 64 KiB, 10,000 of them in a test. `attach`: 100 of them."""
    log("y" * 70000)
    for i in range(10010):
        log(i)
    for i in range(100):
        attach("note", "x")
    said = events(type = "log")
    assert_eq(len(said), 10000)
    assert_true(len(said[0].body) <= 65536 + 100)
    assert_eq(said[-1].body, "no more than 10000 logs are kept")
    assert_eq(len(events(type = "attachment")), 100)
    attach("note", "one too many")

def test_bytes():
    """`attach`: 64 MiB in a test."""
    attach("large", "x" * (40 << 20))
    attach("larger", "x" * (25 << 20))

def only_steps():
    return api.get(path = "/health")
def test_own_steps_are_left_alone():
    """Rules act on the services' traffic; only `source="test"` touches the test's own steps."""
    fault(api, error(path = "/health", status = 503), run = only_steps)

def writes():
    return api.get(path = "/write?path=/tmp/a")
def reads():
    return second.get(path = "/health")
def unused():
    return api.get(path = "/unused")
for one in [writes, reads, unused]:
    scenario(one)
full = fault_assumption("full", target = api, write = deny("ENOSPC", path = "/tmp/a"))
slow = fault_assumption("slow", target = api, write = delay("1ms", path = "/tmp/a"))
broken = monitor("broken", on = {"type": "step_recv", "to": "second"}, state_init = 0,
                 update = lambda n, e: n + 1, check = lambda n, e: False)
strict = fault_assumption("strict", target = second, monitors = [broken],
                          rules = [error(path = "/health", status = 503)])
fault_matrix(scenarios = [writes], faults = [full, slow],
             default_expect = lambda r: assert_eq(writes().status, 200))
fault_matrix(scenarios = [reads], faults = [strict], default_expect = lambda r: None)

def raises():
    assert_eq(writes().status, 200, "it raises")
fault_scenario("raised", scenario = raises, faults = [full], expect = lambda r: fail("never asked"))
'''

OUTCOMES = {
    "test_programs": "passed", "test_order": "passed", "test_steps": "passed",
    "test_links": "passed",
    "test_the_last_value_is_the_failure": "failed", "test_limits": "failed", "test_bytes": "failed",
    "test_own_steps_are_left_alone": "failed", "test_matrix_writes_full": "passed",
    "test_matrix_writes_slow": "passed", "test_matrix_reads_strict": "invalid",
    "raised": "failed"}

ROLES = '''
db = service("db", interface("main", "postgres", 5432), image = "postgres:16",
             env = {"POSTGRES_PASSWORD": "test", "POSTGRES_DB": "shop"},
             healthcheck = tcp("localhost:5432"), seed = "seed.sql")
api = service("api", interface("public", "http", 8080), binary = "./api.py", depends_on = [db],
              env = {"DSN": "postgres://worker@localhost:5432/jobs"},
              healthcheck = http("localhost:8080/health"))

def test_stand_in():
    """The stand-in keeps fsync=on."""
    assert_eq(db.query(sql = "SHOW fsync").value(), "on")
    assert_eq(db.query(sql = "SHOW full_page_writes").value(), "on")

def test_roles():
    """A step uses POSTGRES_USER and POSTGRES_DB; `database=`, `user=` choose. A role made because
    a DSN names it needs no password, owns the database made for it, may create in `public` of
    others."""
    who = "SELECT current_user || ' ' || current_database()"
    assert_eq(db.query(sql = who).value(), "postgres shop")
    assert_eq(db.query(sql = who, user = "worker", database = "jobs").value(), "worker jobs")
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1"
    assert_eq(db.query(sql = owner, params = ["jobs"]).value(), "worker")
    made = db.exec(sql = "CREATE TABLE made (n int)", user = "worker", database = "shop")
    assert_eq(made.ok, True)

def test_failed_steps():
    """Asking a failed step for `.data` raises; `code` is the SQLSTATE; of rows, `one()` is the only
    row and `value()` its only column, and anything else is an error."""
    failed = db.query(sql = "SELECT * FROM nowhere")
    assert_eq((failed.ok, failed.code), (False, "42P01"))
    assert_eq(db.query(sql = "SELECT 1 AS a, 2 AS b").one(), {"a": 1, "b": 2})
    failed.data

def test_one_of_two():
    db.query(sql = "SELECT generate_series(1, 2)").one()

def test_value_of_two():
    db.query(sql = "SELECT 1 AS a, 2 AS b").value()
'''

CACHE = '''
cache = service("cache", interface("main", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"),
                observe = [keyspace(), pubsub("news.*"), pubsub("news.a")])

def test_commands():
    """Redis interfaces have `hget`, `lpush`, `smembers`, `expire`, `ttl` ..."""
    cache.lpush("list", "a")
    cache.lpush("list", "b")
    assert_eq(cache.lrange("list", 0, -1).data, ["b", "a"])
    cache.sadd("set", "x")
    assert_eq(cache.smembers("set").data, ["x"])
    cache.hset("hash", "field", "value")
    assert_eq(cache.hget("hash", "field").data, "value")
    assert_eq(cache.expire("hash", 100).data, 1)
    assert_true(0 < cache.ttl("hash").data and cache.ttl("hash").data <= 100)

def test_a_message_for_two():
    """A message that two `pubsub` mean is two events."""
    assert_eq(cache.publish("news.a", "both").data, 2)
    cache.publish("news.b", "one")
    assert_eventually(type = "pubsub", where = {"body": "one"})
    assert_eq(len(events(type = "pubsub", where = {"body": "both"})), 2)
    assert_eq(len(events(type = "pubsub", where = {"body": "one"})), 1)

def test_a_key_that_expires():
    """A key that expires is told when the server deletes it."""
    cache.command("PSETEX", "short", "50", "v")
    assert_eventually(type = "keyspace", where = {"op": "expired", "key": "short"}, within = "30s")
'''


class Settled(misrule.Project):
    def outcomes(self, run):
        return {test["name"]: test["outcome"] for test in run.report["tests"]}

    def message(self, run, test):
        return " ".join(finding["message"] for finding in run.test(test)["findings"])

    def test_programs_steps_and_verdicts(self):
        (self.folder / "work").mkdir()
        api = (self.folder / "api.py").read_text()
        self.write("api.py", api.replace("    def do_health", """\
    def do_cwd(self):
        return os.getcwd()
    def do_env(self):
        # What a shell, or a python3 that is a script itself, adds on its own.
        own = {"PWD", "SHLVL", "_", "LC_CTYPE"}
        known = {name for name in os.environ if name not in own and "PYENV" not in name}
        return " ".join(sorted(known))
    def do_health"""))
        run = self.run_spec(NATIVE)
        self.assertEqual(run.code, 1, run.output)
        self.assertEqual(self.outcomes(run), OUTCOMES, run.output)
        for test, said in (("test_the_last_value_is_the_failure", "False"),
                           ("test_limits", "at most 100 attachments"),
                           ("test_bytes", "of 64 MiB in all"),
                           ("test_own_steps_are_left_alone", "the fault never fired"),
                           ("test_matrix_reads_strict", "the control does not hold"),
                           ("test_matrix_reads_strict", "broken"),
                           ("raised", "it raises")):
            self.assertIn(said, self.message(run, test), run.output)
        self.assertNotIn("never asked", run.output, "expect of a scenario that raised")
        self.assertIn('source="test"', run.output, "the nearest miss says so")
        controls = {test["control"]["event_log"] for test in run.report["tests"]
                    if test["name"].startswith("test_matrix_writes")}
        self.assertEqual(len(controls), 1, "one control serves all cells of a scenario")
        self.assertFalse([test for test in self.outcomes(run) if "unused" in test])
        self.assertIn("unused", str(run.report["notes"]), "a scenario that nothing uses is a note")

    def test_a_reset_before_each_test(self):
        """"reset=": what outlives a world is clean before each test and control; no event tells."""
        api = (self.folder / "api.py").read_text()
        self.write("api.py", api.replace('''    def do_health''', '''    def do_clear(self):
        if os.path.exists("left"):
            os.remove("left")
    def do_health'''))
        spec = misrule.SERVICE.replace("healthcheck", "reset = lambda: clean(), healthcheck") + '''
def clean():
    api.get(path = "/clear")
def is_clean():
    return api.get(path = "/read?path=left").body == "ENOENT"
def leave():
    was_clean = is_clean()
    api.get(path = "/write?path=left")
    return was_clean
invariant(never(where = {"type": "step_send", "path": "/clear"}))
def test_first():
    assert_true(leave())
def test_second():
    assert_true(leave())
full = fault_assumption("full", target = api, write = deny("ENOSPC", path = "*/left"))
fault_scenario("third", scenario = leave, faults = [full], expect = assert_true,
               control = assert_true)
'''
        run = self.run_spec(spec)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(len(run.report["tests"]), 3)
        without = self.run_spec(spec.replace("reset = lambda: clean(), ", ""))
        self.assertEqual({test["name"]: test["outcome"] for test in without.report["tests"]},
                         {"test_first": "failed", "test_second": "failed", "third": "invalid"},
                         "the control: what the run before left is there\n" + without.output)
        for body, said in (('fail("no")', r"resetting api: spec.star:\d+:\d+: fail: no"),
                           ('api.get(path = "/exit")',
                            r"resetting api: a step on api.public failed: "),
                           ('log("x")', r"resetting api: .* has no place in a reset")):
            wrong = self.run_spec(spec.replace('api.get(path = "/clear")', body), "--test",
                                  "test_first")
            self.assertEqual(wrong.code, 3, wrong.output)
            self.assertRegex(wrong.output, said)

    @unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
    def test_a_stand_ins_roles_and_rows(self):
        self.write("seed.sql", "CREATE TABLE t (n int);\n")
        run = self.run_spec(ROLES)
        self.assertEqual(run.code, 1, run.output)
        self.assertEqual(self.outcomes(run), {
            "test_stand_in": "passed", "test_roles": "passed", "test_failed_steps": "failed",
            "test_one_of_two": "failed", "test_value_of_two": "failed"}, run.output)
        self.assertIn('relation "nowhere" does not exist', self.message(run, "test_failed_steps"))
        self.assertIn("2 rows", self.message(run, "test_one_of_two"))
        self.assertIn("several columns", self.message(run, "test_value_of_two"))

    @unittest.skipUnless(shutil.which("redis-server"), "Redis is not installed")
    def test_redis(self):
        run = self.run_spec(CACHE)
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(len(run.report["tests"]), 3)

    def test_modes_of_an_error(self):
        """The default is `"reject"`, and `"fake"` is refused: its word is `respond`."""
        spec = misrule.SERVICE + '''
def test_it():
    busy = error(path = "/health", status = 503%s)
    fault(api, busy, source = "test", run = lambda: api.get(path = "/health"))
'''
        for mode, code in ("", 0), (', mode = "reject"', 0), (', mode = "fake"', 2):
            self.write("spec.star", spec % mode)
            checked = self.misrule("check", "spec.star")
            self.assertEqual(checked.returncode, code, checked.stderr)
        self.assertIn("respond() has the server do nothing", checked.stderr)

    def test_every_recipe_takes_a_name(self):
        """The table of files that come with Misrule; "each takes `name=`, too"."""
        spec = "\n".join(f'{name} = service("{name}", interface("main", "{protocol}", {port}), '
                         f'binary = "./api.py")'
                         for name, protocol, port in (("db", "postgres", 1), ("cache", "redis", 2),
                                                      ("broker", "redis", 3), ("primary", "tcp", 4),
                                                      ("replica", "tcp", 5), ("client", "http", 6),
                                                      ("consumer", "http", 7)))
        names = []
        rows = re.findall(r"\| `(@misrule/\S+)` \| (.*) \|", PAGE.read_text())
        for file, row in rows:
            for recipe, arguments in re.findall(r"`(\w+)\(([^)]*)\)`", row):
                names.append(f"named_{recipe}")
                spec += f'\nload("{file}", "{recipe}")'
                spec += f'\n{names[-1]} = {recipe}({arguments}, name = "{names[-1]}")'
        self.assertEqual(len(rows), 3)
        self.assertGreaterEqual(len(names), 11)
        self.write("spec.star", f"""{spec}
def ask():
    return client.get(path = "/")
scenario(ask)
fault_matrix(scenarios = [ask], faults = [{", ".join(names)}])
""")
        listed = self.misrule("test", "spec.star", "--list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for name in names:
            self.assertIn(f"test_matrix_ask_{name}", listed.stdout)


if __name__ == "__main__":
    misrule.main()
