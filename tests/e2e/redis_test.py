"""A real Redis in a spec: its stand-in, its steps, faults on its commands and on its files."""

import os
import sys

import misrule

CACHE = '''
cache = service("cache", interface("redis", "redis", 6379), image = "redis:7",
                healthcheck = tcp("localhost:6379"))
r = cache.redis
'''


class Redis(misrule.Project):
    def assert_passes(self, body, spec=CACHE):
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        run = self.run_spec(spec + "def test_it():\n" + lines)
        self.assertEqual(run.code, 0, run.output)
        return run

    def test_steps(self):
        run = self.assert_passes('''
assert_eq(r.set("name", "Ada").body, "OK")
assert_eq(r.get(key = "name").data, "Ada")
assert_eq(r.get("nobody").data, None)
assert_eq(r.incr("n").data, 1)
assert_eq(r.rpush("list", "a", 2, 3.5).data, 3)
assert_eq(r.lrange("list").data, ["a", "2", "3.5"])
assert_eq(r.hset("hash", "field", "value").data, 1)
assert_eq(r.hgetall("hash").data, {"field": "value"})
assert_eq(len(r.keys(pattern = "n*").data), 2)
assert_eq(len(r.keys().data), 4)
assert_eq(r.delete("name", "n").data, 2)
assert_eq(r.command("EVAL", "return {1, {'two', 3}}", 0).data, [1, ["two", 3]])
wrong = r.incr("list")
assert_eq((wrong.ok, wrong.code), (False, "WRONGTYPE"))
assert_eq(cache.ping().data, "PONG")
assert_eq(r.flushall().ok, True)
assert_eq(r.setex("short", 100, "x").body, "OK")
assert_eq(r.mget("short", "nobody").data, ["x", None])
assert_eq((r.incrby("n", 5).data, r.decr("n").data, r.append("n", "2").data), (5, 4, 2))
assert_eq((r.hincrby("h", "f").data, r.hdel("h", "f", "g").data), (1, 1))
assert_eq((r.zadd("z", 1.5, "m").data, r.zscore("z", "m").data, r.zrange("z").data),
          (1, "1.5", ["m"]))
assert_eq((r.sadd("s", "a", "b").data, r.srem("s", "a").data), (2, 1))
assert_eq(r.sismember("s", "b").data, 1)
assert_eq((r.rpush("l", 1, 2).data, r.lpop("l").data, r.rpop("l").data, r.llen("l").data),
          (2, "1", "2", 0))
assert_eq((r.scard("s").data, r.type("z").data, r.xlen("x").data, r.dbsize().data),
          (1, "zset", 0, 4))
''')
        self.assertIn("redis:7 → local Redis 7", run.output)
        sent = [event for event in self.events("test_it") if event["type"] == "step_send"]
        self.assertEqual((sent[0]["command"], sent[0]["key"]), ("SET", "name"))

    def test_each_test_has_data_of_its_own(self):
        run = self.run_spec(CACHE + '''
def test_a():
    assert_eq(r.incr("n").data, 1)
def test_b():
    assert_eq(r.incr("n").data, 1)
''')
        self.assertEqual(run.code, 0, run.output)

    def test_a_password(self):
        spec = CACHE.replace('"redis:7",', '"redis:7", args = ["--requirepass", "sesame"],')
        self.assert_passes('''
assert_eq(r.set("a", 1).body, "OK")
assert_eq(r.command("AUTH", "wrong").code, "WRONGPASS")
''', spec)
        events = (self.folder / ".misrule" / "runs" / "latest" / "spec.test_it" / "events.jsonl")
        self.assertNotIn("sesame", events.read_text())

    def test_a_command_that_fails(self):
        run = self.assert_passes('''
assert_eq(r.set("a", 1).ok, True)
oom = error(command = "SET", key = "a*", code = "OOM")
refused = fault(cache, oom, source = "test", run = lambda: [r.set("a", 2), r.set("b", 2)])
assert_eq([(reply.ok, reply.code) for reply in refused], [(False, "OOM"), (True, "")])
assert_eq(r.get("a").data, "1")
''')
        self.assertEqual(run.test("test_it")["rules"][0]["fired"], 1, run.output)

    def test_an_unknown_step_and_a_missing_argument(self):
        for body, problem in (("r.gett('a')", "did you mean get"),
                              ("r.get()", "missing argument for key"),
                              ("r.set('a', [1])", "takes strings and numbers, not a list")):
            run = self.run_spec(CACHE + "def test_it():\n    " + body + "\n")
            self.assertNotEqual(run.code, 0)
            self.assertIn(problem, run.output)


if __name__ == "__main__":
    if not os.path.exists("/usr/bin/redis-server"):
        print("skipped: redis-server is not installed")
        sys.exit(77)
    misrule.main()
