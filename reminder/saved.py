"""What has to be known of a saved prescription so that it can be found again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from negative_list.dictionary import ImpossibleValueError, parse_time
from negative_list.errors import FieldProblem, RequestError

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

__all__ = ["MAX_REVISION", "check_saved"]

MAX_REVISION = 2**63 - 1
"""The largest revision a store can hold."""

_GIVE = "缺少 (missing); 请给出 (give it)"
_MAX_ID = 200


def check_saved(
    prescription: Prescription, prescription_id: str, revision: int, saved_at: str, zone: tzinfo
) -> datetime | None:
    """When a prescription was saved, UTC; ``None`` where that was not told.

    Raises:
        RequestError: Naming everything that is missing or cannot be used.
    """
    problems = list(_missing(prescription, prescription_id, revision))
    moment = None
    try:
        moment = parse_time(saved_at, zone)
    except ImpossibleValueError:
        message = f"`{saved_at[:40]}` 不是时间 (no time); 请写成 2026-01-31 09:00:00 (write it like that)"
        problems.append(FieldProblem(field="saved_at", message=message))
    if problems:
        raise RequestError(problems)
    return moment[0].replace(tzinfo=zone).astimezone(UTC) if moment else None


def _missing(prescription: Prescription, prescription_id: str, revision: int) -> Iterator[FieldProblem]:
    for field, known in (
        ("prescription_id", prescription_id.strip()),
        ("prescription.patient.id", prescription.patient.id),
        ("prescription.encounter.id", prescription.encounter.id),
    ):
        if not known:
            yield FieldProblem(field=field, message=_GIVE)
    if len(prescription_id) > _MAX_ID:
        message = f"超过 {_MAX_ID} 个字符 (longer than {_MAX_ID} characters); 请缩短 (shorten it)"
        yield FieldProblem(field="prescription_id", message=message)
    if not 0 <= revision <= MAX_REVISION:
        message = f"应在 0 到 {MAX_REVISION} 之间 (outside 0 to {MAX_REVISION}); 请改正 (mend it)"
        yield FieldProblem(field="revision", message=message)
