#!/usr/bin/python3
"""Records HTTP/1.x conversations between real clients and a real nginx as vectors.

    tests/vectors/http/record.py [NAME...]     writes NAME.hex beside this file

Needs nginx, curl, ab, go and python3-requests. A relay between client and server writes down what
passes: "C:" what the client sent, "S:" what the server sent, in the order of arrival.
"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
NGINX_PORT, RELAY_PORT = 18734, 18735
URL = f"http://127.0.0.1:{RELAY_PORT}"

CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ text/plain txt; }} gzip on; gzip_types text/plain; gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    location /reflect {{ return 200 "reflected\\n"; }}
    location /upload {{ proxy_pass http://127.0.0.1:{port}/reflect; }}
    location /gone {{ return 503; }}
    location /none {{ return 204; }}
  }}
}}
"""

GO = """package main
import ("fmt"; "io"; "net/http"; "os"; "strings")
func main() {
  for _, path := range []string{"/hello.txt", "/missing"} {
    r, err := http.Get(os.Args[1] + path); if err != nil { panic(err) }
    io.Copy(io.Discard, r.Body); r.Body.Close(); fmt.Println(r.StatusCode)
  }
  r, err := http.Post(os.Args[1] + "/upload", "text/plain", io.MultiReader(strings.NewReader("ab"),
    strings.NewReader("cd")))
  if err != nil { panic(err) }
  io.Copy(io.Discard, r.Body); r.Body.Close(); fmt.Println(r.StatusCode)
}
"""

HTTP_CLIENT = """
import http.client, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for method, path, body in [("GET", "/hello.txt", None), ("POST", "/upload", b"body"),
                           ("HEAD", "/hello.txt", None), ("POST", "/upload", iter([b"ab", b"cd"])),
                           ("GET", "/none", None), ("GET", "/gone", None)]:
    c.request(method, path, body=body)
    c.getresponse().read()
"""

REQUESTS = """
import requests, sys
s = requests.Session()
s.get(sys.argv[1] + "/hello.txt")
s.post(sys.argv[1] + "/upload", json={"amount": 100})
s.get(sys.argv[1] + "/a%20b/../hello.txt?x=1")
"""

PIPELINED = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
paths = ["/hello.txt", "/none", "/missing", "/gone", "/hello.txt"]
s.sendall("".join(f"GET {p} HTTP/1.1\\r\\nHost: shop\\r\\n\\r\\n" for p in paths[:-1]).encode())
s.sendall(f"GET {paths[-1]} HTTP/1.1\\r\\nHost: shop\\r\\nConnection: close\\r\\n\\r\\n".encode())
while s.recv(65536): pass
"""

CURL = ["curl", "-sS", "-o", "/dev/null"]
CLIENTS = {
    "curl-keepalive": CURL + [URL + "/hello.txt", "-o", "/dev/null", URL + "/missing"],
    "curl-head": ["curl", "-sS", "-I", URL + "/hello.txt", URL + "/hello.txt"],
    "curl-not-modified": CURL + ["-H", "If-None-Match: *", URL + "/hello.txt"],
    "curl-post": CURL + ["-d", "amount=100", URL + "/upload"],
    "curl-expect-continue": CURL + ["-H", "Expect: 100-continue", "-d", "x" * 300, URL + "/upload"],
    "curl-chunked-upload": CURL + ["-T", "-", URL + "/upload"],
    "curl-compressed": CURL + ["--compressed", URL + "/long.txt"],
    "curl-old": CURL + ["--http1.0", "--compressed", URL + "/long.txt"],
    "curl-upgrade-refused": CURL + ["--http2", URL + "/hello.txt"],
    "ab-keepalive": ["ab", "-q", "-k", "-n", "3", "-c", "1", URL + "/hello.txt"],
    "http-client": ["/usr/bin/python3", "-c", HTTP_CLIENT, str(RELAY_PORT)],
    "requests": ["/usr/bin/python3", "-c", REQUESTS, URL],
    "pipelined": ["/usr/bin/python3", "-c", PIPELINED, str(RELAY_PORT)],
    "go": None,
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
        server = socket.create_connection(("127.0.0.1", NGINX_PORT))
        log, lock = [], threading.Lock()
        logs.append(log)
        for ends in ((client, server, "C"), (server, client, "S")):
            threading.Thread(target=pump, args=(*ends, log, lock), daemon=True).start()


def versions(name):
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip()
    client = {"a": ["ab", "-V"], "c": ["curl", "-V"], "g": ["go", "version"]}
    command = client.get(name[0], ["/usr/bin/python3", "-V"])
    first = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    return f"{nginx.removeprefix('nginx version: ')}; {first.strip()}"


def record(name, folder, logs):
    command = CLIENTS[name]
    if name == "go":
        (folder / "client.go").write_text(GO)
        command = ["go", "run", str(folder / "client.go"), URL]
    logs.clear()
    subprocess.run(command, check=True, input=b"chunked upload\n", stdout=subprocess.DEVNULL)
    time.sleep(0.1)
    assert len(logs) == 1, f"{name}: {len(logs)} connections"
    lines = [f"# {versions(name)}", f"# re-record: tests/vectors/http/record.py {name}"]
    lines += [f"{mark}: {data.hex(' ')}" for mark, data in logs[0]]
    (HERE / f"{name}.hex").write_text("\n".join(lines) + "\n")
    print(name)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "www").mkdir()
        (folder / "www/hello.txt").write_text("hello\n")
        (folder / "www/long.txt").write_text("0123456789\n" * 20)
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, port=NGINX_PORT))
        nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)],
                                 stderr=subprocess.DEVNULL)
        listener = socket.create_server(("127.0.0.1", RELAY_PORT))
        logs = []
        threading.Thread(target=relay, args=(listener, logs), daemon=True).start()
        try:
            time.sleep(0.5)
            for wanted in sys.argv[1:] or CLIENTS:
                record(wanted, folder, logs)
        finally:
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    main()
