#include "controller/starter/sample.h"

namespace misrule::controller {

StarterProject sample_project() {
  StarterProject project;
  project.services.push_back({.name = "warehouse",
                              .protocol = "http",
                              .ports = {9000},
                              .binary = "./warehouse.py",
                              .health_path = "/health"});
  project.services.push_back({.name = "shop",
                              .protocol = "http",
                              .ports = {8080},
                              .binary = "./shop.py",
                              .env = {{"WAREHOUSE_URL", "http://warehouse:9000"}},
                              .depends_on = {"warehouse"},
                              .health_path = "/health"});
  return project;
}

std::string_view sample_shop() {
  return R"(#!/usr/bin/python3
"""A shop. What it sells lies in a warehouse, which it asks over HTTP.

    GET /health   200 when the warehouse answers, 503 when it does not
    GET /lamps    how many there are; as far as is known, when the warehouse does not say
"""

import http.server
import json
import os
import urllib.request

WAREHOUSE = os.environ["WAREHOUSE_URL"]
known = {"lamps": None}


def ask(path):
    with urllib.request.urlopen(WAREHOUSE + path, timeout=2) as reply:
        return json.load(reply)


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer_health()
        elif self.path == "/lamps":
            self.answer_lamps()
        else:
            self.answer(404, {"error": "nothing here"})

    def answer_health(self):
        try:
            ask("/health")
        except OSError as error:
            self.answer(503, {"error": "warehouse: " + str(error)})
        else:
            self.answer(200, {"ok": True})

    def answer_lamps(self):
        try:
            known.update(ask("/lamps"), fresh=True)
        except OSError:
            known["fresh"] = False
        self.answer(503 if known["lamps"] is None else 200, known)

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Shop).serve_forever()
)";
}

std::string_view sample_warehouse() {
  return R"(#!/usr/bin/python3
"""A warehouse: GET /health, GET /lamps."""

import http.server
import json

STOCK = {"/health": {"ok": True}, "/lamps": {"lamps": 3}}


class Warehouse(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(STOCK.get(self.path, {})).encode()
        self.send_response(200 if self.path in STOCK else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Warehouse).serve_forever()
)";
}

std::string_view ci_workflow() {
  return R"(# Runs misrule.star for every push and pull request. Written by `misrule init`.
name: misrule
on: [push, pull_request]

jobs:
  misrule:
    runs-on: ubuntu-24.04
    container:
      image: debian:12
      options: --privileged   # worlds are namespaces, and see system calls
    env:
      # Where Misrule's sources are: a repository of yours, or a mirror.
      MISRULE_REPOSITORY: ${{ vars.MISRULE_REPOSITORY }}
    steps:
      - uses: actions/checkout@v4
      - name: install misrule
        run: |
          apt-get update -qq
          apt-get install -y -qq --no-install-recommends git ca-certificates make
          git clone --depth 1 "$MISRULE_REPOSITORY" /opt/misrule
          make -C /opt/misrule install
      - name: test
        run: misrule test misrule.star --junit misrule.xml --report misrule-report
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: misrule-report
          path: |
            misrule.xml
            misrule-report
)";
}

}  // namespace misrule::controller
