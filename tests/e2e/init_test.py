#!/usr/bin/python3
"""What `misrule init` writes runs as it is: our sample, and what a compose file describes."""

import os
import re
import subprocess
import unittest

import yaml

import misrule
from misrule import BINARY

COMPOSE = r'''version: "3.8"
x-base: &base
  restart: unless-stopped
  environment: {LOG: debug}
services:
  web:
    <<: *base
    build:
      context: ./web
      args: {A: 1}
    ports: ["18080:8000", "127.0.0.1:9100:9100"]
    environment:
      - DATABASE_URL=postgres://app:${DB_PASSWORD:-pw}@db:5432/shop
      - CACHE_HOST=cache
      - CACHE_URL=redis://cache:6379/0
      - GREETING=cache "it"
      - COLOR=${COLOR:-red}-ish
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8000/health"]
      interval: 5s
  db:
    image: postgres:${PG:-16}
    command: ["postgres", "-c", "max_connections=50"]
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}
    volumes:
      - ./schema.sql:/docker-entrypoint-initdb.d/1.sql
      - data:/var/lib/postgresql/data
    healthcheck: {test: pg_isready}
  cache:
    image: redis:7-alpine
    deploy: {replicas: 2}
volumes:
  data:
'''
WEB = r'''
import http.server, os, socket
import psycopg
def look():
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=3) as connection:
        connection.execute("SELECT count(*) FROM orders").fetchone()
    with socket.create_connection((os.environ["CACHE_HOST"], 6379), timeout=3) as cache:
        cache.sendall(b"PING\r\n")
        assert cache.recv(100) == b"+PONG\r\n"
    assert os.environ["GREETING"] == 'cache "it"' and os.environ["COLOR"] == "red-ish"
    assert os.environ["CACHE_URL"] == "redis://localhost:6379/0"
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 200
        try:
            look()
        except Exception as error:
            print(repr(error), flush=True)
            status = 503
        self.send_response(status)
        self.end_headers()
http.server.ThreadingHTTPServer(("", 8000), Web).serve_forever()
'''


class Init(misrule.Project):
    def tree(self):
        return {str(path.relative_to(self.folder)): path.read_text()
                for path in self.folder.rglob("*")
                if path.is_file() and ".misrule" not in path.parts}

    def run_written(self, spec, *arguments):
        # Another python3 on the PATH may lack the driver.
        run = subprocess.run([str(BINARY), "test", spec, *arguments], cwd=self.folder, text=True,
                             capture_output=True, timeout=100, stdin=subprocess.DEVNULL,
                             env={**os.environ, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        return run.returncode, run.stdout + run.stderr

    def test_the_sample_runs_as_it_is_written(self):
        made = self.misrule("init", "demo")
        self.assertEqual((made.returncode, made.stderr), (0, ""), made)
        self.assertIn("now: misrule test demo/misrule.star", made.stdout)
        code, said = self.run_written("demo/misrule.star", "--strict")
        self.assertEqual(code, 0, said)
        self.assertIn("5 passed", said)
        for fault in ("down", "slow", "error"):
            self.assertRegex(said, rf"✓ test_matrix_shop_health_warehouse_{fault}\b")
        self.assertNotIn("note:", said)
        self.check_workflow()

    def check_workflow(self):
        """Its keys are those that GitHub knows, and its shell steps do what they say."""
        workflow = yaml.load((self.folder / "demo/.github/workflows/misrule.yml").read_text(),
                             yaml.BaseLoader)  # "on" is a word there.
        self.assertEqual(set(workflow), {"name", "on", "jobs"})
        self.assertEqual(workflow["on"], ["push", "pull_request"])
        job = workflow["jobs"]["misrule"]
        self.assertEqual(set(job), {"runs-on", "container", "env", "steps"})
        self.assertEqual(set(job["container"]), {"image", "options"})
        for step in job["steps"]:
            self.assertLessEqual(set(step), {"name", "uses", "run", "if", "with"})
            self.assertTrue(("uses" in step) != ("run" in step), step)
        install, test = [step["run"] for step in job["steps"] if "run" in step]
        tools = self.folder / "tools"
        tools.mkdir()
        for tool in ("apt-get", "git", "make"):
            script = f'#!/bin/sh\necho "{tool} $*" >> {tools}/said\n'
            self.write(f"tools/{tool}", script).chmod(0o755)
        (tools / "misrule").symlink_to(BINARY.resolve())
        for script in (install, test):
            self.run_step(script, f"{tools}:/usr/bin:/bin:/usr/sbin:/sbin")
        self.assertIn("git clone --depth 1 https://example.org/misrule /opt/misrule\n"
                      "make -C /opt/misrule install\n", (tools / "said").read_text())
        for kept in job["steps"][-1]["with"]["path"].split():
            self.assertTrue((self.folder / "demo" / kept).exists(), kept)

    def run_step(self, script, path):
        """As a runner does."""
        step = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
                              cwd=self.folder / "demo", capture_output=True, text=True,
                              timeout=100, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PATH": path,
                                   "MISRULE_REPOSITORY": "https://example.org/misrule"})
        self.assertEqual(step.returncode, 0, step.stdout + step.stderr)

    def test_nothing_is_written_over(self):
        self.write("misrule.star", "mine")
        before = self.tree()
        refused = self.misrule("init")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("there is already: misrule.star; nothing was written", refused.stderr)
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.misrule("init", "--force").returncode, 0)
        self.assertIn("fault_matrix(", self.tree()["misrule.star"])
        self.assertEqual(self.misrule("init").returncode, 2)

    def test_what_cannot_be_read_is_said(self):
        self.assertEqual(self.misrule("init", "--from-compose", "none.yml").returncode, 2)
        self.write("c.yml", "services: [\n")
        wrong = self.misrule("init", "--from-compose", "c.yml")
        self.assertEqual(wrong.returncode, 2)
        self.assertRegex(wrong.stderr, r"c\.yml:\d+:\d+: ")
        self.write("c.yml", "services:\n")
        self.assertIn("no services", self.misrule("init", "--from-compose", "c.yml").stderr)

    @unittest.skipUnless(misrule.have_postgres(), "PostgreSQL is not installed")
    def test_a_compose_file_becomes_a_spec_that_runs(self):
        (self.folder / "web").mkdir()
        self.write("web/Dockerfile", 'FROM python\nCMD ["python", "web.py"]\n')
        self.write("web/web.py", WEB)
        self.write("schema.sql", "CREATE TABLE orders (id int);\n")
        self.write("compose.yml", COMPOSE)
        made = self.misrule("init", "--from-compose", "compose.yml")
        self.assertEqual(made.returncode, 0, made.stderr)
        for line, part in self.not_taken():
            self.assertIn(f"compose.yml:{line}: {part}", made.stdout)
        self.assertEqual(made.stdout.count("compose.yml:"), len(self.not_taken()), made.stdout)
        spec = self.tree()["misrule.star"]
        for part in ('image = "postgres:16"', 'args = ["-c", "max_connections=50"]',
                     'seed = "./schema.sql"', 'build = "./web"', 'env("COLOR", "red") + "-ish"',
                     '"CACHE_HOST": "localhost"', 'interface("port9100", "tcp", 9100)'):
            self.assertIn(part, spec)
        self.assertIn('[stand-ins."./web"]\ncommand = ["python3", "web.py"]',
                      self.tree()["misrule.toml"])
        code, said = self.run_written("misrule.star", "--strict")
        self.assertEqual(code, 0, said)
        self.assertIn("7 passed", said)
        for name in ("db", "cache"):
            for fault in ("down", "slow", "error"):
                self.assertRegex(said, rf"✓ test_matrix_web_health_{name}_{fault}\b")

    def not_taken(self):
        def line_of(pattern):
            before = COMPOSE[:re.search(pattern, COMPOSE).start()]
            return before.count("\n") + 1
        return [(line_of("restart:"), "web: restart is not used"),
                (line_of("args: "), "web: build.args is not used"),
                (line_of("- data:"), "db: volume data:/var/lib/postgresql/data is not used"),
                (line_of("deploy:"), "cache: deploy is not used"),
                (line_of(r"(?m)^volumes:"), "volumes is not used")]

    def test_a_health_endpoint_that_looks_at_nothing_is_not_exercised(self):
        """Neither passed nor failed: optional faults that never fire say nothing."""
        self.write("web.py", WEB.replace("            look()\n", "            pass\n"))
        self.write("compose.yml", """services:
  web:
    image: web:1
    command: python web.py
    expose: [8000]
    healthcheck: {test: curl -f http://localhost:8000/}
    depends_on: [cache]
  cache: {image: "redis:7"}
""")
        self.assertEqual(self.misrule("init", "--from-compose", "compose.yml").returncode, 0)
        code, said = self.run_written("misrule.star")
        self.assertEqual(code, 0, said)
        self.assertIn("3 not exercised, 1 passed", said)
        self.assertEqual(self.run_written("misrule.star", "--strict")[0], 1)


if __name__ == "__main__":
    misrule.main()
