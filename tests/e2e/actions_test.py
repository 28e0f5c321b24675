"""Holding and letting go, made-up answers, windows and counters of their own, in specs that run."""


import misrule

CACHE = '''
cache = service("cache", interface("redis", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"))
r = cache.redis
'''


class Actions(misrule.Project):
    def run_test(self, body, spec=misrule.SERVICE):
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        return self.run_spec(spec + "def test_it():\n" + lines)

    def assert_passes(self, body, spec=misrule.SERVICE):
        run = self.run_test(body, spec)
        self.assertEqual(run.code, 0, run.output)
        return run

    def proxied(self):
        return [event for event in self.events("test_it") if event["type"] == "proxy"]


class Holds(Actions):
    HELD = '''
def fetch():
    return api.get(path = "/health")
def let_go():
    return release("held")
assert_eq(fetch().status, 200)
'''

    def test_a_step_lets_go_what_another_waits_for(self):
        self.assert_passes(self.HELD + '''
def both():
    return parallel(fetch, let_go)
held = hold(path = "/health", label = "held")
replies = fault(api, held, source = "test", run = both)
assert_eq((replies[0].status, replies[1]), (200, 1))
assert_eq(fetch().status, 200)
''')
        actions = [event["action"] for event in self.proxied() if event.get("label") == "held"]
        self.assertEqual(sorted(actions), ["held", "hold", "released"])

    def test_the_end_of_the_fault_lets_go_too(self):
        run = self.assert_passes(self.HELD + '''
def leave():
    assert_eventually(where = lambda e: e.data["action"] == "held", type = "proxy")
def both():
    return parallel(lambda: fault(api, hold(path = "/health", label = "held", side = "reply"),
                                  source = "test", run = leave), late)
def late():
    assert_eventually(where = lambda e: e.data.get("detail", "").endswith("hold the reply"),
                      type = "lifecycle")
    return fetch().status
assert_eq(both()[1], 200)
''')
        self.assertEqual(run.test("test_it")["rules"][0]["fired"], 1)

    def test_what_is_not_held_cannot_be_let_go(self):
        run = self.run_test('''
def let_go():
    release("held", within = "50ms")
fault(api, hold(path = "/never", label = "held", optional = True), run = let_go)
''')
        self.assertEqual(run.code, 1, run.output)
        self.assertIn('nothing was held by "held" within 0.05 s', run.output)
        self.assertIn("spec.star:", run.output)

    def test_a_label_that_nothing_has_is_an_error(self):
        run = self.run_test('release("held")')
        self.assertEqual(run.code, 1, run.output)
        self.assertIn('no armed rule has the label "held"', run.output)


class When(Actions):
    FETCH = '''
def fetch():
    return [api.get(path = "/health").status for _ in range(4)]
assert_eq(fetch(), [200, 200, 200, 200])
'''

    def fault(self, more):
        return self.run_test(self.FETCH + f'''
statuses = fault(api, error(path = "/health", status = 503, {more}), source = "test", run = fetch)
print(statuses)
''')

    def test_a_window_that_is_open(self):
        run = self.fault('window = ("0s", "1h")')
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("[503, 503, 503, 503]", run.output)

    def test_a_window_that_opens_later_leaves_the_rule_unfired(self):
        run = self.fault('window = ("1h", None)')
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("[200, 200, 200, 200]", run.output)
        self.assertIn("4x GET /health, outside of window=", run.output)

    def test_each_step_is_a_connection_of_its_own(self):
        run = self.fault('nth = 1, per = "connection"')
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("[503, 503, 503, 503]", run.output)

    def test_counted_over_all_connections_it_is_one(self):
        run = self.fault("nth = 1")
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("[503, 200, 200, 200]", run.output)


class Postgres(Actions):
    SHELVES = '''
assert_eq(db.main.exec(sql = "CREATE TABLE shelves (id int, price numeric, name text)").ok, True)
assert_eq(db.main.exec(sql = "INSERT INTO shelves VALUES (1, 9.50, 'oak'), (2, 3, NULL)").ok, True)
def read():
    return db.main.query(sql = "SELECT id, price, name FROM shelves ORDER BY id")
def under(rule, run = read):
    return fault(db, rule, source = "test", run = run)
assert_eq([row["name"] for row in read().data], ["oak", None])
'''

    def assert_shelves(self, body):
        return self.assert_passes(self.SHELVES + body, misrule.POSTGRES)

    def test_rows_that_nobody_stored(self):
        self.assert_shelves('''
rows = under(respond(table = "shelves", rows = [{"id": 7, "price": 1.5, "name": None}])).data
assert_eq([(row["id"], row["name"]) for row in rows], [(7, None)])
assert_eq(under(respond(query = "SELECT*", rows = [])).data, [])
assert_eq(len(read().data), 2)
''')

    def test_columns_that_changed_on_the_way(self):
        self.assert_shelves('''
rows = under(rewrite(column = "price", columns = {"name": "elm", "id": 40})).data
assert_eq([(row["id"], row["name"]) for row in rows], [(40, "elm"), (40, "elm")])
assert_eq([row["id"] for row in read().data], [1, 2])
''')

    def test_a_write_that_did_not_happen_and_one_that_happened_twice(self):
        self.assert_shelves('''
def add():
    return db.main.exec(sql = "INSERT INTO shelves VALUES (3, 1, 'ash')").data
assert_eq(under(respond(statement = "INSERT", tag = "INSERT 0 1"), add), 1)
assert_eq(len(read().data), 2)
assert_eq(under(duplicate(statement = "INSERT", table = "shelves"), add), 1)
assert_eq(len(read().data), 4)
''')

    def test_a_session_that_cannot_begin(self):
        self.assert_shelves('''
full = under(error(moment = "startup", code = "53300"))
assert_eq((full.ok, full.code), (False, "53300"))
assert_eq(len(read().data), 2)
''')

    def test_an_error_after_some_rows(self):
        self.assert_shelves('''
cut = under(error(table = "shelves", code = "57014", after_rows = 1))
assert_eq((cut.ok, cut.code), (False, "57014"))
assert_eq(len(read().data), 2)
''')

    def test_a_rule_for_another_table_is_a_near_miss(self):
        run = self.run_test(self.SHELVES + 'under(error(table = "shops", code = "40001"))',
                            misrule.POSTGRES)
        self.assertEqual(run.code, 1, run.output)
        self.assertIn("table= says otherwise", run.output)


class Http(Actions):
    def test_an_answer_that_nobody_gave(self):
        self.assert_passes('''
def fetch():
    return api.get(path = "/read?path=%2Fetc%2Fpasswd", headers = {"X-Tenant": "acme"})
lie = respond(header = {"X-Tenant": "ac*"}, query = {"path": "/etc/*"}, status = 202, body = "{}",
              headers = {"X-Lie": "yes"})
reply = fault(api, lie, source = "test", run = fetch)
assert_eq((reply.status, reply.body, reply.headers["x-lie"]), (202, "{}", "yes"))
assert_eq(fetch().status, 200)
''')

    def test_a_reply_that_is_changed_by_what_it_is(self):
        self.assert_passes('''
def lose():
    return api.get(path = "/nothing").status
assert_eq(lose(), 404)
worse = error(reply_status = "4*", status = 500)
assert_eq(fault(api, worse, source = "test", run = lose), 500)
assert_eq(lose(), 404)
''')


class Redis(Actions):
    def test_a_cache_that_lies(self):
        self.assert_passes('''
assert_eq(r.set("price", 10).body, "OK")
def read():
    return r.get("price").data
assert_eq(read(), "10")
assert_eq(fault(cache, respond(command = "GET", key = "price", value = "99"), source = "test",
                run = read), "99")
assert_eq(fault(cache, respond(command = "GET", value = None), source = "test", run = read), None)
assert_eq(read(), "10")
''', CACHE)
        answered = [event for event in self.proxied() if event["action"] == "respond"]
        self.assertEqual([event["server"] for event in answered], ["did_not", "did_not"])

    def test_a_command_that_is_done_twice(self):
        self.assert_passes('''
assert_eq(r.incr("n").data, 1)
def count():
    return r.incr("n").data
assert_eq(fault(cache, duplicate(command = "INCR"), source = "test", run = count), 2)
assert_eq(r.get("n").data, "3")
''', CACHE)


if __name__ == "__main__":
    misrule.main()
