"""A scratch PostgreSQL cluster for tests: real, on loopback, gone when the test ends.

    with PostgresServer() as server:
        server.port                     # an unused one
        server.sql("select 1")          # [("1",)], directly, as the superuser
        server.dsn("app")               # "host=127.0.0.1 port=… user=app dbname=app"

Roles: `postgres` (superuser) and `app` (owns database `app`) are trusted; `scram` (password
"secret") has to authenticate with SCRAM-SHA-256. pg_stat_statements is loaded and tracks every
statement, wal_level is logical. Data lie below /var/lib/misrule, where the database's user can
reach them.

The server is Debian's newest; MISRULE_TEST_POSTGRES=17 asks for that major, Debian's or what
tools/setup fetched. Tests end with exit code 77, which ctest shows as skipped, where it is not
installed.
"""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
HOME = "/var/lib/misrule"
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "logical",
    "max_connections": "120",
    "max_prepared_transactions": "10",
    "log_min_messages": "warning",
    "shared_preload_libraries": "'pg_stat_statements'",
    "pg_stat_statements.track": "top",
    "pg_stat_statements.track_utility": "on",
    "pg_stat_statements.max": "20000",
}
HBA = """\
local all all trust
host all scram 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 trust
host all all 127.0.0.1/32 trust
"""


def skip(reason):
    """Ends the test visibly as not run."""
    print(f"skipped: {reason}", flush=True)
    sys.exit(SKIPPED)


def dying_with_us(signal_number):
    """For Popen's preexec_fn: a test that is killed takes its servers with it."""
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal_number)  # PR_SET_PDEATHSIG


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def chosen_bin_dir():
    wanted = os.environ.get("MISRULE_TEST_POSTGRES")
    if wanted:
        for folder in ("/usr/lib/postgresql", "/var/cache/misrule/postgres"):
            if os.path.exists(f"{folder}/{wanted}/bin/postgres"):
                return f"{folder}/{wanted}/bin"
        skip(f"PostgreSQL {wanted} is not installed (tools/setup --postgres={wanted})")
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        skip("no PostgreSQL server is installed (Debian: postgresql)")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))


class PostgresServer:
    def __init__(self, settings=None, port=None):
        self.bin = chosen_bin_dir()
        self.major = int(self.bin.split("/")[-2])
        self.port = port or free_port()
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = None
        # The server refuses to run as root; data must be its user's own.
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        parent = HOME if os.geteuid() == 0 else None
        if parent:
            os.makedirs(parent, exist_ok=True)
        self.home = tempfile.mkdtemp(prefix="test-postgres-", dir=parent)
        os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.home, "data")

    def __enter__(self):
        try:
            self._create()
            self.start()
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _as_user(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _create(self):
        subprocess.run([f"{self.bin}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                        "-N", "-E", "UTF8", "--locale=C"], check=True, stdout=subprocess.DEVNULL,
                       cwd=self.home, **self._as_user())
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as hba:
            hba.write(HBA)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.home}'\n")
            conf.writelines(f"{name} = {value}\n" for name, value in self.settings.items())

    def start(self):
        self.log = open(os.path.join(self.home, "log"), "ab")
        self.process = subprocess.Popen([f"{self.bin}/postgres", "-D", self.data], cwd=self.home,
                                        stdout=self.log, stderr=self.log,
                                        preexec_fn=dying_with_us(signal.SIGINT), **self._as_user())
        deadline = time.monotonic() + 30
        while subprocess.run(self._psql("-c", "select 1"), capture_output=True).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log_text()}")
            time.sleep(0.05)

    def stop(self):
        """Fast: sessions are ended, data are kept."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.log.close()

    def _prepare(self):
        self.sql("create role app login", "create database app owner app",
                 "create role scram login password 'secret'")
        self.sql("create extension pg_stat_statements", dbname="app")
        self.sql("grant all on database app to scram", "grant all on schema public to public",
                 dbname="app")

    def _psql(self, *arguments, dbname="postgres"):
        return ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h",
                self.home, "-p", str(self.port), "-U", "postgres", "-d", dbname, *arguments]

    def sql(self, *statements, dbname="postgres"):
        """Rows of text, by a direct connection of the superuser over the Unix socket."""
        rows = []
        for statement in statements:
            done = subprocess.run(self._psql("-c", statement, dbname=dbname), capture_output=True,
                                  text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{statement}: {done.stderr}")
            rows = [tuple(line.split("\t")) for line in done.stdout.splitlines()]
        return rows

    def dsn(self, user="app", dbname="app", port=None, **more):
        words = {"host": "127.0.0.1", "port": port or self.port, "user": user, "dbname": dbname}
        if user == "scram":
            words["password"] = "secret"
        return " ".join(f"{name}={value}" for name, value in {**words, **more}.items())

    def forget_statements(self):
        self.sql("select pg_stat_statements_reset()", dbname="app")

    def statements(self, user="app"):
        """What the server itself counted since forget_statements(): {text: calls} of one role."""
        rows = self.sql("select calls, replace(replace(query, E'\\n', ' '), E'\\t', ' ') "
                        "from pg_stat_statements s join pg_roles r on r.oid = s.userid "
                        f"where rolname = '{user}'", dbname="app")
        counted = {}
        for calls, text in rows:
            counted[text] = counted.get(text, 0) + int(calls)
        return counted

    def log_text(self):
        with open(os.path.join(self.home, "log"), errors="replace") as log:
            return log.read()[-5000:]
