"""A proxy between a store and its database that cuts connections at a chosen moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Cut = Literal["before", "after"]
"""A request is cut off before it arrives, or the answer that repeats its words before it comes back."""


class CuttingProxy:
    """Forwards bytes both ways in threads of its own."""

    def __init__(self, port: int) -> None:
        """Listen on a free port, in front of another one."""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._cut: tuple[Cut, bytes] | None = None
        self._awaited = b""
        self.is_refusing = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, words: bytes, cut: Cut) -> None:
        """Cut the connection by which these words come next, once."""
        self._cut = (cut, words)

    def cut_all(self) -> None:
        """Cut all connections now."""
        for each in list(self._open):
            _reset(each)

    def close(self) -> None:
        """Stop listening and cut everything."""
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.is_refusing:
                    _reset(client)
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open |= {client, server}
                answers = threading.Event()
                for work in (self._requests, self._answers):
                    threading.Thread(target=work, args=(client, server, answers), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                cut = self._cut
                if cut is not None and cut[1] in data:
                    self._cut = None
                    self.cuts += 1
                    if cut[0] == "before":
                        break
                    self._awaited = cut[1]
                    mute.set()
                server.sendall(data)
        if not mute.is_set():
            _reset(client)
            _reset(server)

    def _answers(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if not mute.is_set():
                    client.sendall(data)
                elif self._awaited in data:
                    # only now: a connection that is reset loses what has not been read yet
                    break
        _reset(client)
        _reset(server)


@contextmanager
def proxy_before(port: int) -> Iterator[CuttingProxy]:
    """Run a proxy for the time of a block."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
