#!/usr/bin/python3
"""redis-benchmark, pgbench -S and wrk through the idle proxy, against direct and its peers.

    MISRULE_BINARY_DIR=build/release bench/proxy/throughput.py [--rounds 5] [--seconds 3]
        [--only redis] [--pin 0] [--json FILE]

Every round measures everyone once, in turn, so that what the machine does meanwhile hits all alike;
a figure is the median over the rounds of the ratio within the round. CPU is the proxy process's
own, per request. misrule runs without a rule, with 10, and with 10,000 that share protocol,
operation and the beginning of their pattern with the traffic and match nothing. Checks keep it
honest: nothing was opaque, the proxy decoded as many requests as the server counted, and a rule
that is added half way fires on connections that are open. System calls are counted by the kernel
in one more run of a second, which no other figure is taken from.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time

from peers import Direct, HaProxy, Misrule, Toxiproxy
from system_calls import SystemCalls, why_not_counted
from workloads import SERVERS, WORKLOADS


class MisruleWithRules(Misrule):
    def __init__(self, upstream_port, protocol, count, rule):
        super().__init__(upstream_port, protocol)
        self.name = f"misrule+{count}"
        self.rules = [{"id": f"idle-{n}", **rule(n)} for n in range(count)]

    def __enter__(self):
        super().__enter__()
        self.proxy.set_rules(self.rules)
        return self


def measure(workload, server, peer, seconds):
    before = peer.cpu_seconds()
    did = workload.run(server, peer.port, seconds)
    return {**did, "cpu_us": (peer.cpu_seconds() - before) / did["count"] * 1e6}


def calls_per_request(workload, server, peer):
    if peer.pid() is None or why_not_counted():
        return None
    with SystemCalls(peer.pid()) as calls:
        did = workload.run(server, peer.port, 1)
    return calls.count / did["count"]


def check_counts(workload, server, proxy):
    before = proxy.counters()
    server.forget()
    workload.run(server, proxy.port, 1)
    counted = workload.served(server)
    after = proxy.counters()
    decoded = after["messages_total"] - before["messages_total"]
    if after["connections_opaque"] or (counted is not None and decoded != counted):
        raise SystemExit(f"{workload.name}: {decoded} decoded, the server counted {counted}; "
                         f"{after['connections_opaque']} connections opaque")
    return f"{decoded} requests decoded" + ("" if counted is None else " = the server's count")


def check_rule_half_way(workload, server, proxy):
    failed = []

    def work():
        try:
            workload.run(server, proxy.port, 2)
        except (RuntimeError, subprocess.SubprocessError) as error:
            failed.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    while proxy.counters()["connections_open"] == 0:
        time.sleep(0.01)
    time.sleep(0.5)
    rule = f"half-way {workload.name}"
    proxy.set_rules([{"id": rule, **workload.HALF_WAY, "trigger": {"times": 5}}])
    thread.join()
    fired = proxy.tallies()[rule]["fired"]
    proxy.set_rules([])
    if failed or fired != 5:
        raise SystemExit(f"{workload.name}: the rule fired {fired} times; {failed}")


def median_ratio(rounds, name, base, field):
    ratios = [r[name][field] / r[base][field] for r in rounds
              if base in r and name in r and r[base][field]]
    return statistics.median(ratios) if ratios else None


def figures_of(rounds):
    figures = {}
    for name in rounds[0]:
        median = {field: statistics.median(r[name][field] for r in rounds)
                  for field in ("rate", "cpu_us", "p50_us")}
        figures[name] = {**median, "of_direct": median_ratio(rounds, name, "direct", "rate"),
                         "of_haproxy": median_ratio(rounds, name, "haproxy", "rate"),
                         "cpu_of_haproxy": median_ratio(rounds, name, "haproxy", "cpu_us"),
                         "rate_of_idle": median_ratio(rounds, name, "misrule", "rate"),
                         "cpu_of_idle": median_ratio(rounds, name, "misrule", "cpu_us")}
    return figures


def shown(value):
    return f"{value:10.2f}" if value is not None else " " * 10


def print_table(workload, figures):
    print(f"\n{workload.name:22}       rate  of direct of haproxy   CPU us  of haproxy's    p50 us"
          "     calls")
    for name, figure in figures.items():
        print(f"  {name:16} {figure['rate']:12.0f} {shown(figure['of_direct'])} "
              f"{shown(figure['of_haproxy'])} {figure['cpu_us']:8.1f} "
              f"   {shown(figure['cpu_of_haproxy'])} {figure['p50_us']:9.0f}"
              f"{shown(figure['calls'])}")


def enter_all(wanted):
    peers = []
    for peer in wanted:
        if why := peer.missing():
            print(f"skipped: {peer.name}: {why}")
        else:
            peers.append(peer.__enter__())
    return peers


def run_workload(workload, server, peers, options):
    misrule = next(peer for peer in peers if peer.name == "misrule")
    print(f"{workload.name}: {check_counts(workload, server, misrule.proxy)}", flush=True)
    check_rule_half_way(workload, server, misrule.proxy)
    if options.check:
        return None
    rounds = []
    for number in range(options.rounds):
        # Everybody is first once: position in a round favours nobody.
        order = peers[number % len(peers):] + peers[:number % len(peers)]
        measured = {peer.name: measure(workload, server, peer, options.seconds) for peer in order}
        rounds.append({peer.name: measured[peer.name] for peer in peers})
    figures = figures_of(rounds)
    for peer in peers:
        figures[peer.name]["calls"] = calls_per_request(workload, server, peer)
    print_table(workload, figures)
    return figures


def run_protocol(protocol, options):
    results = {}
    # One connection is up to four times slower or faster by where the scheduler puts the processes.
    workloads = [w for w in WORKLOADS if w.protocol == protocol and
                 (options.pin is not None or options.check or not w.measures_latency)]
    with SERVERS[protocol]() as server:
        wanted = [Misrule(server.port, protocol)]
        if not options.check:
            rule = workloads[0].rule
            wanted += [Direct(server.port), HaProxy(server.port), Toxiproxy(server.port),
                       MisruleWithRules(server.port, protocol, 10, rule),
                       MisruleWithRules(server.port, protocol, 10_000, rule)]
        peers = enter_all(wanted)
        try:
            for workload in workloads:
                results[workload.name] = run_workload(workload, server, peers, options)
        finally:
            for peer in reversed(peers):
                peer.__exit__()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(SERVERS), help="one protocol")
    parser.add_argument("--check", action="store_true", help="only the checks, no figures")
    parser.add_argument("--json", help="write the figures there")
    parser.add_argument("--pin", type=int, help="everybody on this one CPU: throughput is then the "
                        "sum of what everybody costs, and the scheduler has no say")
    options = parser.parse_args()
    if options.pin is not None:
        os.sched_setaffinity(0, {options.pin})  # Children inherit it.
    if why := why_not_counted():
        print(f"skipped: system calls per request: {why}")
    results = {}
    for protocol in [options.only] if options.only else SERVERS:
        results.update(run_protocol(protocol, options))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
