"""Masking what a doctor typed: forms of ids and phone numbers, and the names and ids of the request it is about.

The feedback does not tell whose reminder it is about, and the journal does not hold names and ids; it holds their keys.
Every stretch of a text that could be one of them is compared by its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reminder.journal.masking import mask
from reminder.keyed import PATIENT_IDS

if TYPE_CHECKING:
    from reminder.journal.entries import Decided
    from reminder.stores.keys import Keys

__all__ = ["NAMES", "masked"]

NAMES = "name"
"""The id system under which names have keys, blanks taken out."""

_CHINESE = re.compile(r"[\u3400-\u9fff·•]+")
_LATIN = re.compile(r"[A-Za-z'.-]+(?: +[A-Za-z'.-]+)*")
_ID = re.compile(r"[A-Za-z0-9_.-]{4,}")
_LENGTHS = (2, 3, 4)
_LONG_NAME = 20
_WORDS = 4


def masked(text: str, decided: Decided | None, keys: Keys | None) -> str:
    """The text without id and phone numbers, and without the names and ids of the decision's request."""
    if decided is None or keys is None or not text:
        return mask(text)
    known = {*decided.names, decided.prescription.patient.id, decided.prescription.encounter.id} - {""}
    hidden = [name for name in _names(text) if not known.isdisjoint(_keys_of_name(name, keys))]
    hidden_ids = [one for one in _ID.findall(text) if not known.isdisjoint(_keys_of_id(one, decided, keys))]
    return mask(text, hidden, hidden_ids)


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
