"""The doctors' points (医保支付资格记分): a ledger whose every state is a pure function of its events.

An event is what the office entered or was told, dated at the decision. Points count in a natural year and are cleared
with it; so many of them mean a talk, suspend the payment qualification, or end it (``points.toml``). Voiding is an
event too: nothing is taken out. Reminders are no points, and nothing here reads one.

Source: the national measures on payment qualification (医保支付资格管理), as given in ``rule_families.md``, section 9.
"""

from __future__ import annotations

import calendar
import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.errors import DataError, Problem
from negative_list.readers.stored import StoreFact

if TYPE_CHECKING:
    from reminder.journal.entries import PointsEvent

__all__ = [
    "MOST_POINTS",
    "OWN_RULES",
    "SOURCE",
    "Band",
    "Event",
    "Rules",
    "Standing",
    "State",
    "band_of",
    "event_id",
    "events_of",
    "facts_of",
    "read_rules",
    "standing",
    "standings",
]

MOST_POINTS = 12
"""The most points one event may give."""

SOURCE = "points ledger"
"""The source of the facts that follow from the ledger."""

OWN_RULES = "points.toml"
"""The hospital's own rules, in the data folder."""

State: TypeAlias = Literal["ok", "talk", "suspended", "ended"]
"""What a doctor's points come to on a day, the worst last."""

_FACT_STATES: Mapping[State, str] = {"ok": "active", "talk": "active", "suspended": "suspended", "ended": "ended"}
_DECEMBER = 12


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How points become a state; ``points.toml`` says where each value comes from."""

    talk_at: int
    suspended_at: int
    ended_at: int
    suspended_least_months: int
    suspended_most_months: int
    ended_years: int
    ended_at_once_years: int
    repair_most: int


class Band(Struct, frozen=True, kw_only=True):
    """What so many points of one event are called."""

    least: int
    most: int
    zh: str
    en: str


class Event(Struct, frozen=True, kw_only=True, order=True):
    """What the latest word about an event says, as days.

    ``points`` above 0 were given, below 0 taken back by an activity; 0: the doctor was admitted again. ``until``: last
    day of the suspension the decision names.
    """

    decided_on: date
    event_id: str
    doctor_id: str
    points: int
    until: date | None = None
    why: str = ""
    by: str = ""
    voided: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Where a doctor stands on ``on``.

    ``since``: the day of the event that led to the state (``None`` for ``ok``); ``until``: the last day of a
    suspension; ``may_apply_from``: the first day on which who has ended may apply to be admitted again.
    """

    doctor_id: str
    on: date
    points: int
    state: State
    since: date | None = None
    until: date | None = None
    may_apply_from: date | None = None


class _Table(Struct, frozen=True, kw_only=True):
    rules: Rules
    bands: tuple[Band, ...]


@cache
def _shipped() -> _Table:
    text = (resources.files("reminder.office") / OWN_RULES).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


def read_rules(own: Path | None = None) -> Rules:
    """The shipped rules, with what the hospital's own file says otherwise (where there is one).

    Raises:
        DataError: The file cannot be used.
    """
    shipped = _shipped().rules
    if own is None or not own.exists():
        return shipped
    try:
        told = tomllib.loads(own.read_text(encoding="utf-8-sig")).get("rules", {})
        return msgspec.convert(msgspec.structs.asdict(shipped) | told, Rules)
    except (OSError, ValueError, TypeError) as error:
        message = f"the rules of the points ledger cannot be read ({error}); write `[rules]` and numbers"
        raise DataError([Problem(file=str(own), message=message)]) from None


def band_of(points: int) -> Band | None:
    """What so many points of one event are called; ``None`` for none."""
    return next((band for band in _shipped().bands if band.least <= points <= band.most), None)


def event_id(doctor_id: str, decided_on: str, points: int, why: str) -> str:
    """The id of an event that came without one: the same event told again is the same."""
    text = "\x1f".join((doctor_id, decided_on, str(points), why))
    return "E" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:15]


def events_of(entries: Iterable[PointsEvent]) -> tuple[Event, ...]:
    """The events as the latest entry of each tells them (voided ones too), by day; entries come in their order."""
    latest = {entry.event_id: entry for entry in entries}
    return tuple(sorted(_event(entry) for entry in latest.values()))


def _event(entry: PointsEvent) -> Event:
    return Event(
        decided_on=date.fromisoformat(entry.decided_on),
        event_id=entry.event_id,
        doctor_id=entry.doctor_id,
        points=entry.points,
        until=date.fromisoformat(entry.until) if entry.until else None,
        why=entry.why,
        by=entry.by,
        voided=entry.voided,
    )


def standings(events: Iterable[Event], on: date, rules: Rules) -> tuple[Standing, ...]:
    """Where every doctor of the ledger stands on a day, by id."""
    return tuple(standing(own, doctor, on, rules) for doctor, own in sorted(_by_doctor(events).items()))


def _by_doctor(events: Iterable[Event]) -> dict[str, list[Event]]:
    own: dict[str, list[Event]] = {}
    for event in events:
        own.setdefault(event.doctor_id, []).append(event)
    return own


def standing(events: Iterable[Event], doctor_id: str, on: date, rules: Rules) -> Standing:
    """Where one doctor stands on a day, from the doctor's own events in their order."""
    run = _Run(rules)
    for event in events:
        if not event.voided and event.decided_on <= on:
            run.add(event)
    return run.standing(doctor_id, on)


class _Run:
    """The events of one doctor, one after the other."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._year = 0
        self._given = self._back = self._gravest = 0
        self._talked: date | None = None
        self._suspended: tuple[date, date] | None = None
        self._ended: tuple[date, date] | None = None

    @property
    def _points(self) -> int:
        """What counts of the year: given, less what was taken back, as far as the rules allow."""
        return max(0, self._given - min(self._back, self._rules.repair_most))

    def add(self, event: Event) -> None:
        """One more event."""
        if event.decided_on.year != self._year:
            self._begin(event.decided_on.year)
        if event.points == 0:
            self._begin(event.decided_on.year)
            self._suspended = self._ended = None
            return
        self._given += max(0, event.points)
        self._back += max(0, -event.points)
        self._gravest = max(self._gravest, event.points)
        if event.points > 0:
            self._judge(event)

    def _begin(self, year: int) -> None:
        self._year, self._given, self._back, self._gravest, self._talked = year, 0, 0, 0, None

    def _judge(self, event: Event) -> None:
        rules, day = self._rules, event.decided_on
        if self._ended is None and self._points >= rules.ended_at:
            years = rules.ended_at_once_years if self._gravest >= rules.ended_at else rules.ended_years
            self._ended = (day, _months_after(day, 12 * years))
        elif self._points >= rules.suspended_at:
            until = event.until or self._usual_end(day)
            last = self._suspended[1] if self._suspended else until
            since = self._suspended[0] if self._suspended and last >= day else day
            self._suspended = (since, max(last, until))
        if rules.talk_at and self._points >= rules.talk_at:
            self._talked = self._talked or day

    def _usual_end(self, day: date) -> date:
        """The last day of a suspension that was decided without one: with the year, within what the rules allow."""
        least, most = (
            _months_after(day, months) - timedelta(days=1)
            for months in (self._rules.suspended_least_months, self._rules.suspended_most_months)
        )
        return min(max(date(day.year, _DECEMBER, 31), least), most)

    def standing(self, doctor_id: str, on: date) -> Standing:
        """What it comes to on a day not before the last event."""
        points = self._points if on.year == self._year else 0
        now = Standing(doctor_id=doctor_id, on=on, points=points, state="ok")
        replace = msgspec.structs.replace
        if self._ended is not None:
            return replace(now, state="ended", since=self._ended[0], may_apply_from=self._ended[1])
        if self._suspended is not None and on <= self._suspended[1]:
            return replace(now, state="suspended", since=self._suspended[0], until=self._suspended[1])
        if self._rules.talk_at and points >= self._rules.talk_at:
            return replace(now, state="talk", since=self._talked)
        return now


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# -- the facts that follow


def facts_of(events: Iterable[Event], rules: Rules) -> tuple[StoreFact, ...]:
    """The facts of the dictionary that follow from the ledger, for the fact store.

    Points, state and the last day of a suspension, each valid from the day of an event (a voided one too: what it once
    said is told anew under the same day) and from the first of January after it, when points are cleared. Points hold
    until the year's end, a state until then or its own end; who has ended stays so until admitted again. None outlasts
    the next day of the ledger, which tells everything anew.
    """
    return tuple(fact for doctor, own in sorted(_by_doctor(events).items()) for fact in _facts(doctor, own, rules))


def _facts(doctor: str, events: list[Event], rules: Rules) -> Iterator[StoreFact]:
    days = sorted({day for event in events for day in (event.decided_on, date(event.decided_on.year + 1, 1, 1))})
    for day, following in zip(days, [*days[1:], None], strict=True):
        yield from _facts_from(standing(events, doctor, day, rules), following)


def _facts_from(now: Standing, following: date | None) -> Iterator[StoreFact]:
    """What holds from the day of a standing on, up to the following day of the ledger where there is one."""
    year_end = date(now.on.year + 1, 1, 1)
    end: date | None = year_end
    if now.until is not None:
        end = max(year_end, now.until + timedelta(days=1))
        yield _fact(now, "line.doctor_state_until", now.until, _first(end, following))
    elif now.state == "ended":
        end = None
    yield _fact(now, "line.doctor_points", now.points, _first(year_end, following))
    yield _fact(now, "line.doctor_state", _FACT_STATES[now.state], _first(end, following))


def _first(*days: date | None) -> date | None:
    """The first of the days there are."""
    return min((day for day in days if day is not None), default=None)


def _fact(now: Standing, name: str, value: int | str | date, end: date | None) -> StoreFact:
    return StoreFact(
        subject=now.doctor_id,
        fact=name,
        value=value,
        valid_from=datetime.combine(now.on, time()),
        expires=datetime.combine(end, time()) if end else None,
        source=SOURCE,
    )
