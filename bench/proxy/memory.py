#!/usr/bin/python3
"""What idle connections and large messages cost the proxy in memory.

    MISRULE_BINARY_DIR=build/release bench/proxy/memory.py [--json FILE]

Resident memory (VmRSS) of the proxy process after the connections stand, by connection; and its
peak (VmHWM, reset before) while one large message flows. The reader takes the bytes and drops them.
"""

import argparse
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time

from peers import ProxyProcess
from nginx_server import NginxServer
from postgres_server import PostgresServer
from redis_server import RedisServer

CONNECTIONS = 9_500  # Two descriptors each: as many as a process may have here, less some.
CONNECTIONS_OF_TWO = 10_000  # In two processes: as many as the server and the client may have.


def status_kib(pid, name):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def connect_idle(proxy):
    peer = socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
    peer.sendall(b"*1\r\n$4\r\nPING\r\n")
    if peer.recv(16) != b"+PONG\r\n":
        raise SystemExit("no answer")
    return peer


def check_open(proxy, count):
    open_now = proxy.counters()["connections_open"]
    if open_now < count:
        raise SystemExit(f"{open_now} connections stand, not {count}")


def idle_connections(count, processes):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RedisServer("--maxclients", str(count + 100)))
        proxies = [stack.enter_context(ProxyProcess(server.port, "redis"))
                   for _ in range(processes)]
        for proxy in proxies:
            connect_idle(proxy).close()
        before = sum(status_kib(proxy.pid, "VmRSS") for proxy in proxies)
        for number in range(count):
            stack.enter_context(connect_idle(proxies[number % processes]))
        for proxy in proxies:
            check_open(proxy, count // processes)
        grown = sum(status_kib(proxy.pid, "VmRSS") for proxy in proxies) - before
    return {"connections": count, "processes": processes, "kib_each": grown / count}


def peak_while(proxy, work):
    forget_peak(proxy.pid)
    began = time.monotonic()
    size = work()
    return {"bytes": size, "seconds": time.monotonic() - began,
            "peak_mib": status_kib(proxy.pid, "VmHWM") / 1024}


def drained(peer, at_least):
    got = 0
    while got < at_least:
        part = len(peer.recv(1 << 20))
        if part == 0:
            raise SystemExit(f"ended after {got} bytes of {at_least}")
        got += part
    return got


def large_redis_value(size=512 << 20):
    with RedisServer("--proto-max-bulk-len", str(size + 1)) as server:
        with ProxyProcess(server.port, "redis") as proxy:
            def both_ways():
                with socket.create_connection(("127.0.0.1", proxy.port)) as peer:
                    peer.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % size)
                    block = b"x" * (1 << 20)
                    for _ in range(size >> 20):
                        peer.sendall(block)
                    peer.sendall(b"\r\n")
                    drained(peer, 5)
                    peer.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n")
                    return drained(peer, size)
            return peak_while(proxy, both_ways)


def large_postgres_row(size=1_000_000_000):
    with PostgresServer() as server, ProxyProcess(server.port, "postgres") as proxy:
        def row():
            command = ["psql", "-XAtc", f"SELECT repeat('x', {size})", server.dsn(port=proxy.port)]
            with subprocess.Popen(["bash", "-c", '"$@" | wc -c', "-", *command],
                                  stdout=subprocess.PIPE, text=True) as process:
                return int(process.stdout.read())
        return peak_while(proxy, row)


def large_http_body(size=200 << 20):
    with NginxServer() as server, ProxyProcess(server.port, "http") as proxy:
        def upload():
            url = f"http://127.0.0.1:{proxy.port}/sink"
            done = subprocess.run(["bash", "-c", f"head -c {size} /dev/zero | curl -sS -T - "
                                   f"-X POST -o /dev/null -w %{{http_code}} {url}"],
                                  capture_output=True, text=True)
            if done.stdout != "201":
                raise SystemExit(done.stdout + done.stderr)
            return size
        return peak_while(proxy, upload)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", help="write the figures there")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = {}
    for name, measured in (("idle", lambda: idle_connections(CONNECTIONS, 1)),
                           ("idle_in_two", lambda: idle_connections(CONNECTIONS_OF_TWO, 2)),
                           ("redis_value", large_redis_value),
                           ("postgres_row", large_postgres_row),
                           ("http_body", large_http_body)):
        figures[name] = measured()
        print(name, json.dumps(figures[name]), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
