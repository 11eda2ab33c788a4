"""Appeals: the hospital's answer to the payer about a finding, stage by stage, as entries of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from reminder.feedback.masked import masked
from reminder.journal.entries import Appeal
from reminder.office.desk import OfficeError, decision, entry_of, office_chains

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.stores.keys import Keys

__all__ = ["HEADINGS", "STAGES", "Listed", "Stage", "appeal", "listed", "row_of", "worded"]

Stage: TypeAlias = Literal["raised", "answered", "result"]
STAGES: tuple[Stage, ...] = ("raised", "answered", "result")
"""The payer raised it, the hospital answered, the payer decided."""


class Listed(Struct, frozen=True, kw_only=True):
    """An appeal's stage and the receipt of its entry."""

    at: datetime
    told: Appeal
    receipt: str


def appeal(  # noqa: PLR0913 - what is told of a stage, and by whom
    journal: JournalStore,
    finding_id: str,
    stage: Stage,
    *,
    at: datetime,
    engine: str,
    text: str = "",
    upheld: bool | None = None,
    amount_fen: int | None = None,
    who: str = "",
    keys: Keys | None = None,
) -> Appeal:
    """The entry of a stage, not yet written; its text is masked by the names of the decision's own request.

    ``upheld``: the payer accepted the hospital's answer (``False``: kept to the refusal); of a ``result`` only.

    Raises:
        OfficeError: There is no such finding, the stage lacks its result, or it is not its turn.
    """
    _, decided = decision(journal, finding_id)
    if finding_id not in {found.finding_id for found in decided.found}:
        raise OfficeError(
            f"decision `{decided.decision_id}` has no finding `{finding_id}`; `reminder explain` shows them"
        )
    if (stage == "result") != (upheld is not None):
        raise OfficeError("a result, and no other stage, says what became of the appeal; give --upheld or --rejected")
    if stage != "raised" and _last(journal, decided.decision_id, finding_id) not in {"raised", "answered"}:
        raise OfficeError(f"no appeal about `{finding_id}` is open; enter --stage raised first")
    return Appeal(
        engine=engine,
        at=at,
        zone=decided.zone,
        institution_id=decided.institution_id,
        decision_id=decided.decision_id,
        finding_id=finding_id,
        stage=stage,
        who=who,
        text=masked(text, decided, keys),
        upheld=upheld,
        amount_fen=amount_fen,
    )


def _last(journal: JournalStore, decision_id: str, finding_id: str) -> str:
    """The last stage that was entered about a finding, "" where there is none."""
    about = (entry_of(row) for row in journal.about(decision_id) if row.kind == "appeal")
    stages = [told.stage for told in about if isinstance(told, Appeal) and told.finding_id == finding_id]
    return stages[-1] if stages else ""


def listed(journal: JournalStore) -> list[Listed]:
    """Every stage of every appeal, by finding, then in their order."""
    rows = (row for chain in office_chains(journal) for row in journal.chain(chain) if row.kind == "appeal")
    told = [_listed(row) for row in rows]
    return sorted((one for one in told if one is not None), key=lambda one: (one.told.finding_id, one.at))


def _listed(row: Row) -> Listed | None:
    entry = entry_of(row)
    return Listed(at=row.at, told=entry, receipt=row.receipt) if isinstance(entry, Appeal) else None


HEADINGS: Mapping[str, tuple[str, str]] = {
    "at": ("时间", "at"),
    "finding_id": ("发现", "finding"),
    "stage": ("阶段", "stage"),
    "upheld": ("成立", "upheld"),
    "amount_yuan": ("金额(元)", "amount (yuan)"),
    "text": ("内容", "text"),
    "who": ("录入", "who"),
    "receipt": ("回执", "receipt"),
}
"""The columns of a list of appeals, in Chinese and in English."""


def row_of(listed_: Listed) -> dict[str, str]:
    """A stage as a row for programs; ``at`` is UTC."""
    told = listed_.told
    return {
        "at": f"{listed_.at:%Y-%m-%d %H:%M:%S}",
        "finding_id": told.finding_id,
        "stage": told.stage,
        "upheld": {True: "yes", False: "no", None: ""}[told.upheld],
        "amount_yuan": "" if told.amount_fen is None else f"{told.amount_fen / 100:.2f}",
        "text": told.text,
        "who": told.who,
        "receipt": listed_.receipt,
    }


_STAGE_WORDS: Mapping[str, tuple[str, str]] = {
    "raised": ("已提出", "raised"),
    "answered": ("已答复", "answered"),
    "result": ("结果", "result"),
}
_UPHELD_WORDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("成立", "yes"),
    False: ("不成立", "no"),
    None: ("", ""),
}


def worded(listed_: Listed, *, english: bool) -> dict[str, str]:
    """The same for people: in their words, and by the clock of the decision's zone."""
    told = listed_.told
    civil = listed_.at.astimezone(ZoneInfo(told.zone)) if told.zone else listed_.at
    return {
        **row_of(listed_),
        "at": f"{civil:%Y-%m-%d %H:%M:%S}",
        "stage": _STAGE_WORDS[told.stage][english],
        "upheld": _UPHELD_WORDS[told.upheld][english],
    }
