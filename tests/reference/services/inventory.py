"""How many there are: 30 in the beginning.

    POST /reserve {"qty": 1}   200, or 409 if there are not so many
    POST /release {"qty": 1}   200

    BUG=take_before_looking    what is not there is taken for a moment
"""

import json
import threading

import small

lock = threading.Lock()
stock = 30


def change(by):
    global stock
    stock += by
    small.say("stock", stock=stock)


def reserve(body, _path):
    quantity = json.loads(body)["qty"]
    with lock:
        if small.BUG != "take_before_looking" and quantity > stock:
            return 409, "there is not enough"
        change(-quantity)
        if stock < 0:
            change(quantity)
            return 409, "there is not enough"
    return 200, stock


def release(body, _path):
    with lock:
        change(json.loads(body)["qty"])
    return 200, stock


small.serve(8081, {("GET", "/health"): lambda body, path: (200, "ok"),
                   ("POST", "/reserve"): reserve, ("POST", "/release"): release})
