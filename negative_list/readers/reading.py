"""One reading of one body: what the site says, and the notes and problems met on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from negative_list.dictionary import HELD, Fact, load, parse_value
from negative_list.errors import FieldProblem, RequestError, UnknownNameError, nearest
from negative_list.prescription import FactValue, Note
from negative_list.readers.columns import (
    Column,
    Impossible,
    Moment,
    national_columns,
    own_value,
    text_column,
    time_column,
)
from negative_list.readers.limits import MAX_NOTES, MAX_TEXT_BYTES, longer_than_limit

if TYPE_CHECKING:
    from negative_list.site import Site

__all__ = ["Facts", "Place", "Reading", "Row", "Said", "SitePlan", "plan"]

Facts = dict[str, FactValue]
Row = Mapping[str, object]
T = TypeVar("T")

SITE = "site"
"""Source of a fact the site fixes."""
SITE_DEFAULT = "site default"
"""Source of a fact the site gives where the body says nothing."""


class Place(Struct, frozen=True):
    """Where in the body something stands: the path of its row, and the id of the line it is about ("" for none)."""

    path: str
    line: str = ""


class Said(Struct, frozen=True, kw_only=True):
    """What the site says of the facts of one holder."""

    untrusted: frozenset[str]
    overrides: Facts
    defaults: Facts

    @property
    def nothing(self) -> bool:
        """Whether the body stands as it is."""
        return not (self.untrusted or self.overrides or self.defaults)


class SitePlan:
    """What a site's configuration comes to for the readers, worked out once: columns, and what it says by holder."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.times: Column[Moment] = time_column(site)
        self.texts: Column[str] = text_column()
        self.scene = national_columns(site, "data")
        self.patient = national_columns(site, "patient_dtos")
        self.encounter = national_columns(site, "fsi_encounter_dtos")
        self.line = national_columns(site, "fsi_order_dtos")
        self.line_extension = national_columns(site, "fsi_order_dtos.extend_order_map")
        self.said = {holder: _said(site, holder) for holder in HELD}
        self.quiet = {holder: said.nothing for holder, said in self.said.items()}
        self.explicit: dict[str, Column[FactValue]] = {
            fact.name: Column(fact.name, fact.name, own_value(fact, site)) for fact in load().values() if fact.settable
        }


@lru_cache(maxsize=256)
def plan(site: Site) -> SitePlan:
    """Return the plan of a site, which is known by its identity."""
    return SitePlan(site)


def _said(site: Site, holder: str) -> Said:
    own = holder + "."
    return Said(
        untrusted=frozenset(name for name in site.untrusted if name.startswith(own)),
        overrides={name: value for name, value in site.overrides.items() if name.startswith(own)},
        defaults={name: value for name, value in site.defaults.items() if name.startswith(own)},
    )


class Reading:
    """The notes and problems of one body, and how its fields are read.

    ``at`` is the instant it is judged at, ``names`` how this kind of body calls some facts.
    """

    __slots__ = ("_unnoted", "at", "names", "notes", "plan", "problems", "site")

    def __init__(self, site: Site, at: datetime | None, names: Mapping[str, str]) -> None:
        self.site = site
        self.names = names
        self.plan = plan(site)
        self.at = at
        self.notes: list[Note] = []
        self.problems: list[FieldProblem] = []
        self._unnoted = 0

    def note(self, code: str, place: Place, field: str, message: str) -> None:
        """Tell the caller something about a field, up to the limit of notes."""
        if len(self.notes) < MAX_NOTES:
            path = f"{place.path}.{field}".lstrip(".")
            self.notes.append(Note(code=code, line=place.line, field=path, message=message))
        else:
            self._unnoted += 1

    def impossible(self, place: Place, field: str, message: str) -> None:
        """Tell the caller that a value cannot be, and that its fact counts as unknown."""
        self.note("impossible_value", place, field, f"{message}，按未知处理")

    def refuse(self, field: str, message: str) -> None:
        """Remember why the body cannot be read as a prescription."""
        self.problems.append(FieldProblem(field=field, message=message))

    def settled_notes(self) -> tuple[Note, ...]:
        """Return the notes of the body; raises ``RequestError`` when it was refused."""
        if self.problems:
            raise RequestError(self.problems)
        if self._unnoted:
            more = Note(code="more_notes", message=f"另有 {self._unnoted} 条说明未列出")
            return (*self.notes, more)
        return tuple(self.notes)

    def gather(self, columns: Sequence[Column[FactValue]], row: Row, facts: Facts, place: Place) -> None:
        """Read the row's columns into ``facts``; unknown and impossible values leave no fact."""
        for column in columns:
            raw = row.get(column.key)
            if raw is None:
                continue
            try:  # asked here first, since nearly every value is remembered
                value = column.memo[raw]
            except (KeyError, TypeError):
                value = column.read(raw)
            if value is None:
                continue
            if isinstance(value, Impossible):
                self.impossible(place, column.key, value.message)
            else:
                facts[column.fact] = value

    def scalar(self, column: Column[T], row: Row, key: str, place: Place) -> T | None:
        """Read one field that becomes no fact; an impossible value is noted and unknown."""
        raw = row.get(key)
        value = None if raw is None else column.read(raw)
        if isinstance(value, Impossible):
            self.impossible(place, key, value.message)
            return None
        return value

    def text(self, row: Row, key: str, place: Place) -> str:
        """Read a text; "" when it is unknown."""
        return self.scalar(self.plan.texts, row, key, place) or ""

    def time(self, row: Row, key: str, place: Place) -> Moment | None:
        """Read a civil time and whether it has a clock."""
        return self.scalar(self.plan.times, row, key, place)

    def flag(self, row: Row, key: str, place: Place, *, missing: bool) -> bool:
        """Read a flag of 1 and 0 (or their JSON and Chinese forms)."""
        value = self.scalar(_FLAG, row, key, place)
        return missing if value is None else bool(value)

    def explicit(self, told: object, holder: str, facts: Facts, place: Place) -> None:
        """Read a ``facts`` object, whose keys are dictionary names, over what the fields said."""
        if told is None or told == "":
            return
        if not isinstance(told, Mapping):
            self.refuse(f"{place.path}.facts", "expected an object of fact names and values")
            return
        for name, raw in told.items():
            column = self.plan.explicit.get(name)
            if column is None or not name.startswith(holder + "."):
                self.refuse(f"{place.path}.facts.{name}", _why_not(name, holder))
                continue
            value = column.read(raw)
            if isinstance(value, Impossible):
                self.impossible(place, f"facts.{name}", value.message)
                facts.pop(name, None)
            elif value is not None:
                facts[name] = value

    def check_texts(self, row: Row, path: str) -> None:
        """Refuse every text of the row that is over the limit."""
        for key, value in row.items():
            if value.__class__ is str and longer_than_limit(value):
                self.refuse(f"{path}.{key}".lstrip("."), _TOO_LONG)


_TOO_LONG = f"longer than {MAX_TEXT_BYTES:,} bytes of UTF-8, and no field of the interface holds 2,000; shorten it"
_FLAG: Column[FactValue] = Column("", "", lambda raw: parse_value(Fact(name="", type="flag", zh=""), raw))


def _why_not(name: str, holder: str) -> str:
    known = [fact.name for fact in load().values() if fact.settable]
    if name not in load():
        return str(UnknownNameError("fact", name, known))
    if name not in known:
        return f"`{name}` has a field of its own; write it there"
    return f"`{name}` is not a fact of the {holder}{nearest(name, [k for k in known if k.startswith(holder)])}"
