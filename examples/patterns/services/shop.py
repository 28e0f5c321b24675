"""Buys: holds a piece of stock, then the money. If either cannot be had both are let go.

    POST /buy {"key": "k"}    200: both are held; 503: neither is

    BUG=keep_money    money whose holding was not confirmed is not let go
"""

import json
import os
import urllib.error
import urllib.request

import web

STOCK, PAYMENT = os.environ["STOCK_URL"], os.environ["PAYMENT_URL"]
TRIES = 5


def ask(method, url, body=None):
    text = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, text, method=method), timeout=1):
        pass


def let_go(url, key):
    """Until it has succeeded, or there is no hope."""
    for _ in range(TRIES):
        try:
            return ask("DELETE", f"{url}/held/{key}")
        except OSError as error:
            web.say("not let go", reason=str(error))


def buy(_rest, body):
    key = body["key"]
    try:
        ask("POST", STOCK + "/held", body)
        ask("POST", PAYMENT + "/held", body)
    except OSError as error:
        web.say("not bought", reason=str(error))
        if web.BUG != "keep_money":
            let_go(PAYMENT, key)
        let_go(STOCK, key)
        return 503, "not bought"
    return 200, "bought"


web.serve({"GET /health": lambda rest, body: (200, "ok"), "POST /buy": buy})
