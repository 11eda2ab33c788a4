"""Every finding shown, with the columns a bureau keeps of each (national interface, section 4: ``bffact_warn_rslt_d``).

The whole entries are read one after another: what was shown stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from negative_list.classes import classes
from reminder.journal.coding import decode
from reminder.journal.entries import Decided, Feedback
from reminder.national.replies import SEVERITY
from reminder.reports.words import flat

if TYPE_CHECKING:
    from negative_list.decision import Finding
    from reminder.journal.base import Row as Entry
    from reminder.reports.findings import Answered, Shown
    from reminder.reports.table import Column, Row

__all__ = ["COLUMNS", "bureau_columns", "bureau_rows"]

COLUMNS = (
    "warn_rslt_id",
    "trig_scen",
    "med_type",
    "reqt_time",
    "rsp_time",
    "ana_dura",
    "vola_flag",
    "rule_id",
    "rule_code",
    "rule_name",
    "rule_sev_deg",
    "rule_warn_lv",
    "warn_cont",
    "medfee_sumamt",
    "vola_amt",
    "warn_dspo_way",
    "warn_dspo_way_dscr",
    "dspo_way_src",
    "crte_time",
    "updt_time",
    "institution_id",
    "doctor",
    "decision_id",
)
"""The bureau's own columns, then ours."""

_US_IN_MS = 1000


def bureau_columns() -> tuple[Column, ...]:
    """The columns of the export."""
    return flat(COLUMNS)


def bureau_rows(shown: Iterable[Shown], about: Callable[[str], Iterable[Entry]]) -> Iterator[Row]:
    """A row for each finding shown.

    Args:
        shown: the answers.
        about: every entry that names a decision (:meth:`reminder.journal.base.JournalStore.about`).
    """
    for one in shown:
        entries = [decode(entry.body) for entry in about(one.row.decision_id)]
        decided = next((entry for entry in entries if isinstance(entry, Decided)), None)
        texts = _texts(entry for entry in entries if isinstance(entry, Feedback))
        findings = {finding.finding_id: finding for finding in decided.answer.findings} if decided else {}
        for found, answered in one.found:
            finding = findings.get(found.finding_id)
            if decided is not None and finding is not None:
                yield _row(one, decided, finding, answered, texts.get((found.finding_id, answered.at), ""))


def _texts(words: Iterable[Feedback]) -> dict[tuple[str, datetime | None], str]:
    return {(word.finding_id, word.done_at): word.reason_text for word in words if word.reason_text}


def _row(shown: Shown, decided: Decided, finding: Finding, answered: Answered, text: str) -> Row:
    brief, facts = shown.brief, decided.prescription.encounter.facts
    offset = timedelta(minutes=brief.zone_minutes)
    asked = shown.row.at + offset
    replied = asked + timedelta(microseconds=decided.elapsed_us)
    fee = brief.fee_fen
    cells: dict[str, Any] = {
        "warn_rslt_id": finding.finding_id,
        "trig_scen": ",".join(brief.scene),
        "med_type": facts.get("encounter.med_type") or "",
        "reqt_time": _civil(asked),
        "rsp_time": _civil(replied),
        "ana_dura": Decimal(decided.elapsed_us) / _US_IN_MS,
        "vola_flag": 0 if finding.unknown else 1,
        "rule_id": finding.rule_id,
        "rule_code": classes()[finding.class_id].code if finding.class_id in classes() else "",
        "rule_name": finding.class_name,
        "rule_sev_deg": SEVERITY[finding.action],
        "rule_warn_lv": finding.action,
        "warn_cont": finding.message,
        "medfee_sumamt": fee,
        "vola_amt": finding.amount_fen,
        "warn_dspo_way": answered.way,
        "warn_dspo_way_dscr": text or answered.reason_code,
        "dspo_way_src": answered.source,
        "crte_time": _civil(replied),
        "updt_time": _civil(answered.at + offset if answered.at is not None else replied),
        "institution_id": shown.row.institution_id,
        "doctor": brief.doctor,
        "decision_id": shown.row.decision_id,
    }
    return tuple(cells.values())


def _civil(moment: datetime) -> datetime:
    """Without the mark of UTC, which no longer holds, to the second."""
    return moment.replace(tzinfo=None, microsecond=0)
