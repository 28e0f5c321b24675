"""A relay that hands on every byte by itself, in both directions: a network as nasty as can be.

    with Fragmented(port) as relay:
        relay.port
"""

import socket
import threading


class Fragmented:
    def __init__(self, to_port):
        self.to_port = to_port

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.sockets = []
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        for each in (self.listener, *self.sockets):
            each.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to_port))
            self.sockets += [client, server]
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._relay, args=ends, daemon=True).start()

    @staticmethod
    def _relay(source, target):
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while chunk := source.recv(65536):
                for at in range(len(chunk)):
                    target.sendall(chunk[at:at + 1])
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone: the other learns it the same way.
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
