"""What these services share: JSON over HTTP, one line of JSON for each thing that happened, a
connection to PostgreSQL that is made anew when it was lost."""

import http.server
import json
import os
import threading

import psycopg

BUG = os.environ.get("BUG", "")


def say(action, **fields):
    print(json.dumps({"action": action, **fields}), flush=True)


class Database:
    """One connection for everybody, one transaction at a time."""

    def __init__(self, url):
        self.url = url
        self.lock = threading.RLock()
        self.connection = None

    def __enter__(self):
        """The connection, as it is; whoever leaves with an exception leaves a clean one."""
        self.lock.acquire()
        try:
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(self.url, connect_timeout=2)
            return self.connection
        except BaseException:
            self.lock.release()
            raise

    def __exit__(self, kind, error, trace):
        try:
            if kind is not None and not self.connection.closed:
                self.connection.rollback()
        except psycopg.OperationalError:
            self.connection.close()
        finally:
            self.lock.release()


def serve(port, routes):
    """`routes`: (method, path) to a function of the body's text and the path; a path that ends in
    /* stands for everything below it. What it returns is (status, value)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.route()

        def do_POST(self):
            self.route()

        def route(self):
            folder = self.path.rpartition("/")[0] + "/*"
            handler = routes.get((self.command, self.path)) or routes.get((self.command, folder))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, value = handler(body, self.path) if handler else (404, "nothing")
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments):
            pass

    say("listening", port=port, bug=BUG)
    http.server.ThreadingHTTPServer(("", port), Handler).serve_forever()
