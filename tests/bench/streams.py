# SPDX-License-Identifier: MIT
"""Clients of event streams: many of them, and how long it takes to tell all."""
import select
import socket
import time

from processes import Failure

FIELDS = {"Host": "localhost", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept": "text/event-stream",
          "Accept-Language": "en", "Accept-Encoding": "gzip, deflate", "Cache-Control": "no-cache"}


class Clients:
    """Of one server and one account."""

    def __init__(self, server, fields):
        self.server, self.fields = server, fields
        self.watch, self.sources = select.epoll(), {}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**FIELDS, **fields}.items())
        self.asking = f"GET /api/v1/events HTTP/1.1\r\n{lines}\r\n".encode()

    def open(self, count):
        for _ in range(count):
            source = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
            self.sources[source.fileno()] = source
            source.sendall(self.asking)
            received = b""
            while b"retry: " not in received:
                more = source.recv(4096)
                if not more:
                    break
                received += more
            if not received.startswith(b"HTTP/1.1 200"):
                raise Failure(f"/api/v1/events: {received[:60]!r}")
            source.setblocking(False)
            self.watch.register(source.fileno(), select.EPOLLIN)

    def tell(self, todo):
        """A todo is made: seconds from its answer to the last client that was told, and from the first to the last."""
        status, _, body = self.server.request("POST", "/api/v1/todos", todo, {"Content-Type": "application/json", **self.fields})
        began, waiting, first = time.perf_counter(), set(self.sources), 0
        if status != 201:
            raise Failure(f"create: {status} {body!r}")
        while waiting:
            ready = self.watch.poll(10)
            if not ready:
                raise Failure(f"{len(waiting)} clients were not told")
            for number, _ in ready:
                data = self.sources[number].recv(65536)
                if not data:
                    raise Failure("a stream ended")
                if b"event: todo.created" in data:
                    first = first or time.perf_counter()
                    waiting.discard(number)
        ended = time.perf_counter()
        return ended - began, ended - first

    def close(self):
        for source in self.sources.values():
            source.close()
        self.watch.close()
