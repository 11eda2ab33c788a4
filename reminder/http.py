"""The HTTP faces put together: what callers reach, and what operations reach. Everything else is told it is not here.

A face gives its ``routes``; this module only puts them into their order. Those of the national interface come last, for
they take every path that nobody else took.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from negative_list.errors import FieldProblem
from reminder import health_http, json_rpc
from reminder.cds import routes as cds
from reminder.national import face as national
from reminder.over_http import AS_IT_IS, json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reminder.config import Config
    from reminder.service import Service

__all__ = ["admin_app", "callers_app"]

_MAX_PATH = 200
_WHOLE = re.compile(rb"https?://[^/]*(.*)", re.IGNORECASE | re.DOTALL)
_PREFLIGHT_S = 600


def callers_app(service: Service, config: Config) -> Starlette:
    """What callers reach."""
    routes = [
        *health_http.routes(service),
        *json_rpc.routes(service),
        *cds.routes(service, config.cds),
        *national.routes(service),
    ]
    return _app(routes, config.cors)


def admin_app(service: Service, _config: Config) -> Starlette:
    """What operations reach. No page of another origin ever does."""
    return _app([*health_http.routes(service), *json_rpc.admin_routes(service)])


def _app(routes: Sequence[Route], cors: Sequence[str] = ()) -> Starlette:
    """The routes; pages of the origins ``cors`` (``*``: of any) may call them, never with credentials."""
    middleware = [Middleware(_Whole)]
    if cors:
        middleware.append(Middleware(_Cors, allow_origins=cors, **_CORS))
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_here}, middleware=middleware)


class _Whole:
    """A target with scheme and host, as callers send that were given a proxy, is its path (RFC 9112, 3.2.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; which host it names is of no interest here."""
        if scope["type"] == "http" and not scope["path"].startswith("/"):
            found = _WHOLE.match(scope.get("raw_path") or scope["path"].encode())
            if found is not None:
                raw = found[1] or b"/"
                scope["path"], scope["raw_path"] = unquote(raw.decode("latin-1")), raw
        await self._app(scope, receive, send)


class _Cors(CORSMiddleware):
    """As ever, but for replies that are somebody else's: they pass with the headers they came with."""

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """Any request that asks not only what it may."""

        async def told(message: Message) -> None:
            if AS_IT_IS in scope:
                await send(message)
            else:
                await self.send(message, send, request_headers)

        await self.app(scope, receive, told)


_CORS: dict[str, Any] = {"allow_methods": ["*"], "allow_headers": ["*"], "max_age": _PREFLIGHT_S}


async def _not_here(request: Request, error: Exception) -> Response:
    """404 and 405 that say so, where a silent empty answer would be taken for "no violation"."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    asked = f"{request.method} `{request.url.path[:_MAX_PATH]}`"
    message = f"没有此服务 (nothing answers {asked} here); 请用 POST /3101 (use POST /3101)"
    return json_response(status, msgspec.json.encode({"error": [FieldProblem(field="path", message=message)]}))
