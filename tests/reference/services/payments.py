"""Payments with an idempotency key, in PostgreSQL.

    POST /payments {"amount": 1, "idempotency_key": "k"}   200: charged, now or before; 503: not

A key that is there already is charged no more; that it came again is noted, if the database lets
us.

    BUG=answer_before_commit    a payment is committed with the request that comes next
    BUG=note_is_mandatory       a repeated payment fails if it cannot be noted
"""

import json
import os

import psycopg
import small

database = small.Database(os.environ["DATABASE_URL"])


def note_repeat(connection, key):
    try:
        connection.execute("INSERT INTO repeats (idempotency_key) VALUES (%s)", [key])
        connection.commit()
    except psycopg.OperationalError as error:
        small.say("repeat not noted", reason=str(error))
        if small.BUG == "note_is_mandatory":
            raise


def pay(body, _path):
    payment = json.loads(body)
    key = payment["idempotency_key"]
    try:
        with database as connection:
            known = connection.execute("SELECT 1 FROM payments WHERE idempotency_key = %s",
                                       [key]).fetchone()
            if known:
                note_repeat(connection, key)
            else:
                connection.execute("INSERT INTO payments (idempotency_key, amount) VALUES (%s, %s)",
                                   [key, payment["amount"]])
                if small.BUG != "answer_before_commit":
                    connection.commit()
        return 200, {"charged": payment["amount"]}
    except psycopg.OperationalError as error:
        small.say("payment failed", reason=str(error))
        return 503, {"error": "the database is not available"}


with database as at_start:
    at_start.execute("CREATE TABLE payments (idempotency_key text PRIMARY KEY, amount int)")
    at_start.execute("CREATE TABLE repeats (idempotency_key text)")
    at_start.commit()
small.serve(8080, {("GET", "/health"): lambda body, path: (200, "ok"), ("POST", "/payments"): pay})
