"""A bureau of the tests: a server on a raw socket that keeps every byte it gets, and fails in every way one may.

It answers what :attr:`Bureau.reply` says, after :attr:`Bureau.slow_s`; ``cut`` closes the line with the call read and
no reply; :meth:`die` ends it in the middle of whatever it does, and :meth:`rise` begins it again on the same port.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from tests.stores.desks import LONG_S

__all__ = ["Arrived", "Bureau", "bureau", "finding", "http", "taken"]


class Arrived(Struct, frozen=True):
    """A call as it came: its first line, its headers in their order, its body."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> bytes:
        """The value of a header, b"" where it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.encode()), b"")

    @property
    def json(self) -> dict[str, Any]:
        """The body, in UTF-8 or GBK."""
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            text = self.body.decode("gb18030")
        told: dict[str, Any] = json.loads(text)
        return told


def http(body: bytes, status: str = "200 OK", headers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """A reply of HTTP/1.1."""
    kind = () if headers else ((b"Content-Type", b"application/json"),)
    lines = [b"%s: %s" % pair for pair in (*kind, *headers, (b"Content-Length", b"%d" % len(body)))]
    return b"\r\n".join([f"HTTP/1.1 {status}".encode(), *lines, b"", body])


def taken(**output: Any) -> bytes:
    """The reply of a bureau that took a transaction."""
    return http(json.dumps({"infcode": 0, "err_msg": "", "output": output}, ensure_ascii=False).encode())


def finding(id_: str) -> dict[str, Any]:
    """A finding of the bureau's own (3.1)."""
    detail = {"jrd_id": f"{id_}-1", "patn_id": "P1", "mdtrt_id": "M1", "rx_id": "R1", "vola_item_type": "1"}
    return {
        "jr_id": id_,
        "rule_id": "B01",
        "rule_name": "医保局规则",
        "vola_cont": "疑似超量",
        "patn_id": "P1",
        "vola_amt": 1.5,
        "vola_amt_stas": "1",
        "sev_deg": "2",
        "vola_bhvr_type": "2",
        "judge_result_detail_dtos": [detail],
    }


class Bureau:
    """Made listening; every attribute may be changed while it runs."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self.arrived: list[Arrived] = []
        self.reply: Callable[[Arrived], bytes] = lambda _arrived: taken()
        self.slow_s = 0.0
        self.cut = False
        self.port = 0
        self._came = threading.Condition()
        self._open: list[socket.socket] = []
        self._over = threading.Event()
        self.rise()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    def rise(self) -> None:
        """Listen, on the port it had."""
        self._over = threading.Event()
        self._open = [socket.create_server(("127.0.0.1", self.port))]
        self.port = self._open[0].getsockname()[1]
        threading.Thread(target=self._listen, args=(self._open, self._over), daemon=True).start()

    def die(self) -> None:
        """End at once: nothing listens, and every line breaks."""
        self._over.set()
        for one in list(self._open):
            with contextlib.suppress(OSError):  # never connected, or broken by the other side
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def wait(self, fits: Callable[[list[Arrived]], bool]) -> list[Arrived]:
        """What arrived, once it fits."""
        with self._came:
            assert self._came.wait_for(lambda: fits(self.arrived), LONG_S), f"{len(self.arrived)} calls arrived"
            return list(self.arrived)

    def _listen(self, open_: list[socket.socket], over: threading.Event) -> None:
        while not over.is_set():
            try:
                line = open_[0].accept()[0]
            except OSError:
                return
            open_.append(line)
            threading.Thread(target=self._serve, args=(line, over), daemon=True).start()

    def _serve(self, line: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), self._secured(line) as secured, secured.makefile("rb") as stream:
            while (call := _read(stream)) is not None and not over.is_set():
                with self._came:
                    self.arrived.append(call)
                    self._came.notify_all()
                if self.cut:
                    return
                over.wait(self.slow_s)
                secured.sendall(self.reply(call))

    def _secured(self, line: socket.socket) -> socket.socket:
        return line if self._context is None else self._context.wrap_socket(line, server_side=True)


def _read(stream: Any) -> Arrived | None:
    first = stream.readline().rstrip(b"\r\n")
    if not first:
        return None
    headers = []
    while row := stream.readline().rstrip(b"\r\n"):
        name, _, value = row.partition(b": ")
        headers.append((name, value))
    length = next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)
    return Arrived(first, tuple(headers), stream.read(length))


@contextlib.contextmanager
def bureau(context: ssl.SSLContext | None = None) -> Iterator[Bureau]:
    """A bureau that serves; ``context``: by HTTPS."""
    one = Bureau(context)
    try:
        yield one
    finally:
        one.die()
