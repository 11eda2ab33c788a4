"""Addresses: listened on by one process alone, or by every worker of one supervisor.

Linux spreads connections over the sockets of one port that all have ``SO_REUSEPORT`` (socket(7)). So that nobody else
takes the port, and that port 0 means the same one for all, the supervisor holds it by a socket that never listens.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING

from reminder.config import Address
from reminder.workers.system import share_port

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BindError", "Claim", "listener"]

_BACKLOG = 2048


class BindError(Exception):
    """An address cannot be listened on. ``face`` is the setting that names it."""

    def __init__(self, face: str, address: Address, reason: str) -> None:
        self.face = face
        self.address = address
        super().__init__(
            f"{face}: cannot listen on `{address}` ({reason}); stop what uses it or give another address with "
            f"--{face.replace('_', '-')}"
        )


def listener(face: str, address: Address, *, shared: bool = False) -> socket.socket:
    """A listening socket: no second process can have its address, unless it is ``shared`` and the other's is, too.

    Raises:
        BindError: When the address cannot be had.
    """
    made = _socket(address)
    # On Windows SO_REUSEADDR would let a second process take the port over; elsewhere it lets a restarted one have it.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)
    if shared:
        share_port(made)
    with _told(made, face, address):
        made.bind((address.host, address.port))
        made.listen(_BACKLOG)
    made.setblocking(False)  # noqa: FBT003 - the argument has no name
    return made


class Claim:
    """An address held for workers: ``address`` has the port that was found where 0 was asked for.

    It never listens, so that no connection comes to it.

    Raises:
        BindError: When the address cannot be had.
    """

    def __init__(self, face: str, address: Address) -> None:
        self._socket = _socket(address)
        with _told(self._socket, face, address):
            self._bind(face, address)
            # From now on those with the same option may listen there, and nobody else.
            share_port(self._socket)
        self.address = Address(address.host, self._socket.getsockname()[1])

    def _bind(self, face: str, address: Address) -> None:
        """Bind it alone; what is left of connections that a sidecar before this one closed is no hindrance."""
        try:
            self._socket.bind((address.host, address.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            listener(face, address).close()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address.host, address.port))

    def close(self) -> None:
        """Let go of the address."""
        self._socket.close()


def _socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off on every connection: 40 ms an answer otherwise.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@contextlib.contextmanager
def _told(made: socket.socket, face: str, address: Address) -> Iterator[None]:
    """What the system says against an address, as an error that names it."""
    try:
        yield
    except OSError as error:
        made.close()
        raise BindError(face, address, error.strerror or str(error)) from error
    except BindError:
        made.close()
        raise
