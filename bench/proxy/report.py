#!/usr/bin/python3
"""bench/results.md from what throughput.py, memory.py and turnover.py measured.

    bench/proxy/report.py FREE.json PINNED.json MEMORY.json TURNOVER.json > bench/results.md
"""

import json
import pathlib
import platform
import subprocess
import sys


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0].strip()
    except (OSError, IndexError):
        return "not installed"


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown CPU")
    count = sum(line.startswith("processor") for line in open("/proc/cpuinfo"))
    return f"{count} x {cpu}, Linux {platform.release()}"


def cell(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def table(results):
    lines = ["| workload | peer | per second | of direct | of HAProxy | CPU µs per request "
             "| of HAProxy's | p50 µs | system calls per request |", "|---" * 9 + "|"]
    for workload, figures in results.items():
        for name, figure in figures.items():
            lines.append(f"| {workload} | {name} | {figure['rate']:.0f} | "
                         f"{cell(figure['of_direct'])} | {cell(figure['of_haproxy'])} | "
                         f"{cell(figure['cpu_us'], 1)} | {cell(figure['cpu_of_haproxy'])} | "
                         f"{figure['p50_us']:.0f} | {cell(figure['calls'])} |")
    return "\n".join(lines)


def memory_table(memory):
    idle = [f"{figure['connections']} idle Redis connections in {figure['processes']} "
            f"process(es): {figure['kib_each']:.1f} KiB each."
            for figure in (memory.pop("idle"), memory.pop("idle_in_two"))]
    lines = [*idle, "", "| one message | bytes | seconds | peak resident MiB |",
             "|---|---|---|---|"]
    for name, figure in memory.items():
        lines.append(f"| {name.replace('_', ' ')} | {figure['bytes']} | {figure['seconds']:.1f} | "
                     f"{figure['peak_mib']:.1f} |")
    return "\n".join(lines)


def turnover_text(turnover):
    return (f"{turnover['connections']} connections opened and ended, "
            f"{turnover['per_second']:.0f} per second: {turnover['grown_kib']} KiB more resident "
            f"memory than before, {turnover['descriptors']} descriptors as before.")


def main():
    free, pinned, memory, turnover = (json.loads(pathlib.Path(name).read_text())
                                      for name in sys.argv[1:5])
    haproxy = first_line("/usr/sbin/haproxy", "-v")
    print(f"""# What the proxy costs

Written by `bench/proxy/run`; each figure is a median, each ratio a median of ratios within a round.
Everybody decodes nothing but misrule, which decodes every message; `misrule+10000` has ten thousand
rules that match nothing. System calls are counted in a run of their own.

Machine: {machine()}.
Versions: {haproxy}; {first_line("redis-server", "--version")};
{first_line("pgbench", "--version")}; {first_line("/usr/sbin/nginx", "-v")}.

## Everybody where the scheduler puts them

{table(free)}

## Everybody on one CPU

{table(pinned)}

## Memory

{memory_table(memory)}

{turnover_text(turnover)}""")


if __name__ == "__main__":
    main()
