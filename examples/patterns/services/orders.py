"""Orders with an outbox: an order and what is to be told of it are stored together, and a thread
tells it to a stream of Redis until that has succeeded.

    POST /orders {"item": "lamp"}    201; 503: not ordered
"""

import os
import threading

import psycopg
import redis
import web

URL = os.environ["DATABASE_URL"]
stream = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
woken = threading.Event()


def order(_rest, body):
    try:
        with psycopg.connect(URL, connect_timeout=2) as connection:
            (number,) = connection.execute("INSERT INTO orders (item) VALUES (%s) RETURNING id",
                                           [body["item"]]).fetchone()
            connection.execute("INSERT INTO outbox (order_id) VALUES (%s)", [number])
    except psycopg.OperationalError as error:
        return 503, str(error)
    woken.set()
    return 201, {"id": number}


def tell_what_is_left():
    with psycopg.connect(URL, connect_timeout=2) as connection:
        for (number,) in connection.execute("SELECT order_id FROM outbox ORDER BY 1").fetchall():
            stream.xadd("orders", {"order": number})
            connection.execute("DELETE FROM outbox WHERE order_id = %s", [number])
            web.say("told", order=number)


def tell():
    while True:
        woken.wait(0.2)
        woken.clear()
        try:
            tell_what_is_left()
        except (psycopg.OperationalError, redis.RedisError) as error:
            web.say("told later", reason=str(error))


threading.Thread(target=tell, daemon=True).start()
web.serve({"GET /health": lambda rest, body: (200, "ok"), "POST /orders": order})
