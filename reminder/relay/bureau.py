"""The edge to the bureau's interface: one call out, one reply back, and every failure as one error.

A call that is passed on has a connection of its own. A connection kept open may be closed by the bureau in the instant
it is used again, and a settlement lost that way could not be told from one that was done. What is only asked (3101 and
3102 beside our own check) shares connections, and is asked once more where one breaks.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import structs

from reminder.relay.codings import uncompressed
from reminder.relay.headers import to_bureau, to_caller
from reminder.relay.records import Call, Passed

if TYPE_CHECKING:
    import httpcore

    from reminder.upstream import Upstream

__all__ = ["MOST_CALLS", "Bureau", "BureauError"]

MOST_CALLS = 200
"""Calls under way at once; of more each waits its turn as long as it would wait to be taken. Enough for a hospital of
100 desks, few enough for a bureau that has stopped answering."""

_KEPT = 16
_IDLE_S = 20.0
_BODILESS = frozenset({204, 304})  # RFC 9110, 6.4.1
_MB = 1024 * 1024


class BureauError(Exception):
    """The bureau did not answer. ``sent``: it may have had the call, and may have done what it asks.

    ``word`` names the kind in one word, for metrics; ``why`` says it in Chinese and English.
    """

    def __init__(self, word: str, why: str, *, sent: bool) -> None:
        self.word = word
        self.why = why
        self.sent = sent
        super().__init__(why)


class Bureau:
    """Calls to one bureau, inside one event loop. Loads the HTTP library when made."""

    def __init__(self, upstream: Upstream) -> None:
        import httpcore  # noqa: PLC0415 - only where there is a bureau: it costs the start a tenth of a second

        self._http = httpcore
        self._upstream = upstream
        self._most = upstream.most_mb * _MB
        parts = urlsplit(upstream.url)
        self._host = parts.netloc
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._base = parts.path
        context = ssl.create_default_context(cafile=upstream.ca) if parts.scheme == "https" else None
        self._network = network = httpcore.AnyIOBackend()
        self._passing = httpcore.AsyncConnectionPool(
            context, max_connections=MOST_CALLS, max_keepalive_connections=0, network_backend=network
        )
        self._asking = httpcore.AsyncConnectionPool(
            context,
            max_connections=MOST_CALLS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_IDLE_S,
            network_backend=network,
        )

    async def ready(self) -> None:
        """Load what the first call would load while others wait: a second, on a machine that has little to spare."""
        await self._network.sleep(0)

    async def send(self, call: Call, *, again: bool = False, read: bool = False) -> Passed:
        """One call and its reply, whatever its status.

        Args:
            call: as it goes, but for headers of one connection.
            again: to ask twice does no harm.
            read: the reply is read here and passed to nobody, so it is asked for uncompressed.

        Raises:
            BureauError: there was no reply, or a longer one than may be.
        """
        if read:
            call = structs.replace(call, headers=uncompressed(call.headers))
        try:
            return await self._send(call, self._asking if again else self._passing)
        except BureauError as error:
            if not again or error.word != "broken":
                raise
            return await self._send(call, self._asking)

    async def _send(self, call: Call, pool: httpcore.AsyncConnectionPool) -> Passed:
        try:
            response = await pool.handle_async_request(self._request(call))
            try:
                body = await self._body(response)
            finally:
                await response.aclose()
        except self._http.UnsupportedProtocol as error:
            raise _failure("unusable", "地址不可用 (its address cannot be used)", sent=False) from error
        except Exception as error:
            raise self._told(error) from error
        none = call.method == "HEAD" or response.status in _BODILESS
        headers = to_caller(response.headers, None if none else len(body))
        return Passed(status=response.status, headers=headers, body=body)

    async def close(self) -> None:
        """Let go of every connection."""
        await asyncio.gather(self._passing.aclose(), self._asking.aclose())

    def _request(self, call: Call) -> httpcore.Request:
        upstream = self._upstream
        target = self._base + ("" if call.path == "/" and self._base else call.path)
        asked = f"{target or '/'}?{call.query}" if call.query else target or "/"
        wait = {"connect": upstream.connect_ms, "pool": upstream.connect_ms}
        wait |= {"read": upstream.read_ms, "write": upstream.read_ms}
        extensions: dict[str, Any] = {
            "timeout": {name: ms / 1000 for name, ms in wait.items()},
            "target": asked.encode("latin-1"),
        }
        headers = to_bureau(call.headers, upstream.headers, self._host, len(call.body))
        return self._http.Request(call.method, self._origin, headers=headers, content=call.body, extensions=extensions)

    async def _body(self, response: httpcore.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > self._most:
                why = f"回复超过 {self._upstream.most_mb} MB (its reply is over {self._upstream.most_mb} MB)"
                raise _failure("too_long", why, sent=True)
        return bytes(body)

    def _told(self, error: Exception) -> BureauError:
        """An error of the HTTP library, of the system or of ours."""
        http = self._http
        if isinstance(error, BureauError):
            return error
        if isinstance(error, http.ConnectTimeout | http.PoolTimeout):
            return _failure("slow", "连接超时 (it could not be reached in time)", sent=False)
        if isinstance(error, http.ConnectError):
            return _failure("gone", "无法连接 (it cannot be reached)", sent=False)
        if isinstance(error, http.TimeoutException):
            return _failure("slow", "未在时限内答复 (it did not answer in time)", sent=True)
        if isinstance(error, http.LocalProtocolError):
            return _failure("unusable", "请求不符合 HTTP (the call is not one of HTTP)", sent=False)
        if isinstance(error, http.NetworkError | http.ProtocolError | OSError):
            return _failure("broken", "连接中断 (the connection broke)", sent=True)
        return _failure("fault", f"调用出错 (a fault of ours, {type(error).__name__}; tell us)", sent=True)


def _failure(word: str, why: str, *, sent: bool) -> BureauError:
    return BureauError(word, f"医保接口{why}", sent=sent)
