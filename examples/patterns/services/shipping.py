"""Ships what a stream of Redis tells of, once, however often it is told.

    BUG=ship_again    what has been shipped before is not looked for
"""

import os
import threading
import time

import psycopg
import redis
import web

URL = os.environ["DATABASE_URL"]
stream = redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=1)


def ship(number):
    with psycopg.connect(URL, connect_timeout=2) as connection:
        known = connection.execute("SELECT 1 FROM shipments WHERE order_id = %s",
                                   [number]).fetchone()
        if known and web.BUG != "ship_again":
            web.say("shipped before", order=number)
            return
        connection.execute("INSERT INTO shipments (order_id) VALUES (%s)", [number])


def follow():
    last, heard = "0", 0
    while True:
        try:
            for _, entries in stream.xread({"orders": last}, count=1, block=500):
                for entry, fields in entries:
                    ship(int(fields[b"order"]))
                    last, heard = entry, heard + 1
                    web.say("done", heard=heard)
        except (psycopg.OperationalError, redis.RedisError) as error:
            web.say("shipped later", reason=str(error))
            time.sleep(0.1)


threading.Thread(target=follow, daemon=True).start()
web.serve({"GET /health": lambda rest, body: (200, "ok")})
