"""The importer's report: how every point was read (design section 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from negative_list.rules import RuleList

__all__ = ["PARAMETERS", "Imported", "PointReport", "Status", "report_json"]

Status: TypeAlias = Literal["rule", "partial", "needs-review", "superseded"]
"""``rule``: the whole remark is read. ``partial``: a sound rule, the rest asks. ``superseded``: withdrawn since."""

PARAMETERS = (
    "sex", "age", "level_at_least", "visit_modes", "insurance", "course_days", "window", "limit", "unit",
    "period_days", "terms", "codes",
)  # fmt: skip
"""The keys ``parameters`` may have, in the order they are written.

``age`` has ``min``, ``max`` (``None``: no end), ``unit``, ``min_open``, ``max_open``; ``sex`` and ``age`` are those
that suit every alternative of the remark. ``visit_modes`` are those the payer accepts. ``window``, ``limit``, ``unit``
and ``period_days`` are as published.
"""


class PointReport(Struct, frozen=True, kw_only=True):
    """How one point was read. ``unread``: what of the remark no fact carries; ``reason``: why it needs review."""

    kp_id: str
    rule_ids: tuple[str, ...] = ()
    status: Status = "needs-review"
    parameters: Mapping[str, object] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    reason: str = ""


class Imported(Struct, frozen=True, kw_only=True):
    """The list made from points, and the report, one entry a point in the points' order."""

    rule_list: RuleList
    report: tuple[PointReport, ...]

    @property
    def statuses(self) -> dict[str, int]:
        """How many points have each status."""
        return dict(Counter(entry.status for entry in self.report))


def report_json(report: Iterable[PointReport]) -> bytes:
    """The report as one JSON list, UTF-8, two spaces of indent."""
    return msgspec.json.format(msgspec.json.encode(list(report)), indent=2) + b"\n"
