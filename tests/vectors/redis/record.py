#!/usr/bin/python3
"""Records Redis conversations between clients and a real redis-server as vectors.

    tests/vectors/redis/record.py [NAME...]     writes NAME.hex beside this file

Needs redis-server, redis-tools and python3-redis. A relay between client and server writes down
what passes: "C:" what the client sent, "S:" what the server sent, in the order of arrival.
"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVER_PORT, RELAY_PORT = 18744, 18745

REDIS_PY = """
import redis, sys
r = redis.Redis(port=int(sys.argv[1]), single_connection_client=True)
r.set("k", "v"); r.get("k"); r.get("none"); r.lpush("l", 1, 2, 3); r.lrange("l", 0, -1)
r.hset("h", mapping={"a": 1, "b": 2}); r.hgetall("h"); r.zadd("z", {"m": 1.5}); r.zscore("z", "m")
with r.pipeline(transaction=False) as p: p.get("k").incr("n").get("none").execute()
with r.pipeline(transaction=True) as p:
    p.get("k").incr("n").lpush("k", 1).execute(raise_on_error=False)
r.set(b"\\r\\n\\x00\\xff", b"\\r\\n+OK\\r\\n"); r.get(b"\\r\\n\\x00\\xff")
r.mset({"a": 1, "b": 2}); r.mget("a", "b", "c")
r.eval("return {1, 'x', {2, false}}", 1, "k"); r.info("server"); r.scan(); r.flushdb()
"""


def words(*arguments):
    encoded = [str(a).encode() if not isinstance(a, bytes) else a for a in arguments]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in encoded)


def lines(*commands):
    return b"".join(words(*command.split()) for command in commands)


# What is sent in one piece each, with a pause behind it.
RAW = {
    "inline": [b"PING\r\n\r\n\n*0\r\n*-1\r\nset 'a b' \"c\\x41\\n\"\r\nGET \"a b\"\nPING\n", b"PI",
               b"NG\r\n"],
    "resp3": [lines("HELLO 3", "HSET h a 1 b 2", "HGETALL h", "SMEMBERS none", "ZADD z 1.5 m",
                    "ZSCORE z m", "GET none", "DEBUG PROTOCOL attrib", "DEBUG PROTOCOL verbatim",
                    "DEBUG PROTOCOL bignum", "DEBUG PROTOCOL push", "DEBUG PROTOCOL map",
                    "DEBUG PROTOCOL true", "DEBUG PROTOCOL double", "DEBUG PROTOCOL null",
                    "DEBUG PROTOCOL error", "CLIENT LIST"),
              lines("SUBSCRIBE a b", "GET none", "PUBLISH a 1", "UNSUBSCRIBE", "UNSUBSCRIBE",
                    "PSUBSCRIBE p*", "PUBLISH pq 2", "SSUBSCRIBE s", "SPUBLISH s 3", "SUNSUBSCRIBE",
                    "PUNSUBSCRIBE x", "CLIENT TRACKING ON", "GET k", "SET k 1", "GET k", "FLUSHALL",
                    "RESET", "GET none", "HELLO 2", "GET none")],
    "subscribed": [lines("SUBSCRIBE a b", "PSUBSCRIBE c*", "PING", "GET k", "UNSUBSCRIBE a"),
                   lines("PING text", "UNSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PUNSUBSCRIBE",
                         "GET k", "SSUBSCRIBE s", "SUNSUBSCRIBE s t", "SUBSCRIBE q", "RESET",
                         "GET k")],
    "transaction": [lines("MULTI", "SET a 1", "LPUSH a 1", "GET a", "EXEC", "MULTI", "NOSUCH",
                          "SET a 2", "EXEC", "MULTI", "MULTI", "WATCH a", "SET a 3", "DISCARD",
                          "EXEC", "MULTI", "EXEC", "WATCH a", "SET a 5", "MULTI", "SET a 6", "EXEC",
                          "MULTI", "EXEC x", "GET a", "MULTI", "HELLO 3", "HGETALL h", "EXEC",
                          "MULTI", "SUBSCRIBE c", "PUBLISH c m", "GET a", "EXEC", "GET a", "MULTI",
                          "RESET", "GET a")],
    "silent": [lines("CLIENT REPLY SKIP", "SET a 1", "GET a", "CLIENT REPLY OFF", "GET a",
                     "SUBSCRIBE c", "PUBLISH c m", "UNSUBSCRIBE", "GET a", "CLIENT REPLY ON",
                     "GET a", "CLIENT REPLY SKIP", "SUBSCRIBE d e", "UNSUBSCRIBE", "GET a",
                     "REPLCONF ACK 5", "CLIENT REPLY OFF", "RESET", "GET a", "CLIENT REPLY NEVER",
                     "CLIENT REPLY")],
    "monitor": [lines("MONITOR"), lines("PING", "GET a"), lines("RESET", "PING", "QUIT", "PING")],
    "replica": [lines("PING", "REPLCONF listening-port 1", "REPLCONF capa eof capa psync2"),
                lines("PSYNC ? -1"), lines("REPLCONF ACK 0")],
    "sync": [lines("SYNC")],
    "blocked": [lines("BLPOP none 0.2", "PING", "LPUSH none x", "BLPOP none 0",
                      "XREAD BLOCK 100 STREAMS s $")],
    "broken": [lines("PING", "GET a"), b"*2\r\n$3\r\nGET\r\n+a\r\n"],
    "broken-quotes": [b"GET 'a\r\n"],
    "large": [words("SET", "big", b"x" * 9_000) + words("GET", "big")
              + words("MGET", "big", "big") + words("LRANGE", "none", 0, -1)],
    "denied": [lines("AUTH wrong", "HELLO 3 AUTH nobody wrong", "HELLO 9", "SET a", "LPUSH a 1",
                     "EVALSHA 0 0", "QUIT")],
}
CLIENTS = {
    "redis-py": ["/usr/bin/python3", "-c", REDIS_PY, str(RELAY_PORT)],
    "redis-cli": ["redis-cli", "-p", str(RELAY_PORT), "set", "a b", "1"],
    "redis-cli-3": ["redis-cli", "-3", "-p", str(RELAY_PORT), "hello"],
    "redis-benchmark": ["redis-benchmark", "-p", str(RELAY_PORT), "-n", "12", "-c", "1", "-P", "4",
                        "-q", "-t", "set,get,incr,lpush,lrange_100,mset"],
}


def pump(source, sink, mark, log, lock):
    while True:
        try:
            bytes_read = source.recv(65536)
        except OSError:
            bytes_read = b""
        if not bytes_read:
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return
        with lock:
            log.append((mark, bytes_read))
        sink.sendall(bytes_read)


def relay(listener, logs):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", SERVER_PORT))
        log, lock = [], threading.Lock()
        logs.append(log)
        for ends in ((client, server, "C"), (server, client, "S")):
            threading.Thread(target=pump, args=(*ends, log, lock), daemon=True).start()


def send_raw(pieces):
    with socket.create_connection(("127.0.0.1", RELAY_PORT)) as client:
        client.settimeout(1.5)
        for piece in pieces:
            client.sendall(piece)
            try:
                while client.recv(65536):
                    pass
            except TimeoutError:
                pass


def record(name, logs):
    logs.clear()
    if name in RAW:
        send_raw(RAW[name])
    else:
        subprocess.run(CLIENTS[name], check=True, stdout=subprocess.DEVNULL)
    time.sleep(0.2)
    told = subprocess.run(["redis-server", "--version"], capture_output=True, text=True)
    version = told.stdout.split()[2]
    # redis-benchmark asks for the configuration on another connection.
    log = max(logs, key=lambda log: sum(len(data) for _, data in log))
    out = [f"# redis-server {version}", f"# re-record: tests/vectors/redis/record.py {name}"]
    out += [f"{mark}: {data.hex(' ')}" for mark, data in log]
    (HERE / f"{name}.hex").write_text("\n".join(out) + "\n")
    print(name, len(logs))


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            ["redis-server", "--port", str(SERVER_PORT), "--bind", "127.0.0.1", "--save", "",
             "--dir", folder, "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"],
            stdout=subprocess.DEVNULL)
        listener = socket.create_server(("127.0.0.1", RELAY_PORT))
        logs = []
        threading.Thread(target=relay, args=(listener, logs), daemon=True).start()
        try:
            time.sleep(0.5)
            for wanted in sys.argv[1:] or [*CLIENTS, *RAW]:
                record(wanted, logs)
                subprocess.run(["redis-cli", "-p", str(SERVER_PORT), "flushall"],
                               stdout=subprocess.DEVNULL)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
