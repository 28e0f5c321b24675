#!/usr/bin/python3
"""The shop's api: orders and payments over HTTP, kept in PostgreSQL.

    GET  /health     200 when the database answers
    GET  /orders     all orders
    POST /orders     {"item": "lamp", "quantity": 1}                        201; 503: not stored
    POST /payments   {"order_id": 1, "amount": 100, "idempotency_key": "k"} 200; 503: not charged

What it does about a database that misbehaves: a statement has half a second, then it is cancelled
and the client is told 504; a payment that meets a serialization failure or a lost connection is
tried again with its idempotency key; an order has no such key, so it is not tried again.

BUG=NAME puts one mistake into it, a different one for each name:

    retry_without_key      the second try of a payment forgets the idempotency key
    answer_before_commit   an order is confirmed before it is committed
    swallow_error          a payment that could not be stored is confirmed all the same
"""

import contextlib
import http.server
import json
import os
import threading

import psycopg
import psycopg_pool

BUG = os.environ.get("BUG", "")
STATEMENT_SECONDS = 0.5
CONNECT_SECONDS = 0.4
PAYMENT_TRIES = 3

pool = psycopg_pool.ConnectionPool(os.environ["DATABASE_URL"], open=False)


def log(action, **fields):
    print(json.dumps({"action": action, **fields}), flush=True)


@contextlib.contextmanager
def transaction():
    """A pooled connection; committed at the end, unless an exception passes."""
    with pool.connection(timeout=CONNECT_SECONDS) as connection:
        limit = threading.Timer(STATEMENT_SECONDS, connection.cancel)
        limit.start()
        try:
            yield connection
        finally:
            # Joined, so that a late cancel cannot meet the connection's next statement.
            limit.cancel()
            limit.join()


def worth_another_try(error):
    """The transaction was rolled back, or its connection was lost (no SQLSTATE then)."""
    if isinstance(error, psycopg_pool.PoolTimeout):
        return False
    return isinstance(error, psycopg.errors.SerializationFailure) or error.sqlstate is None


def charge(payment):
    """Stores a payment once, however often its key is sent."""
    key = payment["idempotency_key"]
    for attempt in range(1, PAYMENT_TRIES + 1):
        try:
            with transaction() as connection:
                connection.execute(
                    "INSERT INTO payments (idempotency_key, order_id, amount) VALUES (%s, %s, %s)"
                    " ON CONFLICT (idempotency_key) DO NOTHING",
                    (key, payment["order_id"], payment["amount"]))
            return
        except psycopg.OperationalError as error:
            if attempt == PAYMENT_TRIES or not worth_another_try(error):
                raise
            log("retry", attempt=attempt, reason=str(error))
            if BUG == "retry_without_key":
                key = None
            # Connections that died with the one just lost go before they are handed out again.
            pool.check()


class Shop(http.server.BaseHTTPRequestHandler):
    """One request. HTTP/1.0: the answer ends where the connection does."""

    def do_GET(self):
        self.route({"/health": self.health, "/orders": self.list_orders})

    def do_POST(self):
        self.route({"/orders": self.create_order, "/payments": self.create_payment})

    def route(self, handlers):
        self.answered = False
        handler = handlers.get(self.path)
        if not handler:
            self.answer(404, {"error": f"there is no {self.command} {self.path}"})
            return
        try:
            handler()
        except (KeyError, TypeError, ValueError, psycopg.errors.IntegrityError,
                psycopg.errors.DataError) as error:
            self.answer(400, {"error": str(error)})
        except psycopg.errors.QueryCanceled:
            self.answer(504, {"error": "the database took too long"})
        except psycopg.OperationalError as error:
            log("database error", reason=str(error))
            self.answer(503, {"error": "the database is not available"})

    def health(self):
        with transaction() as connection:
            connection.execute("SELECT 1")
        self.answer(200, {"ok": True})

    def list_orders(self):
        with transaction() as connection:
            rows = connection.execute(
                "SELECT id, item, quantity FROM orders ORDER BY id").fetchall()
        self.answer(200, [{"id": id_, "item": item, "quantity": quantity}
                          for id_, item, quantity in rows])

    def create_order(self):
        order = self.read_json()
        with transaction() as connection:
            (order_id,) = connection.execute(
                "INSERT INTO orders (item, quantity) VALUES (%s, %s) RETURNING id",
                (order["item"], order["quantity"])).fetchone()
            if BUG == "answer_before_commit":
                self.answer(201, {"id": order_id})
        self.answer(201, {"id": order_id})

    def create_payment(self):
        payment = self.read_json()
        try:
            charge(payment)
        except psycopg.OperationalError as error:
            log("payment failed", reason=str(error))
            if BUG != "swallow_error":
                raise
        self.answer(200, {"charged": payment["amount"]})

    def read_json(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, status, body):
        """The first answer of a request is its answer."""
        if self.answered:
            return
        self.answered = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format, *args):
        log("answered", request=self.requestline, status=args[1] if len(args) > 1 else None)


def main():
    pool.open(wait=True, timeout=10)
    port = int(os.environ.get("PORT", "8080"))
    server = http.server.ThreadingHTTPServer(("", port), Shop)
    log("listening", port=port, bug=BUG)
    server.serve_forever()


if __name__ == "__main__":
    main()
