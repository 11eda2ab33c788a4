"""One reading of one body: what the site says, and the notes and problems met on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Struct

from negative_list.dictionary import HELD, ImpossibleValueError, load, parse_time
from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.prescription import FactValue, Note
from negative_list.readers.columns import (
    MISSING,
    Column,
    Columns,
    Impossible,
    Value,
    foreign_columns,
    national_columns,
    own_columns,
    text_column,
)
from negative_list.readers.dialect_table import table
from negative_list.readers.limits import MAX_NOTES, MAX_TEXT_BYTES
from negative_list.readers.wording import EXPECTED_FACTS, no_fact, no_field

if TYPE_CHECKING:
    from negative_list.site import Site

__all__ = [
    "SITE",
    "SITE_DEFAULT",
    "TIMED_KEYS",
    "TIMES",
    "Facts",
    "Gathered",
    "Place",
    "Reading",
    "Row",
    "Said",
    "SitePlan",
    "plan",
]

Facts: TypeAlias = dict[str, FactValue]
"""Facts by dictionary name, in canonical values."""
Gathered: TypeAlias = "dict[str, Any]"
"""What was read of a row: facts, and under their names the fields of its record, which are taken out again."""
Row: TypeAlias = Mapping[str, object]
"""An object of the parsed body."""
T = TypeVar("T")

TIMES = "times"
"""Where a row's gathered facts hold the times they were found at, by name; taken out with the fields of its record."""
TIMED_KEYS = frozenset({"value", "at"})
"""Keys of a fact's value that says when it was found."""
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
        self.texts = text_column()
        self.envelope = _foreign("envelope") | own_columns(site, {"msgid": "request.id", "inf_time": "request.time"})
        self.data = _national(site, "data")
        self.patient = _national(site, "patient")
        self.encounter = _national(site, "encounter")
        self.line = _national(site, "order")
        self.named = {kind: _national(site, kind) for kind in ("diagnosis", "operation")}
        self.line_extension = _national(site, "extension")
        self.said = {holder: _said(site, holder) for holder in HELD}
        self.quiet = {holder: said.nothing for holder, said in self.said.items()}
        self.explicit = own_columns(site, {fact.name: fact.name for fact in load().values() if fact.settable})
        self.modes = {str(code): str(mode) for code, mode in _modes(site).items() if mode}
        self.take_home = site.tables.get("line.take_home", {})
        self.never_sent = tuple(sorted(site.never_sent))


@lru_cache(maxsize=256)
def plan(site: Site) -> SitePlan:
    """Return the plan of a site, which is known by its identity."""
    return SitePlan(site)


def _foreign(node: str) -> Columns:
    return foreign_columns(table().nodes[node].foreign)


def _national(site: Site, node: str) -> Columns:
    """Return the columns of a node of the national body, and those of other dialects, which are only met."""
    return _foreign(node) | national_columns(site, table().nodes[node].table)


def _modes(site: Site) -> Mapping[str, FactValue | None]:
    return site.tables.get("encounter.visit_mode") or load()["encounter.visit_mode"].values


def _said(site: Site, holder: str) -> Said:
    own = holder + "."
    return Said(
        untrusted=frozenset(name for name in site.untrusted if name.startswith(own)),
        overrides={name: value for name, value in site.overrides.items() if name.startswith(own)},
        defaults={name: value for name, value in site.defaults.items() if name.startswith(own)},
    )


class Reading:
    """The notes and problems of one body, and how its fields are read.

    ``at`` is the instant it is judged at, ``names`` how this kind of body calls some facts, ``institution_id`` whose
    encounters these are where they name no other ("" for nobody's known). ``told`` gathers the names of further facts.
    """

    __slots__ = (
        "_over_limit",
        "_unnoted",
        "at",
        "institution_id",
        "names",
        "notes",
        "plan",
        "problems",
        "site",
        "told",
    )

    def __init__(self, site: Site, at: datetime | None, names: Mapping[str, str], institution_id: str = "") -> None:
        self.site = site
        self.institution_id = institution_id
        self.names = names
        self.plan = plan(site)
        self.at = at
        self.notes: list[Note] = []
        self.told: set[str] = set()
        self.problems: list[FieldProblem] = []
        self._unnoted = 0
        self._over_limit = False

    @property
    def told_so_far(self) -> tuple[int, int, int]:
        """How much was said about the body."""
        return len(self.notes), self._unnoted, len(self.problems)

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
        """Remember why the body cannot be read as a prescription; after as many as there may be notes, say so at once.

        The hint of each takes milliseconds: 20,000 lines with a misspelt fact each would hold everybody else up.
        """
        self.problems.append(FieldProblem(field=field.lstrip("."), message=message))
        if len(self.problems) >= MAX_NOTES:
            raise self._refusal()

    def _refusal(self) -> RequestError:
        return LimitError(self.problems) if self._over_limit else RequestError(self.problems)

    def settled_notes(self) -> tuple[Note, ...]:
        """Return the notes of the body; raises ``RequestError`` when it was refused."""
        if self.problems:
            raise self._refusal()
        if self._unnoted:
            more = Note(code="more_notes", message=f"另有 {self._unnoted} 条说明未列出")
            return (*self.notes, more)
        return tuple(self.notes)

    def gather(self, columns: Columns, row: Row, gathered: Gathered, place: Place) -> None:
        """Read every field of the row that has a column; unknown and impossible values leave nothing behind."""
        known = columns.get
        for key, raw in row.items():
            column = known(key)
            if column is None:  # nobody looks at it, however long it is: a picture, a signature
                continue
            try:  # asked here first, since nearly every value is remembered
                value = column.memo.get(raw, MISSING)
            except TypeError:
                value = MISSING
            if value is MISSING:
                value = self._converted(column, raw, place)
            if value is not None:
                gathered[column.fact] = value

    def _converted(self, column: Column[Value], raw: object, place: Place) -> Value | None:
        value = column.convert(raw)
        if isinstance(value, Impossible):
            self._unusable(place, column.key, value)
            return None
        return value

    def _unusable(self, place: Place, key: str, told: Impossible) -> None:
        if told.too_long:
            self._too_long(place, key)
        else:
            self.impossible(place, key, told.message)

    def _too_long(self, place: Place, key: str) -> None:
        self._over_limit = True
        self.refuse(f"{place.path}.{key}", _TOO_LONG)

    def explicit(self, told: object, holder: str, facts: Gathered, place: Place) -> None:
        """Read a ``facts`` object, whose keys are dictionary names, over what the fields said.

        A value may be an object of the value and the time it was found at, which is kept under :data:`TIMES`.
        """
        if told is None or told == "":
            return
        if not isinstance(told, dict):
            self.refuse(f"{place.path}.facts", EXPECTED_FACTS)
            return
        self.told.update(told)
        for name, raw in told.items():
            column = self.plan.explicit.get(name)
            if column is None or not name.startswith(holder + "."):
                self.refuse(f"{place.path}.facts.{name}", _why_not(name, holder))
                continue
            if isinstance(raw, dict):
                raw = self._timed(name, raw, facts, place)  # noqa: PLW2901 - the value in place of what held it
            value = column.read(raw)
            if isinstance(value, Impossible):
                self._unusable(place, f"facts.{name}", value)
                facts.pop(name, None)
            elif value is not None:
                facts[name] = value

    def _timed(self, name: str, told: Row, facts: Gathered, place: Place) -> object:
        """Take a value out of the object that says when it was found."""
        for key in sorted(told.keys() - TIMED_KEYS):
            self.refuse(f"{place.path}.facts.{name}.{key}", no_field(key, TIMED_KEYS))
        try:
            moment = parse_time(told.get("at", ""), self.site.zone)
        except ImpossibleValueError as error:
            self.note("impossible_value", place, f"facts.{name}.at", f"{error}，按没有时间处理")
        else:
            if moment is not None:
                facts.setdefault(TIMES, {})[name] = moment[0]
        return told.get("value")


_TOO_LONG = f"文本超过 {MAX_TEXT_BYTES} 字节 (longer than {MAX_TEXT_BYTES:,} bytes of UTF-8); 请缩短 (shorten it)"


def _why_not(name: str, holder: str) -> str:
    known = [fact.name for fact in load().values() if fact.settable]
    if name not in load():
        return no_fact(name, known)
    if name not in known:
        return f"`{name}` 有自己的字段 (has a field of its own); 请写在那里 (write it there)"
    own = f"请写在 {name.partition('.')[0]} 的 `facts` 中 (write it in the `facts` of its own level)"
    return f"`{name}` 不是这一层的事实 (not a fact of the {holder}); {own}"
