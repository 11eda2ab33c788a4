"""The little language of the examples in docs/compliance.md: what happened in a hospital, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reminder.compliance.period import period_of
from reminder.ids import reminder_id
from reminder.journal.base import Kind, Row
from reminder.journal.brief import (
    Brief,
    DecisionBrief,
    FeedbackBrief,
    FoundBrief,
    LineBrief,
    SavedBrief,
    encode_brief,
)

if TYPE_CHECKING:
    from reminder.compliance.records import Reminder

__all__ = ["JANUARY", "ZONE", "Expected", "Story", "fen", "row", "story"]

ZONE = timezone(timedelta(hours=8))
ENCOUNTER = "E1"
DAY = "2026-01-05"

JANUARY = period_of(date(2026, 1, 1), date(2026, 2, 1), ZONE)

_EVENT = re.compile(
    r"(?:(?P<day>(?:\d{4}-)?\d\d-\d\d) )?(?P<time>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)"
    r" (?P<what>check|feedback|saved) (?P<name>[^:]*?)(?:: *(?P<rest>.*))?$"
)
_MONEY = re.compile(r"¥(\d+)\.(\d\d)")


class Expected(Struct, frozen=True, kw_only=True):
    """What an example says of one reminder: outcome, source, and what else it names."""

    rule: str
    item: str
    words: tuple[str, ...]

    def says(self, one: Reminder) -> tuple[str, ...]:
        """A reminder in the words of examples; the amount only where this one names it."""
        told: list[str] = [one.outcome, one.source]
        told += [f"disagrees={one.disagrees}"] if one.disagrees else []
        told += ["intercepted"] if one.intercepted else []
        if one.intercepted and self.words[-1].startswith("¥"):
            told.append(f"¥{one.intercepted_fen // 100}.{one.intercepted_fen % 100:02}")
        return tuple(told)


class Story(Struct, frozen=True, kw_only=True):
    """An example: the entries it tells, and what has to come of them."""

    rows: tuple[Row, ...]
    reminders: tuple[Expected, ...]
    figures: tuple[str, ...]


def story(text: str) -> Story:
    """Read an example."""
    teller, reminders, figures = _Teller(), [], []
    for line in text.splitlines():
        said, _, rest = line.partition("= ")
        if said:
            teller.tell(line)
        elif ":" in rest:
            name, _, words = rest.partition(":")
            rule, item = name.split(" ")
            reminders.append(Expected(rule=rule, item=item, words=tuple(words.split())))
        else:
            figures += rest.split(", ")
    rows = tuple(sorted(teller.rows, key=lambda one: (one.institution_id, one.encounter_key, one.at)))
    return Story(rows=rows, reminders=tuple(reminders), figures=tuple(figures))


def fen(text: str) -> int:
    """Money as examples write it."""
    yuan, cents = _MONEY.fullmatch(text.strip()).groups()  # type: ignore[union-attr] # else the example is wrong
    return int(yuan) * 100 + int(cents)


def row(kind: Kind, at: datetime, brief: Brief | None, seq: int, **more: Any) -> Row:
    """An entry as a store gives it to a report."""
    told = {"institution_id": "H1", "encounter_key": ENCOUNTER} | more
    data = encode_brief(brief) if brief is not None else b""
    return Row(kind=kind, at=at, brief=data, body=b"", chain="c", seq=seq, hash=bytes(32), **told)


class _Teller:
    """Makes entries of the lines of an example."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.found: dict[tuple[str, str, str], FoundBrief] = {}

    def tell(self, line: str) -> None:
        """One line of an example."""
        told = _EVENT.match(line)
        assert told is not None, f"no event: {line}"
        at = _instant(told["day"], told["time"])
        name, *options = told["name"].split()
        getattr(self, f"_{told['what']}")(at, name, options, told["rest"] or "")

    def _add(self, kind: Kind, at: datetime, brief: Brief, decision: str = "") -> None:
        self.rows.append(row(kind, at, brief, len(self.rows) + 1, decision_id=decision))

    def _check(self, at: datetime, name: str, options: Sequence[str], rest: str) -> None:
        lines_text, _, found_text = rest.partition("->")
        lines = tuple(_lines(lines_text))
        chosen = _chosen(options)
        day = _civil(at).date().isoformat()
        found = tuple(self._found(name, text.split(), lines, day) for text in found_text.split(",") if text.strip())
        brief = DecisionBrief(
            zone_minutes=480,
            decision="warn" if found else "pass",
            scene=_words(chosen.get("scene")),
            diagnoses=_words(chosen.get("diagnoses")),
            undecided=_words(chosen.get("undecided")),
            release=chosen.get("release", ""),
            complete="only-new" not in options,
            unread="unread" in options,
            doctor=chosen.get("doctor", ""),
            lines=lines,
            found=found,
        )
        self._add("decision", at, brief, name)

    def _found(self, check: str, words: Sequence[str], lines: Sequence[LineBrief], day: str) -> FoundBrief:
        rule, item, *more = words
        items = item.split("+")
        places = tuple(place for place, line in enumerate(lines) if line.item in items and line.current)
        about = [(lines[place].item, lines[place].order_date or day) for place in places] or [("", day)]
        ids = tuple(reminder_id(ENCOUNTER, rule, *one) for one in about)
        amount = next((fen(word) for word in more if word.startswith("¥")), None)
        found = FoundBrief(
            finding_id=f"{check}-{rule}-{item}",
            rule_id=rule,
            class_id="R01",
            own_action="warn",
            action="warn",
            shown="shadow" not in more,
            unknown="unknown" in more,
            exited="exited" in more,
            fund_only=False,
            addressee="doctor",
            lines=places,
            amount_fen=amount,
            reminders=ids,
        )
        self.found[check, rule, item] = found
        return found

    def _feedback(self, at: datetime, name: str, options: Sequence[str], rest: str) -> None:
        rule, item = options
        done, *more = rest.split()
        chosen, found = _chosen(more), self.found[name, rule, item]
        brief = FeedbackBrief(
            finding_id=found.finding_id,
            known=True,
            rule_id=rule,
            class_id=found.class_id,
            reminders=found.reminders,
            done=done,  # type: ignore[arg-type] # else the example is wrong
            done_at=_instant(*_told_at(chosen["done"])) if "done" in chosen else at,
            reason_code=chosen.get("reason", ""),
            has_text="text" in more or "junk" in chosen,
            junk=chosen.get("junk", ""),
            verdict=chosen.get("verdict", ""),  # type: ignore[arg-type] # else the example is wrong
            doctor=chosen.get("doctor", ""),
            automatic="automatic" in more,
            answer_ms=int(chosen["ms"]) if "ms" in chosen else None,
        )
        self._add("feedback", at, brief, name)

    def _saved(self, at: datetime, name: str, options: Sequence[str], rest: str) -> None:
        prescription, _, revision = name.partition(".")
        diagnoses = _words(_chosen(options).get("diagnoses"))
        brief = SavedBrief(
            zone_minutes=480,
            prescription_id=prescription,
            revision=int(revision),
            saved_at=at,
            diagnoses=diagnoses,
            lines=tuple(_lines(rest)),
        )
        self._add("saved", at, brief)


def _lines(text: str) -> Iterator[LineBrief]:
    for place, part in enumerate((one.split() for one in text.split("/") if one.strip()), start=1):
        item, quantity, *more = part
        chosen = _chosen(more)
        yield LineBrief(
            id=chosen.get("id", f"#{place}"),
            item=item,
            name=item,
            order_date=next((_date(word[1:]) for word in more if word.startswith("@")), ""),
            current="in-force" not in more,
            quantity=quantity,
            days=chosen.get("days", ""),
            amount_fen=next((fen(word) for word in more if word.startswith("¥")), None),
            paid_by="self" if "self" in more else "",
        )


def _chosen(words: Sequence[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words if "=" in word)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _date(text: str) -> str:
    return text if len(text) == len(DAY) else f"2026-{text}"


def _instant(day: str | None, time: str) -> datetime:
    return datetime.fromisoformat(f"{_date(day) if day else DAY} {time}").replace(tzinfo=ZONE).astimezone(UTC)


def _civil(at: datetime) -> datetime:
    return at.astimezone(ZONE)


def _told_at(text: str) -> tuple[str | None, str]:
    """Day and time of "09:05" or of "01-06T09:05"."""
    day, _, time = text.rpartition("T")
    return day or None, time
