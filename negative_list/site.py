"""What a hospital says about its own bodies: facts it fixes or distrusts, rival code tables, its local codes.

One TOML file holds every institution of a sidecar::

    [default]                                 # holds for every institution
    zone = "Asia/Shanghai"
    complete_bodies = true                    # a body carries every line of its encounter; false: only new ones
    untrusted = ["encounter.med_type"]        # what the body says of these facts is not believed
    never_sent = ["line.dose"]                # what nobody tells here: a rule that lacks nothing else asks for nothing
    code_files = ["codes.csv", "对照表.xlsx"]  # kind,local,national,valid_from,valid_to, or a sheet; beside this file
    own_history_since = 2026-12-01            # from this day on the HIS tells everything it saves (RecordSaved)

    [default.overrides]                       # always holds, whatever the body says
    "encounter.institution_level" = 3
    [default.defaults]                        # holds where the body says nothing
    "line.paid_by" = "fund"
    [default.tables]                          # a rival table of the dictionary by name, or national code = value
    "encounter.visit_kind" = "pharmacy_second"
    "encounter.fertility" = { 1 = "pregnant", 2 = "lactating", 0 = "" }
    [[default.codes]]
    local = "A001"
    national = "XA11DAW036A001010104127"

    ["H43010000001"]                          # an institution code: adds to and replaces what the default says
    zone = "Asia/Urumqi"

Order of trust: overrides, the request, defaults.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from negative_list.codes import icd9_codes, icd10_codes, normal, usable_item
from negative_list.dictionary import CIVIL_ZONE, Fact, ImpossibleValueError, load, parse_time, parse_value
from negative_list.errors import ListError, Problem, SiteError, UnknownNameError, nearest
from negative_list.prescription import FactValue
from negative_list.sheets.codetable import read_code_sheet

__all__ = ["CodeKind", "LocalCode", "Site", "Sites", "decoded"]

CodeKind: TypeAlias = Literal["item", "diagnosis", "operation"]
"""What a row of a code table is about."""

_EMPTY: Mapping[str, FactValue] = MappingProxyType({})
_OWN_SINCE = "own_history_since"
_TABLES = ("overrides", "defaults", "tables", "codes")
_KEYS = ("zone", "complete_bodies", "untrusted", "never_sent", *_TABLES, "code_files", _OWN_SINCE)
_SHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how XLSX and XLS begin
_CODE_KEYS = ("kind", "local", "national", "valid_from", "valid_to")
_CHECKS: Mapping[str, Callable[[str], object]] = {
    "item": usable_item,
    "diagnosis": icd10_codes,
    "operation": icd9_codes,
}
_TOML_PLACE = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$")


class LocalCode(Struct, frozen=True, kw_only=True):
    """One row of a site's code table: a local code, the national code it stands for, first and last day it does."""

    kind: CodeKind = "item"
    local: str
    national: str
    valid_from: date | None = None
    valid_to: date | None = None


class Site(Struct, frozen=True, kw_only=True, eq=False):
    """What one institution says. ``tables`` give, for a fact, the value of each national code (``None``: unknown).

    ``codes`` holds rows by (kind, local code in normal form). ``own_history_since``: from when on this institution
    tells every prescription it saves, as the office declares (``None``: it does not). ``never_sent`` names what nobody
    tells here, facts or records: asking for it would teach doctors to click. Sites are compared by identity.
    """

    zone: ZoneInfo = CIVIL_ZONE
    complete_bodies: bool = True
    untrusted: frozenset[str] = frozenset()
    never_sent: frozenset[str] = frozenset()
    overrides: Mapping[str, FactValue] = _EMPTY
    defaults: Mapping[str, FactValue] = _EMPTY
    tables: Mapping[str, Mapping[str, FactValue | None]] = MappingProxyType({})
    codes: Mapping[tuple[str, str], tuple[LocalCode, ...]] = MappingProxyType({})
    own_history_since: datetime | None = None

    def national(self, kind: CodeKind, local: str, on: datetime | None) -> tuple[str, ...]:
        """Return the national codes a local code stands for on a day; without a day every row counts."""
        rows = self.codes.get((kind, normal(local)), ())
        return tuple(row.national for row in rows if on is None or _in_force(row, on.date()))


class Sites(Struct, frozen=True, kw_only=True, eq=False):
    """The sites of a sidecar by institution code; ``default`` answers for every other institution.

    ``left_out`` are the problems of rows of code files that are not used; the other rows of their files are.
    """

    default: Site = Site()
    by_institution: Mapping[str, Site] = MappingProxyType({})
    left_out: tuple[Problem, ...] = ()

    @property
    def degraded(self) -> tuple[str, ...]:
        """What is left out, a text for each code file."""
        rows = Counter(Path(file).name for file, _ in {(problem.file, problem.row) for problem in self.left_out})
        return tuple(f"code table {name}: rows not used: {count}" for name, count in sorted(rows.items()))

    def of(self, institution_id: str) -> Site:
        """Return the site of an institution."""
        return self.by_institution.get(institution_id, self.default)

    @classmethod
    def read(cls, path: Path) -> Sites:
        """Read a site file and the code files it names; raises ``SiteError`` with every problem at once.

        A hospital's table of codes is long and always has a bad row: it is left out. A file without a good row is none.
        """
        reading = _Reading(path)
        tables = reading.tables()
        base = reading.site("default", tables.get("default", {}), Site())
        others = {name: reading.site(name, row, base) for name, row in tables.items() if name != "default"}
        if reading.problems:
            raise SiteError(reading.problems)
        return cls(default=base, by_institution=others, left_out=tuple(sorted(set(reading.left_out))))


def decoded(raw: bytes) -> str:
    """Return the text of a file written in UTF-8 (with or without mark) or GB18030; raises ``UnicodeDecodeError``."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _in_force(row: LocalCode, day: date) -> bool:
    return (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or day <= row.valid_to)


class _Reading:
    """One reading of a site file: gathers problems, each with the path of the key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.left_out: list[Problem] = []

    def tables(self) -> dict[str, dict[str, object]]:
        try:
            raw = tomllib.loads(decoded(self.path.read_bytes()))
        except OSError as error:
            self._add("", f"cannot be read ({error.strerror}); give an existing file")
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._syntax(str(error))
            return {}
        return {name: row for name, row in raw.items() if self._is_table(name, row)}

    def site(self, name: str, row: Mapping[str, object], base: Site) -> Site:
        """Read one institution's table on top of ``base``."""
        for key in row.keys() - set(_KEYS):
            self._add(f"{name}.{key}", f"no such key{nearest(key, _KEYS)}")
        codes = [*_flat(base.codes), *self._codes(f"{name}.codes", row.get("codes", []))]
        codes += self._code_files(f"{name}.code_files", row.get("code_files", []))
        return Site(
            zone=self._zone(f"{name}.zone", row["zone"]) if "zone" in row else base.zone,
            complete_bodies=self._flag(f"{name}.complete_bodies", row.get("complete_bodies", base.complete_bodies)),
            untrusted=base.untrusted | self._named(f"{name}.untrusted", row.get("untrusted", []), self._fact),
            never_sent=base.never_sent | self._named(f"{name}.never_sent", row.get("never_sent", []), self._known),
            overrides={**base.overrides, **self._values(f"{name}.overrides", row.get("overrides", {}))},
            defaults={**base.defaults, **self._values(f"{name}.defaults", row.get("defaults", {}))},
            tables={**base.tables, **self._value_tables(f"{name}.tables", row.get("tables", {}))},
            codes=_by_local(codes),
            own_history_since=self._moment(f"{name}.{_OWN_SINCE}", row.get(_OWN_SINCE), base.own_history_since),
        )

    def _add(self, path: str, message: str, row: int = 0, column: int = 0) -> None:
        self.problems.append(self._problem(path, message, row, column))

    def _problem(self, path: str, message: str, row: int = 0, column: int = 0, file: Path | None = None) -> Problem:
        return Problem(file=str(file or self.path), row=row, column=column, path=path, message=message)

    def _syntax(self, text: str) -> None:
        found = _TOML_PLACE.match(text)
        row, column = (int(found[2] or 0), int(found[3] or 0)) if found else (0, 0)
        self._add("", f"no TOML: {(found[1] if found else text).lower()}", row, column)

    def _is_table(self, path: str, value: object) -> bool:
        if not isinstance(value, dict):
            self._add(path, "expected a table")
        return isinstance(value, dict)

    def _is_list(self, path: str, value: object) -> bool:
        if not isinstance(value, list):
            self._add(path, "expected a list")
        return isinstance(value, list)

    def _flag(self, path: str, value: object) -> bool:
        if not isinstance(value, bool):
            self._add(path, "expected true or false")
        return value is True

    def _zone(self, path: str, value: object) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._add(path, f"no time zone is called `{value}`; write one like `Asia/Shanghai`")
            return CIVIL_ZONE

    def _known(self, path: str, name: str) -> Fact | None:
        try:
            return load()[name]
        except UnknownNameError as error:
            self._add(path, str(error))
            return None

    def _fact(self, path: str, name: str) -> Fact | None:
        fact = self._known(path, name)
        if fact is not None and not fact.settable:
            self._add(path, f"`{name}` cannot be set; it has a field of its own")
            return None
        return fact

    def _named(self, path: str, value: object, fact: Callable[[str, str], Fact | None]) -> frozenset[str]:
        if not (self._is_list(path, value) and isinstance(value, list)):
            return frozenset()
        named = [(f"{path}[{n}]", str(name)) for n, name in enumerate(value)]
        return frozenset(name for at, name in named if fact(at, name))

    def _values(self, path: str, value: object) -> dict[str, FactValue]:
        if not (self._is_table(path, value) and isinstance(value, dict)):
            return {}
        read = {name: self._value(f"{path}.{name}", name, raw) for name, raw in value.items()}
        for name, raw in value.items():
            if read[name] is None and name in load() and str(raw).strip() in load().placeholders:
                self._add(f"{path}.{name}", "means unknown; leave it out, or declare the fact untrusted")
        return {name: known for name, known in read.items() if known is not None}

    def _value(self, path: str, name: str, raw: object) -> FactValue | None:
        fact = self._fact(path, name)
        if fact is None:
            return None
        try:
            return parse_value(fact, raw)
        except ImpossibleValueError as error:
            self._add(path, f"not a value of `{name}`: {error}")
            return None

    def _moment(self, path: str, value: object, base: datetime | None) -> datetime | None:
        try:
            told = parse_time(value) if value is not None else None
        except ImpossibleValueError:
            self._add(path, f"`{value}` is no date; write it like 2026-01-31")
            return base
        return told[0] if told else base

    def _value_tables(self, path: str, value: object) -> dict[str, Mapping[str, FactValue | None]]:
        if not (self._is_table(path, value) and isinstance(value, dict)):
            return {}
        return {name: self._value_table(f"{path}.{name}", name, raw) for name, raw in value.items()}

    def _value_table(self, path: str, name: str, raw: object) -> Mapping[str, FactValue | None]:
        fact = self._fact(path, name)
        if isinstance(raw, str) and fact is not None:
            if raw not in fact.variants:
                self._add(path, f"no table is called `{raw}`{nearest(raw, fact.variants)}; write one out instead")
            raw = fact.variants.get(raw, {})
        if fact is None or not (self._is_table(path, raw) and isinstance(raw, Mapping)):
            return {}
        return {str(code).lstrip("0") or "0": self._value(f"{path}.{code}", name, told) for code, told in raw.items()}

    def _codes(self, path: str, value: object) -> Iterator[LocalCode]:
        if self._is_list(path, value) and isinstance(value, list):
            for n, row in enumerate(value):
                at = f"{path}[{n}]"
                if self._is_table(at, row):
                    yield from self._code(row, at)

    def _code_files(self, path: str, value: object) -> Iterator[LocalCode]:
        if self._is_list(path, value) and isinstance(value, list):
            for n, name in enumerate(value):
                yield from self._usable(self._code_file(f"{path}[{n}]", self.path.parent / str(name)))

    def _usable(self, codes: Iterable[LocalCode]) -> Iterator[LocalCode]:
        """The rows of a file; where it has bad ones only, they are problems of the site."""
        before = len(self.left_out)
        good = list(codes)
        if not good:
            self.problems.extend(self.left_out[before:])
        yield from good

    def _code_file(self, path: str, file: Path) -> Iterator[LocalCode]:
        try:
            raw = file.read_bytes()
            text = "" if raw.startswith(_SHEETS) else decoded(raw)
        except (OSError, UnicodeDecodeError) as error:
            self._add(path, f"`{file}` cannot be read ({error}); give a CSV file in UTF-8 or GB18030, or a sheet")
            return
        if not (text.isascii() and text) and not text.lower().startswith(_CODE_KEYS):
            yield from self._code_sheet(file)
            return
        rows = csv.DictReader(io.StringIO(text, newline=""))
        for row in rows:
            yield from self._code({k: v for k, v in row.items() if k and v}, "", rows.line_num, file)

    def _code_sheet(self, file: Path) -> Iterator[LocalCode]:
        """The rows of a sheet that have a national code; the others are what ``negative-list codes`` reports."""
        try:
            table = read_code_sheet(file)
        except ListError as error:
            self.problems.extend(error.problems)
            return
        self.left_out.extend(table.problems)
        for row in table.rows:
            if row.national:
                yield LocalCode(
                    kind=row.kind,
                    local=row.local,
                    national=row.national,
                    valid_from=row.valid_from,
                    valid_to=row.valid_to,
                )

    def _code(
        self, row: Mapping[str, object], path: str, line: int = 0, file: Path | None = None
    ) -> Iterator[LocalCode]:
        wrong = list(_code_problems(row))
        for key, message in wrong:
            told = self.left_out if file is not None and key in _CODE_KEYS else self.problems
            told.append(self._problem(f"{path}.{key}".lstrip("."), message, line, file=file))
        if not wrong:
            yield _local_code(row)


def _code_problems(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key in row.keys() - set(_CODE_KEYS):
        yield key, f"no such column{nearest(key, _CODE_KEYS)}"
    for key in ("local", "national"):
        if not str(row.get(key, "")).strip():
            yield key, "missing; give a code"
    kind = str(row.get("kind", "item"))
    if kind not in _CHECKS:
        yield "kind", f"no kind of code is called `{kind}`{nearest(kind, _CHECKS)}; write item, diagnosis or operation"
    elif row.get("national") and not _CHECKS[kind](str(row["national"])):
        yield "national", f"`{row['national']}` has no structure of a national code of kind `{kind}`"
    yield from _date_problems(row)


def _date_problems(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key in ("valid_from", "valid_to"):
        try:
            _day(row.get(key))
        except ImpossibleValueError:
            yield key, f"`{row[key]}` is no date; write it like 2026-01-31"
            return
    first, last = _day(row.get("valid_from")), _day(row.get("valid_to"))
    if first and last and last < first:
        yield "valid_to", f"`{last}` lies before valid_from `{first}`; swap them"


def _local_code(row: Mapping[str, object]) -> LocalCode:
    return LocalCode(
        kind=str(row.get("kind", "item")),  # type: ignore[arg-type]
        local=normal(str(row["local"])),
        national=normal(str(row["national"])),
        valid_from=_day(row.get("valid_from")),
        valid_to=_day(row.get("valid_to")),
    )


def _day(raw: object) -> date | None:
    told = parse_time(raw if raw is not None else "")
    return told[0].date() if told else None


def _flat(codes: Mapping[tuple[str, str], tuple[LocalCode, ...]]) -> Iterator[LocalCode]:
    for rows in codes.values():
        yield from rows


def _by_local(codes: Iterable[LocalCode]) -> dict[tuple[str, str], tuple[LocalCode, ...]]:
    gathered: dict[tuple[str, str], list[LocalCode]] = {}
    for code in codes:
        gathered.setdefault((code.kind, code.local), []).append(code)
    return {key: tuple(rows) for key, rows in gathered.items()}
