"""A client that never rests: commands on one connection after the other, until it is killed."""

import socket
import sys


def main():
    port, kind = int(sys.argv[1]), sys.argv[2]
    words = {
        "redis": (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n" * 40, 5 * 40),
        "http": (b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n" * 10, None),
    }[kind]
    print("ready", flush=True)
    while True:
        with socket.create_connection(("127.0.0.1", port)) as peer:
            for _ in range(20):
                peer.sendall(words[0])
                wanted = words[1] or 1
                while wanted > 0:
                    got = peer.recv(65536)
                    if not got:
                        return
                    wanted -= len(got)


if __name__ == "__main__":
    main()
