"""Counting one body: its fields as they were sent, its facts as they were read, codes nobody has mapped.

What is kept of a text is decided here, in one place: a short code of a field that has a code table; a hospital's own
code of an item, a diagnosis or an operation, and an item's name, where neither holds a name, an id or a number of the
patient's. Everything else is a count or a keyed hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.codes import icd9_codes, icd10_codes
from negative_list.dictionary import ImpossibleValueError, load, plain_text
from negative_list.readers.columns import Impossible
from negative_list.readers.dialects import national_form
from reminder.journal.masking import MASK, is_clean, names_of
from reminder.survey.fields import OWN, columns_of, fields_of, own_rows, rows_of
from reminder.survey.tally import MOST_CODES, MOST_UNMAPPED, CodeTally, FieldTally, Kind, SourceTally, Tally, count_in

if TYPE_CHECKING:
    from negative_list.decision import Decision
    from negative_list.errors import FieldProblem
    from negative_list.prescription import Encounter, FactValue, Line, Prescription
    from negative_list.readers.columns import Column
    from negative_list.readers.dialects import Form
    from negative_list.readers.reading import Row
    from negative_list.site import CodeKind, Site
    from reminder.survey.fields import Field

__all__ = ["MOST_LINES", "MOST_ROWS", "Counting", "form_of", "system_of"]

MOST_ROWS = 20
"""Lines of one body whose fields are looked at: the five thousand of a stay were written by one client."""

MOST_LINES = 200
"""Lines of one body whose facts and codes are."""

_MOST_SOURCES, _MOST_STRAYS, _MOST_RULES, _MOST_FIELDS_REFUSED = 32, 200, 5_000, 200
_MOST_HASHED = 4096
_HASH_BYTES = 7
_KEPT_BITS = 54
_CODE = re.compile(r"[A-Za-z0-9.]{1,6}", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
_PATH = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]{0,119}", re.ASCII)
_PLACE = re.compile(r"\[\d+\]")
_SYSTEM = re.compile(r"[A-Za-z0-9_.\-]{1,20}", re.ASCII)
_LOCAL = re.compile(r"[^\s\x00-\x1f]{1,40}")
_LONGEST_NAME = 60
_SYSTEMS = ("recer_sys_code", "syscode")
_NAMED_ROWS: Mapping[str, tuple[CodeKind, str, Callable[[str], tuple[str, ...]]]] = {
    "fsi_diagnose_dtos": ("diagnosis", "dise_codg", icd10_codes),
    "fsi_operation_dtos": ("operation", "oprn_code", icd9_codes),
    "diagnoses": ("diagnosis", "code", icd10_codes),
    "operations": ("operation", "code", icd9_codes),
}


class _Whose(Struct, frozen=True):
    """What of a prescription must not stand in anything that is kept."""

    names: tuple[str, ...]
    ids: tuple[str, ...]

    def clean(self, text: str) -> bool:
        return is_clean(text, self.names, self.ids)


def form_of(body: Row) -> Form:
    """A national body as every dialect is read; raises ``RequestError`` where it is none."""
    return national_form(body)


def system_of(body: Row) -> str:
    """What the calling system calls itself; "" where it does not, or not in a word."""
    inner = body.get("input")
    data = inner.get("data") if isinstance(inner, dict) else None
    levels = (body, data if isinstance(data, dict) else {})
    told = (str(level.get(key) or "").strip() for level, key in zip(levels, _SYSTEMS, strict=True))
    return next((name for name in told if _SYSTEM.fullmatch(name) and is_clean(name)), "")


class Counting:
    """Counts bodies into tallies.

    Args:
        secret: what values are hashed with; hashes of tallies that are to be added need one secret.
    """

    def __init__(self, secret: bytes) -> None:
        self._hashed = lru_cache(_MOST_HASHED)(partial(_hashed, secret[:64]))

    def body(self, tally: Tally, form: Form | Row, told: Prescription, site: Site, encoding: str = "") -> None:
        """Count a body that could be read.

        Args:
            tally: of its institution.
            form: a national body, or the object of our own JSON.
            told: what it was read as.
            site: how it was.
            encoding: of its bytes; "" where that is not known.
        """
        tally.bodies += 1
        own = isinstance(form, Mapping)
        body: Any = form if own else form.body  # type: ignore[union-attr]
        source = self._source(tally, body, OWN if own else form.dialect)  # type: ignore[union-attr]
        source.bodies += 1
        for point in () if own else form.points:  # type: ignore[union-attr]
            count_in(source.points, point, MOST_CODES)
        if encoding:
            count_in(source.encodings, encoding, MOST_CODES)
        self._rows(tally, source, own_rows(body, MOST_ROWS) if own else rows_of(body, MOST_ROWS), site, _whose(told))
        _facts(tally, told)
        _items(tally, told.encounter, _whose(told))

    def _source(self, tally: Tally, body: Row, dialect: str) -> SourceTally:
        system = system_of(body)
        name = f"{system} {dialect}"
        if name not in tally.sources and len(tally.sources) >= _MOST_SOURCES:
            name, system = f" {dialect}", ""
        return tally.sources.setdefault(name, SourceTally(system=system, dialect=dialect))

    # -- fields

    def _rows(
        self, tally: Tally, source: SourceTally, rows: Iterable[tuple[str, Row]], site: Site, whose: _Whose
    ) -> None:
        tables, columns = fields_of(source.dialect), columns_of(site, source.dialect)
        for name, row in rows:
            table, read = tables[name], columns.get(name, {})
            for key, field in table.fields.items():
                counted = source.fields.setdefault(field.name, FieldTally())
                self._value(counted, field, read.get(key), row.get(key, _ABSENT))
            for key in row.keys() - table.known if table.known else ():
                if _KEY.fullmatch(key) and whose.clean(key):
                    count_in(source.strays, f"{name}.{key}", _MOST_STRAYS)
            if name in _NAMED_ROWS:
                _named(tally, name, row, site, whose)

    def _value(self, tally: FieldTally, field: Field, column: Column[Any] | None, raw: object) -> None:
        tally.rows += 1
        if raw is _ABSENT:
            tally.absent += 1
            return
        text = _text(raw)
        if text == "":
            tally.empty += 1
            return
        value = _UNREAD if column is None else column.read(raw)
        if text is None or isinstance(value, Impossible):
            tally.impossible += 1
            if field.coded and text and _CODE.fullmatch(text):
                count_in(tally.odd, text, MOST_CODES)
        elif value is None or text in load().placeholders:
            tally.placeholder += 1
        else:
            tally.usable += 1
            tally.met(self._hashed(text))
            if field.coded and _CODE.fullmatch(text):
                count_in(tally.codes, text, MOST_CODES)

    # -- what came of it

    @staticmethod
    def decided(tally: Tally, decision: Decision, stored: Iterable[str] = ()) -> None:
        """Count what could not be decided, and facts the store knew."""
        tally.decided += 1
        for name in stored:
            tally.facts[name] = tally.facts.get(name, 0) + 1
        for rule in decision.not_evaluated:
            if rule.needs and (rule.rule_id in tally.undecided or len(tally.undecided) < _MOST_RULES):
                count_in(tally.undecided.setdefault(rule.rule_id, {}), " ".join(rule.needs), MOST_CODES)

    @staticmethod
    def refused(tally: Tally, problems: Iterable[FieldProblem]) -> None:
        """Count a body that could not be read, by the fields that were named."""
        for path in {_PLACE.sub("", problem.field) for problem in problems}:
            count_in(tally.refused, path if _PATH.fullmatch(path) and is_clean(path) else "", _MOST_FIELDS_REFUSED)


_ABSENT = object()
_UNREAD = object()


def _hashed(secret: bytes, text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), key=secret, digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest) >> (8 * _HASH_BYTES - _KEPT_BITS)


def _text(raw: object) -> str | None:
    """A scalar as text, "" for null and blanks; ``None`` for what is no scalar."""
    if raw is None:
        return ""
    if raw.__class__ is str and raw.isprintable():
        return raw.strip()
    try:
        return plain_text(raw)
    except ImpossibleValueError:
        return None


def _whose(told: Prescription) -> _Whose:
    names = [told.patient.facts.get("patient.name"), *told.names]
    names += [line.facts.get("line.doctor_name") for line in told.encounter.lines[:MOST_LINES]]
    ids = (told.patient.id, *(encounter.id for encounter in (told.encounter, *told.others)), told.request_id)
    return _Whose(tuple({one for name in names for one in names_of(name)}), tuple(filter(None, ids)))


# -- facts


def _facts(tally: Tally, told: Prescription) -> None:
    encounter = told.encounter
    _held(tally, "patient", told.patient.facts)
    _held(tally, "encounter", encounter.facts)
    _count(tally.holders, f"mode:{encounter.facts.get('encounter.visit_mode', '')}")
    for name in _records(encounter):
        _count(tally.facts, name)
    for line in encounter.lines[:MOST_LINES]:
        _held(tally, "line", line.facts)
        if line.current:
            _count(tally.holders, f"type:{line.facts.get('line.item_type', '')}")
        for name in _line_records(line):
            _count(tally.facts, name)


def _held(tally: Tally, holder: str, facts: Mapping[str, FactValue]) -> None:
    _count(tally.holders, holder)
    for name in facts:
        _count(tally.facts, name)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _records(encounter: Encounter) -> Iterable[str]:
    """The records of an encounter that say something, by the names rules need them under."""
    if encounter.diagnoses:
        yield "encounter.diagnoses"
    if any(one.codes for one in encounter.diagnoses):
        yield "diagnosis.code"
    if encounter.operations:
        yield "encounter.operations"
    if any(one.codes for one in encounter.operations):
        yield "operation.code"


def _line_records(line: Line) -> Iterable[str]:
    if line.usable:
        yield "line.code"
    if line.begins is not None:
        yield "line.begins"
    if line.stops is not None:
        yield "line.stops"


# -- codes without a national one


def _items(tally: Tally, encounter: Encounter, whose: _Whose) -> None:
    kind = tally.kinds.setdefault("item", Kind())
    for line in encounter.lines[:MOST_LINES]:
        kind.sent += 1
        if not line.usable:
            local = next(iter(line.codes), "") or str(line.facts.get("line.local_code", ""))
            _unmapped(kind, local, line.name, whose)


def _named(tally: Tally, table: str, row: Row, site: Site, whose: _Whose) -> None:
    """A diagnosis or an operation: names are what a doctor wrote of somebody, and not kept."""
    name, key, codes = _NAMED_ROWS[table]
    code = _text(row.get(key)) or ""
    if code in load().placeholders:
        return
    kind = tally.kinds.setdefault(name, Kind())
    kind.sent += 1
    if not (codes(code) or site.national(name, code, None)):
        _unmapped(kind, code, "", whose)


def _unmapped(kind: Kind, code: str, name: str, whose: _Whose) -> None:
    kind.unmapped += 1
    if not (_LOCAL.fullmatch(code) and whose.clean(code)):
        code, name = ("" if not code else MASK), ""
    if code in kind.codes or len(kind.codes) < MOST_UNMAPPED:
        told = kind.codes.setdefault(code, CodeTally())
        told.count += 1
        told.name = told.name or (name if len(name) <= _LONGEST_NAME and whose.clean(name) else "")
