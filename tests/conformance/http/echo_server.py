"""An nginx that says which request it answers, so that an answer out of step is seen."""

import nginx_server

LOCATIONS = """\
    location /echo { return 200 "$uri\\n"; }
    location /gone { return 503; }
    location /empty {"""


class EchoServer(nginx_server.NginxServer):
    def __enter__(self):
        plain = nginx_server.CONFIG
        doubled = LOCATIONS.replace("{", "{{").replace("}", "}}")
        nginx_server.CONFIG = plain.replace("    location /empty {{", doubled)
        try:
            return super().__enter__()
        finally:
            nginx_server.CONFIG = plain
