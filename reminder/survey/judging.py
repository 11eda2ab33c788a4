"""From counts to what is to be done: fields to send, fields sent by rote, codes to map, rules that stay silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.classes import class_name
from negative_list.codes import structure
from negative_list.dictionary import load
from negative_list.lacking import RECORDS, kept_from, reads_of
from reminder.survey.fields import Field, field_of, table_said, theirs
from reminder.survey.records import LEAST, FieldSaid, Lacking, Silent, Source, Survey, Unmapped
from reminder.survey.tally import FieldTally, Tally, distinct

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from negative_list.rules import Rule, RuleList
    from reminder.survey.tally import SourceTally

__all__ = ["by_rote", "matters", "surveyed"]

_LEAST_OF_KIND = 20
"""Stays, or lines of one kind of item, from which on rules about them are judged."""

_OF_HOSPITAL = frozenset({"institution", "request"})

_OF_THE_CALL = frozenset({"request.rule_ids", "request.system", "request.task"})
"""What nobody judges by, and every client fills as it likes (fact sheet 2.1, 2.8)."""

_MOST_VALUES = 12
_RARE = 0.05
"""A field that is empty or impossible in fewer rows is no matter for a page."""


def surveyed(
    institution_id: str, tally: Tally, rules: RuleList | None, *, days: Sequence[str] = (), least: int = LEAST
) -> Survey:
    """The survey of one institution.

    Args:
        institution_id: its code.
        tally: what was counted.
        rules: the list in force; ``None``: fields and codes alone are told of.
        days: the civil days the counts are of; rules that had ended before the first are left out.
        least: how many patients, encounters or lines say that something is never sent.
    """
    first = min(days, default="")
    listed = [rule for rule in rules.rules if not _ended(rule, first)] if rules is not None else []
    read = Counter(name for rule in listed for name in reads_of(rule))
    never = _never(tally, {*read, *RECORDS}, least)
    seen = [rule for rule in listed if _is_seen(rule, tally, rules)]
    silent = [(rule, kept) for rule in seen if (kept := kept_from(rule, never))]
    return Survey(
        institution_id=institution_id,
        days=tuple(days),
        bodies=tally.bodies,
        passed=tally.passed,
        enough=tally.bodies >= least,
        least=least,
        sources=tuple(map(_source, _by_size(tally))),
        fields=tuple(_said(source, name, one, read) for source in _by_size(tally) for name, one in _sorted(source)),
        kinds={name: (kind.sent, kind.unmapped) for name, kind in sorted(tally.kinds.items())},
        unmapped=_unmapped(tally),
        lacking=_lacking(tally, [kept for _, kept in silent]),
        silent=tuple(_silent(rule, kept, tally) for rule, kept in silent),
        listed=len(listed),
        unseen=len(listed) - len(seen),
        undecided=_undecided(tally, {rule.id for rule, _ in silent}),
        strays=_most(source.strays for source in tally.sources.values()),
        refused=_most([tally.refused]),
        never_sent=_proposed(never, seen, [kept for _, kept in silent], tally),
    )


# -- fields


def _by_size(tally: Tally) -> list[SourceTally]:
    return sorted(tally.sources.values(), key=lambda source: (-source.bodies, source.system, source.dialect))


def _sorted(source: SourceTally) -> list[tuple[str, FieldTally]]:
    """The fields of a source in the order of the interface."""
    return [
        (name, one)
        for name, one in source.fields.items()
        if (field := field_of(source.dialect, name)) is not None and not _OF_THE_CALL.issuperset(field.facts)
    ]


def _source(source: SourceTally) -> Source:
    return Source(
        system=source.system,
        dialect=source.dialect,
        bodies=source.bodies,
        points=source.points,
        encodings=source.encodings,
    )


def _said(source: SourceTally, name: str, tally: FieldTally, read: Mapping[str, int]) -> FieldSaid:
    field = field_of(source.dialect, name)
    assert field is not None  # noqa: S101 - asked before
    value = next(iter(tally.codes)) if tally.constant and len(tally.codes) == 1 else ""
    return FieldSaid(
        system=source.system,
        dialect=source.dialect,
        table=field.table,
        key=field.key,
        sent_as=theirs(field, source.dialect),
        zh=field.zh,
        rows=tally.rows,
        absent=tally.absent,
        empty=tally.empty,
        placeholder=tally.placeholder,
        impossible=tally.impossible,
        usable=tally.usable,
        distinct=distinct(tally),
        constant=tally.constant,
        rules=max((read.get(fact, 0) for fact in field.facts), default=0),
        value=value,
        codes=dict(sorted(tally.codes.items(), key=lambda pair: -pair[1])),
        odd=dict(sorted(tally.odd.items(), key=lambda pair: -pair[1])),
    )


def matters(field: FieldSaid) -> bool:
    """Whether a page tells of a field: it is missing, empty, impossible or by rote often enough, or in odd codes."""
    return bool(field.rows) and (field.unusable > _RARE or by_rote(field) or bool(field.odd))


def by_rote(field: FieldSaid) -> bool:
    """Whether a field that should change never does: what is said of the hospital itself may stay the same."""
    own = field_of(field.dialect, f"{field.table}.{field.key}".strip("."))
    of_hospital = own is not None and any(load()[fact].subject in _OF_HOSPITAL for fact in own.facts)
    return field.constant and field.usable >= _LEAST_OF_KIND and not of_hospital


def _unmapped(tally: Tally) -> tuple[Unmapped, ...]:
    found = [
        Unmapped(kind=name, code=code, name=one.name, count=one.count)
        for name, kind in tally.kinds.items()
        for code, one in kind.codes.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.kind, one.code)))


def _most(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total.most_common())


# -- facts and rules


def _ended(rule: Rule, day: str) -> bool:
    return bool(day) and rule.valid_to is not None and rule.valid_to.isoformat() < day


def _never(tally: Tally, names: Iterable[str], least: int) -> frozenset[str]:
    """The names that no holder had, where there were enough holders to say so."""
    return frozenset(name for name in names if not tally.facts.get(name) and _holders(name, tally) >= least)


def _holders(name: str, tally: Tally) -> int:
    """How many there were that could have told a fact: a code only where there was something to code."""
    record = {"diagnosis.code": "encounter.diagnoses", "operation.code": "encounter.operations"}.get(name)
    if record is not None:
        return tally.facts.get(record, 0)
    return tally.holders.get(name.partition(".")[0], 0)


def _is_seen(rule: Rule, tally: Tally, rules: RuleList | None) -> bool:
    """Whether visits and items of the kind a rule is about came often enough to say something of it."""
    modes, types = set(_modes(rule)), _types(rule, rules)
    return _came(tally, "mode:", modes) and _came(tally, "type:", types)


def _came(tally: Tally, kind: str, wanted: AbstractSet[str]) -> bool:
    told = sum(count for name, count in tally.holders.items() if name.startswith(kind) and name != kind)
    met = sum(tally.holders.get(kind + name, 0) for name in wanted)
    return not wanted or not told or met >= min(_LEAST_OF_KIND, told)


def _modes(rule: Rule) -> Iterable[str]:
    """The visit modes a rule is confined to by its scope, or by a part of its violation that has to hold."""
    for part in (rule.scope, rule.violation):
        for condition in part.of if isinstance(part, c.All) else (part,):
            if isinstance(condition, c.Fact) and condition.fact == "encounter.visit_mode":
                yield from map(str, condition.any_of)


def _types(rule: Rule, rules: RuleList | None) -> frozenset[str]:
    """The kinds of items that trigger a rule; nothing where it may be any."""
    trigger = rule.trigger
    if trigger.encounter or trigger.diagnoses or trigger.operations or trigger.prefixes or trigger.names:
        return frozenset()
    sets = {one.id: one.codes for one in rules.sets} if rules is not None and trigger.sets else {}
    codes = (*trigger.codes, *(code for name in trigger.sets for code in sets.get(name, ())))
    return frozenset(filter(None, map(structure, codes))) if codes else frozenset(trigger.types)


def _proposed(
    never: AbstractSet[str], rules: Iterable[Rule], kept: Iterable[AbstractSet[str]], tally: Tally
) -> tuple[str, ...]:
    """What never came and is asked for all the same: by a rule that asks, or one that could not be decided for it."""
    wanted = {name for names in kept for name in names}
    wanted.update(name for rule in rules if rule.on_unknown.action != "pass" for name in reads_of(rule))
    wanted.update(name for told in tally.undecided.values() for needs in told for name in needs.split())
    return tuple(sorted(wanted & never))


def _silent(rule: Rule, kept: AbstractSet[str], tally: Tally) -> Silent:
    return Silent(
        rule_id=rule.id,
        class_id=rule.class_id,
        class_name=class_name(rule.class_id),
        title=rule.title,
        action=rule.action,
        needs=tuple(sorted(kept)),
        undecided=sum(tally.undecided.get(rule.id, {}).values()),
    )


def _lacking(tally: Tally, kept: Iterable[AbstractSet[str]]) -> tuple[Lacking, ...]:
    """What keeps rules silent, what keeps most of them first."""
    rules = Counter(name for names in kept for name in names)
    return tuple(_lacking_one(name, count, tally) for name, count in sorted(rules.items(), key=lambda p: (-p[1], p[0])))


def _lacking_one(name: str, rules: int, tally: Tally) -> Lacking:
    fact = load()[name]
    sent = [(source, field) for source in _by_size(tally) for field in _fields_of_fact(name, source)]
    counted = [source.fields[field.name] for source, field in sent]
    return Lacking(
        fact=name,
        zh=fact.zh,
        fields=tuple(dict.fromkeys(_called(field, source.dialect) for source, field in sent)) or fact.national[:1],
        rules=rules,
        feed=fact.feed,
        values=_values(name),
        came=any(one.absent < one.rows for one in counted),
    )


def _fields_of_fact(name: str, source: SourceTally) -> list[Field]:
    fields = (field_of(source.dialect, counted) for counted in source.fields)
    return [field for field in fields if field is not None and name in field.facts]


def _called(field: Field, dialect: str) -> str:
    """Where a field stands, as the source calls it."""
    return f"{table_said(field.table, dialect)}.{theirs(field, dialect)}".strip(".")


def _values(name: str) -> tuple[str, ...]:
    """The codes a fact is written in by what they mean: ``1/2 = 一级``."""
    fact, meant = load()[name], dict[str, list[str]]()
    for code, value in fact.values.items() if fact.type != "flag" else ():
        if value != "":
            meant.setdefault(fact.words.get(str(value), str(value)), []).append(code)
    return tuple(f"{'/'.join(codes)} = {word}" for word, codes in list(meant.items())[:_MOST_VALUES])


def _undecided(tally: Tally, silent: AbstractSet[str]) -> tuple[tuple[str, str, int], ...]:
    found = [
        (rule, needs, count)
        for rule, told in tally.undecided.items()
        if rule not in silent
        for needs, count in told.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row[2], row[0], row[1])))
