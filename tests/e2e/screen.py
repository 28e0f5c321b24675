"""A program on a terminal of its own, and what its user sees of what it sends."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

CONTROLS = re.compile(r"\r|\n|\x1b\[(\d*)([A-Za-z])|[^\r\n\x1b]")


class Screen:
    """Lines as wide as the terminal, with all that has scrolled away above it."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def put(self, char):
        if self.column == self.columns:
            self.down()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[:self.column] + char + line[self.column + 1:]
        self.column += 1

    def write(self, text):
        for match in CONTROLS.finditer(text):
            number, command = match[1], match[2]
            if command == "A":
                self.row = max(0, self.row - int(number or 1))
            elif command == "K":
                assert number == "2", match[0]
                self.lines[self.row] = ""
            elif command is not None:
                assert command == "m", match[0]
            elif match[0] == "\r":
                self.column = 0
            elif match[0] == "\n":
                self.down()
                self.column = 0
            else:
                self.put(match[0])

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


class Terminal:
    """A process that has this terminal as its controlling one: Ctrl-C reaches it."""

    def __init__(self, words, cwd, columns=100, rows=24, environment=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
        self.process = subprocess.Popen(
            words, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**env, "TERM": "xterm", **(environment or {})})
        os.close(slave)
        self.raw, self.screen, self.unread, self.open = "", Screen(columns), b"", True

    def read_some(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # The last writer has closed it.
            piece = b""
        self.open = bool(piece)
        whole = self.unread + piece
        text = whole.decode(errors="ignore")
        # A character, or an escape, may come in two pieces.
        cut = re.search(r"\x1b(\[\d*)?$", text)
        done = text[:cut.start()] if cut else text
        self.unread = whole[len(done.encode()):]
        self.raw += done
        self.screen.write(done)

    def wait_for(self, holds, seconds=60):
        """Until the screen's text is as wanted; False if that never happens."""
        deadline = time.monotonic() + seconds
        while not holds(self.screen.text()):
            if not self.open or time.monotonic() > deadline:
                return False
            self.read_some(0.2)
        return True

    def type(self, keys):
        os.write(self.master, keys.encode())

    def finish(self, seconds=60):
        """The exit code, once everybody has let go of the terminal."""
        deadline = time.monotonic() + seconds
        while self.open and time.monotonic() < deadline:
            self.read_some(0.2)
        return self.process.wait(timeout=seconds)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
