"""Numbers that are held for somebody, by a key: of stock, of money. What has been held is not held
twice for one key.

    GET /held                       200: how many keys there are
    POST /held {"key": "k"}         200
    DELETE /held/k                  200: as if it had never been
"""

import threading

import web

lock = threading.Lock()
held = set()


def hold(_rest, body):
    with lock:
        held.add(body["key"])
    return 200, len(held)


def let_go(key, _body):
    with lock:
        held.discard(key)
    return 200, len(held)


web.serve({"GET /health": lambda rest, body: (200, "ok"),
           "GET /held": lambda rest, body: (200, len(held)),
           "POST /held": hold, "DELETE /held": let_go})
