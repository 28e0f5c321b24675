"""Certificates, and peers that speak TLS byte by byte, for tests.

    files = Certificates(folder)    # files.ca, files.cert, files.key: of localhost
    peer = TlsPeer(port, alpn=["postgresql"])   # a client whose wire bytes a test cuts as it likes
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import free_port, skip  # noqa: E402,F401

LIMIT = 30
CUT = "EOF"  # How an error says that the end was not told.


class Certificates:
    """An authority of its own, and what it signed for localhost."""

    def __init__(self, folder, name="ours"):
        if shutil.which("openssl") is None:
            skip("openssl is not installed (Debian: openssl)")
        self.folder = folder
        self.ca, self.ca_key = f"{folder}/{name}-ca.pem", f"{folder}/{name}-ca.key"
        self._openssl("req", "-x509", *self._fresh_key(self.ca_key), "-out", self.ca, "-days", "3",
                      "-subj", f"/CN={name}")
        self.cert, self.key = self.issue(f"{name}-server", "DNS:localhost,IP:127.0.0.1")

    @staticmethod
    def _fresh_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, alternative_names):
        cert, key, asked = (f"{self.folder}/{name}.{end}" for end in ("pem", "key", "csr"))
        names = f"{self.folder}/{name}.names"
        with open(names, "w") as file:
            file.write(f"subjectAltName={alternative_names}\n")
        self._openssl("req", *self._fresh_key(key), "-out", asked, "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", asked, "-CA", self.ca, "-CAkey", self.ca_key,
                      "-CAcreateserial", "-days", "3", "-extfile", names, "-out", cert)
        return cert, key


def strict(context):
    """An end that TLS is not told of is an error, as it is for everybody but Python."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def client_context(ca=None, alpn=()):
    context = strict(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    if ca:
        context.load_verify_locations(ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def server_context(files, alpn=()):
    context = strict(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    context.load_cert_chain(files.cert, files.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class TlsPeer:
    """TLS without a socket of its own: `step` bytes leave at a time."""

    def __init__(self, port, ca=None, alpn=(), step=None, before=b"", name="localhost"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.step = step
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context(ca, alpn).wrap_bio(self.incoming, self.outgoing,
                                                     server_hostname=name)
        if before:
            self.send_plain(before)
            assert self.socket.recv(1) == b"S"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_plain(self, content):
        step = self.step or len(content) or 1
        for at in range(0, len(content), step):
            self.socket.sendall(content[at:at + step])

    def _flush(self):
        self.send_plain(self.outgoing.read())

    def _call(self, function, *arguments):
        while True:
            try:
                done = function(*arguments)
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                wire = self.socket.recv(65536)
                if wire:
                    self.incoming.write(wire)
                else:
                    self.incoming.write_eof()

    def handshake(self):
        self._call(self.tls.do_handshake)
        return self

    def send(self, content):
        self._call(self.tls.write, content)

    def receive(self, size=65536):
        """b"" at an end that TLS told; ssl.SSLError (CUT) at one that it did not."""
        try:
            return self._call(self.tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def receive_exactly(self, size):
        content = b""
        while len(content) < size:
            some = self.receive(size - len(content))
            if not some:
                break
            content += some
        return content

    def receive_all(self):
        content = b""
        while some := self.receive():
            content += some
        return content

    def end(self):
        """Tells the end, and goes on reading."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self._flush()
        self.socket.shutdown(socket.SHUT_WR)


class Server:
    """`serve(connection)` for each client, in threads; its exceptions are kept."""

    def __init__(self, serve, context=None):
        self.serve = serve
        self.context = context
        self.problems = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        connection.settimeout(LIMIT)
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True,
                                                      suppress_ragged_eofs=False)
            self.serve(connection)
        except OSError as problem:  # TLS's own are among them.
            self.problems.append(str(problem))
        finally:
            connection.close()
