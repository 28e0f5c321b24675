"""What the peers are measured with: a real server each, and its own benchmark program.

A workload says what it did as {"rate": per second, "count": requests, "p50_us": or None}.
"""

import re
import subprocess

from nginx_server import NginxServer
from postgres_server import PostgresServer
from redis_server import RedisServer


class Workload:
    """Of one protocol and one shape of traffic."""

    def __init__(self, name, protocol, measures_latency=False):
        self.name, self.protocol, self.measures_latency = name, protocol, measures_latency


class RedisBenchmark(Workload):
    def __init__(self, name, clients, pipeline):
        super().__init__(name, "redis", clients == 1)
        self.clients, self.pipeline = clients, pipeline

    def run(self, server, port, seconds):
        """By count, which redis-benchmark wants, from what a short run first shows."""
        count = 20_000 * (self.pipeline if self.clients > 1 else 1)
        short = self._run(port, count)
        run = self._run(port, int(max(count, short["rate"] * seconds)))
        return {**run, "count": run["count"] + short["count"]}

    def _run(self, port, count):
        done = subprocess.run(["redis-benchmark", "-p", str(port), "-c", str(self.clients), "-P",
                               str(self.pipeline), "-n", str(count), "-t", "get", "-r", "1000",
                               "--csv", "--precision", "3"], capture_output=True, text=True,
                              timeout=120)
        line = next((l for l in done.stdout.splitlines() if l.startswith('"GET"')), None)
        if line is None:
            raise RuntimeError(done.stdout + done.stderr)
        fields = [float(field.strip('"')) for field in line.split(",")[1:]]
        return {"rate": fields[0], "count": count, "p50_us": fields[3] * 1000}

    def served(self, server):
        return sum(n for name, n in server.counted().items() if name in ("GET", "CONFIG GET"))

    @staticmethod
    def rule(number):
        return {"redis": {"command": "GET", "key": f"key:{number}:none"}, "drop": {}}

    HALF_WAY = {"redis": {"command": "GET"}, "delay": {"durationUs": 1000}}


class Pgbench(Workload):
    def __init__(self, name, mode, clients):
        super().__init__(name, "postgres", clients == 1)
        self.mode, self.clients = mode, clients

    def run(self, server, port, seconds):
        done = subprocess.run(["pgbench", "-S", "-n", "-M", self.mode, "-c", str(self.clients),
                               "-j", "1", "-T", str(seconds), server.dsn(port=port)],
                              capture_output=True, text=True, timeout=seconds + 60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        latency = float(re.search(r"latency average = ([\d.]+) ms", done.stdout)[1])
        return {"rate": float(re.search(r"tps = ([\d.]+)", done.stdout)[1]),
                "count": int(re.search(r"actually processed: (\d+)", done.stdout)[1]),
                "p50_us": latency * 1000}

    def served(self, server):
        return sum(server.statements().values())

    @staticmethod
    def rule(number):
        query = f"SELECT abalance FROM pgbench_accounts WHERE aid = -{number}"
        return {"postgres": {"query": query}, "drop": {}}

    HALF_WAY = {"postgres": {"query": "*pgbench_accounts*"}, "delay": {"durationUs": 1000}}


class Wrk(Workload):
    def __init__(self, name, clients):
        super().__init__(name, "http", clients == 1)
        self.clients = clients

    def run(self, server, port, seconds):
        done = subprocess.run(["wrk", "-t", "1", "-c", str(self.clients), "-d", f"{seconds}s",
                               "--latency", f"http://127.0.0.1:{port}/small"],
                              capture_output=True, text=True, timeout=seconds + 60)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout or done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        p50, unit = re.search(r"50%\s+([\d.]+)(us|ms)", done.stdout).groups()
        return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]),
                "count": int(re.search(r"(\d+) requests in", done.stdout)[1]),
                "p50_us": float(p50) * (1000 if unit == "ms" else 1)}

    def served(self, server):
        return None  # wrk hangs up in the middle: its last requests are counted by nobody alike.

    @staticmethod
    def rule(number):
        return {"http": {"method": "GET", "path": f"/small/{number}/none"}, "drop": {}}

    HALF_WAY = {"http": {"path": "/small"}, "delay": {"durationUs": 1000}}


class PostgresFilled(PostgresServer):
    def __enter__(self):
        super().__enter__()
        subprocess.run(["pgbench", "-i", "-q", "-s", "10", self.dsn()], check=True,
                       capture_output=True)
        return self

    def forget(self):
        self.forget_statements()


class NginxSilent(NginxServer):
    def forget(self):
        pass


SERVERS = {"redis": RedisServer, "postgres": PostgresFilled, "http": NginxSilent}
WORKLOADS = [
    RedisBenchmark("redis P1 c50", 50, 1),
    RedisBenchmark("redis P16 c50", 50, 16),
    RedisBenchmark("redis c1", 1, 1),
    Pgbench("pgbench simple c8", "simple", 8),
    Pgbench("pgbench prepared c8", "prepared", 8),
    Pgbench("pgbench simple c1", "simple", 1),
    Wrk("wrk c32", 32),
    Wrk("wrk c1", 1),
]
