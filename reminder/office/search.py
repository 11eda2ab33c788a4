"""Decisions of a patient or an encounter: the typed id becomes a key at once and is kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reminder.journal.entries import Decided
from reminder.office.desk import entry_of
from reminder.office.layout import ACTIONS, DECISIONS

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.stores.keys import Keys

__all__ = ["HEADINGS", "MOST", "Hit", "KnownAs", "of_encounter", "of_patient", "row_of"]

MOST = 1000
"""The most entries of one patient that are looked through, the latest."""


class Hit(Struct, frozen=True, kw_only=True):
    """A decision: when (UTC), who, what was answered, and the rules found with their actions."""

    decision_id: str
    at: datetime
    institution_id: str
    encounter: str
    decision: str
    found: tuple[tuple[str, str], ...]
    receipt: str


KnownAs: TypeAlias = "Callable[[Sequence[str]], Sequence[str]]"
"""All keys of the patient whose keys are given (:meth:`reminder.stores.sqlstore.SqlStore.known_as`)."""


def of_patient(  # noqa: PLR0913, PLR0917 - who is searched, and where
    journal: JournalStore,
    keys: Keys,
    id_system: str,
    patient_id: str,
    begin: datetime,
    end: datetime,
    known_as: KnownAs = lambda keys: keys,
) -> list[Hit]:
    """The decisions of a patient in [begin, end), the latest first, also under other numbers of the same patient.

    Raises:
        StoreError: The journal cannot be read.
        OfficeError: An entry cannot be read.
    """
    named = (keys.patient(id_system, patient_id), *keys.patient_before(id_system, patient_id))
    return list(_hits(journal.of_patient(known_as(named), MOST), begin, end))


def of_encounter(
    journal: JournalStore, keys: Keys, institution_id: str, encounter_id: str, begin: datetime, end: datetime
) -> list[Hit]:
    """The decisions of an encounter in [begin, end), the latest first; raises as above."""
    named = (keys.encounter(institution_id, encounter_id), *keys.encounter_before(institution_id, encounter_id))
    return list(_hits(journal.of_encounter(named, ("decision",), MOST), begin, end))


def _hits(rows: Iterable[Row], begin: datetime, end: datetime) -> Iterator[Hit]:
    for row in rows:
        entry = entry_of(row) if row.kind == "decision" and begin <= row.at < end else None
        if isinstance(entry, Decided):
            yield Hit(
                decision_id=entry.decision_id,
                at=row.at,
                institution_id=row.institution_id,
                encounter=row.encounter_key,
                decision=entry.answer.decision,
                found=tuple((one.rule_id, one.action) for one in entry.found),
                receipt=row.receipt,
            )


HEADINGS: Mapping[str, tuple[str, str]] = {
    "at": ("时间(UTC)", "at (UTC)"),
    "decision_id": ("决定", "decision id"),
    "decision": ("结论", "decision"),
    "institution_id": ("医疗机构", "institution"),
    "encounter": ("就诊键", "encounter key"),
    "found": ("发现", "findings"),
    "receipt": ("回执", "receipt"),
}
"""The columns of a list, in Chinese and in English."""


def row_of(hit: Hit, *, english: bool) -> dict[str, str]:
    """A decision as a row of a list."""
    found = ", ".join(f"{rule} {ACTIONS[action][english]}" for rule, action in hit.found)
    return {
        "at": f"{hit.at:%Y-%m-%d %H:%M:%S}",
        "decision_id": hit.decision_id,
        "decision": DECISIONS[hit.decision][english],
        "institution_id": hit.institution_id,
        "encounter": hit.encounter,
        "found": found,
        "receipt": hit.receipt,
    }
