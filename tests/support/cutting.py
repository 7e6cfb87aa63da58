"""A network that breaks: a proxy on loopback that cuts connections, or says nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_CHUNK: Final = 1 << 14


class Network:
    """Between a client and a server. Each connection can be made to break once.

    ``cuts``: for each of the next connections, the direction and the bytes after which it breaks:
    ``("up", 1000)`` after a thousand bytes to the server have gone, ``("down", 0)`` before the
    server's first answer is passed on, though it was given. Connections after those do not break.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.cuts: list[tuple[str, int]] = []
        self.cut = 0
        self.connections = 0

    @property
    def port(self) -> int:
        """Where a client finds it."""
        return int(self._listening.getsockname()[1])

    def serve(self) -> None:
        """Take connections until it is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                cut = self.cuts.pop(0) if self.cuts else None
            server = socket.create_connection(("127.0.0.1", self._server))
            self._open |= {client, server}
            self._start(client, server, "up", cut)
            self._start(server, client, "down", cut)

    def _start(
        self, of: socket.socket, to: socket.socket, way: str, cut: tuple[str, int] | None
    ) -> None:
        most = cut[1] if cut is not None and cut[0] == way else None
        thread = threading.Thread(target=self._pass_on, args=(of, to, most), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _pass_on(self, of: socket.socket, to: socket.socket, most: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := of.recv(_CHUNK):
                if most is not None and passed + len(data) > most:
                    to.sendall(data[: most - passed])
                    self.cut += 1
                    break
                to.sendall(data)
                passed += len(data)
        for end in (of, to):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def break_all(self) -> None:
        """Break every connection there is."""
        for end in tuple(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break everything, and take no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.break_all()
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()


@contextmanager
def network(server: int) -> Iterator[Network]:
    """Put a proxy in front of a server on a port, until the block ends."""
    between = Network(server)
    thread = threading.Thread(target=between.serve, daemon=True)
    thread.start()
    try:
        yield between
    finally:
        between.close()
        thread.join()
