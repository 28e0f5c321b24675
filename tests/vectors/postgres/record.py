#!/usr/bin/python3
"""Records conversations between real clients and a real PostgreSQL as vectors.

    tests/vectors/postgres/record.py [NAME...]     writes NAME.hex beside this file

Needs PostgreSQL, psql, pgbench, python3-psycopg2, python3-psycopg, python3-asyncpg. A relay between
client and server writes down what passes: "C:" what the client sent, "S:" what the server sent, in
the order of arrival. The relay refuses encryption itself, as Misrule does, so that answer is not in
the vector. Cancel keys, salts, proofs and signatures are overwritten.
"""

import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "conformance"))
from postgres_server import PostgresServer  # noqa: E402
import traces  # noqa: E402

REFUSED_CODES = (80877103, 80877104)
CANCEL_CODE = 80877102

PSYCOPG2 = """
import psycopg2, sys
c = psycopg2.connect(sys.argv[1]); k = c.cursor()
k.execute("create temp table t (id int primary key, name text)")
k.executemany("insert into t values (%s, %s)", [(n, "it's %d" % n) for n in range(5)])
c.commit()
try: k.execute("select 1/0")
except psycopg2.Error: c.rollback()
k.execute("select sum(id) from t"); k.fetchall()
n = c.cursor("named"); n.itersize = 2; n.execute("select id from t"); n.fetchall(); c.commit()
"""
PSYCOPG3 = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as c:
    c.execute("create temp table t (id int primary key, name text)")
    for n in range(8): c.execute("insert into t values (%s, %s)", (n, "n"))
    with c.transaction():
        try:
            with c.transaction(): c.execute("insert into t values (1, 'again')")
        except psycopg.Error: pass
    with c.cursor() as k, k.copy("copy t from stdin") as copy:
        for n in range(10, 15): copy.write_row((n, "copied"))
    with c.cursor() as k, k.copy("copy t to stdout") as copy: b"".join(copy)
"""
PIPELINE = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as c:
    with c.pipeline() as p:
        rows = [c.execute("select %s::int * 2", (n,)) for n in range(10)]
        p.sync(); [r.fetchone() for r in rows]
    try:
        with c.pipeline():
            for q in ("select 1", "select nosuch", "select 2"): c.execute(q)
    except psycopg.Error: pass
    c.execute("select 'usable'").fetchone()
"""
ASYNCPG = """
import asyncio, asyncpg, sys
async def main():
    words = dict(w.split("=", 1) for w in sys.argv[1].split())
    c = await asyncpg.connect(host=words["host"], port=int(words["port"]), user=words["user"],
                              database=words["dbname"], password=words.get("password"))
    await c.execute("create temp table t (id int, name text)")
    await c.executemany("insert into t values ($1, $2)", [(n, "n") for n in range(10)])
    await c.fetch("select * from t where id < $1", 3)
    try: await c.fetch("select 1/$1::int", 0)
    except asyncpg.PostgresError: pass
    async with c.transaction():
        k = await c.cursor("select id from t")
        await k.fetch(3); await k.fetch(3)
    await c.copy_records_to_table("t", records=[(n, "x") for n in range(20)])
    await c.close()
asyncio.run(main())
"""
SCRIPT = """
begin; create temp table t (a int); insert into t values (1), (2); savepoint s; select 1/0;
rollback to s; commit; select * from t; select 1\\; select 2;
create function pg_temp.f() returns int begin atomic select 1; select 2; end;
do $$begin raise notice 'said'; end$$; set application_name = 'x'; listen news; notify news;
prepare p as select $1::int; execute p(1); deallocate p; /* nothing */;
\\copy t from program 'seq 5'
\\copy t to /dev/null
"""


def python(program):
    return lambda dsn: ["/usr/bin/python3", "-c", program, dsn]


def pgbench(mode):
    return lambda dsn: ["pgbench", "-n", "-M", mode, "-c", "1", "-t", "2", "-d", dsn]


CLIENTS = {
    "psql-script": lambda dsn: ["psql", "-X", "-q", dsn, "-f", "-"],
    "psql-scram": lambda dsn: ["psql", "-X", dsn.replace("user=app", "user=scram password=secret"),
                               "-c", "select 1"],
    "pgbench-simple": pgbench("simple"),
    "pgbench-extended": pgbench("extended"),
    "pgbench-prepared": pgbench("prepared"),
    "psycopg2": python(PSYCOPG2),
    "psycopg3": python(PSYCOPG3),
    "psycopg3-pipeline": python(PIPELINE),
    "asyncpg-scram": lambda dsn: python(ASYNCPG)(
        dsn.replace("user=app", "user=scram password=secret")),
}


class Connection:
    def __init__(self, client, server_port):
        self.pieces = []
        self.client = client
        self.server = socket.create_connection(("127.0.0.1", server_port))
        self.is_cancel = False

    def receive(self, count):
        data = b""
        while len(data) < count:
            more = self.client.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def run(self):
        try:
            self.first_packets()
            self.relay()
        except (OSError, EOFError):
            pass
        self.client.close()
        self.server.close()

    def first_packets(self):
        while True:
            length = self.receive(4)
            packet = length + self.receive(struct.unpack("!I", length)[0] - 4)
            self.pieces.append(("C", packet))
            code = struct.unpack("!I", packet[4:8])[0]
            if code not in REFUSED_CODES:
                break
            self.client.sendall(b"N")
        self.is_cancel = code == CANCEL_CODE
        self.server.sendall(packet)

    def relay(self):
        while True:
            for source in select.select([self.client, self.server], [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                mark, sink = ("C", self.server) if source is self.client else ("S", self.client)
                self.pieces.append((mark, data))
                sink.sendall(data)


class Relay:
    def __init__(self, server_port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server_port = server_port
        self.connections, self.threads = [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            connection = Connection(client, self.server_port)
            self.connections.append(connection)
            thread = threading.Thread(target=connection.run, daemon=True)
            thread.start()
            self.threads.append(thread)

    def longest(self):
        for thread in self.threads:
            thread.join(10)
        found = max((c for c in self.connections if not c.is_cancel),
                    key=lambda c: sum(len(data) for _, data in c.pieces))
        self.connections.clear()
        self.threads.clear()
        return found.pieces


def blank(match):
    return match.group(1) + b"A" * len(match.group(2))


def without_secrets(pieces):
    """The same pieces of the same lengths."""
    streams = {mark: b"".join(data for m, data in pieces if m == mark) for mark in "CS"}
    streams["C"] = re.sub(rb"(,p=)([A-Za-z0-9+/=]{44})", blank, streams["C"])
    streams["S"] = re.sub(rb"(v=)([A-Za-z0-9+/=]{44})", blank, streams["S"])
    streams["S"] = re.sub(rb"(,s=)([A-Za-z0-9+/=]+)(?=,i=)", blank, streams["S"])
    streams["S"] = re.sub(rb"(K\0\0\0\x0c....)(....)", blank, streams["S"], count=1, flags=re.S)
    cut, at = [], {"C": 0, "S": 0}
    for mark, data in pieces:
        cut.append((mark, streams[mark][at[mark]:at[mark] + len(data)]))
        at[mark] += len(data)
    return cut


def write(name, pieces, version):
    lines = [f"# PostgreSQL {version}", f"# re-record: tests/vectors/postgres/record.py {name}"]
    lines += [f"{mark}: {data.hex(' ')}" for mark, data in without_secrets(pieces)]
    (HERE / f"{name}.hex").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(pieces)} pieces")


def main(wanted):
    with PostgresServer() as server:
        version = server.sql("show server_version")[0][0]
        relay = Relay(server.port)
        dsn = server.dsn(port=relay.port)
        subprocess.run(["pgbench", "-i", "-q", "-d", server.dsn()], check=True, capture_output=True)
        server.sql("grant all on all tables in schema public to public", dbname="app")
        for name, command in CLIENTS.items():
            if wanted and name not in wanted:
                continue
            done = subprocess.run(command(dsn), input=SCRIPT, text=True, capture_output=True)
            if done.returncode != 0 and name != "psql-script":
                raise SystemExit(f"{name}: {done.stderr}")
            write(name, relay.longest(), version)
        for name, steps in traces.TRACES.items():
            if wanted and name not in wanted:
                continue
            traces.play(relay.port, steps)
            time.sleep(0.1)
            write(name, relay.longest(), version)


if __name__ == "__main__":
    os.environ["PGCONNECT_TIMEOUT"] = "10"
    main(sys.argv[1:])
