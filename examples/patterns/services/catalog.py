"""Products in PostgreSQL, their prices cached in Redis.

    GET /products/1                  200; 503: neither cache nor database know
    PUT /products/1 {"price": 7}     200; 503: nothing has changed

A price leaves the cache before it changes; while the cache cannot be told, it does not change.

    BUG=forget_cache    that the cache could not be told is not noticed
"""

import os

import psycopg
import redis
import web

URL = os.environ["DATABASE_URL"]
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def show(number, _body):
    try:
        known = cache.get("price:" + number)
    except redis.RedisError as error:
        web.say("cache is not there", reason=str(error))
        known = None
    if known is not None:
        return 200, {"price": int(known)}
    try:
        with psycopg.connect(URL, connect_timeout=2) as connection:
            row = connection.execute("SELECT price FROM products WHERE id = %s",
                                     [number]).fetchone()
    except psycopg.OperationalError as error:
        return 503, str(error)
    try:
        cache.set("price:" + number, row[0])
    except redis.RedisError as error:
        web.say("cache is not there", reason=str(error))
    return 200, {"price": row[0]}


def change(number, body):
    try:
        cache.delete("price:" + number)
    except redis.RedisError as error:
        if web.BUG != "forget_cache":
            return 503, str(error)
    try:
        with psycopg.connect(URL, connect_timeout=2) as connection:
            connection.execute("UPDATE products SET price = %s WHERE id = %s",
                               [body["price"], number])
    except psycopg.OperationalError as error:
        return 503, str(error)
    return 200, {"price": body["price"]}


web.serve({"GET /health": lambda rest, body: (200, "ok"),
           "GET /products": show, "PUT /products": change})
