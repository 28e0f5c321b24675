#!/usr/bin/python3
"""pgbench -S through the idle proxy, against direct and against its peers.

    MISRULE_BINARY_DIR=build/release bench/proxy/pgbench.py [--rounds 7] [--seconds 3] [--json FILE]

Every round measures everyone once, in turn, so that what the machine does meanwhile hits all alike;
a figure is the median over the rounds of (peer / direct) of the same round. CPU is the proxy
process's own, per transaction. Two checks keep it honest: the proxy decoded exactly as many
statements as the server counted, and a rule that is added half way fires on open connections.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

from peers import Direct, HaProxy, Misrule, Toxiproxy
from postgres_server import PostgresServer

MODES = ("simple", "prepared")


def pgbench(server, port, mode, clients, seconds):
    done = subprocess.run(["pgbench", "-S", "-n", "-M", mode, "-c", str(clients), "-j", "1",
                           "-T", str(seconds), server.dsn(port=port)], capture_output=True,
                          text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])
    count = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
    return rate, count


def measure(server, peer, mode, options):
    before = peer.cpu_seconds()
    rate, count = pgbench(server, peer.port, mode, options.clients, options.seconds)
    return {"tps": rate, "cpu_us": (peer.cpu_seconds() - before) / count * 1e6}


def check_counts(server, proxy, mode, options):
    """Decoded statements are the server's own count: nothing slipped by undecoded."""
    before = proxy.counters()
    server.forget_statements()
    pgbench(server, proxy.port, mode, options.clients, 1)
    after = proxy.counters()
    counted = sum(server.statements().values())
    decoded = after["messages_total"] - before["messages_total"]
    if decoded != counted or after["connections_opaque"]:
        raise SystemExit(f"{mode}: {decoded} statements decoded, the server counted {counted}; "
                         f"{after['connections_opaque']} connections opaque")
    return decoded


def check_rule_half_way(server, proxy, mode, options):
    """A rule that arrives while connections are open acts on them."""
    client = subprocess.Popen(["pgbench", "-S", "-n", "-M", mode, "-c", str(options.clients),
                               "-T", "2", server.dsn(port=proxy.port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    time.sleep(1)
    connections = proxy.counters()["connections_total"]
    rule = f"half-way-{mode}"
    proxy.set_rules([{"id": rule, "postgres": {"query": "*pgbench_accounts*"},
                      "delay": {"durationUs": 1000}, "trigger": {"times": 5}}])
    errors = client.communicate(timeout=60)[1]
    fired = proxy.tallies()[rule]["fired"]
    proxy.set_rules([])
    opened = proxy.counters()["connections_total"] - connections
    if client.returncode != 0 or fired != 5 or opened != 0:
        raise SystemExit(f"{mode}: the rule fired {fired} times, {opened} connections were opened "
                         f"after it, pgbench said {errors!r}")


def report(rounds, peers):
    figures = {}
    for mode in MODES:
        print(f"\npgbench -S, {mode:8}         of direct   of haproxy"
              "   CPU per transaction   of haproxy's")
        for peer in peers:
            ratio = statistics.median(r[mode][peer.name]["tps"] / r[mode]["direct"]["tps"]
                                      for r in rounds)
            versus = [r[mode][peer.name]["tps"] / r[mode]["haproxy"]["tps"]
                      for r in rounds if "haproxy" in r[mode]]
            costs = [r[mode][peer.name]["cpu_us"] / r[mode]["haproxy"]["cpu_us"]
                     for r in rounds if "haproxy" in r[mode]]
            cpu = statistics.median(r[mode][peer.name]["cpu_us"] for r in rounds)
            tps = statistics.median(r[mode][peer.name]["tps"] for r in rounds)
            figures[f"{mode}.{peer.name}"] = {"of_direct": ratio, "cpu_us": cpu, "tps": tps,
                                              "of_haproxy": statistics.median(versus or [0]),
                                              "cpu_of_haproxy": statistics.median(costs or [0])}
            texts = [f"{statistics.median(each):12.2f}" if each else " " * 12
                     for each in (versus, costs)]
            print(f"  {peer.name:10} {tps:10.0f}/s {ratio:12.2f} {texts[0]} {cpu:17.1f} us "
                  f"{texts[1]}")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--protocol", default="postgres", help="tcp: what the loop alone costs")
    parser.add_argument("--check", action="store_true", help="only the checks, no figures")
    parser.add_argument("--json", help="write the figures there")
    parser.add_argument("--pin", type=int, help="everybody on this one CPU: throughput is then the "
                        "sum of what everybody costs, and the scheduler has no say")
    options = parser.parse_args()
    if options.pin is not None:
        os.sched_setaffinity(0, {options.pin})  # Children inherit it.
    with PostgresServer() as server:
        subprocess.run(["pgbench", "-i", "-q", "-s", "10", server.dsn()], check=True,
                       capture_output=True)
        peers = []
        others = () if options.check else (Direct, HaProxy, Toxiproxy)
        for peer in (Misrule(server.port, options.protocol), *(p(server.port) for p in others)):
            if why := peer.missing():
                print(f"skipped: {peer.name}: {why}")
            else:
                peers.append(peer.__enter__())
        try:
            run(server, peers, options)
        finally:
            for peer in reversed(peers):
                peer.__exit__()


def run(server, peers, options):
    misrule = next(p for p in peers if p.name == "misrule")
    if options.protocol == "postgres":
        for mode in MODES:
            decoded = check_counts(server, misrule.proxy, mode, options)
            check_rule_half_way(server, misrule.proxy, mode, options)
            print(f"{mode}: {decoded} statements decoded = the server's count; a rule added half "
                  "way fired on open connections")
    if options.check:
        return
    rounds = []
    for number in range(options.rounds):
        # Everybody is first once: position in a round favours nobody.
        order = peers[number % len(peers):] + peers[:number % len(peers)]
        rounds.append({mode: {p.name: measure(server, p, mode, options) for p in order}
                       for mode in MODES})
        print(".", end="", flush=True)
    figures = report(rounds, peers)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"figures": figures, "rounds": rounds}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
