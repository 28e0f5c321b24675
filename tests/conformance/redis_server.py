"""A scratch redis-server for tests: real, on loopback, gone when the test ends.

    with RedisServer() as server:
        server.port
        server.command("SET", "k", "v")     # directly, past any proxy
        server.counted()                    # commands by the server's own count since forget()
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time

from postgres_server import dying_with_us, free_port, skip


def encoded(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Wire:
    """A connection on which a test says and reads bytes by itself."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, *commands):
        self.socket.sendall(b"".join(encoded(*c.split()) for c in commands))

    def send_words(self, *words):
        self.socket.sendall(encoded(*words))

    def read(self):
        """One value, as Python has it; errors as text that begins with a dash."""
        line = self.file.readline()
        if not line:
            return "END"
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=" and rest != b"-1":
            return self.file.read(int(rest) + 2)[:-2].decode("latin1")
        if kind in b"*~>" and rest != b"-1":
            return [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        return line[:-2].decode("latin1")

    def call(self, command):
        self.send(command)
        return self.read()


class RedisServer:
    def __init__(self, *arguments):
        self.program = shutil.which("redis-server")
        if self.program is None:
            skip("redis-server is not installed (Debian: redis-server)")
        self.arguments = arguments
        self.port = free_port()
        self.direct = None
        self.home = tempfile.mkdtemp(prefix="misrule-redis-")

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir",
             self.home, "--enable-debug-command", "local", "--repl-diskless-sync-delay", "0",
             *map(str, self.arguments)],
            stdout=subprocess.DEVNULL, preexec_fn=dying_with_us(signal.SIGKILL))
        deadline = time.monotonic() + 20
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("redis-server did not start")
            time.sleep(0.02)
        self.direct = Wire(self.port)
        return self

    def __exit__(self, *_):
        if self.direct:
            self.direct.__exit__()
        self.process.kill()
        self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self):
        try:
            with Wire(self.port) as wire:
                return wire.call("PING") == "+PONG"
        except OSError:
            return False

    def command(self, *words):
        self.direct.socket.sendall(encoded(*words))
        return self.direct.read()

    def forget(self):
        self.command("CONFIG", "RESETSTAT")

    def counted(self):
        """{command: calls}, refused ones included, without what this very object asked and what a
        proxy asks by itself."""
        counts = {}
        for line in self.command("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_"):
                name, _, fields = line.partition(":")
                values = dict(field.split("=") for field in fields.split(","))
                calls = int(values["calls"]) + int(values["rejected_calls"])
                counts[name.removeprefix("cmdstat_").replace("|", " ").upper()] = calls
        for by_us in ("CONFIG RESETSTAT", "COMMAND", "COMMAND INFO"):
            counts.pop(by_us, None)
        return counts
