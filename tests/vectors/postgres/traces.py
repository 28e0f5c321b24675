"""Conversations that no driver has, byte by byte: the corners of the extended protocol and of COPY.

Each step is what is sent, and how many ReadyForQuery or other messages are then awaited.
"""

import socket
import struct


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def text(value):
    return value.encode() + b"\0"


def query(sql):
    return message(b"Q", text(sql))


def parse(sql, name=""):
    return message(b"P", text(name) + text(sql) + b"\0\0")


def bind(portal="", name=""):
    return message(b"B", text(portal) + text(name) + b"\0\0\0\0\0\0")


def execute(portal="", rows=0):
    return message(b"E", text(portal) + struct.pack("!I", rows))


def run(sql, name=""):
    return parse(sql, name) + bind("", name) + execute()


SYNC, FLUSH = message(b"S"), message(b"H")
DESCRIBE = message(b"D", b"P\0")
DONE = message(b"c")


def data(line):
    return message(b"d", line)


TRACES = {
    "trace-simple": [
        (query("create temp table t (a int primary key deferrable initially deferred)"), b"Z"),
        (query("select 1/0"), b"Z"),
        (query("insert into t values (1); select 1/0; select 2"), b"Z"),
        (query("begin") + query("select 1/0") + query("select 1") + query("!") + query("commit"),
         b"ZZZZZ"),
        (query("begin; insert into t values (1), (1)"), b"Z"),
        (query("commit"), b"Z"),
        (query("") + query("; /* x */ ;"), b"ZZ"),
        (query("set application_name = 'trace'"), b"Z"),
        (query("select 1; selec 2"), b"Z"),
    ],
    "trace-extended": [
        (query("create temp table t (a int)"), b"Z"),
        (parse("select 1") + bind() + DESCRIBE + execute() + SYNC, b"Z"),
        (run("selec 1") + SYNC, b"Z"),
        (run("select 1/0") + SYNC, b"Z"),
        (run("insert into t values (1)", "a1") + run("select 1/0") + run("select 2") + SYNC, b"Z"),
        (run("select 1/0") + SYNC + run("select 3") + SYNC, b"ZZ"),
        (parse("select 9", "a1") + SYNC, b"Z"),
        (bind("", "a1") + execute() + SYNC, b"Z"),
        (run("selec") + SYNC + bind() + execute() + SYNC, b"ZZ"),
        (parse("select 5") + SYNC + query("select 6") + bind() + SYNC, b"ZZZ"),
        (parse("select generate_series(1,5)") + bind("p") + execute("p", 2) + execute("p", 2)
         + execute("p", 2) + SYNC, b"Z"),
        (run("selec"), b"E"),
        (SYNC, b"Z"),
        (run("select 7") + FLUSH, b"C"),
        (query("select 8"), b"Z"),
        (run("select 1/0") + query("select 9") + run("select 10") + SYNC, b"Z"),
        (message(b"C", b"Sa1\0") + message(b"C", b"Snosuch\0") + SYNC, b"Z"),
        (run("insert into t values (2)") + run("commit") + run("select 1/0") + SYNC, b"Z"),
        (query("prepare pp as select 11") + bind("", "pp") + execute() + SYNC, b"ZZ"),
        (query("deallocate all") + bind("", "pp") + SYNC, b"ZZ"),
        (run("") + SYNC, b"Z"),
        (run("begin") + SYNC + run("select 1/0") + SYNC + run("select 12") + SYNC + run("rollback")
         + SYNC, b"ZZZZ"),
    ],
    "trace-copy": [
        (query("create temp table t (a int)"), b"Z"),
        (query("copy t from stdin"), b"G"),
        (data(b"1\n") + SYNC + FLUSH + data(b"2\n") + DONE, b"Z"),
        (query("copy t from stdin"), b"G"),
        (data(b"bad\n") + data(b"3\n") + DONE, b"Z"),
        (query("copy t from stdin"), b"G"),
        (message(b"f", text("given up")), b"Z"),
        (run("copy t from stdin"), b""),
        (FLUSH, b"G"),
        (data(b"bad\n") + DONE + SYNC, b"Z"),
        (run("copy t from stdin") + SYNC, b"G"),
        (data(b"4\n") + DONE + SYNC, b"Z"),
        (run("copy t from stdin") + SYNC + data(b"5\n") + DONE + SYNC + query("select 1"), b"ZZ"),
        (query("copy t to stdout"), b"Z"),
        (query("copy (select 1/(3-a) from generate_series(1,5) a) to stdout"), b"Z"),
        (run("copy t to stdout") + SYNC, b"Z"),
        (query("copy t from stdin; select 2"), b"G"),
        (data(b"6\n") + DONE, b"Z"),
    ],
    "trace-copy-broken": [
        (query("create temp table t (a int)"), b"Z"),
        (query("copy t from stdin"), b"G"),
        (query("select 1"), b"EE"),
    ],
}


def receive(connection, count):
    received = b""
    while len(received) < count:
        more = connection.recv(count - len(received))
        if not more:
            raise EOFError("the server closed")
        received += more
    return received


def await_messages(connection, kinds):
    while kinds:
        header = receive(connection, 5)
        receive(connection, struct.unpack("!I", header[1:])[0] - 4)
        if header[:1] == kinds[:1]:
            kinds = kinds[1:]


def play(port, steps):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(10)
        body = struct.pack("!I", 196608) + b"user\0app\0database\0app\0"
        connection.sendall(struct.pack("!I", len(body) + 5) + body + b"\0")
        await_messages(connection, b"Z")
        for sent, awaited in steps:
            connection.sendall(sent)
            await_messages(connection, awaited)
        connection.sendall(message(b"X"))
