"""The journal's tables, as they are after the last migration. Only migrations load this; the stores use the drivers.

``chain``: how far each chain has come; ``removals`` counts those from the journal. ``entry``: all that is looked for or
counted, in the place ``id`` (:func:`reminder.journal.statements.place`). ``body``: the whole entries, compressed, apart
from what reports read. ``stay``: which encounters a patient's entries are found by. ``artifact``: what decisions
were made with; ``named``: up to which number of a chain one may be named.

A ``..._sum`` is the CRC-32 of a text (none where that is ""). Keys come in no order: each index of them costs a commit
one more page an entry, half of its time where the journal is large. So there are but two, of numbers a third as long as
the texts, and a patient is found by way of encounters, which are written once.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

__all__ = ["METADATA"]

METADATA = sa.MetaData()
"""All tables of the journal."""

# Compared code point by code point, as SQLite does, so that instants sort as they follow each other.
_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# What SQLite calls INTEGER is the place of a row itself, without an index.
_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, primary_key=key)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, primary_key=key, autoincrement=False)


def _place(name: str) -> sa.Column[int]:
    return sa.Column(name, _PLACE, nullable=False, primary_key=True, autoincrement=False)


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=True)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _where(name: str, column: str, text: str) -> sa.Index:
    return sa.Index(name, column, sqlite_where=sa.text(text), postgresql_where=sa.text(text))


sa.Table(
    "chain",
    METADATA,
    _place("number"),
    _text("name"),
    _whole("seq"),
    _bytes("hash"),
    _whole("removals"),
    sa.Index("chain_by_name", "name", unique=True),
)
sa.Table(
    "entry",
    METADATA,
    _place("id"),
    _text("at"),
    _text("kind"),
    _text("decision_id"),
    _text("institution_id"),
    _text("patient_key"),
    _text("encounter_key"),
    _text("asked"),
    _sum("encounter_sum"),
    _sum("asked_sum"),
    _bytes("hash"),
    _bytes("brief"),
    sa.Index("entry_by_time", "at"),
    _where("entry_of_decision", "decision_id", "decision_id <> ''"),
    _where("entry_of_encounter", "encounter_sum", "encounter_sum IS NOT NULL"),
    _where("entry_asked", "asked_sum", "asked_sum IS NOT NULL"),
)
sa.Table("body", METADATA, _place("id"), _bytes("content"))
sa.Table("stay", METADATA, _whole("patient_sum", key=True), _whole("encounter_sum", key=True), sqlite_with_rowid=False)
sa.Table("artifact", METADATA, _text("digest", key=True), _text("kind"), _bytes("content"), _text("first_at"))
sa.Table("named", METADATA, _text("digest", key=True), _whole("chain", key=True), _whole("until"))
