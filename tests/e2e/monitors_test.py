#!/usr/bin/python3
"""Monitors over real services: what holds, what breaks them, what waits, what a verdict becomes."""

import misrule
from misrule import SERVICE

# An order is confirmed when its answer is sent; a thread stores it a moment before, or after.
ORDERS = misrule.API.replace("    def do_health(", '''\
    def do_order(self, number="1", late="0", store="yes"):
        import json, threading
        def say(action):
            print(json.dumps({"action": action, "order": int(number)}), flush=True)
        if store == "yes" and late == "0":
            say("stored")
        say("confirmed")
        if store == "yes" and late != "0":
            threading.Timer(float(late), say, ["stored"]).start()
        return "ordered"
    def do_health(''')

# It writes a file, perhaps after it has asked another, who writes one, too.
ASKING = misrule.API.replace("    def do_health(", '''\
    def do_ask(self, of=""):
        import urllib.request
        if of:
            url = "http://localhost:9000/write?path=/tmp/theirs"
            urllib.request.urlopen(url, timeout=20).read()
        return self.do_write("/tmp/mine")
    def do_health(''')

ORPHAN = SERVICE + '''
def no_orphan(event):
    if event["type"] == "stdout" and event.get("action") == "confirmed":
        rows = events(where = lambda e: e.type == "stdout" and e.data.get("action") == "stored"
                      and e.data.get("order") == event["order"])
        if len(rows) == 0:
            fail("confirmed but not stored: " + event["order"])
invariant(monitor(no_orphan, service = "api"))

def test_it():
    assert_eq(api.get(path = "PATH").status, 200)
'''


class Monitors(misrule.Project):
    def setUp(self):
        super().setUp()
        self.write("api.py", ORDERS).chmod(0o755)

    def assert_verdict(self, spec, code, outcome, reason=None):
        run = self.run_spec(spec)
        self.assertEqual(run.code, code, run.output)
        test = run.test("test_it")
        self.assertEqual(test["outcome"], outcome, run.output)
        if reason:
            self.assertIn(reason, test["findings"][0]["message"], run.output)
        return run

    def test_s1_36_a_callback_fails_the_test_and_shows_what_happened(self):
        self.assert_verdict(ORPHAN.replace("PATH", "/order?number=7"), 0, "passed")
        run = self.assert_verdict(ORPHAN.replace("PATH", "/order?number=7&store=no"), 1, "failed",
                                  "no_orphan: confirmed but not stored: 7")
        finding = run.test("test_it")["findings"][0]
        self.assertIn("fail(", finding["source_line"])
        self.assertIn("at event ", "\n".join(finding["detail"]))

    def test_s1_38_what_is_stored_after_the_answer_is_waited_for(self):
        late = ORPHAN.replace("PATH", "/order?late=0.2")
        patient = late.replace('service = "api"))', 'service = "api", settle = "3s"))')
        self.assert_verdict(patient, 0, "passed")
        self.assert_verdict(late.replace("0.2", "30"), 1, "failed", "confirmed but not stored: 1")

    def test_liveness_waits_for_what_comes_after_the_body(self):
        spec = SERVICE + '''
def test_it():
    invariant(eventually({"type": "stdout", "action": "stored"}, within = "WITHIN"))
    assert_eq(api.get(path = "/order?late=LATE").status, 200)
'''
        self.assert_verdict(spec.replace("WITHIN", "30s").replace("LATE", "1"), 0, "passed")
        self.assert_verdict(spec.replace("WITHIN", "100ms").replace("LATE", "30"), 1, "failed",
                            "eventually: no event matched within 100 ms")

    def test_an_assertion_at_the_top_level_is_about_every_test(self):
        spec = SERVICE + '''
assert_never(type = "stdout", where = {"action": "ACTION"})
assert_before(first = {"type": "stdout", "action": "stored"},
              then = {"type": "stdout", "action": "confirmed"})
def test_it():
    assert_eq(api.get(path = "/order?number=1").status, 200)
def test_other():
    assert_eq(api.get(path = "/health").status, 200)
'''
        self.assert_verdict(spec.replace("ACTION", "lost"), 0, "passed")
        run = self.assert_verdict(spec.replace("ACTION", "stored"), 1, "failed", "assert_never: ")
        self.assertEqual(run.test("test_other")["outcome"], "passed", run.output)
        swapped = spec.replace("ACTION", "lost").replace("stored", "x")
        swapped = swapped.replace("confirmed", "stored").replace('"x"', '"confirmed"')
        self.assert_verdict(swapped, 1, "failed", "assert_before: ")

    def test_an_undecided_monitor_is_inconclusive(self):
        spec = SERVICE + '''
invariant(monitor("open", on = {"type": "stdout"}, check = lambda state, e: ANSWER))
def test_it():
    assert_eq(api.get(path = "/order").status, 200)
'''
        self.assert_verdict(spec.replace("ANSWER", "True"), 0, "passed")
        self.assert_verdict(spec.replace("ANSWER", "None"), 1, "inconclusive", "open: undecided")

    def test_an_error_in_a_monitor_fails_the_test(self):
        spec = SERVICE + '''
def broken(event):
    return event["FIELD"]
invariant(monitor(broken, service = "api"))
def test_it():
    assert_eq(api.get(path = "/order").status, 200)
'''
        self.assert_verdict(spec.replace("FIELD", "type"), 0, "passed")
        self.assert_verdict(spec.replace("FIELD", "nope"), 1, "failed",
                            "broken: error in the monitor at event ")

    def test_a_monitor_of_system_calls_has_them_recorded(self):
        spec = SERVICE + '''
invariant(count({"type": "syscall", "syscall": "fsync"}, exactly = COUNT))
def test_it():
    assert_eq(api.get(path = "/sync").status, 200)
'''
        self.assert_verdict(spec.replace("COUNT", "1"), 0, "passed")
        self.assert_verdict(spec.replace("COUNT", "2"), 1, "failed", "1 events match, 2 are wanted")

    # What a service does after a request is after what was done before it was sent; and back.
    def test_causes_are_those_that_the_clocks_know(self):
        self.write("api.py", ASKING).chmod(0o755)
        run = self.run_spec(SERVICE + '''
store = service("store", interface("main", "http", 9000), binary = "./api.py",
                env = {"PORT": "9000"}, healthcheck = http("localhost:9000/health"))
invariant(never(lambda e: e.type == "syscall" and e.syscall == "write" and e.path == "/tmp/mine"))
def test_asked():
    assert_eq(api.get(path = "/ask?of=store").status, 200)
def test_alone():
    assert_eq(api.get(path = "/ask").status, 200)
''')
        self.assertEqual(run.code, 1, run.output)
        said = {}
        for name in ("test_asked", "test_alone"):
            detail = run.test(name)["findings"][0]["detail"]
            said[name] = [line for line in detail if line.startswith("caused by ")]
            self.assertIn(("store", "stdout"),
                          [(e["service"], e["type"]) for e in self.events(name)], "it is there")
            self.assertRegex("\n".join(said[name]), r"caused by event \d+: test step_send")
        self.assertRegex("\n".join(said["test_asked"]),
                         r"caused by event \d+: store syscall.*\ncaused by event \d+: api syscall")
        self.assertNotIn(": store ", "\n".join(said["test_alone"]), "nothing passed between them")
        mine = next(e for e in self.events("test_asked") if e.get("path") == "/tmp/mine")
        self.assertEqual(mine["clock"]["test"], 1)


if __name__ == "__main__":
    misrule.main()
