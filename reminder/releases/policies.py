"""The policy in force: the office's rows before those of the policy file, and what is not confirmed yet. Pure.

Rows are asked newest first. A ceiling caps whatever was said before it, so that blocks turned down stay down whoever
had set one exactly; a row that says ``exactly`` ends the asking, so that an exception said later stands. A row takes
the place of an earlier one about the same rule, class and department.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reminder.releases.standing import Chosen, Row, Standing

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from negative_list.policy import Policy, Setting

__all__ = ["MOST_ROWS", "confirmed_in", "policy_of", "row_of", "toml_of", "with_row", "without_row"]

MOST_ROWS = 1_000
"""Rows the office may have set: each finding asks them one after the other, 0.1 us each."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_MOST_WHY = 500
_MOST_WHO = 64


def policy_of(base: Policy, standing: Standing) -> Policy:
    """What is in force, of the policy file (or the shipped one) and what stands."""
    active = standing.active
    rows = tuple(row.setting for row in standing.rows)
    if not rows and (active is None or not active.unconfirmed):
        return base
    return msgspec.structs.replace(
        base,
        set_=(*rows, *base.set_),
        unconfirmed=active.unconfirmed if active is not None else (),
        unconfirmed_at_most="pass" if active is not None and active.unconfirmed and active.shadow else "warn",
    )


def _selectors(setting: Setting) -> tuple[str, str, str, str | None]:
    return setting.rule, setting.class_id, setting.department, setting.addressee


def row_of(setting: Setting, who: str, at: datetime) -> Row:
    """A row of the office, its texts in one line and no longer than people write. ``at`` is UTC."""
    why = _CONTROL.sub(" ", setting.why).strip()[:_MOST_WHY]
    return Row(setting=msgspec.structs.replace(setting, why=why), who=_CONTROL.sub(" ", who)[:_MOST_WHO], at=at)


def with_row(standing: Standing, row: Row) -> Standing:
    """What stands once the office has set a row.

    Raises:
        ValueError: there are :data:`MOST_ROWS` already.
    """
    kept = without_row(standing, row.setting).rows
    if len(kept) >= MOST_ROWS:
        raise ValueError(f"{MOST_ROWS} rows are set already; clear some, or put them into the policy file")
    return msgspec.structs.replace(standing, rows=(row, *kept))


def without_row(standing: Standing, setting: Setting) -> Standing:
    """What stands once the row with the same selectors is taken back; the same where there is none."""
    kept = tuple(row for row in standing.rows if _selectors(row.setting) != _selectors(setting))
    return standing if len(kept) == len(standing.rows) else msgspec.structs.replace(standing, rows=kept)


def confirmed_in(standing: Standing, rules: AbstractSet[str]) -> Standing:
    """What stands once these rules of the active list are confirmed."""
    active = standing.active
    if active is None or not rules & set(active.unconfirmed):
        return standing
    left = tuple(name for name in active.unconfirmed if name not in rules)
    confirmed: Chosen = msgspec.structs.replace(active, unconfirmed=left, shadow=active.shadow and bool(left))
    return msgspec.structs.replace(standing, active=confirmed)


def toml_of(policy: Policy, notes: Iterable[str] = ()) -> str:
    """A policy as the file ``negative-list match --policy`` reads. ``notes`` stand above it as comments."""
    # Loaded with the first policy that is shown: checks do without.
    import tomli_w  # noqa: PLC0415

    comments = "".join(f"# {_CONTROL.sub(' ', note)}\n" for note in notes)
    return comments + tomli_w.dumps(_given(msgspec.to_builtins(policy)))


def _given(told: Any) -> Any:
    """What is given: TOML has no word for nothing."""
    if isinstance(told, dict):
        return {name: _given(value) for name, value in told.items() if value is not None}
    return [_given(value) for value in told] if isinstance(told, list | tuple) else told
