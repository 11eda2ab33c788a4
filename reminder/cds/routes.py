"""Where CDS Hooks answers. The face, and all that reads FHIR, is loaded with the first call: few hospitals need it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reminder.cds.face import Face
    from reminder.cds.settings import Cds
    from reminder.service import Service

__all__ = ["routes"]


def routes(service: Service, cds: Cds) -> list[Route]:
    """The endpoints of CDS Hooks: discovery, each service, and feedback on its cards; with a slash behind, too."""

    @cache
    def face() -> Face:
        from reminder.cds.face import Face  # noqa: PLC0415 - with the first call, not with the process

        return Face(service, cds)

    async def discover(request: Request) -> Response:
        return await face().discover(request)

    async def hook(request: Request) -> Response:
        return await face().hook(request)

    async def feedback(request: Request) -> Response:
        return await face().feedback(request)

    taken = (
        ("/cds-services", discover, "GET"),
        ("/cds-services/{service}", hook, "POST"),
        ("/cds-services/{service}/feedback", feedback, "POST"),
    )
    return [Route(path + end, call, methods=[method]) for path, call, method in taken for end in ("", "/")]
