"""Clients as people have them, one after the other on one connection while that can be used.

    run(url, ["GET /a", "POST /b"]) -> one dict for each step: status, reason, length (the field
    Content-Length), chunked, close, type, body, raised (what a program sees as an error), reused
    (no new connection was made for it)

POST sends "body". Settings are the clients' own.
"""

import asyncio
import functools
import http.client
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

GO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go", "steps.go")


def split(step):
    method, path = step.split(" ", 1)
    return method, path, b"body" if method == "POST" else None


def told(status, reason, fields, body, raised="", reused=True):
    fields = {name.lower(): value for name, value in fields}
    return {"status": status, "reason": reason, "length": fields.get("content-length"),
            "chunked": fields.get("transfer-encoding") == "chunked",
            "close": fields.get("connection", "").lower() == "close",
            "type": fields.get("content-type"), "body": body.decode("latin-1"), "raised": raised,
            "reused": reused}


def failed(error, reused=True):
    return told(0, "", [], b"", type(error).__name__, reused)


def run_http_client(url, steps):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    seen = []
    for step in steps:
        method, path, body = split(step)
        before = connection.sock
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            text = answer.read()
            seen.append(told(answer.status, answer.reason, answer.getheaders(), text,
                             reused=before is not None))
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            seen.append(failed(error, before is not None))
    connection.close()
    return seen


def run_urllib(url, steps):
    """Makes a connection for each."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    seen = []
    for step in steps:
        method, path, body = split(step)
        request = urllib.request.Request(url + path, data=body, method=method)
        try:
            with opener.open(request, timeout=30) as answer:
                seen.append(told(answer.status, answer.reason, answer.getheaders(), answer.read(),
                                 reused=False))
        except urllib.error.HTTPError as error:
            with error:
                seen.append(told(error.code, error.reason, error.headers.items(), error.read(),
                                 "HTTPError", False))
        except (http.client.HTTPException, OSError) as error:
            seen.append(failed(error, False))
    return seen


@functools.cache
def connects():
    """Counts what urllib3 connects: its pools do not count when they connect an old one anew."""
    import urllib3

    class Counted(urllib3.connectionpool.HTTPConnectionPool.ConnectionCls):
        made = 0

        def connect(self):
            Counted.made += 1
            super().connect()
    urllib3.connectionpool.HTTPConnectionPool.ConnectionCls = Counted
    return Counted


def run_requests(url, steps):
    import requests
    counted = connects()
    seen = []
    with requests.Session() as session:
        session.trust_env = False
        for step in steps:
            method, path, body = split(step)
            before = counted.made
            try:
                answer = session.request(method, url + path, data=body)
                raised = ""
                try:
                    answer.raise_for_status()
                except requests.HTTPError as error:
                    raised = str(error).replace(answer.reason, "<reason>").replace(url, "")
                seen.append(told(answer.status_code, answer.reason, answer.headers.items(),
                                 answer.content, raised, counted.made == before))
            except requests.RequestException as error:
                seen.append(failed(error, counted.made == before))
    return seen


def run_urllib3(url, steps):
    import urllib3
    counted = connects()
    seen = []
    with urllib3.PoolManager() as manager:
        for step in steps:
            method, path, body = split(step)
            before = counted.made
            try:
                answer = manager.request(method, url + path, body=body)
                seen.append(told(answer.status, answer.reason, answer.headers.items(), answer.data,
                                 reused=counted.made == before))
            except urllib3.exceptions.HTTPError as error:
                seen.append(failed(error, counted.made == before))
    return seen


def run_aiohttp(url, steps):
    import aiohttp

    async def one(session, step):
        method, path, body = split(step)
        made = []
        try:
            async with session.request(method, url + path, data=body,
                                       trace_request_ctx=made) as answer:
                text = await answer.read()
                raised = ""
                try:
                    answer.raise_for_status()
                except aiohttp.ClientResponseError as error:
                    raised = f"{error.status} {error.message == answer.reason}"
                return told(answer.status, answer.reason, answer.headers.items(), text, raised,
                            not made)
        except (aiohttp.ClientError, OSError) as error:
            return failed(error, not made)

    async def all_steps():
        trace = aiohttp.TraceConfig()

        async def made_one(_, context, __):
            context.trace_request_ctx.append(1)
        trace.on_connection_create_end.append(made_one)
        async with aiohttp.ClientSession(trace_configs=[trace]) as session:
            return [await one(session, step) for step in steps]
    return asyncio.run(all_steps())


def run_curl(url, steps):
    """Each reply's head comes from -i; what -w says follows the body."""
    said = "\n~%{exitcode} %{num_connects} %{size_download}~\n"
    arguments = []
    for number, step in enumerate(steps):
        method, path, body = split(step)
        arguments += ["--next"] if number else []
        arguments += ["-s", "-i", "--noproxy", "*", "--max-time", "60", "-w", said]
        arguments += ["-d", body.decode()] if body else []
        arguments += ["-I"] if method == "HEAD" else []
        arguments.append(url + path)
    out = subprocess.run(["curl", *arguments], capture_output=True).stdout
    seen = []
    for part in out.split(b"~\n")[:-1]:
        reply, _, figures = part.rpartition(b"\n~")
        code, connects, size = figures.split()
        head, _, body = reply.partition(b"\r\n\r\n")
        raised = "" if code == b"0" else f"curl {code.decode()}"
        if not head:
            seen.append(told(0, "", [], b"", raised, connects == b"0"))
            continue
        first, *lines = head.decode("latin-1").split("\r\n")
        _, status, *reason = first.split(" ", 2)
        fields = [line.split(": ", 1) for line in lines]
        seen.append(told(int(status), "".join(reason), fields, body, raised, connects == b"0"))
        if len(body) != int(size):
            seen[-1]["raised"] += f" {len(body)} bytes, curl says {size.decode()}"
    return seen


@functools.cache
def go_program():
    folder = tempfile.TemporaryDirectory(prefix="misrule-go-")
    program = os.path.join(folder.name, "steps")
    subprocess.run(["go", "build", "-o", program, GO], check=True,
                   env={**os.environ, "GO111MODULE": "off"})
    return folder, program


def run_go(url, steps):
    done = subprocess.run([go_program()[1], url, *steps], capture_output=True, text=True,
                          check=True, env={**os.environ, "NO_PROXY": "*"})
    return [json.loads(line) for line in done.stdout.splitlines()]


def _has_module(name):
    return importlib.util.find_spec(name) is not None


# Name, function, is it there, what to install otherwise.
CLIENTS = [("http_client", run_http_client, True, ""),
           ("urllib", run_urllib, True, ""),
           ("urllib3", run_urllib3, _has_module("urllib3"), "python3-urllib3"),
           ("requests", run_requests, _has_module("requests"), "python3-requests"),
           ("aiohttp", run_aiohttp, _has_module("aiohttp"), "python3-aiohttp"),
           ("curl", run_curl, shutil.which("curl") is not None, "curl"),
           ("go", run_go, shutil.which("go") is not None, "go")]
