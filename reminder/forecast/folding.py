"""From counts to a forecast: reminders are gathered by rule, class, department and doctor, and told as what changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from negative_list.rules import ACTIONS, Action
from reminder.forecast.record import SIDES, Changed, Forecast, Known, Lack, Lists, Row, Side, interruptions
from reminder.forecast.replay import shown
from reminder.forecast.tally import CHANGES, EXAMPLES

if TYPE_CHECKING:
    from negative_list.rules import Rule
    from reminder.forecast.record import About
    from reminder.forecast.tally import Place, Reminder, RuleCount, Tally

__all__ = ["forecast_of", "known_rules", "lists_of"]


def forecast_of(about: About, lists: Lists, tally: Tally, known: Mapping[str, Known]) -> Forecast:
    """What was counted, as it is kept and shown.

    Args:
        about: what was replayed.
        lists: how the lists differ.
        tally: the whole period, added up.
        known: what is known of each rule, by id.
    """
    reminders = tuple(tally.reminders.values())
    class_of = {
        rule_id: known[rule_id].class_id if rule_id in known else rule.class_id for rule_id, rule in tally.rules.items()
    }
    by_rule = _grouped(reminders, lambda one: one.rule_id)
    doctors = {side: _doctors(reminders, side) for side in SIDES}
    rules = (_rule_row(rule_id, rule, known.get(rule_id, Known()), by_rule) for rule_id, rule in tally.rules.items())
    return Forecast(
        about=about,
        lists=lists,
        **{side: _side(tally, reminders, side, doctors[side]) for side in SIDES},
        open_=tally.open_,
        lacks=_lacks(tally.lacks),
        reminders=_changes(reminders),
        doctors_new=len(doctors["after"] - doctors["before"]),
        doctors_rid=len(doctors["before"] - doctors["after"]),
        rules=tuple(sorted(filter(_tells, rules), key=_weight)),
        classes=_class_rows(tally, class_of, reminders),
        departments=_place_rows(tally.departments, _grouped(reminders, lambda one: one.department)),
        doctors=_place_rows(tally.doctors, _grouped(reminders, lambda one: one.doctor)),
        found={rule_id: sum(rule.after.values()) for rule_id, rule in tally.rules.items() if rule.after},
    )


def _side(tally: Tally, reminders: Iterable[Reminder], side: str, doctors: frozenset[str]) -> Side:
    actions: Counter[str] = getattr(tally.whole, side)
    told = [one for one in reminders if _shown(getattr(one, side))]
    return Side(
        actions={action: actions[action] for action in ACTIONS},
        interruptions=interruptions(actions),
        reminders=len(told),
        doctors=len(doctors),
        amount_fen=_money(told, side),
    )


def _money(reminders: Iterable[Reminder], side: str) -> int:
    """The money of reminders, each line's once, at its largest."""
    name = "before_fen" if side == "before" else "after_fen"
    of_lines: dict[str, int] = {}
    apart = 0
    for one in reminders:
        amount = getattr(one, name) or 0
        if one.place:
            of_lines[one.place] = max(of_lines.get(one.place, 0), amount)
        else:
            apart += amount
    return apart + sum(of_lines.values())


def _shown(action: Action | None) -> bool:
    return action is not None and shown(action)


def _doctors(reminders: Iterable[Reminder], side: str) -> frozenset[str]:
    return frozenset(one.doctor for one in reminders if one.doctor and _shown(getattr(one, side)))


def _lacks(lacks: Counter[str]) -> tuple[Lack, ...]:
    in_order = sorted(lacks.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Lack(fact=fact, decisions=count) for fact, count in in_order)


# -- what changes, by groups


def _grouped(reminders: Iterable[Reminder], key_of: Callable[[Reminder], str]) -> dict[str, list[Reminder]]:
    groups: dict[str, list[Reminder]] = {}
    for one in reminders:
        groups.setdefault(key_of(one), []).append(one)
    return groups


def _changes(reminders: Iterable[Reminder]) -> Changed:
    """What changes among the reminders of a group, by what is shown."""
    told = [(one, _shown(one.before), _shown(one.after)) for one in reminders]
    new = [one for one, was, is_ in told if is_ and not was]
    gone = [one for one, was, is_ in told if was and not is_]
    before = {one.doctor for one, was, _ in told if was}
    return Changed(
        new=len(new),
        gone=len(gone),
        action=sum(was and is_ and one.before != one.after for one, was, is_ in told),
        new_fen=_money(new, "after"),
        gone_fen=_money(gone, "before"),
        doctors=len({one.doctor for one in new if one.doctor} - before),
    )


def _rule_row(rule_id: str, rule: RuleCount, known: Known, by_rule: Mapping[str, list[Reminder]]) -> Row:
    return Row(
        key=rule_id,
        rule_id=rule_id,
        title=known.title,
        class_id=known.class_id or rule.class_id,
        state=known.state,
        unconfirmed=known.unconfirmed,
        **_counts(rule),
        lacks=_lacks(rule.lacks),
        reminders=_changes(by_rule.get(rule_id, ())),
        examples=_examples(rule.newest),
        newest=rule.newest,
    )


def _examples(newest: Mapping[str, list[str]]) -> tuple[str, ...]:
    every = (ident for change in CHANGES for ident in newest.get(change, ()))
    return tuple(dict.fromkeys(every))[:EXAMPLES]


def _counts(rule: RuleCount) -> dict[str, Any]:
    """The figures of a rule that a row has under the same names."""
    names = ("newly", "gone", "changed", "changed_confirmed", "open_", "asks_before", "asks_after")
    return {name: getattr(rule, name) for name in names} | {side: dict(getattr(rule, side)) for side in SIDES}


def _tells(row: Row) -> bool:
    """Whether a rule has anything to tell: a change, or that it could not be replayed."""
    return bool(
        row.newly or row.gone or row.changed or row.changed_confirmed or row.open_ or row.asks_before != row.asks_after
    )


def _weight(row: Row) -> tuple[Any, ...]:
    """What changes most comes first."""
    return -(row.newly + row.gone + row.changed), -row.changed_confirmed, -row.open_, row.key


def _class_rows(tally: Tally, class_of: Mapping[str, str], reminders: Iterable[Reminder]) -> tuple[Row, ...]:
    """Classes: a decision counts once for each of its rules of the class that changes in it."""
    by_class = _grouped(reminders, lambda one: class_of.get(one.rule_id, ""))
    rules: dict[str, list[RuleCount]] = {}
    for rule_id, rule in tally.rules.items():
        rules.setdefault(class_of[rule_id], []).append(rule)
    rows = (_class_row(class_id, told, by_class.get(class_id, ())) for class_id, told in rules.items())
    return tuple(sorted(rows, key=_weight))


def _class_row(class_id: str, rules: Iterable[RuleCount], reminders: Iterable[Reminder]) -> Row:
    sums: Counter[str] = Counter()
    sides: dict[str, Counter[str]] = {side: Counter() for side in SIDES}
    for rule in rules:
        counts = _counts(rule)
        for side in SIDES:
            sides[side].update(counts.pop(side))
        sums.update(counts)
    told: dict[str, Any] = {**sums, **{side: dict(counts) for side, counts in sides.items()}}
    return Row(key=class_id, class_id=class_id, **told, reminders=_changes(reminders))


def _place_rows(places: Mapping[str, Place], reminders: Mapping[str, list[Reminder]]) -> tuple[Row, ...]:
    """Departments or doctors, those first whose interruptions change most."""
    rows = (_place_row(key, place, reminders.get(key, ())) for key, place in places.items())
    return tuple(
        sorted(rows, key=lambda row: (-abs(row.interruptions("after") - row.interruptions("before")), row.key))
    )


def _place_row(key: str, place: Place, reminders: Iterable[Reminder]) -> Row:
    sides: dict[str, Any] = {side: dict(getattr(place, side)) for side in SIDES}
    return Row(key=key, checks=place.checks, **sides, reminders=_changes(reminders))


def known_rules(
    before: Iterable[Rule], after: Iterable[Rule], judging: Iterable[str], unconfirmed: Iterable[str]
) -> dict[str, Known]:
    """What is known of each rule of two lists as of the day.

    Args:
        before: rules of the active list.
        after: rules of the coming one.
        judging: ids of those of the coming list that are judged for themselves, for they find otherwise.
        unconfirmed: ids of those of the coming list the office has not confirmed.
    """
    old, alone, held = {rule.id: rule for rule in before}, frozenset(judging), frozenset(unconfirmed)
    found = {rule.id: Known(title=rule.title, class_id=rule.class_id, state="gone") for rule in old.values()}
    for rule in after:
        state = "new" if rule.id not in old else "changed" if rule.id in alone else _worded(old[rule.id], rule)
        found[rule.id] = Known(title=rule.title, class_id=rule.class_id, state=state, unconfirmed=rule.id in held)
    return found


def _worded(old: Rule, new: Rule) -> str:
    return "same" if old == new else "worded"


def lists_of(known: Mapping[str, Known], later: int) -> Lists:
    """How two lists differ, counted."""
    states = Counter(one.state for one in known.values())
    return Lists(
        new=states["new"],
        gone=states["gone"],
        judging=states["changed"],
        worded=states["worded"],
        later=later,
        unconfirmed=sum(one.unconfirmed for one in known.values()),
    )
