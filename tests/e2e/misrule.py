"""What the end-to-end tests share: a project in a temporary folder, and misrule run on it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", "build/dev")) / "bin" / "misrule"
STATE = pathlib.Path("/var/lib/misrule")

# A service without dependencies. It does what its requests ask for.
API = r'''#!/usr/bin/python3
import ctypes, errno, http.server, os, socket, sys, time, urllib.parse
libc = ctypes.CDLL(None, use_errno=True)
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        start = time.monotonic()
        try:
            status, body = 200, str(getattr(self, "do" + url.path.replace("/", "_"))(**asked))
        except OSError as error:
            status, body = 503, errno.errorcode.get(error.errno, str(error))
        except AttributeError:
            status, body = 404, "nothing"
        took = time.monotonic() - start
        self.send_response(status)
        self.send_header("X-Took", "%.3f" % took)
        self.end_headers()
        self.wfile.write(body.encode())
    def do_health(self):
        return "ok"
    def do_traceparent(self):
        return self.headers.get("traceparent")
    def do_exit(self, code="7"):
        os._exit(int(code))
    def do_write(self, path="/tmp/file"):
        with open(path, "w") as file:
            file.write("x")
        return "written"
    def do_read(self, path):
        with open(path) as file:
            return file.read()
    def do_sync(self, path="/tmp/file"):
        with open(path, "w") as file:
            os.fsync(file.fileno())
        return "synced"
    def do_connect(self, host="localhost", port="9000"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            return connection.getpeername()[1]
    def do_connect6(self, port="9000"):
        """From a socket that IPv4 cannot reach, as Go's "tcp6" has them."""
        with socket.socket(socket.AF_INET6) as connection:
            connection.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            connection.connect(("::1", int(port)))
            return connection.getpeername()[1]
    def do_mess(self, name, key):
        for folder in ("/tmp", "/run/user-of-misrule", "/dev/shm"):
            if not os.access(folder if os.path.exists(folder) else "/run", os.W_OK):
                continue  # Called with sudo: services run as a plain user.
            os.makedirs(folder, exist_ok=True)
            open(folder + "/" + name, "w").close()
        return libc.shmget(int(key), 4096, 0o1666)
print('{"action": "listening"}', flush=True)
http.server.ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Api).serve_forever()
'''

SERVICE = '''
api = service("api", interface("public", "http", 8080), binary = "./api.py",
              healthcheck = http("localhost:8080/health"))
'''

# A step that takes a minute under this rule: a test that is surely still under way.
SLOW = """
def write_slowly():
    return api.get(path = "/write?path=/tmp/slow")
def wait_a_minute():
    return fault(api, write = delay("60s", path = "/tmp/slow"), run = write_slowly)
"""

POSTGRES = '''
db = service("db", interface("main", "postgres", 5432), image = "postgres:16",
             env = {"POSTGRES_PASSWORD": "test"}, healthcheck = tcp("localhost:5432"))
'''


def have_postgres():
    return bool(list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")))


class Run:
    """A finished run."""

    def __init__(self, code, output, report):
        self.code, self.output, self.report = code, output, report

    def test(self, name):
        return next(test for test in self.report["tests"] if test["name"] == name)


class Project(unittest.TestCase):
    """Each test has a folder with api.py; misrule runs there."""

    def setUp(self):
        # Where services' users can reach it; below /tmp on purpose: worlds have their own /tmp.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-e2e-"))
        self.folder.chmod(0o755)
        self.write("api.py", API).chmod(0o755)

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def command(self, *arguments):
        return [str(BINARY), "test", "spec.star", "--json", "report.json", *arguments]

    def start(self, spec, *arguments):
        """A run under way, its output in a pipe."""
        self.write("spec.star", spec)
        return subprocess.Popen(self.command(*arguments), cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def run_spec(self, spec, *arguments, timeout=100):
        process = self.start(spec, *arguments)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        report = self.folder / "report.json"
        return Run(process.returncode, output,
                   json.loads(report.read_text()) if report.exists() else None)

    def misrule(self, *arguments):
        """Any other command."""
        return subprocess.run([str(BINARY), *arguments], cwd=self.folder, text=True,
                              capture_output=True, timeout=30, stdin=subprocess.DEVNULL)

    def events(self, test):
        folder = self.folder / ".misrule" / "runs" / "latest" / ("spec." + test)
        lines = (folder / "events.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return [{**event, **event.pop("fields", {})} for event in events]


def wait_until(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def main():
    if not BINARY.exists():
        print(f"skipped: {BINARY} is not built")
        sys.exit(77)
    if os.geteuid() != 0:
        print("skipped: worlds need root")
        sys.exit(77)
    unittest.main(verbosity=2)
