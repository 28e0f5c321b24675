"""A server that answers what a test asks it for, and remembers what reached it.

    GET /json            {"items": [{"id": 1, "price": 19.90}], "total": 19.90}, with its length
    GET /chunked         the same in chunks, with a trailer
    GET /gzip, /zstd     the same, compressed
    GET /status/404      that status
    GET /events          three server-sent events, one by one as the test says /next
    GET /early           103, then 200
    everything else      200 and "METHOD target\\n"; POST: the body
"""

import gzip
import http.server
import threading

DOCUMENT = b'{"items": [{"id": 1, "price": 19.90}], "total": 19.90}'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        # A test that looks at what arrives when must not see the kernel's own delays.
        self.connection.setsockopt(6, 1, 1)

    def say(self, body, status=200, fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self):
        body = self.read_body()
        self.server.asked.append((self.command, self.path, body))
        handler = getattr(self, "on_" + self.path.strip("/").split("/")[0].split("?")[0], None)
        if handler is not None:
            return handler()
        self.say(body or f"{self.command} {self.path}\n".encode())

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

    def on_json(self):
        self.say(DOCUMENT, fields=[("Content-Type", "application/json"), ("ETag", '"1"')])

    def on_gzip(self):
        self.say(gzip.compress(DOCUMENT), fields=[("Content-Encoding", "gzip")])

    def on_zstd(self):
        self.say(self.server.zstd, fields=[("Content-Encoding", "zstd")])

    def on_status(self):
        status = int(self.path.rsplit("/", 1)[1])
        self.say(b"" if status in (204, 304) else b"real\n", status)

    def on_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Trailer", "X-Sum")
        self.end_headers()
        for at in range(0, len(DOCUMENT), 10):
            piece = DOCUMENT[at:at + 10]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\nX-Sum: 7\r\n\r\n")

    def on_early(self):
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n")
        self.say(b"late\n")

    def on_events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in (": hello\n\n", "data: one\n\n", "data: two\n\n", "event: x\ndata: three\n\n"):
            self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
            if text.startswith(("data: one", "data: two")):
                self.server.next_event.acquire(timeout=20)
        self.wfile.write(b"0\r\n\r\n")


class ReplyServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.asked = []
        self.next_event = threading.Semaphore(0)
        self.zstd = b""

    def handle_error(self, *_):
        """Clients that vanish are what tests are about."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
