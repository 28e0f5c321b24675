"""One suite once, in this network namespace: against the server itself, or through the proxy.

    one_pass.py SUITE direct|through FOLDER [ONLY.json]

leaves FOLDER/outcomes.json. The server, or the proxy before it, is at the protocol's usual port.
"""

import json
import os
import signal
import subprocess
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "conformance")]
from fetching import WORK  # noqa: E402
from postgres_server import HBA, PostgresServer  # noqa: E402
from proxy_process import ProxyProcess  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from suites import SUITES  # noqa: E402

USUAL = {"postgres": 5432, "redis": 6379}
BEHIND = 15432
PASSWORDS = """\
host all pgx_md5 127.0.0.1/32 scram-sha-256
host all pgx_scram 127.0.0.1/32 scram-sha-256
host all pgx_pw 127.0.0.1/32 password
host all pqgomd5 all scram-sha-256
host all pqgopassword all password
host all pqgoscram all scram-sha-256
hostnossl all pqgossl all reject
hostnossl all pqgosslcert all reject
"""


class Postgres(PostgresServer):
    def __init__(self, port):
        super().__init__(settings={"max_wal_senders": "10", "max_replication_slots": "10",
                                   "jit": "off"}, port=port)

    def _create(self):
        super()._create()
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as hba:
            hba.write(PASSWORDS + HBA)

    def set_up(self, statements):
        for statement in statements:
            dbname, text = statement if isinstance(statement, tuple) else ("postgres", statement)
            self.sql(text, dbname=dbname)


class Redis(RedisServer):
    def __init__(self, port):
        self.unix_socket = ""
        super().__init__("--enable-protected-configs", "yes", "--enable-module-command", "yes",
                         "--enable-debug-command", "yes")
        self.port = port
        self.unix_socket = os.path.join(self.home, "redis.sock")
        self.arguments += ("--unixsocket", self.unix_socket)

    def set_up(self, statements):
        pass


def what_the_proxy_saw(proxy):
    opaque = [event for event in proxy.events if event.get("action") == "opaque"]
    return {"counters": proxy.counters(), "opaque": opaque}


def run(suite, way, folder, only):
    usual = USUAL[suite.server]
    server = (Postgres if suite.server == "postgres" else Redis)(
        usual if way == "direct" else BEHIND)
    place = types.SimpleNamespace(folder=folder, server=server)
    with server:
        server.set_up(suite.setup)
        if way == "direct":
            return suite.run(place, only), {}
        with ProxyProcess(BEHIND, suite.server, listen=f"127.0.0.1:{usual}") as proxy:
            return suite.run(place, only), what_the_proxy_saw(proxy)


def main():
    name, way, folder = sys.argv[1:4]
    only = None
    if len(sys.argv) > 4:
        with open(sys.argv[4]) as file:
            only = json.load(file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    suite = next(suite for suite in SUITES if suite.name == name)
    suite.fetch(WORK)
    outcomes, proxy = run(suite, way, folder, only)
    with open(os.path.join(folder, "outcomes.json"), "w") as file:
        json.dump({"outcomes": outcomes, "proxy": proxy}, file)


if __name__ == "__main__":
    main()
