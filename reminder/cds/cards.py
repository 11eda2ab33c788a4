"""A decision becomes the answer of a hook: one card for each finding, and our decision in extensions.

Card rules are those of reference `cds_hooks.md` b.4, b.8 and b.11. Nothing empty is sent but ``cards`` itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.messages import yuan
from negative_list.prescription import Prescription
from reminder.cds.actions import Orders, actions_of
from reminder.cds.ids import card_uuid, suggestion_uuid
from reminder.cds.settings import CRD, Cds
from reminder.reasons import standard

if TYPE_CHECKING:
    from negative_list.decision import Decision, Finding
    from reminder.journal.entries import Done

__all__ = [
    "CLASSES",
    "DECISION",
    "FINDING",
    "LONGEST_SUMMARY",
    "PARTLY",
    "REASONS",
    "Answering",
    "left_by",
    "not_checked",
]

LONGEST_SUMMARY = 139
"""Characters of a summary: fewer than 140 (b.4), counted as a browser counts them."""

CLASSES = "urn:x-prescription-reminder:class"
"""The code system of a card's topic: classes of the insurer's rules (R01 to R88) and ours (E01...)."""

REASONS = "urn:x-prescription-reminder:reason"
"""The code system of override reasons: those of the rule, then the standard ones (``reasons.toml``)."""

DECISION, FINDING = "reminder.v1.decision", "reminder.v1.finding"
"""The keys of our extensions: of the answer, and of a card."""

_ASSOCIATED = "davinci-crd.associated-resource"
_NOT_CHECKED = "【未检查】本次医嘱未做医保检查，请按原流程处理"
PARTLY = "【未检查】部分规则未能在时限内检查，请人工核对"
"""The summary of a card that stands behind the others where rules were left out."""

_STOP = "。"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")
_KEPT = (Decimal,)
_EMPTY: tuple[object, ...] = (None, "", [], {}, ())


class Answering(Struct, frozen=True, kw_only=True):
    """What an answer is made of: the settings, the prescription, and its orders by line."""

    cds: Cds
    prescription: Prescription
    orders: Orders

    def answer(self, decision: Decision) -> dict[str, Any]:
        """The answer of a hook."""
        told: dict[str, Any] = {"cards": [self._card(finding) for finding in decision.findings]}
        if self.cds.profile == CRD:
            told["systemActions"] = []  # a conformance kit asks for the key, the text forbids the empty list (b.9)
        return told | {"extension": {DECISION: _decision(decision)}}

    def _card(self, finding: Finding) -> dict[str, Any]:
        suggestions = [self._suggestion(finding, place) for place in range(len(finding.suggestions))]
        return _pruned(
            {
                "uuid": card_uuid(finding.finding_id),
                "summary": _summary(finding.message),
                "detail": self._detail(finding),
                "indicator": self.cds.indicators.get(finding.action, "info"),
                "source": _source(self.cds)
                | {"topic": {"system": CLASSES, "code": finding.class_id, "display": finding.class_name}},
                "suggestions": suggestions,
                "selectionBehavior": "at-most-one" if suggestions else "",
                "overrideReasons": _reasons(finding),
                "extension": self._extension(finding),
            }
        )

    def _suggestion(self, finding: Finding, place: int) -> dict[str, Any]:
        suggestion = finding.suggestions[place]
        return {
            "label": suggestion.text,
            "uuid": suggestion_uuid(finding.finding_id, place),
            "isRecommended": False,  # which one is right is the doctor's; a client takes none without the flag (c.1)
            "actions": actions_of(suggestion, self.orders, crd=self.cds.profile == CRD),
        }

    def _detail(self, finding: Finding) -> str:
        """Most important first; of which orders it is, since clients show cards apart from them (b.8)."""
        names = {line.id: line.name for line in self.prescription.encounter.lines}
        items = dict.fromkeys(names.get(line) or line for line in finding.lines)
        parts = (
            _plain(finding.message),
            f"**医嘱**：{_plain('、'.join(items))}" if items else "",
            f"**依据**：{_plain(finding.basis)}" if finding.basis else "",
            f"**涉及金额**：{yuan(finding.amount_fen)}元" if finding.amount_fen else "",
            "**紧急情况**：选择理由后可继续，同一提醒24小时内只作警告。" if left_by(finding.action) == "exited" else "",
        )
        return "\n\n".join(filter(None, parts))

    def _extension(self, finding: Finding) -> dict[str, Any]:
        told = {name: getattr(finding, name) for name in _FINDING} | {"class": finding.class_name}
        told["orders"] = self._references(finding.lines)
        told["involved_orders"] = self._references(finding.involved)
        told["emergency_exit"] = left_by(finding.action) == "exited"
        crd = {_ASSOCIATED: told["orders"]} if self.cds.profile == CRD else {}
        return {FINDING: told} | crd

    def _references(self, lines: Iterable[str]) -> list[str]:
        known = (self.orders.by_line.get(line) for line in lines)
        return [order.reference for order in known if order is not None]


_FINDING: tuple[str, ...] = (
    "finding_id",
    "rule_id",
    "rule_version",
    "class_id",
    "action",
    "unknown",
    "fund_only",
    "exited",
    "lines",
)
_FINDING += ("involved", "amount_fen", "needs")


def left_by(action: str) -> Done:
    """What going on in spite of a finding is: a block is left by its emergency exit."""
    return "exited" if action == "block" else "overridden"


def not_checked(cds: Cds, ident: str, why: str, *, card: bool, summary: str = _NOT_CHECKED) -> dict[str, Any]:
    """An answer that says that nothing was checked, as a card or only in the extension; ``ident`` is in the journal."""
    shown = {
        "summary": summary,
        "detail": _plain(why),
        "indicator": cds.indicators.get("warn", "warning"),
        "source": _source(cds) | {"topic": {"system": CLASSES, "code": "not-checked", "display": "未检查"}},
    }
    told = {"not_checked": True, "unchecked_id": ident, "why": why}
    return {"cards": [shown] if card else [], "extension": {DECISION: _pruned(told)}}


def _decision(decision: Decision) -> dict[str, Any]:
    told = {name: getattr(decision, name) for name in _DECISION}
    return _pruned(msgspec.to_builtins(told, builtin_types=_KEPT))


_DECISION: tuple[str, ...] = (
    "decision",
    "decision_id",
    "receipt",
    "release",
    "journaled",
    "policy",
    "not_evaluated",
    "notes",
)
_DECISION += ("elapsed_us",)


def _source(cds: Cds) -> dict[str, Any]:
    return _pruned({"label": cds.source_label, "url": cds.source_url, "icon": cds.source_icon})


def _reasons(finding: Finding) -> list[dict[str, str]]:
    """Coded reasons to go on: the rule's own, then the standard ones that suit; a question needs none."""
    if finding.unknown:
        return []
    done = left_by(finding.action)
    own = {reason.code: reason.text.zh for reason in finding.reasons}
    usual = {code: reason.zh for code, reason in standard().items() if done in reason.done}
    return [{"code": code, "system": REASONS, "display": text} for code, text in (own | usual | own).items()]


# -- texts


def _summary(message: str) -> str:
    """As many whole sentences as fit."""
    told = ""
    for sentence in message.rstrip(_STOP).split(_STOP):
        longer = f"{told}{_STOP if told else ''}{sentence}"
        if _length(longer) > LONGEST_SUMMARY:
            break
        told = longer
    return told or _cut(message)


def _cut(text: str) -> str:
    while _length(text) >= LONGEST_SUMMARY:
        text = text[:-1]
    return text.strip() + "…"


def _length(text: str) -> int:
    """Characters as JavaScript and Java count them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _plain(text: str) -> str:
    """A text that means nothing to Markdown: names of items come from outside."""
    return _MARKDOWN.sub(r"\\\1", text)


def _pruned(value: Mapping[str, Any]) -> dict[str, Any]:
    """Without anything empty, at any depth."""
    return {key: kept for key, each in value.items() if (kept := _kept(each)) not in _EMPTY}


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return _pruned(value)
    if isinstance(value, list | tuple):
        return [kept for each in value if (kept := _kept(each)) not in _EMPTY]
    return value
