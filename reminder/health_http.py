"""Health and metrics over HTTP, on callers' addresses and on administration's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from reminder.over_http import json_response

if TYPE_CHECKING:
    from starlette.requests import Request

    from reminder.service import Service

__all__ = ["routes"]

_METRICS = "text/plain; version=0.0.4; charset=utf-8"


def routes(service: Service) -> list[Route]:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    health = _Health(service)
    return [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
    ]


class _Health:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def healthz(self, _request: Request) -> Response:
        """The process answers."""
        return json_response(200, b'{"status":"ok"}')

    async def readyz(self, _request: Request) -> Response:
        """Whether decisions are made, and what does not work although they are."""
        serving = self._service.serving
        status = "serving" if serving else "not serving"
        together = self._service.metrics.together
        degraded = self._service.degraded if together is None else together.degraded()
        told = {"status": status, "degraded": degraded, "release": self._service.releases()}
        return json_response(200 if serving else 503, msgspec.json.encode(told))

    async def metrics(self, request: Request) -> Response:
        """Prometheus text, of all workers together; ``?by=worker``: of each."""
        together = self._service.metrics.together
        by_worker = request.query_params.get("by") == "worker"
        text = self._service.metrics.text() if together is None else together.text(by_worker=by_worker)
        return Response(text, headers={"content-type": _METRICS})
