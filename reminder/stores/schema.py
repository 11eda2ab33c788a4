"""The tables, as they are after the last migration. Only migrations load this; reading and writing use the drivers.

``record``: saved prescriptions and records of feeds, one row each, whatever replaced what. ``coverage``: whose records
are complete since when. ``fact``: facts told by other systems. ``alias``: which keys are of one person, or of one
encounter. ``kept``: the last body of each encounter. ``finding``: findings about running orders.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

__all__ = ["METADATA", "TEXT"]

METADATA = sa.MetaData()
"""All tables of a store."""

# Compared code point by code point, as SQLite does, so that ISO times sort as the times do.
TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text that sorts alike in both databases."""


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, primary_key=key)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


sa.Table(
    "record",
    METADATA,
    _text("institution_id", key=True),
    _text("source", key=True),
    _text("record_id", key=True),
    _text("patient_key"),
    _text("encounter_key"),
    _whole("revision"),
    _text("told_at"),
    _text("first_at"),
    _text("last_at"),
    _whole("lines"),
    _bytes("body"),
    sa.Index("record_of_patient", "patient_key", "last_at"),
    sa.Index("record_by_time", "last_at", "first_at"),
)
sa.Table(
    "coverage",
    METADATA,
    _text("patient_key", key=True),
    _text("institution_id", key=True),
    _text("since"),
    _whole("complete"),
    _text("told_at"),
    _text("until"),
)
sa.Table(
    "fact",
    METADATA,
    _text("subject", key=True),
    _text("fact", key=True),
    _text("source", key=True),
    _text("valid_from", key=True),
    _text("expires"),
    _bytes("value"),
    _text("told_at"),
    _text("held_from"),
    sa.Index("fact_by_end", "expires"),
)
sa.Table("alias", METADATA, _text("key", key=True), _text("person"), sa.Index("alias_of_person", "person"))
sa.Table(
    "kept",
    METADATA,
    _text("encounter_key", key=True),
    _text("institution_id"),
    _text("received_at"),
    _whole("ended"),
    _bytes("body"),
    sa.Index("kept_running", "ended", "institution_id"),
)
sa.Table(
    "finding",
    METADATA,
    _text("encounter_key", key=True),
    _text("rule_id", key=True),
    _text("line_id", key=True),
    _text("found_at", key=True),
    _text("closed_at"),
    _text("checked_at"),
    _text("ward"),
    _text("bed"),
    _bytes("body"),
    sa.Index("finding_by_end", "closed_at", "found_at"),
)
