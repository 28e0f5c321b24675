"""The drivers' own test suites: where each comes from, what it needs, how its outcomes are read.

A suite has `name`, `server` ("postgres" or "redis"), fetch(folder), and run(place, only), which
answers {test: (outcome, text)} with the outcomes "passed", "failed" and "skipped". It talks to
127.0.0.1 at the protocol's usual port, in a network namespace of its own, so that it meets the
server and the proxy under the same address. `only` names tests of an earlier answer; a suite may
run more than these.
"""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

from fetching import compiled_go_tests, debian_source, go_module, python_source, tool_python

LIMIT = 3600


def run_logged(command, place, **more):
    """Runs it to its end, whatever that is; its output stays in the place's log."""
    with open(os.path.join(place.folder, "log"), "ab") as log:
        try:
            return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=LIMIT,
                                  **more).returncode
        except subprocess.TimeoutExpired:
            log.write(b"\nthe limit is over\n")
            return -1


class PytestSuite:
    """A Python driver as Debian has it, with the tests of the same version's source archive."""

    def __init__(self, name, package, server, arguments=(), environment=None, setup=()):
        self.name, self.package, self.server = name, package, server
        self.arguments, self.environment, self.setup = arguments, environment or {}, setup

    def fetch(self, folder):
        source = python_source(self.package, folder)
        # Away from the archive's own copy of the driver, which is not compiled.
        self.tests = os.path.join(folder, f"{self.name}-tests")
        shutil.rmtree(self.tests, ignore_errors=True)
        shutil.copytree(os.path.join(source, "tests"), os.path.join(self.tests, "tests"))

    def run(self, place, only=None):
        report = os.path.join(place.folder, "report.xml")
        command = [tool_python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=180",
                   "-o", "junit_family=xunit1", f"--junitxml={report}", *self.arguments]
        run_logged(command + (sorted(only) if only else ["tests"]), place, cwd=self.tests,
                   env={**os.environ, **self.environment, "PYTHONDONTWRITEBYTECODE": "1"})
        return dict(self.outcomes(report))

    @staticmethod
    def outcomes(report):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            path = case.get("file", "")
            module = path.removesuffix(".py").replace("/", ".")
            classes = case.get("classname", "").removeprefix(module).strip(".").replace(".", "::")
            name = "::".join(part for part in (path, classes, case.get("name")) if part)
            worst = next((child for child in case if child.tag in ("failure", "error", "skipped")),
                         None)
            if worst is None:
                yield name, ("passed", "")
            else:
                outcome = "skipped" if worst.tag == "skipped" else "failed"
                yield name, (outcome, (worst.get("message") or "")[:500])


class GoSuite:
    """A Go module's tests, package by package, compiled before the network is gone."""

    LINE = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+) ")
    OUTCOMES = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}

    def __init__(self, name, module, server, packages, environment=None, setup=()):
        self.name, self.module, self.server, self.packages = name, module, server, packages
        self.environment, self.setup = environment or {}, setup

    def fetch(self, folder):
        self.source = go_module(self.module, os.path.join(folder, self.name))
        self.binaries = compiled_go_tests(self.source, self.packages)

    def run(self, place, only=None):
        seen = {}
        for package, binary in self.binaries.items():
            wanted = {test.split(" ", 1)[1].split("/")[0] for test in only or ()
                      if test.startswith(package + " ")}
            if only and not wanted:
                continue
            output = os.path.join(place.folder, "output-" + package.replace("/", "_"))
            command = [binary, "-test.v", "-test.timeout=20m"]
            if only:
                command.append(f"-test.run=^({'|'.join(sorted(wanted))})$")
            with open(output, "wb") as file:
                subprocess.run(command, cwd=os.path.join(self.source, package), stdout=file,
                               stderr=subprocess.STDOUT, env={**os.environ, **self.environment})
            with open(output, errors="replace") as file:
                for match in filter(None, map(self.LINE.match, file)):
                    # Names of temporary folders differ from run to run.
                    name = re.sub(r"\d{6,}", "N", match.group(2))
                    seen[f"{package} {name}"] = (self.OUTCOMES[match.group(1)], "")
        return seen


class GinkgoSuite(GoSuite):
    """go-redis keeps its tests in one Ginkgo suite; its report names each of them."""

    # What needs a cluster, sentinels, several servers, or modules that Debian does not have.
    SKIPPED_FILES = ("osscluster", "cluster", "ring", "sentinel", "universal", "json", "search",
                     "probabilistic", "timeseries", "vectorset")

    def run(self, place, only=None):
        report = os.path.join(place.folder, "report.json")
        command = [self.binaries["."], "-test.run=^TestGinkgoSuite$", "-test.timeout=30m",
                   "-ginkgo.seed=1", f"-ginkgo.json-report={report}",
                   *(f"-ginkgo.skip-file={name}.*_test.go" for name in self.SKIPPED_FILES)]
        if only:
            command.append("-ginkgo.focus=" + "|".join(re.escape(text) + "$" for text in only))
        run_logged(command, place, cwd=self.source, env={**os.environ, **self.environment})
        with open(report) as file:
            return dict(self.outcomes(json.load(file)))

    @staticmethod
    def outcomes(suites):
        for spec in (spec for suite in suites for spec in suite["SpecReports"] or ()):
            state = spec["State"]
            texts = [*(spec["ContainerHierarchyTexts"] or ()), spec["LeafNodeText"]]
            name = " ".join(text for text in texts if text)
            if not name:  # What is set up around all of them.
                continue
            outcome = state if state in ("passed", "skipped") else "failed"
            if state == "pending":
                outcome = "skipped"
            yield name, (outcome, (spec.get("Failure") or {}).get("Message", "")[:500])


class HiredisSuite:
    """Debian's source: the library's own test program, which numbers what it tests."""

    name, server, setup = "hiredis", "redis", ()
    LINE = re.compile(r"^#(\d+) (.*?): .*?(PASSED|FAILED|SKIPPED)")

    def fetch(self, folder):
        self.source = debian_source("hiredis", folder)
        subprocess.run(["make", "-s", "hiredis-test"], cwd=self.source, check=True,
                       stdout=subprocess.DEVNULL)

    def run(self, place, only=None):
        done = subprocess.run(["./hiredis-test", "-h", "127.0.0.1", "-p", "6379", "-s",
                               place.server.unix_socket], cwd=self.source, capture_output=True,
                              timeout=LIMIT)
        output = done.stdout.decode(errors="replace")
        with open(os.path.join(place.folder, "log"), "w") as log:
            log.write(output + done.stderr.decode(errors="replace"))
        plain = re.sub("\x1b\\[[0-9;]*m", "", output)
        found = filter(None, map(self.LINE.match, plain.splitlines()))
        return {f"{m.group(1)} {m.group(2)}": (m.group(3).lower(), "") for m in found}


class RedisSuite:
    """Redis's own suite in Tcl, against a server that runs already."""

    name, server, setup = "redis-tcl", "redis", ()
    LINE = re.compile(r"^\[(ok|err|exception|ignore|skip)\]: (.*?)(?: \(\d+ ms\))?$")
    UNIT = re.compile(r"^\[(?:testing|\d+/\d+ (?:testing|done).*?)\]:? ?(unit/\S+|integration/\S+)")

    def fetch(self, folder):
        self.source = debian_source("redis", folder)
        for program in ("redis-server", "redis-cli", "redis-benchmark"):
            link = os.path.join(self.source, "src", program)
            if not os.path.lexists(link):
                os.symlink(shutil.which(program), link)

    def run(self, place, only=None):
        command = ["./runtest", "--host", "127.0.0.1", "--port", "6379", "--durable",
                   "--tags", "-slow"]
        for unit in sorted({test.split(" ", 1)[0] for test in only or ()}):
            command += ["--single", unit]
        output = os.path.join(place.folder, "log")
        run_logged(command, place, cwd=self.source)
        with open(output, errors="replace") as file:
            return dict(self.outcomes(file))

    @classmethod
    def outcomes(cls, lines):
        unit, waiting = "", []
        for line in (re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in lines):
            begun = re.match(r"^Testing (\S+)", line) or re.match(r"^\[testing\]: (\S+)", line)
            if begun:
                unit = begun.group(1)
            match = cls.LINE.match(line)
            if match and match.group(1) in ("ok", "err", "exception"):
                outcome = "passed" if match.group(1) == "ok" else "failed"
                name, _, more = match.group(2).partition(" in tests/")
                key, number = f"{unit} {name}", 2
                while key in waiting:
                    key, number = f"{unit} {name} #{number}", number + 1
                waiting.append(key)
                yield key, (outcome, more)


PGX_SETUP = ("create user pgx_md5 with superuser password 'secret'",
             "create user pgx_pw with superuser password 'secret'",
             "create user pgx_scram with superuser password 'secret'",
             "create user root with superuser", "create database pgx_test",
             "create user \" tricky, ' } \"\" \\ test user \" superuser password 'secret'",
             ("pgx_test", "create extension hstore"), ("pgx_test", "create extension ltree"),
             ("pgx_test", "create domain uint64 as numeric(20,0)"))
PQ_SETUP = ("create role pqgo superuser login", "create database pqgo owner pqgo",
            *(f"create role {name} login password 'wordpass'"
              for name in ("pqgopassword", "pqgoscram", "pqgomd5")),
            *(f"create role {name} login" for name in ("pqgossl", "pqgosslcert")))

SUITES = [
    PytestSuite("psycopg2", "psycopg2==2.9.5", "postgres",
                environment={"PSYCOPG2_TESTDB_HOST": "127.0.0.1",
                             "PSYCOPG2_TESTDB_USER": "postgres", "PSYCOPG2_TEST_REPL_DSN": ""},
                setup=("create database psycopg2_test",
                       ("psycopg2_test", "create extension hstore"))),
    PytestSuite("asyncpg", "asyncpg==0.27.0", "postgres",
                arguments=("--ignore=tests/test__sourcecode.py",),
                environment={"PGHOST": "127.0.0.1", "PGUSER": "postgres",
                             "PGDATABASE": "postgres"}),
    GoSuite("pgx", "github.com/jackc/pgx/v5@v5.12.0", "postgres",
            (".", "pgconn", "pgproto3", "pgtype", "pgxpool", "stdlib"),
            environment={name: "host=127.0.0.1 user=pgx_md5 password=secret dbname=pgx_test"
                         for name in ("PGX_TEST_DATABASE", "PGX_TEST_TCP_CONN_STRING")},
            setup=PGX_SETUP),
    GoSuite("lib-pq", "github.com/lib/pq@v1.12.3", "postgres", (".", "hstore"),
            environment={"PGHOST": "127.0.0.1"}, setup=PQ_SETUP),
    # Without what needs a cluster, TLS, or modules that Debian does not have.
    PytestSuite("redis-py", "redis==4.3.4", "redis",
                arguments=("--redis-url", "redis://127.0.0.1:6379/9", "-o", "asyncio_mode=auto",
                           *(f"--ignore-glob=*test_{name}.py" for name in (
                               "cluster", "ssl", "bloom", "graph", "json", "search",
                               "timeseries")))),
    GinkgoSuite("go-redis", "github.com/redis/go-redis/v9@v9.23.0", "redis", (".",),
                environment={"RE_CLUSTER": "true", "REDIS_VERSION": "7.0"}),
    HiredisSuite(),
    RedisSuite(),
]
