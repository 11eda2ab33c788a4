"""The page for whoever makes the HIS: what to send, field by field, and what each field is needed for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.dictionary import load
from negative_list.readers.dialects import NATIONAL
from reminder.forecast.page import Figure, Page, Table
from reminder.reports.table import Column
from reminder.survey.fields import OWN, table_said
from reminder.survey.judging import by_rote, matters
from reminder.survey.words import said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reminder.survey.records import FieldSaid, Lacking, Silent, Survey

__all__ = ["data_of", "page_of"]

_MOST_ROWS = 300
"""Rows of one table on a page; a sheet and the data have all."""

_MOST_POINTS = 6
_MOST_CODES = 8
_EXAMPLES = 3
_TITLE = 60  # characters


def data_of(survey: Survey) -> Any:
    """What a program gets: the survey, all of it."""
    told = msgspec.to_builtins(survey)
    told["fields"] = [row | {"matters": matters(one)} for row, one in zip(told["fields"], survey.fields, strict=True)]
    return told


def page_of(survey: Survey, *, english: bool = False) -> Page:
    """The page of one institution, in Chinese unless English is asked for."""
    tables = [
        *_lacking(survey, english),
        *_fields(survey, english, read=True),
        *_codes(survey, english),
        *_rules(survey, english),
        *_others(survey, english),
        *_fields(survey, english, read=False),
    ]
    return Page(
        title=said("title", english).format(survey.institution_id or said("nobody", english)),
        about=tuple(_about(survey, english)),
        warnings=tuple(_warnings(survey, english)),
        figures=tuple(_figures(survey, english)),
        points=tuple(_points(survey, english)),
        tables=tuple(_cut(table) for table in tables),
        sheet=_field_table("t_fields", filter(matters, survey.fields), english),
        data=data_of(survey),
    )


def _cut(table: Table) -> Table:
    left = max(0, len(table.rows) - _MOST_ROWS)
    return msgspec.structs.replace(table, rows=table.rows[:_MOST_ROWS], left_out=left)


# -- conclusions


def _about(survey: Survey, english: bool) -> Iterator[str]:
    days = survey.days
    when = said("days", english).format(days[0], days[-1]) if days else said("files", english)
    yield said("about", english).format(when, f"{survey.bodies:,}", f"{survey.passed:,}")
    yield said("privacy", english)


def _warnings(survey: Survey, english: bool) -> Iterator[str]:
    if not survey.enough:
        yield said("few", english).format(survey.bodies, survey.least)
    if not survey.listed:
        yield said("no_list", english)
    if refused := sum(survey.refused.values()):
        yield said("refused_bodies", english).format(f"{refused:,}")


def _figures(survey: Survey, english: bool) -> Iterator[Figure]:
    wanting = [one for one in survey.fields if matters(one)]
    sent, unmapped = survey.kinds.get("item", (0, 0))
    yield Figure(name=said("bodies", english), value=f"{survey.bodies:,}", note=_dialects(survey))
    yield Figure(
        name=said("silent", english),
        value=f"{len(survey.silent):,}",
        note=said("of_rules", english).format(f"{survey.listed:,}", f"{survey.unseen:,}"),
    )
    yield Figure(name=said("lacking", english), value=f"{len(survey.lacking):,}", note=said("lacking_note", english))
    yield Figure(
        name=said("wanting", english),
        value=f"{len(wanting):,}",
        note=said("of_fields", english).format(f"{len(survey.fields):,}"),
    )
    yield Figure(name=said("unmapped", english), value=_percent(unmapped, sent), note=f"{unmapped:,} / {sent:,}")


def _dialects(survey: Survey) -> str:
    return "; ".join(dict.fromkeys(source.dialect for source in survey.sources))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _points(survey: Survey, english: bool) -> Iterator[str]:
    """What to do first: the fields that keep most rules silent, then codes."""
    for one in survey.lacking[:_MOST_POINTS]:
        text = "point_field" if one.fields else "point_feed"
        yield said(text, english).format(f"{one.zh} {one.fact}", _where(one), f"{one.rules:,}")
    sent, unmapped = survey.kinds.get("item", (0, 0))
    if unmapped:
        yield said("point_codes", english).format(_percent(unmapped, sent))
    rote = [one for one in survey.fields if one.rules and by_rote(one)]
    if rote:
        named = dict.fromkeys(f"{one.sent_as}{one.value and f' = {one.value}'}" for one in rote)
        yield said("point_constant", english).format(said("between", english).join(list(named)[:_MOST_POINTS]))


# -- tables


def _lacking(survey: Survey, english: bool) -> Iterator[Table]:
    columns = _columns("field", "fact", "rules", "came", "send")
    rows = tuple(
        (_where(one), f"{one.zh} {one.fact}", one.rules, _came(one, english), _send(one, english))
        for one in survey.lacking
    )
    if rows:
        yield Table(title=said("t_lacking", english), columns=columns, rows=rows)


def _where(one: Lacking) -> str:
    return "\n".join(one.fields) or "facts"


def _came(one: Lacking, english: bool) -> str:
    if not one.fields:
        return said("no_field", english)
    return said("placeholder_only" if one.came else "never", english)


def _send(one: Lacking, english: bool) -> str:
    """What to send: the codes the fact is written in, or its kind and unit."""
    fact = load()[one.fact]
    if one.values:
        return said("between", english).join(one.values)
    kind = said(f"type_{fact.type}", english)
    unit = f" ({fact.unit})" if fact.unit else ""
    feed = said("by_feed", english).format(one.feed) if one.feed and not one.fields else ""
    return f"{kind}{unit}{feed}"


def _fields(survey: Survey, english: bool, *, read: bool) -> Iterator[Table]:
    """The fields rules look at, or all others."""
    fields = [one for one in survey.fields if matters(one) and bool(one.rules) == read]
    if fields:
        yield _field_table("t_fields" if read else "t_more_fields", fields, english)


def _field_table(name: str, fields: Iterable[FieldSaid], english: bool) -> Table:
    columns = _columns(
        "field", "zh", "system", "rows", "absent", "empty", "placeholder", "impossible", "said", "reading"
    )
    ordered = sorted(fields, key=lambda one: (-one.rules, -one.unusable, one.table, one.key, one.system))
    rows = tuple(
        (
            f"{table_said(one.table, one.dialect)}.{one.sent_as}".strip("."),
            one.zh,
            " ".join(filter(None, (one.system, "" if one.dialect == NATIONAL else one.dialect))),
            one.rows,
            _share(one.absent, one),
            _share(one.empty, one),
            _share(one.placeholder, one),
            _share(one.impossible, one),
            _remark(one, english),
            one.rules,
        )
        for one in ordered
    )
    return Table(title=said(name, english), columns=columns, rows=rows)


def _share(count: int, field: FieldSaid) -> str:
    return f"{100 * count / field.rows:.0f}%" if count else ""


def _remark(field: FieldSaid, english: bool) -> str:
    parts = []
    if by_rote(field):
        parts.append(said("constant" if field.value else "one_value", english).format(field.value))
    if field.odd:
        parts.append(said("odd", english).format(_counted(field.odd)))
    if field.usable == 0:
        parts.append(said("never_usable", english))
    return said("between", english).join(parts)


def _counted(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{code} ({count:,})" for code, count in list(codes.items())[:_MOST_CODES])


def _codes(survey: Survey, english: bool) -> Iterator[Table]:
    rows = tuple(
        (said(f"kind_{one.kind}", english), one.code or said("no_code", english), one.name, one.count)
        for one in survey.unmapped
    )
    if rows:
        yield Table(title=said("t_codes", english), columns=_columns("kind", "code", "name", "count"), rows=rows)


def _rules(survey: Survey, english: bool) -> Iterator[Table]:
    """Silent rules of one class that need the same stand in one row: a list has thousands."""
    alike: dict[tuple[str, tuple[str, ...]], list[Silent]] = {}
    for one in survey.silent:
        alike.setdefault((one.class_id, one.needs), []).append(one)
    if alike:
        columns = _columns("class", "rules", "title", "action", "needs", "undecided")
        groups = sorted(alike.values(), key=lambda group: (-len(group), group[0].class_id, group[0].rule_id))
        rows = tuple(_silent(group, english) for group in groups)
        yield Table(title=said("t_silent", english), columns=columns, rows=rows)
    asked = tuple((rule, _named(needs.split()), count) for rule, needs, count in survey.undecided)
    if asked:
        yield Table(title=said("t_undecided", english), columns=_columns("rule", "needs", "undecided"), rows=asked)


def _silent(group: list[Silent], english: bool) -> tuple[Any, ...]:
    first = group[0]
    titles = [f"{one.rule_id} {one.title}" for one in group[:_EXAMPLES]]
    more = [said("and_more", english).format(f"{len(group) - _EXAMPLES:,}")] if len(group) > _EXAMPLES else []
    shown = "\n".join([*(text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…" for text in titles), *more])
    actions = said("between", english).join(dict.fromkeys(said(f"action_{one.action}", english) for one in group))
    undecided = sum(one.undecided for one in group)
    return f"{first.class_id} {first.class_name}", len(group), shown, actions, _named(first.needs), undecided


def _named(needs: Iterable[str]) -> str:
    return "\n".join(f"{load()[name].zh} {name}" if name in load() else name for name in needs)


def _others(survey: Survey, english: bool) -> Iterator[Table]:
    sources = tuple(
        (one.system, _dialect(one.dialect, english), one.bodies, _counted(one.points), _counted(one.encodings))
        for one in survey.sources
    )
    if sources:
        columns = _columns("system", "dialect", "count", "points", "encodings")
        yield Table(title=said("t_sources", english), columns=columns, rows=sources)
    for name, counts in (("t_strays", survey.strays), ("t_refused", survey.refused)):
        if counts:
            rows = tuple((field or said("nobody", english), count) for field, count in counts.items())
            yield Table(title=said(name, english), columns=_columns("field", "count"), rows=rows)


def _dialect(name: str, english: bool) -> str:
    return said(f"dialect_{name}", english) if name in {"national", OWN} else name


def _columns(*names: str) -> tuple[Column, ...]:
    counts = {"rules", "rows", "count", "undecided", "reading"}
    return tuple(
        Column(
            name=name,
            zh=said(f"c_{name}", english=False),
            en=said(f"c_{name}", english=True),
            kind="count" if name in counts else "text",
        )
        for name in names
    )
