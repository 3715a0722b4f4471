"""A SOCKS5 proxy that notes which requests a Kafka client sends: the proof of what it asks, and how often."""

import contextlib
import socket
import socketserver
import struct
import threading


class Listening:
    """A proxy for a client's proxy_url, as a context manager.

    Attributes:
        url: what kafka-python's proxy_url takes.
        keys: the API keys of the requests so far, in their order (https://kafka.apache.org/protocol#protocol_api_keys).
    """

    def __init__(self):
        self.keys = keys = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with greet(self.request) as kafka:
                    threading.Thread(target=copy, args=(kafka, self.request, None), daemon=True).start()
                    copy(self.request, kafka, keys)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"socks5://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def exactly(connection, size) -> bytes:
    """Return so many bytes.

    Raises:
        EOFError: there are no more.
    """
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def greet(client) -> socket.socket:
    """Do what RFC 1928 wants before the first byte; return the connection to where the client wants to go."""
    _, methods = exactly(client, 2)
    exactly(client, methods)
    client.sendall(b"\x05\x00")  # no password
    kind = exactly(client, 4)[3]
    if kind == 3:
        host = exactly(client, exactly(client, 1)[0]).decode()
    else:
        family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, exactly(client, size))
    (port,) = struct.unpack(">H", exactly(client, 2))
    kafka = socket.create_connection((host, port))
    client.sendall(b"\x05\x00\x00\x01" + bytes(6))
    return kafka


def copy(source, target, keys) -> None:
    """Pass on Kafka's frames until one side ends; note the requests' API keys."""
    try:
        while True:
            size = exactly(source, 4)
            frame = exactly(source, struct.unpack(">i", size)[0])
            if keys is not None:
                keys.append(struct.unpack(">h", frame[:2])[0])
            target.sendall(size + frame)
    except (EOFError, OSError):
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
