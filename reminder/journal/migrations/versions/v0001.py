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
_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _chain()
    _entry()
    op.create_table("body", _place("id"), _bytes("content"))
    stay = (_whole("patient_sum", key=True), _whole("encounter_sum", key=True))
    op.create_table("stay", *stay, sqlite_with_rowid=False)
    op.create_table("artifact", _text("digest", key=True), _text("kind"), _bytes("content"), _text("first_at"))
    op.create_table("named", _text("digest", key=True), _whole("chain", key=True), _whole("until"))


def downgrade() -> None:
    """Take them out again, with all they hold."""
    for table in ("named", "artifact", "stay", "body", "entry", "chain"):
        op.drop_table(table)


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


def _chain() -> None:
    op.create_table("chain", _place("number"), _text("name"), _whole("seq"), _bytes("hash"), _whole("removals"))
    op.create_index("chain_by_name", "chain", ["name"], unique=True)


def _entry() -> None:
    op.create_table(
        "entry",
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
    )
    op.create_index("entry_by_time", "entry", ["at"])
    _index("entry_of_decision", "decision_id", "decision_id <> ''")
    _index("entry_of_encounter", "encounter_sum", "encounter_sum IS NOT NULL")
    _index("entry_asked", "asked_sum", "asked_sum IS NOT NULL")


def _index(name: str, column: str, where: str) -> None:
    op.create_index(name, "entry", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
