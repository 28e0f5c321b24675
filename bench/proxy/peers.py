"""The proxies that a benchmark compares, each in front of one server on loopback.

    with HaProxy(upstream_port) as peer:
        peer.port, peer.name, peer.cpu_seconds()

A peer that is not installed says why in `missing()`; the benchmark prints it and goes on without.
`python3 peers.py --install FOLDER` builds Toxiproxy there through the Go module proxy.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../tests/conformance"))
from postgres_server import free_port  # noqa: E402
from proxy_process import ProxyProcess, proxy_binary  # noqa: E402,F401

TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server@latest"


def wait_until_listening(port, limit=10):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}")


def cpu_seconds(pid):
    """To the nanosecond, unlike /proc/PID/stat; of the threads that live."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


class Direct:
    name = "direct"

    def __init__(self, upstream_port):
        self.port = upstream_port

    def missing(self):
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cpu_seconds(self):
        return 0.0

    def pid(self):
        return None


class Misrule:
    name = "misrule"

    def __init__(self, upstream_port, protocol="postgres"):
        self.proxy = ProxyProcess(upstream_port, protocol)

    def missing(self):
        return None

    def __enter__(self):
        self.proxy.__enter__()
        self.port = self.proxy.port
        return self

    def __exit__(self, *_):
        self.proxy.__exit__()

    def cpu_seconds(self):
        return cpu_seconds(self.pid())

    def pid(self):
        return self.proxy.pid


class Program:
    """A peer that is one process."""

    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.port = free_port()

    def __enter__(self):
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.set_up()
        wait_until_listening(self.port)
        return self

    def set_up(self):
        pass

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        return cpu_seconds(self.pid())

    def pid(self):
        return self.process.pid


class HaProxy(Program):
    name = "haproxy"
    CONFIG = """\
global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:{port}
  server only 127.0.0.1:{upstream}
"""

    def missing(self):
        return None if self._program() else "haproxy is not installed (Debian: haproxy)"

    def _program(self):
        return shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")

    def command(self):
        self.config = tempfile.NamedTemporaryFile("w", suffix=".cfg")
        self.config.write(self.CONFIG.format(port=self.port, upstream=self.upstream_port))
        self.config.flush()
        return [self._program(), "-db", "-q", "-f", self.config.name]

    def __exit__(self, *_):
        super().__exit__()
        self.config.close()


class Toxiproxy(Program):
    name = "toxiproxy"

    def missing(self):
        return None if self._program() else (
            "toxiproxy-server is not on PATH nor in $MISRULE_PEERS (build it: "
            "python3 bench/proxy/peers.py --install FOLDER)")

    def _program(self):
        folder = os.environ.get("MISRULE_PEERS", "")
        return shutil.which("toxiproxy-server", path=f"{folder}:{os.environ['PATH']}")

    def command(self):
        self.api = free_port()
        return [self._program(), "-host", "127.0.0.1", "-port", str(self.api)]

    def set_up(self):
        wait_until_listening(self.api)
        body = json.dumps({"name": "bench", "listen": f"127.0.0.1:{self.port}",
                           "upstream": f"127.0.0.1:{self.upstream_port}", "enabled": True})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(f"http://127.0.0.1:{self.api}/proxies", body.encode()).read()


def install(folder):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["go", "install", TOXIPROXY], check=True,
                   env={**os.environ, "GOBIN": os.path.abspath(folder)})
    os.replace(os.path.join(folder, "server"), os.path.join(folder, "toxiproxy-server"))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--install":
        install(sys.argv[2])
    else:
        print(__doc__)
