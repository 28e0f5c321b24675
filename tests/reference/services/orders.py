"""Orders: what the inventory can spare is stored in PostgreSQL.

    POST /orders    {"item": "lamp", "qty": 1}, or a text: one of something
                    200: confirmed; 409: not enough there; 503: not stored

An order that could not be stored is tried once more; what was taken for it goes back.

    BUG=confirmed_anyway       an order that could not be stored is announced as confirmed
    BUG=no_retry               that an order is tried again is not told, and it is not tried
    BUG=ignore_refusal         an order for which there is not enough is taken all the same
    BUG=answer_before_commit   an order is confirmed a second before it is committed
"""

import json
import os
import threading
import urllib.error
import urllib.request

import psycopg
import small

INVENTORY = os.environ["INVENTORY_URL"]
database = small.Database(os.environ["DATABASE_URL"])


def ask_inventory(what, quantity):
    """Whether it agreed. OSError: it could not be asked."""
    request = urllib.request.Request(INVENTORY + what, json.dumps({"qty": quantity}).encode())
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except urllib.error.HTTPError:
        return False


def commit():
    with database as connection:
        connection.commit()


def store(item, quantity):
    with database as connection:
        connection.execute("INSERT INTO orders (item, qty) VALUES (%s, %s)", [item, quantity])
        if small.BUG != "answer_before_commit":
            connection.commit()


def store_or_retry(item, quantity):
    try:
        store(item, quantity)
    except psycopg.OperationalError as error:
        if small.BUG == "no_retry":
            raise
        small.say("retry", reason=str(error))
        store(item, quantity)


def take_order(body, _path):
    try:
        order = json.loads(body)
    except ValueError:
        order = {"item": body, "qty": 1}
    try:
        enough = ask_inventory("/reserve", order["qty"])
        if not enough and small.BUG != "ignore_refusal":
            return 409, {"error": "there is not enough"}
        store_or_retry(order["item"], order["qty"])
    except (psycopg.OperationalError, OSError) as error:
        if small.BUG == "confirmed_anyway":
            small.say("order", status="confirmed")
        small.say("order", status="failed", reason=str(error))
        give_back(order["qty"])
        return 503, {"error": "the order was not stored"}
    small.say("order", status="confirmed")
    if small.BUG == "answer_before_commit":
        threading.Timer(1, commit).start()
    return 200, {"status": "confirmed"}


def give_back(quantity):
    try:
        ask_inventory("/release", quantity)
    except OSError as error:
        small.say("not given back", reason=str(error))


with database as at_start:
    at_start.execute("CREATE TABLE orders (id serial PRIMARY KEY, item text, qty int)")
    at_start.commit()
small.serve(8080, {("GET", "/health"): lambda body, path: (200, "ok"),
                   ("POST", "/orders"): take_order})
