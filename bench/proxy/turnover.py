#!/usr/bin/python3
"""What is left of connections that came and went: nothing.

    MISRULE_BINARY_DIR=build/release bench/proxy/turnover.py [--seconds 60] [--json FILE]

A thousand connections a second, opened and ended in all the ways that clients have. Then the
proxy has as many descriptors and threads as before, knows of no open connection, and is not larger
than what came first made it.
"""

import argparse
import json
import os
import socket
import struct
import sys
import time

from peers import ProxyProcess
from proxy_process import is_sanitized
from redis_server import RedisServer, Wire

PER_SECOND = 1_000
FIRST = 2_000  # What is kept for later is kept from here on.
GROWTH_MAX_KIB = 1_024
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
PING = b"*1\r\n$4\r\nPING\r\n"


def turn_over(port, number):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        way = number % 4
        if way == 3:
            return  # Never says a word.
        peer.sendall(PING if way < 2 else PING[:7])
        if way < 2 and peer.recv(16) != b"+PONG\r\n":
            raise SystemExit(f"connection {number} got no answer")
        if way == 1:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)


def holdings(proxy):
    folder = f"/proc/{proxy.pid}"
    return {"descriptors": len(os.listdir(f"{folder}/fd")),
            "threads": len(os.listdir(f"{folder}/task"))}


def wait_until_none_is_open(proxy, limit=30):
    deadline = time.monotonic() + limit
    while open_now := proxy.counters()["connections_open"]:
        if time.monotonic() > deadline:
            raise SystemExit(f"{open_now} connections are still open")
        time.sleep(0.05)


def turn_over_many(proxy, count):
    """Never faster than PER_SECOND; slower on a machine that is."""
    began = time.monotonic()
    for number in range(count):
        ahead = began + number / PER_SECOND - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)
        turn_over(proxy.port, number)
    took = time.monotonic() - began
    wait_until_none_is_open(proxy)
    return took


def measure(seconds):
    with RedisServer() as server, ProxyProcess(server.port, "redis") as proxy:
        turn_over_many(proxy, FIRST)
        before, resident = holdings(proxy), proxy.resident_kib()
        connections = seconds * PER_SECOND
        took = turn_over_many(proxy, connections)
        grown = proxy.resident_kib() - resident
        after = holdings(proxy)
        with Wire(proxy.port) as wire:
            if wire.call("PING") != "+PONG":
                raise SystemExit("the proxy does not answer any more")
    if after != before:
        raise SystemExit(f"had {before}, has {after}")
    if grown > GROWTH_MAX_KIB and not is_sanitized():
        raise SystemExit(f"{grown} KiB more after {connections} connections")
    return {"connections": connections, "per_second": connections / took, "grown_kib": grown,
            **after}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", help="write the figures there")
    options = parser.parse_args()
    figures = measure(options.seconds)
    print("turnover", json.dumps(figures), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
