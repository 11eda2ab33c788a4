"""The SQL of the journal: one text for SQLite and PostgreSQL, ``?`` for a value, ``LIST(?)`` for the rows of a list.

An entry's place is one number: that of its chain in the high bits, its own in the low ones. So the entries of a chain
lie one after the other, what follows is written behind them, and no further index is needed to find one.
"""

from __future__ import annotations

from reminder.stores.version import Schema

__all__ = [
    "ABOUT",
    "ADVANCE",
    "ARTIFACT",
    "ASKED",
    "BODY_COLUMNS",
    "BRIEFS",
    "BRIEFS_BY_ENCOUNTER",
    "BRIEFS_OF_PART",
    "CHAIN",
    "COUNT",
    "DECISION",
    "DROP_ARTIFACT",
    "DROP_NAMED",
    "DROP_STAY",
    "ENTRY_COLUMNS",
    "FIRST_PLACE",
    "FORGET",
    "HASHES",
    "HEAD",
    "HEADS",
    "KEEP_ARTIFACT",
    "KNOWN",
    "LOST_NAMES",
    "MOST_SEQ",
    "NAME",
    "NAMES",
    "NEW_CHAIN",
    "NUMBERS",
    "OF_ENCOUNTER",
    "OF_PATIENT",
    "PERIOD",
    "REMOVED",
    "SCHEMA",
    "STAYS",
    "STAY_COLUMNS",
    "number_of",
    "place",
    "seq_of",
]

SCHEMA = Schema("reminder.journal", "0001", "journal_version")
"""The journal's tables, which have a road of migrations of their own."""

_SHIFT = 40

MOST_SEQ = (1 << _SHIFT) - 1
"""The most entries of a chain: a thousand a second for 34 years."""


def place(number: int, seq: int) -> int:
    """Where the entry ``seq`` of the chain with that number lies."""
    return number << _SHIFT | seq


def number_of(place: int) -> int:
    """The number of the chain of an entry."""
    return place >> _SHIFT


def seq_of(place: int) -> int:
    """The number of an entry in its chain."""
    return place & MOST_SEQ


ENTRY_COLUMNS = (
    *("id", "at", "kind", "decision_id", "institution_id", "patient_key", "encounter_key", "asked"),
    *("encounter_sum", "asked_sum", "hash", "brief"),
)
"""What an entry is written as, in this order."""

BODY_COLUMNS = ("id", "content")
"""What its body is written as."""

STAY_COLUMNS = ("patient_sum", "encounter_sum")
"""By what a patient's entries are found."""

KNOWN = " ON CONFLICT DO NOTHING"
"""The end of a statement that writes stays: most are known."""

_FIELDS = (
    "e.id, e.at, e.kind, e.decision_id, e.institution_id, e.patient_key, e.encounter_key, e.asked, e.hash, e.brief"
)
_WHOLE = f"SELECT {_FIELDS}, b.content FROM entry e LEFT JOIN body b ON b.id = e.id"  # noqa: S608 - names of our own

HEAD = "SELECT number, seq, hash, removals FROM chain WHERE name = ?"
HEADS = "SELECT name, seq, hash FROM chain ORDER BY name"
NAMES = "SELECT number, name FROM chain"
NUMBERS = "SELECT COALESCE(MAX(number), 0) FROM chain"
NEW_CHAIN = "INSERT INTO chain (number, name, seq, hash, removals) VALUES (?, ?, 0, ?, 0)"
"""Chains by name, the highest number given to one, and one more."""

ADVANCE = "UPDATE chain SET seq = ?, hash = ? WHERE number = ? AND seq = ? AND hash = ? AND removals = ?"
"""Changes nothing where somebody else has written the chain, or taken entries out of it, since it was read."""

HASHES = "SELECT id, hash FROM entry WHERE id >= ? AND id <= ?"
"""What stands in some places of a chain."""

CHAIN = f"{_WHOLE} WHERE e.id >= ? AND e.id <= ? ORDER BY e.id"
DECISION = (
    f"{_WHOLE} WHERE e.decision_id = ? AND e.decision_id <> '' AND e.kind = 'decision' ORDER BY e.at, e.id LIMIT 1"
)
ABOUT = f"{_WHOLE} WHERE e.decision_id = ? AND e.decision_id <> '' ORDER BY e.at, e.id"
ASKED = f"{_WHOLE} WHERE e.asked_sum = ? AND e.asked = ? AND e.kind = 'decision' ORDER BY e.at DESC, e.id DESC LIMIT 1"
"""One chain in order; a decision, all that names it, and the latest one asked so: each a point read, with body."""

_LATEST = f"""
WITH wanted(total) AS (LIST(?))
SELECT {_FIELDS}, b.content FROM (
  SELECT entry.id FROM {{0}} ORDER BY at DESC, id DESC LIMIT ?
) latest JOIN entry e ON e.id = latest.id LEFT JOIN body b ON b.id = e.id
ORDER BY e.at DESC, e.id DESC
"""  # noqa: S608
"""Which are the latest is found without their bodies."""

_OF_ENCOUNTER = "entry WHERE encounter_sum IN (SELECT CAST(total AS BIGINT) FROM wanted) AND encounter_key IN (LIST(?))"
_OF_PATIENT = """(SELECT DISTINCT encounter_sum AS known FROM stay
    WHERE patient_sum IN (SELECT CAST(total AS BIGINT) FROM wanted)
  ) stays JOIN entry ON entry.encounter_sum = stays.known WHERE patient_key IN (LIST(?))"""

OF_ENCOUNTER = {
    False: _LATEST.format(_OF_ENCOUNTER),
    True: _LATEST.format(f"{_OF_ENCOUNTER} AND kind IN (LIST(?))"),
}
"""By whether only some kinds are wanted."""

OF_PATIENT = _LATEST.format(_OF_PATIENT)
"""By way of the encounters a patient is known by."""

_BETWEEN = "e.at >= ? AND e.at < ?"
PERIOD = {
    False: f"{_WHOLE} WHERE {_BETWEEN} ORDER BY e.at, e.id",
    True: f"{_WHOLE} WHERE {_BETWEEN} AND e.kind IN (LIST(?)) ORDER BY e.at, e.id",
}
"""By whether only some kinds are wanted."""

_BRIEFS = f"SELECT {_FIELDS} FROM entry e WHERE {_BETWEEN}"  # noqa: S608
_BY_ENCOUNTER = "ORDER BY e.institution_id, e.encounter_key, e.at, e.id"
# COALESCE keeps the index of sums out of it: what is read lies together by time, not by sum.
_OF_PART = """e.encounter_key <> '' AND COALESCE(e.encounter_sum, 0) >= ? AND COALESCE(e.encounter_sum, 0) < ?
  OR e.encounter_key = '' AND (e.kind = 'feedback' OR ? = 0)"""
_COUNT = "SELECT COUNT(*) FROM entry WHERE at >= ? AND at < ?"
BRIEFS = f"{_BRIEFS} ORDER BY e.at, e.id"
BRIEFS_BY_ENCOUNTER = f"{_BRIEFS} {_BY_ENCOUNTER}"
BRIEFS_OF_PART = f"{_BRIEFS} AND ({_OF_PART}) {_BY_ENCOUNTER}"
COUNT = {False: _COUNT, True: f"{_COUNT} AND kind IN (LIST(?))"}
"""Without bodies, which are not read for that: by time, by encounter (of some only), or their number."""

KEEP_ARTIFACT = "INSERT INTO artifact (digest, kind, content, first_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
ARTIFACT = "SELECT digest, kind, content, first_at FROM artifact WHERE digest = ?"
"""The first word of an artifact stays."""

HAS_ARTIFACT = "SELECT 1 FROM artifact WHERE digest = ?"
"""Whether one is kept."""

NAME = """
INSERT INTO named (digest, chain, until) VALUES (?, ?, ?)
ON CONFLICT (digest, chain) DO UPDATE SET until = excluded.until WHERE excluded.until > named.until
"""
"""An entry up to ``until`` may name the artifact. It is written ahead, so that few entries have to write it."""

REMOVED = "UPDATE chain SET removals = removals + 1"
"""Of every chain: what a store thinks is written down of any of them may have been taken out."""

STAYS = "SELECT DISTINCT patient_key, encounter_key, asked FROM entry WHERE id >= ? AND id <= ? AND patient_key <> ''"
DROP_STAY = """
DELETE FROM stay WHERE patient_sum = ? AND encounter_sum = ?
  AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.encounter_sum = ?)
"""
"""What may be in the way of finding a patient once some entries are gone."""

FORGET = ("DELETE FROM body WHERE id >= ? AND id <= ?", "DELETE FROM entry WHERE id >= ? AND id <= ?")
FIRST_PLACE = "SELECT MIN(id) FROM entry WHERE id >= ? AND id <= ?"
LOST_NAMES = "SELECT digest, until FROM named WHERE chain = ?"
DROP_NAMED = "DELETE FROM named WHERE digest = ? AND chain = ?"
DROP_ARTIFACT = "DELETE FROM artifact WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM named WHERE named.digest = ?)"
"""What removal does: take places out, find which are left up to a number, let go of what none of them names."""
