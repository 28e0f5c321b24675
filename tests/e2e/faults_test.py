#!/usr/bin/python3
"""Faults on real services: each first shown without the rule, then with it, then after it."""

import unittest

import misrule
from misrule import POSTGRES, SERVICE

# The api's dependency: something declared to connect to.
STORE = '''
store = service("store", interface("main", "http", 9000), binary = "./api.py",
                env = {"PORT": "9000"}, healthcheck = http("localhost:9000/health"))
'''


class PythonService(misrule.Project):
    def assert_passes(self, body, spec=SERVICE, *arguments):
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        run = self.run_spec(spec + "def get(path):\n    return api.get(path = path)\n"
                            "def test_it():\n" + lines, *arguments)
        self.assertEqual(run.code, 0, run.output)
        return run

    def test_denied_calls_fail_with_their_errno(self):
        for call, family, error in (("/write?path=/tmp/f", "write", "ENOSPC"),
                                    ("/read?path=/tmp/f", "read", "EIO"),
                                    ("/sync?path=/tmp/f", "fsync", "EIO"),
                                    ("/read?path=/tmp/f", "open", "EACCES")):
            with self.subTest(family=family):
                run = self.assert_passes(f'''
get("/write?path=/tmp/f")
assert_eq(get("{call}").status, 200, "without the rule")
reply = fault(api, {family} = deny("{error}", path = "/tmp/f"), run = lambda: get("{call}"))
assert_eq((reply.status, reply.body), (503, "{error}"))
assert_eq(get("{call}").status, 200, "afterwards")
''')
                self.assertGreaterEqual(run.test("test_it")["rules"][0]["fired"], 1, run.output)

    def test_a_path_that_is_not_meant_is_left_alone(self):
        self.assert_passes('''
def both():
    return get("/write?path=/tmp/other"), get("/write?path=/tmp/meant")
other, meant = fault(api, write = deny("ENOSPC", path = "/tmp/meant"), run = both)
assert_eq((other.status, meant.status), (200, 503))
''')

    def test_delays_last_as_long_as_they_say(self):
        self.assert_passes('''
took = [get("/write?path=/tmp/f").duration_ms for _ in range(5)]
assert_true(min(took) < 400, "without the rule: %s" % took)
write = delay("400ms", path = "/tmp/f")
slow = fault(api, write = write, run = lambda: get("/write?path=/tmp/f"))
assert_true(slow.duration_ms >= 400, "only %d ms" % slow.duration_ms)
assert_eq(slow.status, 200)
''')

    def test_a_rule_fires_as_often_as_it_may(self):
        self.assert_passes('''
def thrice():
    return [get("/write?path=/tmp/f").status for _ in range(3)]
def under(rule):
    return fault(api, write = rule, run = thrice)
assert_eq(under(deny("EIO", path = "/tmp/f", times = 1)), [503, 200, 200])
assert_eq(under(deny("EIO", path = "/tmp/f", nth = 2)), [200, 503, 200])
''')

    def test_one_rule_value_in_two_faults_is_two_rules(self):
        run = self.assert_passes('''
once = deny("EIO", path = "/tmp/f", times = 1, label = "once")
def twice():
    return [get("/write?path=/tmp/f").status for _ in range(2)]
assert_eq(twice(), [200, 200], "without the rule")
for _ in range(2):
    assert_eq(fault(api, write = once, run = twice), [503, 200])
''')
        rules = [(rule["id"], rule["fired"]) for rule in run.test("test_it")["rules"]]
        self.assertEqual(rules, [("once", 1), ("once#2", 1)], run.output)

    def test_connects_are_redirected_and_denied(self):
        run = self.assert_passes('''
for host in ["localhost", "127.0.0.1", "::1", "::ffff:127.0.0.1"]:
    assert_eq(get("/connect?host=" + host).status, 200, host)
assert_eq(get("/connect6").status, 200, "IPv6 alone")
refused = fault(api, connect = deny("ECONNREFUSED", to = store), run = lambda: get("/connect"))
assert_eq((refused.status, refused.body), (503, "ECONNREFUSED"))
assert_eq(get("/connect").status, 200, "afterwards")
''', STORE + SERVICE)
        self.assertEqual(run.test("test_it")["rules"][0]["fired"] >= 1, True, run.output)

    def test_an_undeclared_destination_is_untouched_and_reported(self):
        self.assert_passes('''
reply = get("/connect?host=127.0.0.1&port=9999")
assert_eq((reply.status, reply.body), (503, "ECONNREFUSED"))
''')
        connects = [event for event in self.events("test_it")
                    if event["type"] == "syscall" and "9999" in str(event.get("to"))]
        self.assertEqual([(event["service"], event["decision"]) for event in connects],
                         [("api", "allow")])

    def test_a_server_that_reaches_itself_does_what_is_its_own(self):
        self.assert_passes('assert_eq(get("/connect?port=8080").status, 200)')
        self.assertEqual([event for event in self.events("test_it")
                          if event["type"] == "syscall"], [])

    def test_no_rule_is_about_a_probes_own_connection(self):
        """It starts again, and is found ready, while nothing that it says reaches a client."""
        always = SERVICE.replace('"./api.py"', '"./api.py", restart = "always"')
        run = self.assert_passes("""
assert_eq(get("/health").status, 200, "without the rule")
def crash():
    before = events()[-1].number
    lost = get("/health")
    get("/exit?code=3")
    assert_eventually(where = lambda e: e.get("action") == "ready" and e.number > before)
    return lost, get("/health")
lost, still_lost = fault(api, write = deny("EPIPE"), run = crash)
assert_eq((lost.ok, still_lost.ok), (False, False))
assert_eq(get("/health").status, 200, "afterwards")
""", always)
        self.assertGreaterEqual(run.test("test_it")["rules"][0]["fired"], 2, run.output)

    def test_a_server_that_is_down_refuses(self):
        spec = STORE.replace('"./api.py"', '"./api.py", restart = "never"') + SERVICE
        run = self.run_spec(spec + '''
def test_it():
    assert_eq(api.get(path = "/connect").status, 200)
    store.get(path = "/exit?code=0")
    reply = api.get(path = "/connect")
    assert_eq((reply.status, reply.body), (503, "ECONNREFUSED"))
    assert_eq(store.get(path = "/").error, "connect to store.main: Connection refused")
''')
        self.assertEqual(run.code, 1, run.output)
        finding = run.test("test_it")["findings"][0]["message"]
        self.assertIn("store exited with status 0", finding, "and nothing else fails")

    def test_one_that_does_not_come_back_keeps_no_other_down(self):
        """`once` ends whenever it is started again; `api`, which comes after it, is looked at."""
        later = "    def do_exit_soon(self):\n        import threading\n" \
                "        threading.Timer(1, os._exit, [3]).start()\n    def do_health("
        self.write("api.py", misrule.API.replace("    def do_health(", later))
        self.write("once.sh", "#!/bin/sh\n[ -e /tmp/once ] && exit 3\ntouch /tmp/once\n"
                   "PORT=8081 exec ./api.py\n").chmod(0o755)
        once = SERVICE.replace("api", "once", 1).replace('"api"', '"once"').replace(
            "8080", "8081").replace("./api.py", "./once.sh").replace("binary", 'restart = "always",'
                                                                     " binary")
        run = self.run_spec(once + SERVICE.replace("binary", 'restart = "always", binary') + """
def crash():
    for service in (once, api):
        service.get(path = "/connect?port=1")
    before = events()[-1].number
    api.get(path = "/exit_soon")
    once.get(path = "/exit?code=3")
    assert_eventually(where = lambda e: e.service == "api" and e.get("action") == "ready" and
                                        e.number > before, within = "60s")
def test_it():
    deny_it = lambda: fault(once, connect = deny("EHOSTUNREACH"), run = crash)
    fault(api, connect = deny("EHOSTUNREACH"), run = deny_it)
""")
        events = [event for event in self.events("test_it") if event["type"] == "lifecycle"]
        ready = [event["service"] for event in events if event.get("action") == "ready"]
        self.assertEqual(ready, ["once", "api", "api"], run.output)
        self.assertIn("once", run.test("test_it")["findings"][0]["message"], run.output)

    def test_restart_always_starts_it_while_the_fault_is_on(self):
        body = """
def crash():
    get("/connect?port=1")
    before = events()[-1].number
    get("/exit?code=3")
    assert_eventually(where = lambda e: e.get("action") == "ready" and e.number > before)
    return get("/connect?port=1")
again = fault(api, connect = deny("EHOSTUNREACH"), run = crash)
assert_eq((again.status, again.body), (503, "EHOSTUNREACH"))
"""
        always = SERVICE.replace('"./api.py"', '"./api.py", restart = "always"')
        self.assert_passes(body, always)
        actions = [event.get("action") for event in self.events("test_it")]
        self.assertLess(actions.index("exited"), actions.index("restarting"))
        run = self.run_spec(always.replace("always", "after_fault") + """
def test_it():
    def crash():
        api.get(path = "/connect?port=1")
        api.get(path = "/exit?code=3")
        return api.get(path = "/health")
    assert_eq(fault(api, connect = deny("EHOSTUNREACH"), run = crash).ok, False)
    assert_eq(api.get(path = "/health").ok, True, "after the fault")
""")
        self.assertEqual(run.code, 0, run.output)

    def test_parallel_functions_wait_at_the_same_time(self):
        self.assert_passes("""
def write():
    return get("/write?path=/tmp/f").duration_ms
def both():
    return parallel(write, write)
took = fault(api, write = delay("400ms", path = "/tmp/f"), run = both)
sends = [e for e in events(type = "step_send")]
replies = [e for e in events(type = "step_recv")]
assert_true(took[0] >= 400 and took[1] >= 400, str(took))
assert_true(sends[1].source_time_ns < replies[0].source_time_ns, "one after the other")
""")

    def test_http_faults_at_the_proxy(self):
        run = self.assert_passes('''
assert_eq(get("/health").status, 200, "without the rule")
busy = error(path = "/health", status = 429, source = "test")
refused = fault(api.public, busy, run = lambda: get("/health"))
assert_eq(refused.status, 429)
dropped = drop(path = "/health", source = "test")
lost = fault(api.public, dropped, run = lambda: get("/health"))
assert_eq((lost.ok, lost.status), (False, 0))
assert_eq(get("/health").status, 200, "afterwards")
''')
        self.assertEqual([rule["fired"] for rule in run.test("test_it")["rules"]], [1, 1])

    def test_services_print_what_is_asserted(self):
        self.assert_passes('''
assert_eventually(type = "stdout", where = lambda e: e.data.get("action") == "listening")
assert_never(type = "stdout", where = lambda e: e.data.get("action") == "melting")
''')

    def test_on_the_hosts_network(self):
        spec = SERVICE.replace("8080", "18048")
        spec = spec.replace('"./api.py"', '"./api.py", env = {"PORT": "18048"}')
        self.assert_passes('assert_eq(get("/health").status, 200)', spec, "--network", "host")


@unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
class Postgres(misrule.Project):
    SPEC = POSTGRES + '''
def query(sql):
    return db.main.query(sql = sql)
def execute(sql):
    return db.main.exec(sql = sql)
'''

    def test_a_full_disk_is_recovered_from(self):
        run = self.run_spec(self.SPEC + '''
def test_it():
    assert_true(execute("CREATE TABLE t (n int)").ok, "without the rule")
    full = deny("ENOSPC", path = "*/pg_wal/*", times = 1)
    lost = fault(db, write = full, run = lambda: execute("INSERT INTO t VALUES (1)"))
    assert_true(not lost.ok)
    assert_eq(query("SELECT count(*) AS n FROM t").data[0]["n"], 0)
    assert_true(execute("INSERT INTO t VALUES (2)").ok, "afterwards")
''')
        self.assertEqual(run.code, 0, run.output)
        actions = [event.get("action") for event in self.events("test_it")]
        self.assertIn("recovering", actions)
        self.assertNotIn("restarting", actions)

    # PostgreSQL would recover, meet the same fault, and end: at once, after 5 s, or after a minute,
    # for its postmaster may sleep through what its startup process's end was to set off.
    PG_CONTROL = '''
def test_it():
    assert_true(execute("CREATE TABLE t AS SELECT 42 AS n").ok)
    assert_true(execute("ALTER SYSTEM SET restart_after_crash = off").ok)
    assert_true(query("SELECT pg_reload_conf()").ok)
    assert_eventually(type = "stdout", within = "20s",
                      where = lambda e: '"restart_after_crash" changed' in e.get("body", ""))
    assert_true(execute("CHECKPOINT").ok, "without the rule")
    def broken():
        execute("CHECKPOINT")
        exited = lambda e: e.get("action") == "exited"
        assert_eventually(type = "lifecycle", where = exited, within = "20s")
        return query("SELECT 1")
    during = fault(db, write = deny("EIO", path = "*/global/pg_control"), run = broken)
    assert_true(not during.ok)
'''

    def test_a_server_that_the_fault_ended_is_started_again_on_its_data(self):
        run = self.run_spec(self.SPEC + self.PG_CONTROL +
                            '    assert_eq(query("SELECT n FROM t").data[0]["n"], 42)\n')
        self.assertEqual(run.code, 0, run.output)
        exits = [event for event in self.events("test_it") if event.get("action") == "exited"]
        self.assertEqual(len(exits), 1)
        self.assertTrue(exits[0]["explained_by"])

    def test_a_faults_own_trace_in_the_log_is_no_error_of_the_server(self):
        run = self.run_spec(self.SPEC + """
def test_it():
    assert_true(not execute("SELECT nothing").ok)
    real = {"body": "*ERROR: *"}
    assert_eventually(type = "stdout", where = real)
    before = len(events(type = "stdout", where = real))
    rule = error(query = "UPDATE t*", code = "40001", source = "test")
    reply = fault(db, rule, run = lambda: execute("UPDATE t SET n = 1"))
    assert_eq(reply.code, "40001")
    trace = events(type = "stdout", where = {"injected": True})
    assert_true(len(trace) >= 2, "the error and its statement: %s" % trace)
    assert_eq(len(events(type = "stdout", where = real)), before)
    assert_never(type = "stdout", where = lambda e: "misrule" in e.body)
    fail("the story")
""")
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("the story", run.output)
        self.assertNotIn("misrule_fault", run.output)
        log = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it" / "db.log"
        self.assertIn("misrule_fault", log.read_text(), "the control")

    def test_restart_never_leaves_it_dead(self):
        spec = self.SPEC.replace('"postgres:16"', '"postgres:16", restart = "never"')
        run = self.run_spec(spec + self.PG_CONTROL +
                            '    assert_eq(query("SELECT n FROM t").ok, False)\n')
        self.assertEqual(run.code, 0, run.output)

    def test_a_database_of_the_images_environment(self):
        spec = '''
db = service("db", interface("main", "postgres", 5432), image = "postgres:16",
             env = {"POSTGRES_USER": "ada", "POSTGRES_PASSWORD": "p", "POSTGRES_DB": "engines"},
             healthcheck = tcp("localhost:5432"), seed = "seed.sql")
def test_it():
    sql = "SELECT current_user AS who, current_database() AS what, n FROM seeded"
    row = db.main.query(sql = sql).data[0]
    assert_eq((row["who"], row["what"], row["n"]), ("ada", "engines", 7))
'''
        self.write("seed.sql", "CREATE TABLE seeded AS SELECT 7 AS n;\n")
        run = self.run_spec(spec)
        self.assertEqual(run.code, 0, run.output)

    def test_a_seed_of_the_spec(self):
        """And a reset after it: of an .sql file."""
        seed = 'seed = lambda: db.main.exec(sql = "CREATE TABLE s (n int)"), healthcheck'
        spec = POSTGRES.replace("healthcheck", seed) + '''
def test_it():
    assert_eq(db.main.query(sql = "SELECT count(*) AS n FROM s").data[0]["n"], %d)
'''
        run = self.run_spec(spec % 0)
        self.assertEqual(run.code, 0, run.output)
        self.write("reset.sql", "TRUNCATE s; INSERT INTO s VALUES (1), (2);\n")
        spec = spec.replace("healthcheck", 'reset = "reset.sql", healthcheck')
        run = self.run_spec(spec % 2)
        self.assertEqual(run.code, 0, run.output)
        self.assertFalse([e for e in self.events("test_it") if "TRUNCATE" in str(e)])
        self.write("reset.sql", "TRUNCATE nothing;\n")
        run = self.run_spec(spec % 2)
        self.assertEqual(run.code, 3, run.output)
        self.assertRegex(run.output, r'resetting db: reset=.*relation "nothing" does not exist')


if __name__ == "__main__":
    misrule.main()
