"""Transaction 3103: what was done about findings, as one word of a doctor for each (reference 4).

The interface has two words, 1 继续执行 and 2 返回修改, and a reason in words. It names neither who says it nor when;
that is the envelope's ``opter`` and ``inf_time``. What a word means for its finding is decided where the finding is
known (:mod:`reminder.feedback.one_word`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.dictionary import ImpossibleValueError, parse_time, plain_text
from negative_list.errors import FieldProblem, RequestError
from reminder.feedback.items import MAX_ITEMS, MAX_TEXT, Item, Words
from reminder.feedback.one_word import OTHER
from reminder.unchecked import PREFIX

if TYPE_CHECKING:
    from negative_list.readers.dialects import Form
    from reminder.feedback.words import Recorded
    from reminder.journal.entries import Done

__all__ = ["FACE", "Told", "output_of", "read_told"]

FACE = "3103"
"""The face such words come by."""

_WAYS: Mapping[str, Done] = {
    "1": "overridden",
    "2": "changed",
    "继续执行医嘱": "overridden",
    "继续执行": "overridden",
    "返回修改医嘱": "changed",
    "返回修改": "changed",
}
"""4 dspo_way; a client writes the labels in place of the codes (5.5, S13)."""

_WARNS = "input.data.warns"
_NO_WARNS = "缺少处理数据 (nothing is told); 请为每条提示给出一项 (give one for each finding)"
_NO_WAY = "应为 1（继续执行）或 2（返回修改） (expected 1, to go on, or 2, to go back); 请改正 (mend it)"
_NO_ID = "缺少违规标识 (missing); 请给出 3101 返回的 jr_id (give the jr_id of the reply)"
_NO_REASON = frozenset({"null", "undefined", "none"})
"""What a program writes where nobody typed."""
_MAX_ID, _MAX_NAME = 64, 200
_LATE = timedelta(minutes=1)
"""What was said so much before it came was said then; less may be two clocks."""


class Told(Struct, frozen=True, kw_only=True):
    """A 3103 as it was read.

    ``words`` are what was said of findings, ``unchecked`` the ids of prescriptions that were not checked (a client that
    was told by a finding answers it like any other), ``theirs`` the ids of findings that are the bureau's, whatever was
    said of them, ``wrong`` what could not be used.
    """

    words: Words
    unchecked: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    wrong: tuple[FieldProblem, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the findings, in order."""
        return tuple(item.finding_id for item in self.words.items)


def read_told(
    form: Form, arrived: datetime, *, automatic: bool = False, is_theirs: Callable[[str], bool] | None = None
) -> Told:
    """The words of a 3103.

    Args:
        form: the body in national form.
        arrived: when it came, with the zone of the institution's civil times.
        automatic: the caller's system sends it by itself.
        is_theirs: whether a finding of this id is the bureau's, which has words of its own; ``None``: there is none.

    Raises:
        RequestError: Nothing of it can be used.
    """
    body = form.body
    rows = _rows(body)
    if not rows:
        raise RequestError(form.problems([FieldProblem(field=_WARNS, message=_NO_WARNS)]))
    reading = _Reading(_moment(body.get("inf_time"), arrived), automatic=automatic)
    theirs, ours = _divided(rows, is_theirs)
    items = [item for place, row in ours[:MAX_ITEMS] if (item := reading.item(row, place)) is not None]
    wrong = form.problems([*reading.wrong, *_over(ours)])
    if not items and not theirs:
        raise RequestError(wrong)
    words = Words(
        request_id=_text(body.get("msgid"))[:_MAX_NAME],
        institution_id=_text(body.get("fixmedins_code"))[:_MAX_NAME],
        doctor_id=_text(body.get("opter"))[:_MAX_NAME],
        items=tuple(item for item in items if not item.finding_id.startswith(PREFIX)),
        face=FACE,
    )
    unchecked = tuple(item.finding_id for item in items if item.finding_id.startswith(PREFIX))
    return Told(words=words, unchecked=unchecked, theirs=theirs, wrong=tuple(wrong))


def output_of(told: Told, recorded: Recorded | None) -> dict[str, Any]:
    """What became of it, in fields of ours that old clients ignore.

    Args:
        told: as it was read.
        recorded: what became of the words about our findings; ``None`` where there were none.
    """
    items = [] if recorded is None else list(recorded.items)
    unknown = [answer.finding_id for answer in items if answer.status == "unknown_finding"]
    return {
        "items": items,
        "unknown": unknown,
        "unchecked": told.unchecked,
        "bureau": told.theirs,
        "error": told.wrong,
        "journaled": recorded is None or recorded.journaled,
    }


class _Reading:
    """One reading: gathers what cannot be used."""

    def __init__(self, done_at: datetime | None, *, automatic: bool) -> None:
        self._done_at = done_at
        self._automatic = automatic
        self.wrong: list[FieldProblem] = []

    def item(self, row: object, place: int) -> Item | None:
        """The word about one finding; a reason that is too long is cut, as the interface never said how long it is."""
        told = row if isinstance(row, dict) else {}
        where = f"{_WARNS}[{place}]"
        finding_id, way = (_text(told.get(name)) for name in ("warn_rslt_id", "dspo_way"))
        if not finding_id or len(finding_id) > _MAX_ID:
            self.wrong.append(FieldProblem(field=f"{where}.warn_rslt_id", message=_NO_ID))
            return None
        if way not in _WAYS:
            self.wrong.append(FieldProblem(field=f"{where}.dspo_way", message=_NO_WAY))
            return None
        reason = _words(told.get("dspo_way_rea"))
        return Item(
            finding_id=finding_id,
            done=_WAYS[way],
            reason_code=OTHER if reason else "",
            reason_text=reason,
            done_at=self._done_at,
            automatic=self._automatic,
            one_word=True,
        )


def _rows(body: Mapping[str, object]) -> list[object]:
    told = body.get("input")
    data = told.get("data") if isinstance(told, dict) else None
    warns = data.get("warns") if isinstance(data, dict) else None
    return warns if isinstance(warns, list) else [warns] if isinstance(warns, dict) else []


def _divided(
    rows: Sequence[object], is_theirs: Callable[[str], bool] | None
) -> tuple[tuple[str, ...], list[tuple[int, object]]]:
    """The ids of the bureau's findings, and every other row with its place."""
    if is_theirs is None:
        return (), list(enumerate(rows))
    theirs: dict[str, None] = {}
    ours: list[tuple[int, object]] = []
    for place, row in enumerate(rows):
        finding_id = _text(row.get("warn_rslt_id")) if isinstance(row, dict) else ""
        if finding_id and not finding_id.startswith(PREFIX) and is_theirs(finding_id):
            theirs[finding_id] = None
        else:
            ours.append((place, row))
    return tuple(theirs), ours


def _over(rows: Sequence[tuple[int, object]]) -> list[FieldProblem]:
    if len(rows) <= MAX_ITEMS:
        return []
    message = f"超过 {MAX_ITEMS} 项，其余未处理 (more than {MAX_ITEMS:,}, the rest not taken); 请分次发送 (send parts)"
    return [FieldProblem(field=f"{_WARNS}[{rows[MAX_ITEMS][0]}]", message=message)]


def _moment(raw: object, arrived: datetime) -> datetime | None:
    """When it was said, where it comes late: the clock of the envelope tells seconds, and is the caller's own."""
    try:
        told = parse_time(raw, arrived.tzinfo) if raw is not None and arrived.tzinfo is not None else None
        moment = _within(*told).replace(tzinfo=arrived.tzinfo) if told else arrived
        return moment.astimezone(UTC) if arrived - moment > _LATE else None
    except (ImpossibleValueError, OverflowError):
        return None


def _within(moment: datetime, has_clock: bool) -> datetime:
    """When something was said; on a day that is told alone after all that was found then, for it may answer that."""
    return moment if has_clock else moment.replace(hour=23, minute=59, second=59)


def _words(value: object) -> str:
    """What somebody typed, a line break as a blank, cut to what is kept of a reason; "" where nothing was.

    A dash is what clients write into every empty field (2.8), and a reason lifts a block: one needs a letter or digit.
    """
    told = value if isinstance(value, str) else _text(value)
    typed = " ".join("".join(each if each.isprintable() else " " for each in told[: 4 * MAX_TEXT]).split())[:MAX_TEXT]
    return typed if any(map(str.isalnum, typed)) and typed.lower() not in _NO_REASON else ""


def _text(value: object) -> str:
    """A text, "" where it is none or a placeholder stands for it."""
    try:
        return plain_text(value) if value is not None else ""
    except ImpossibleValueError:
        return ""
