"""Users in PostgreSQL, with a cache in Redis; the first one is there from the beginning.

    GET  /health     200 while the database answers, else 503
    POST /users      {"name": "ada"}   201: stored; 503: not
    GET  /users/1    200, 404; 503: neither cache nor database know

    BUG=created_anyway    a user that could not be stored is announced as created
"""

import json
import os

import psycopg
import redis
import small

database = small.Database(os.environ["DATABASE_URL"])
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)


def health(_body, _path):
    try:
        with database as connection:
            connection.execute("SELECT 1")
            connection.rollback()
        return 200, "ok"
    except psycopg.OperationalError as error:
        return 503, str(error)


def create(body, _path):
    name = json.loads(body)["name"]
    try:
        with database as connection:
            (number,) = connection.execute("INSERT INTO users (name) VALUES (%s) RETURNING id",
                                           [name]).fetchone()
            connection.commit()
    except psycopg.OperationalError as error:
        if small.BUG == "created_anyway":
            small.say("user_created", name=name, persisted=False)
        small.say("user_refused", name=name, reason=str(error))
        return 503, {"error": "the database is not available"}
    small.say("user_created", name=name, persisted=True)
    return 201, {"id": number, "name": name}


def ask_cache(command, *arguments):
    try:
        return getattr(cache, command)(*arguments)
    except redis.RedisError as error:
        small.say("cache_lost", reason=str(error))
        return None


def show(_body, path):
    key = "user:" + path.rpartition("/")[2]
    known = ask_cache("get", key)
    if known:
        return 200, json.loads(known)
    try:
        with database as connection:
            row = connection.execute("SELECT id, name FROM users WHERE id::text = %s",
                                     [key.removeprefix("user:")]).fetchone()
            connection.rollback()
    except psycopg.OperationalError as error:
        small.say("user_unknown", reason=str(error))
        return 503, {"error": "the database is not available"}
    if row is None:
        return 404, {"error": "there is no such user"}
    user = {"id": row[0], "name": row[1]}
    ask_cache("set", key, json.dumps(user))
    return 200, user


with database as at_start:
    at_start.execute("CREATE TABLE users (id serial PRIMARY KEY, name text)")
    at_start.execute("INSERT INTO users (name) VALUES ('the first')")
    at_start.commit()
cache.ping()
small.serve(8080, {("GET", "/health"): health, ("POST", "/users"): create,
                   ("GET", "/users/*"): show})
