"""The JSON that ``match`` and ``check`` print: our own, with the keys of design section 10 and no others."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.decision import Decision
    from negative_list.errors import FieldProblem

__all__ = ["decision_json", "error_json"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")

FINDING_KEYS = (
    "finding_id",
    "rule_id",
    "rule_version",
    "class",
    "class_id",
    "action",
    "unknown",
    "lines",
    "involved",
    "message",
    "basis",
    "facts",
    "amount_fen",
    "suggestions",
)
NOT_EVALUATED_KEYS = ("rule_id", "class", "needs", "reason")


def decision_json(decision: Decision) -> bytes:
    """One JSON object on one line, in UTF-8."""
    raw: dict[str, Any] = msgspec.to_builtins(decision, builtin_types=(Decimal,))
    raw["findings"] = [{key: finding[key] for key in FINDING_KEYS} for finding in raw["findings"]]
    raw["not_evaluated"] = [{key: rule[key] for key in NOT_EVALUATED_KEYS} for rule in raw["not_evaluated"]]
    return _ENCODER.encode(raw)


def error_json(problems: Iterable[FieldProblem]) -> bytes:
    """What stands in the place of a decision for a body that cannot be read."""
    return _ENCODER.encode({"error": [{"field": p.field, "message": p.message} for p in problems]})
