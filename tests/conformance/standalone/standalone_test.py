#!/usr/bin/python3
"""`misrule proxy` before a real PostgreSQL: rules that change, its ends, its sockets and files."""

import os
import pathlib
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import unittest

from standalone import LIMIT, Standalone, program, run_to_end, wait_until

import postgres_server
import psycopg2

FAILS = """\
rules:
  - id: no-select
    postgres: {query: "select*"}
    error: {code: serialization_failure}
"""
WRONG = FAILS + "  - id: two\n    postgres: {qery: x}\n    drop: {}\n"
ILLEGAL = FAILS + '  - id: two\n    http: {path: "/x"}\n    drop: {}\n'


class WithPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres_server.PostgresServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def proxy(self, *arguments, **more):
        upstream = f"127.0.0.1:{self.server.port}"
        started = Standalone(["--upstream", upstream, *arguments], **more)
        self.addCleanup(started.__exit__)
        return started.__enter__()

    def connect(self, proxy, **more):
        connection = psycopg2.connect(self.server.dsn(port=proxy.port, **more))
        self.addCleanup(connection.close)
        connection.autocommit = True
        return connection

    def select(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("select 41 + 1")
            return cursor.fetchone()[0]

    def assert_fires(self, proxy, connection):
        before = proxy.fired("no-select")
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            self.select(connection)
        self.assertEqual(proxy.fired("no-select"), before + 1)


class Rules(WithPostgres):
    def test_a_changed_file_acts_on_an_open_connection(self):
        proxy = self.proxy(rules="rules: []\n")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        told = proxy.write_rules(FAILS)
        self.assertEqual((told["action"], told["count"], told["version"]), ("rules_loaded", 1, 2))
        self.assert_fires(proxy, connection)
        proxy.write_rules("rules: []\n")
        self.assertEqual(self.select(connection), 42)

    def test_a_wrong_file_is_refused_with_its_line_and_the_old_rules_stay(self):
        proxy = self.proxy(rules=FAILS)
        connection = self.connect(proxy)
        for text, place, what in ((WRONG, "rules.yaml:6:16: ", 'did you mean query?'),
                                  (ILLEGAL, "rules.yaml:6:18: ", "rule 'two'"),
                                  ("rules: [\n", "rules.yaml:2:1: ", "")):
            if "http" in text and proxy.ready["listen"]:
                # The listener finds out what is spoken: an HTTP rule is legal there.
                self.assertEqual(proxy.write_rules(text)["action"], "rules_loaded")
                proxy.write_rules(FAILS)
                continue
            told = proxy.write_rules(text)
            self.assertEqual(told["action"], "rules_refused", told)
            self.assertIn(place, told["detail"])
            self.assertIn(what, told["detail"])
            self.assertIn(place, proxy.log_text())
            self.assert_fires(proxy, connection)

    def test_an_illegal_rule_is_refused_where_its_key_stands(self):
        proxy = self.proxy("--protocol", "postgres", rules=FAILS)
        told = proxy.write_rules(ILLEGAL)
        self.assertEqual(told["action"], "rules_refused")
        self.assertIn("rules.yaml:6:", told["detail"])
        self.assertIn("path= or method= is for http interfaces", told["detail"])
        self.assert_fires(proxy, self.connect(proxy))

    def test_files_are_replaced_as_kubernetes_does(self):
        mount = tempfile.mkdtemp(prefix="misrule-mount-")
        self.addCleanup(subprocess.run, ["rm", "-r", mount])

        def publish(name, text):
            os.mkdir(f"{mount}/{name}")
            pathlib.Path(mount, name, "rules.yaml").write_text(text)
            os.symlink(name, f"{mount}/..data_tmp")
            os.rename(f"{mount}/..data_tmp", f"{mount}/..data")

        publish("..2026_01", "rules: []\n")
        os.symlink("..data/rules.yaml", f"{mount}/rules.yaml")
        proxy = self.proxy("--rules", f"{mount}/rules.yaml")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        for number in (2, 4):
            proxy.rules_change(lambda n=number: publish(f"..2026_0{n}", FAILS))
            self.assert_fires(proxy, connection)
            proxy.rules_change(lambda n=number: publish(f"..2026_0{n + 1}", "rules: []\n"))
            self.assertEqual(self.select(connection), 42)

    def test_a_file_moved_over_the_old_one_and_sighup(self):
        proxy = self.proxy("--loops", "3", rules="rules: []\n")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        other = proxy.rules_file + ".new"
        pathlib.Path(other).write_text(FAILS)
        proxy.rules_change(lambda: os.rename(other, proxy.rules_file))
        self.assert_fires(proxy, connection)
        told = proxy.rules_change(lambda: proxy.send(signal.SIGHUP))
        self.assertEqual((told["action"], told["version"]), ("rules_loaded", 3))
        self.assert_fires(proxy, connection)
        told = proxy.rules_change(lambda: (os.unlink(proxy.rules_file),
                                           proxy.send(signal.SIGHUP)))
        self.assertIn("cannot read", told["detail"])
        self.assert_fires(proxy, connection)

    def test_only_signals_count_where_that_is_asked_for(self):
        proxy = self.proxy("--no-rules-watch", rules="rules: []\n")
        connection = self.connect(proxy)
        pathlib.Path(proxy.rules_file).write_text(FAILS)
        self.assertEqual(self.select(connection), 42)
        proxy.rules_change(lambda: proxy.send(signal.SIGHUP))
        self.assert_fires(proxy, connection)

    def test_rules_of_a_whole_spec_are_armed_where_they_belong(self):
        text = """\
schema: misrule.rules/1
tests:
  - test: test_a
    rules:
      - {id: no-select, target: {service: db}, source: api, postgres: {query: "select*"},
         error: {code: serialization_failure}}
      - {id: disk, target: {service: db}, syscall: {family: write}, deny: {error: ENOSPC}}
      - {id: page, target: {service: api}, http: {path: "/"}, drop: {}}
    dynamic:
      - {id: later, target: {service: db}, postgres: {}, drop: {}}
"""
        proxy = self.proxy("--service", "db", rules=text)
        self.assert_fires(proxy, self.connect(proxy))
        skipped = {one["rule"]: one["why"] for one in proxy.ask("/rules/stats")["skipped"]}
        self.assertEqual(set(skipped), {"disk", "page", "later"})
        self.assertIn("system calls", skipped["disk"])
        self.assertIn("'api'", skipped["page"])
        self.assertIn("template", skipped["later"])


class Ends(WithPostgres):
    def is_refused(self, proxy):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", proxy.port)) != 0

    def test_open_conversations_may_finish(self):
        proxy = self.proxy()
        connection = self.connect(proxy)
        connection.autocommit = False
        self.assertEqual(self.select(connection), 42)
        proxy.send(signal.SIGTERM)
        wait_until(lambda: self.is_refused(proxy), "new connections are refused")
        status, body = proxy.curl("/health")
        self.assertEqual((status, '"draining"' in body), (503, True))
        self.assertEqual(self.select(connection), 42)
        connection.commit()
        self.assertIsNone(proxy.process.poll())
        connection.close()
        self.assertEqual(proxy.process.wait(LIMIT), 0)
        self.assertEqual(proxy.wait_for("counters")["connections_open"], 0)
        self.assertFalse(os.path.exists(proxy.admin_socket))

    def test_a_second_sigterm_ends_it_at_once(self):
        proxy = self.proxy("--drain", "60m")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        proxy.send(signal.SIGTERM)
        proxy.wait_for("draining")
        self.assertEqual(self.select(connection), 42)
        self.assertEqual(proxy.end(signal.SIGTERM), 0)
        with self.assertRaises(psycopg2.OperationalError):
            self.select(connection)

    def test_draining_is_bounded(self):
        proxy = self.proxy("--drain", "100ms")
        connection = self.connect(proxy)
        self.assertEqual(self.select(connection), 42)
        self.assertEqual(proxy.end(signal.SIGINT), 0)
        with self.assertRaises(psycopg2.OperationalError):
            self.select(connection)


class UnixSockets(WithPostgres):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="misrule-sockets-")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder])
        self.path = f"{self.folder}/.s.PGSQL.5432"
        self.upstream = f"unix:{self.server.home}/.s.PGSQL.{self.server.port}"

    def serve(self, *more):
        started = Standalone(["--listen", f"unix:{self.path}", "--upstream", self.upstream, *more],
                             rules=FAILS)
        self.addCleanup(started.__exit__)
        return started.__enter__()

    def select_by_libpq(self):
        connection = psycopg2.connect(host=self.folder, port=5432, user="postgres",
                                      dbname="postgres")
        try:
            return self.select(connection)
        finally:
            connection.close()

    def test_from_socket_to_socket(self):
        for loops in ("1", "2"):
            proxy = self.serve("--loops", loops)
            with self.assertRaises(psycopg2.errors.SerializationFailure):
                self.select_by_libpq()
            proxy.write_rules("rules: []\n")
            self.assertEqual(self.select_by_libpq(), 42)
            proxy.end()
            self.assertFalse(os.path.exists(self.path))

    def test_what_a_dead_process_left_is_cleared_away(self):
        proxy = self.serve()
        proxy.end(signal.SIGKILL)
        self.assertTrue(os.path.exists(self.path))
        proxy = self.serve()
        other = run_to_end("--listen", f"unix:{self.path}", "--upstream", self.upstream)
        self.assertEqual(other.returncode, 3, other.stderr)
        self.assertIn("another process listens", other.stderr)
        proxy.write_rules("rules: []\n")
        self.assertEqual(self.select_by_libpq(), 42)

    def test_what_is_no_socket_is_left_alone(self):
        pathlib.Path(self.path).write_text("mine")
        other = run_to_end("--listen", f"unix:{self.path}", "--upstream", self.upstream)
        self.assertEqual(other.returncode, 2, other.stderr)
        self.assertEqual(pathlib.Path(self.path).read_text(), "mine")


class Protocols(WithPostgres):
    def test_several_proxies_find_out_what_they_carry(self):
        greeting = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(greeting.close)

        def greet():
            client, _ = greeting.accept()
            client.sendall(b"220 hello\r\n")
            if client.recv(4) == b"HTTP":
                client.sendall(b"bye")
            client.close()

        threading.Thread(target=greet, daemon=True).start()
        upstream = f"127.0.0.1:{self.server.port}"
        config = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.addCleanup(config.close)
        config.write(f"proxies:\n  - {{listen: '0', upstream: '{upstream}', service: db}}\n"
                     f"  - {{listen: '0', upstream: '127.0.0.1:{greeting.getsockname()[1]}'}}\n")
        config.flush()
        rules = FAILS.replace("id: no-select", "id: no-select\n    target: {service: db}")
        started = Standalone(["--config", config.name, "--record-all"], rules=rules)
        self.addCleanup(started.__exit__)
        proxy = started.__enter__()
        self.assert_fires(proxy, self.connect(proxy))
        ports = [int(text.rsplit(":", 1)[1]) for text in proxy.ready["listeners"]]
        with socket.create_connection(("127.0.0.1", ports[1])) as client:
            self.assertEqual(client.recv(100), b"220 hello\r\n")
            seen = {one["protocol"] for one in proxy.ask("/connections")["connections"]}
            self.assertEqual(seen, {"postgres", "tcp"})
            client.sendall(b"HTTP")
            self.assertEqual(client.recv(100), b"bye")

    def test_http_is_found_out_and_its_rules_act(self):
        folder = tempfile.mkdtemp(prefix="misrule-files-")
        self.addCleanup(subprocess.run, ["rm", "-r", folder])
        pathlib.Path(folder, "page").write_text("hello")
        port = postgres_server.free_port()
        server = subprocess.Popen(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                   "--directory", folder, str(port)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  preexec_fn=postgres_server.dying_with_us(signal.SIGTERM))
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(answers, "the HTTP server")
        started = Standalone(["--upstream", f"127.0.0.1:{port}"], rules="rules: []\n")
        self.addCleanup(started.__exit__)
        proxy = started.__enter__()

        def get():
            return subprocess.run(["curl", "-s", "-w", "%{http_code}",
                                   f"http://127.0.0.1:{proxy.port}/page"], capture_output=True,
                                  text=True).stdout

        self.assertEqual(get(), "hello200")
        proxy.write_rules('rules:\n  - {id: busy, http: {path: "/page"}, error: {status: 503}}\n')
        self.assertTrue(get().endswith("503"))
        self.assertEqual(proxy.fired("busy"), 1)


class CommandLine(unittest.TestCase):
    def test_both_programs_take_the_same(self):
        shown = [run_to_end("--help", command=command).stdout
                 for command in (("misrule", "proxy"), ("misrule-proxy",))]
        for text in shown:
            self.assertIn("Examples:", text)
            self.assertIn("--admin-allow-remote", text)
        options = [text[text.index("Options:"):] for text in shown]
        self.assertEqual(*options)
        self.assertRegex(run_to_end("--version").stdout, r"^misrule \d+\.\d+\.\d+\n$")

    def test_mistakes_are_named(self):
        listen = ["--upstream", "127.0.0.1:1"]
        for arguments, what in (([], "no server is named"),
                                (["--upstraem", "x"], "did you mean --upstream?"),
                                ([*listen, "--protocol", "postgers"], "did you mean postgres?"),
                                (["--upstream", "db:5432"], "names are not looked up"),
                                ([*listen, "--drain", "soon"], "write 30s"),
                                ([*listen, "--rules", "/nonexistent"], "cannot read"),
                                ([*listen, "--admin", "0.0.0.0:0"], "--admin-allow-remote"),
                                (["--route", "1,tcp"], "LISTEN,PROTOCOL,UPSTREAM"),
                                ([*listen, "--listen", "unix:here"], "absolute path")):
            for command in (("misrule", "proxy"), ("misrule-proxy",)):
                done = run_to_end(*arguments, command=command)
                self.assertEqual(done.returncode, 2, (arguments, done.stderr))
                self.assertIn(what, done.stderr)

    def test_a_wrong_file_at_the_start_is_told_with_its_place(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(WRONG)
            file.flush()
            done = run_to_end("--upstream", "127.0.0.1:1", "--rules", file.name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{file.name}:6:16: ", done.stderr)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"rules": [\n  {"id": "a", "drop": {},\n   "colour": 1}]}')
            file.flush()
            done = run_to_end("--upstream", "127.0.0.1:1", "--rules", file.name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{file.name}:3:4: ", done.stderr)

    def test_it_starts_soon(self):
        took = []
        for _ in range(5):
            begin = time.monotonic()
            with Standalone(["--upstream", "127.0.0.1:1"]) as proxy:
                took.append(time.monotonic() - begin)
                proxy.end()
        print(f"start to ready: {statistics.median(took) * 1000:.0f} ms (median of 5)", flush=True)
        # How fast this machine is today is for benchmarks to say; that nothing waits is for us.
        self.assertLess(min(took), 5)

    def test_the_log_can_be_read_by_machines(self):
        import json
        with Standalone(["--upstream", "127.0.0.1:1", "--log-format", "json"]) as proxy:
            proxy.end()
            lines = [json.loads(line) for line in proxy.log_text().splitlines()]
        self.assertEqual({"time", "level", "module", "message"}, set(lines[0]))
        self.assertIn("ended", [line["message"] for line in lines])


if __name__ == "__main__":
    program("misrule")  # Skips the whole test where nothing has been built.
    unittest.main()
