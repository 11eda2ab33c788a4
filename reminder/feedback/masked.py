"""Masking what a doctor typed: ids and phone numbers by form, names, ids and birth date of the request it is about.

The feedback does not tell whose reminder it is about, and the journal does not hold names and ids; it holds their keys.
Every stretch of a text that could be one of them is compared by its key, every day by the patient's age. Of whom a text
is about that nobody could look up is not known: it is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from negative_list.values import age_in
from reminder.journal.masking import MASK, mask
from reminder.keyed import PATIENT_IDS

if TYPE_CHECKING:
    from reminder.journal.entries import Decided
    from reminder.stores.keys import Keys

__all__ = ["NAMES", "masked", "name_of_nobody"]

NAMES = "name"
"""The id system under which names have keys, blanks taken out."""

_CHINESE = re.compile(r"[\u3400-\u9fff·•]+")
_LATIN = re.compile(r"[A-Za-z'.-]+(?: +[A-Za-z'.-]+)*")
_ID = re.compile(r"[A-Za-z0-9_.-]{4,}")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:[-/. ]|年)(0?[1-9]|1[0-2])(?:[-/. ]|月)(0?[1-9]|[12]\d|3[01])日?(?!\d)"
    r"|(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)"
)
_LENGTHS = (2, 3, 4)
_LONG_NAME = 20
_WORDS = 4


def masked(text: str, decided: Decided | None, keys: Keys | None) -> str:
    """The text without id and phone numbers, and without what names the person of the decision's request.

    ``decided`` is ``None`` where nobody could look the decision up: a text is left out whole then.
    """
    if decided is None:
        return MASK if text else ""
    known = {*decided.names, decided.prescription.patient.id, decided.prescription.encounter.id} - {""}
    days = _birth_days(text, decided)
    if keys is None or not text:
        return mask(text, (), days)
    hidden = [name for name in _names(text) if not known.isdisjoint(_keys_of_name(name, keys))]
    hidden_ids = [one for one in _ID.findall(text) if not known.isdisjoint(_keys_of_id(one, decided, keys))]
    return mask(text, hidden, (*hidden_ids, *days))


def name_of_nobody(code: str) -> str:
    """A code or an id that is told of nobody known: as it is where it can be one, for no name is written so."""
    return mask(code) if _PLAIN.fullmatch(code) else MASK


def _birth_days(text: str, decided: Decided) -> list[str]:
    """The days in a text on which the patient may have been born, as they are written."""
    if decided.age is None or decided.age.months is None:
        return []
    found = ((each[0], [int(part) for part in each.groups() if part]) for each in _DAY.finditer(text))
    return [written for written, day in found if _months(day, decided.decided_at) == decided.age.months]


def _months(day: list[int], at: datetime) -> int | None:
    """Completed months since a day; ``None`` where there never was one."""
    try:
        return age_in("month", date(*day), at)
    except ValueError:
        return None


def _keys_of_name(name: str, keys: Keys) -> set[str]:
    plain = "".join(name.split())
    return {keys.patient(NAMES, plain), *keys.patient_before(NAMES, plain)}


def _keys_of_id(told: str, decided: Decided, keys: Keys) -> set[str]:
    where = decided.institution_id
    return {
        keys.patient(PATIENT_IDS, told),
        *keys.patient_before(PATIENT_IDS, told),
        keys.encounter(where, told),
        *keys.encounter_before(where, told),
    }


def _names(text: str) -> Iterator[str]:
    """Every stretch that could be a name: two to four Chinese characters, longer ones with a dot, Latin words."""
    for run in _CHINESE.findall("".join(text.split())):
        lengths = range(2, _LONG_NAME) if "·" in run or "•" in run else _LENGTHS
        yield from (run[at : at + n] for n in lengths for at in range(len(run) - n + 1))
    for run in _LATIN.findall(text):
        words = run.split()
        yield from (" ".join(words[at : at + n]) for n in range(1, _WORDS + 1) for at in range(len(words) - n + 1))
