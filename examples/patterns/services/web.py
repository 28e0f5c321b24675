"""JSON over HTTP, and one line of JSON for each thing that happened: what the services share."""

import http.server
import json
import os

BUG = os.environ.get("BUG", "")


def say(action, **fields):
    print(json.dumps({"action": action, **fields}), flush=True)


def serve(routes):
    """`routes`: "METHOD /first-part" to a function of the rest of the path and the decoded body,
    which returns a status and a value."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_request(self):
            _, first, *rest = self.path.split("/")
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            route = routes.get(f"{self.command} /{first}")
            status, value = 404, "there is nothing"
            if route:
                status, value = route("/".join(rest), json.loads(text) if text else None)
            answer = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = handle_request

        def log_message(self, *arguments):
            pass

    port = int(os.environ.get("PORT", "8080"))
    say("listening", port=port)
    http.server.ThreadingHTTPServer(("", port), Handler).serve_forever()
