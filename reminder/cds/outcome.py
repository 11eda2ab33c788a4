"""Answers in JSON, and refusals in FHIR's own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.fhir.request import NothingKnownError
from reminder.bodies import FAILED
from reminder.over_http import json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

__all__ = ["NO_SERVICE", "OUR_FAULT", "answer", "outcome", "status_of"]

OUR_FAULT = FieldProblem(field="sidecar", message=FAILED)
"""What is told where the fault is ours."""

NO_SERVICE = FieldProblem(field="id", message="没有此服务 (no such service); 请见 /cds-services (see /cds-services)")
"""What is told of a service nobody discovered."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CODES: Mapping[int, str] = {
    400: "invalid",
    401: "login",
    404: "not-found",
    412: "incomplete",
    413: "too-long",
    503: "transient",
    504: "timeout",
}
"""issue-type, by status."""

_FALLBACK = "exception"


def status_of(error: RequestError) -> int:
    """400, 413 over a limit, 412 where what is needed was not delivered (b.5)."""
    if isinstance(error, NothingKnownError):
        return 412
    return 413 if isinstance(error, LimitError) else 400


def outcome(status: int, fields: Sequence[FieldProblem]) -> Response:
    """A refusal; a caller that is not trusted is not told why."""
    code = _CODES.get(status, _FALLBACK)
    issues: list[dict[str, Any]] = [
        {"severity": "error", "code": code, "diagnostics": each.message, "expression": [each.field]} for each in fields
    ]
    return answer(
        status, {"resourceType": "OperationOutcome", "issue": issues or [{"severity": "error", "code": code}]}
    )


def answer(status: int, told: Mapping[str, Any]) -> Response:
    """An answer."""
    return json_response(status, _ENCODER.encode(told))
