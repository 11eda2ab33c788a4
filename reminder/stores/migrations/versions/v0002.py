"""Where a promise of coverage ends, and from when a fact counts that names no time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

__all__ = ["downgrade", "upgrade"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add them; what was told before reaches up to when it was told."""
    op.add_column("coverage", sa.Column("until", _TEXT, nullable=False, server_default=""))
    op.add_column("fact", sa.Column("held_from", _TEXT, nullable=False, server_default=""))
    op.execute("UPDATE coverage SET until = told_at WHERE institution_id <> '*'")
    op.execute("UPDATE fact SET held_from = CASE valid_from WHEN '' THEN told_at ELSE valid_from END")


def downgrade() -> None:
    """Take them out again."""
    op.drop_column("fact", "held_from")
    op.drop_column("coverage", "until")
