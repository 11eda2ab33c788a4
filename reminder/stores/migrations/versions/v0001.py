"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

__all__ = ["downgrade", "upgrade"]

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    _record()
    _coverage()
    _fact()
    _alias()
    _kept()
    _finding()


def downgrade() -> None:
    """Take them out again, with all they hold."""
    for table in ("finding", "kept", "alias", "fact", "coverage", "record"):
        op.drop_table(table)


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, primary_key=key)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _record() -> None:
    op.create_table(
        "record",
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
    )
    op.create_index("record_of_patient", "record", ["patient_key", "last_at"])
    op.create_index("record_by_time", "record", ["last_at", "first_at"])


def _coverage() -> None:
    op.create_table(
        "coverage",
        _text("patient_key", key=True),
        _text("institution_id", key=True),
        _text("since"),
        _whole("complete"),
        _text("told_at"),
    )


def _fact() -> None:
    op.create_table(
        "fact",
        _text("subject", key=True),
        _text("fact", key=True),
        _text("source", key=True),
        _text("valid_from", key=True),
        _text("expires"),
        _bytes("value"),
        _text("told_at"),
    )
    op.create_index("fact_by_end", "fact", ["expires"])


def _alias() -> None:
    op.create_table("alias", _text("key", key=True), _text("person"))
    op.create_index("alias_of_person", "alias", ["person"])


def _kept() -> None:
    op.create_table(
        "kept",
        _text("encounter_key", key=True),
        _text("institution_id"),
        _text("received_at"),
        _whole("ended"),
        _bytes("body"),
    )
    op.create_index("kept_running", "kept", ["ended", "institution_id"])


def _finding() -> None:
    op.create_table(
        "finding",
        _text("encounter_key", key=True),
        _text("rule_id", key=True),
        _text("line_id", key=True),
        _text("found_at", key=True),
        _text("closed_at"),
        _text("checked_at"),
        _text("ward"),
        _text("bed"),
        _bytes("body"),
    )
    op.create_index("finding_by_end", "finding", ["closed_at", "found_at"])
