"""A scratch nginx for tests: static files, an upload sink and an access log that counts requests.

    with NginxServer() as server:
        server.port
        server.served()         # requests that nginx itself has logged since forget()
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from postgres_server import dying_with_us, free_port, skip

CONFIG = """\
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 512; }}
http {{
  log_format one '$request_method $request_uri $status';
  access_log {home}/access.log one;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  client_max_body_size 200m; default_type text/plain; keepalive_requests 100000;
  absolute_redirect off;
  server {{
    listen 127.0.0.1:{port};
    root {home}/files;
    location /sink {{ proxy_pass http://127.0.0.1:{port}/taken; proxy_http_version 1.1; }}
    location /taken {{ access_log off; return 201 "taken\\n"; }}
    location /moved {{ return 302 /small; }}
    location /empty {{ return 204; }}
  }}
}}
"""


class NginxServer:
    def __init__(self):
        self.program = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(self.program):
            skip("nginx is not installed (Debian: nginx-light)")
        self.home = tempfile.mkdtemp(prefix="misrule-nginx-")
        os.chmod(self.home, 0o755)
        self.port = free_port()

    def __enter__(self):
        os.mkdir(f"{self.home}/files")
        with open(f"{self.home}/files/small", "w") as file:
            file.write("hello\n")
        with open(f"{self.home}/files/big", "wb") as file:
            file.write(os.urandom(1 << 20) * 50)
        with open(f"{self.home}/conf", "w") as file:
            file.write(CONFIG.format(home=self.home, port=self.port))
        self.process = subprocess.Popen(
            [self.program, "-p", self.home, "-e", f"{self.home}/error.log", "-c",
             f"{self.home}/conf"], preexec_fn=dying_with_us(signal.SIGTERM))
        deadline = time.monotonic() + 10
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("nginx did not start")
            time.sleep(0.02)
        self.forget()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def forget(self):
        time.sleep(0.1)
        self.logged_before = len(self._log())

    def _log(self):
        try:
            with open(f"{self.home}/access.log") as log:
                return log.read().splitlines()
        except FileNotFoundError:
            return []

    def served(self):
        # A line is written when the response has been sent: it may trail the client's view of it.
        time.sleep(0.1)
        return self._log()[self.logged_before:]
