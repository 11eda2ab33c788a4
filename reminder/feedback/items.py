"""Reading a feedback: from the JSON of ``RecordFeedbackRequest`` to parsed items, every wrong field named at once.

Transaction 3103 of the national interface makes its items itself (:mod:`reminder.national.feedback`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import Struct

from negative_list.dictionary import ImpossibleValueError, load, parse_time, parse_value, plain_text
from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.prescription import FactValue
from negative_list.readers.wording import EXPECTED_OBJECT, EXPECTED_OBJECTS, likely, no_fact, no_field
from negative_list.rules import DIAGNOSES
from reminder.journal.entries import DONE, Done
from reminder.reasons import standard

__all__ = ["MAX_ITEMS", "MAX_TEXT", "NEEDS_REASON", "Item", "Words", "read_words", "value_of"]

MAX_ITEMS = 1000
"""Items of one request."""

MAX_TEXT = 500
"""Characters of a reason's text: what clients of 3103 keep of ``dspo_way_rea`` (reference 4)."""

NEEDS_REASON: frozenset[Done] = frozenset({"overridden", "exited"})
"""What is not done without a coded reason."""

_MAX_ID = 64
_MAX_NAME = 200
_MAX_MS = 2**31 - 1
_REQUEST = ("request_id", "institution_id", "doctor_id", "items")
_ITEM = (
    "finding_id",
    "done",
    "reason_code",
    "reason_text",
    "fact",
    "value",
    "done_at",
    "answer_ms",
    "automatic",
    "refusable",
)
_ENUM = "done_"  # protobuf's own JSON writes DONE_CHANGED
_FLAGS: Mapping[object, bool] = {True: True, False: False, None: False, "": False}


class Item(Struct, frozen=True, kw_only=True):
    """What was done about one finding, as told.

    ``fact`` names what justifies it ("" : what the reason names), ``value`` is what the doctor says it is and
    ``found_at`` since when (civil). ``raw``: that value as it was told, where no fact was named with it: it is of the
    fact the reason names, which the finding's rule knows (:func:`value_of`). ``done_at`` is UTC, ``None``: now.
    ``refusable``: a text that says nothing may be refused. ``one_word``: told by somebody who has one word only for
    going on, and no codes (:mod:`reminder.feedback.one_word`).
    """

    finding_id: str
    done: Done
    reason_code: str = ""
    reason_text: str = ""
    fact: str = ""
    value: FactValue | None = None
    raw: object = None
    found_at: datetime | None = None
    done_at: datetime | None = None
    answer_ms: int | None = None
    automatic: bool = False
    refusable: bool = False
    one_word: bool = False


class Words(Struct, frozen=True, kw_only=True):
    """One request: who says it, and one word for each finding. ``face`` is what it came by."""

    request_id: str = ""
    institution_id: str = ""
    doctor_id: str = ""
    items: tuple[Item, ...] = ()
    face: str = ""


def read_words(body: Mapping[str, Any], zone: Callable[[str], tzinfo], face: str) -> Words:
    """The words of a request's JSON.

    Args:
        body: with the keys of ``RecordFeedbackRequest``; ``done`` is a word of :data:`reminder.journal.entries.DONE`.
        zone: whose civil time an institution's times are.
        face: what it came by.

    Raises:
        RequestError: Naming every field that cannot be used; ``LimitError`` where there are too many items.
    """
    rows = body.get("items")
    if isinstance(rows, list) and len(rows) > MAX_ITEMS:
        message = f"超过 {MAX_ITEMS} 项 (more than {MAX_ITEMS:,} items); 请分次发送 (send them in parts)"
        raise LimitError([FieldProblem(field="items", message=message)])
    reading = _Reading(body, "", zone(_institution(body)))
    words = Words(
        request_id=reading.name("request_id", _MAX_NAME),
        institution_id=reading.name("institution_id", _MAX_NAME),
        doctor_id=reading.name("doctor_id", _MAX_NAME),
        items=reading.items(rows),
        face=face,
    )
    reading.finish(_REQUEST)
    return words


def value_of(name: str, raw: object, zone: tzinfo) -> FactValue | None:
    """The value of a fact as a doctor told it, ``None`` where it means unknown; of the diagnoses: a code.

    Raises:
        ImpossibleValueError: It is no value of that fact.
    """
    return plain_text(raw) if name == DIAGNOSES else parse_value(load()[name], raw, zone)


def _institution(body: Mapping[str, Any]) -> str:
    told = body.get("institution_id")
    return told.strip() if isinstance(told, str) else ""


class _Reading:
    """One reading of an object: gathers problems under its path."""

    def __init__(self, row: Mapping[str, Any], path: str, zone: tzinfo) -> None:
        self._row = row
        self._path = path
        self._zone = zone
        self.problems: list[FieldProblem] = []

    def finish(self, known: tuple[str, ...]) -> None:
        """Raise what was found, fields that do not exist included."""
        self.strangers(known)
        if self.problems:
            raise RequestError(sorted(self.problems))

    def strangers(self, known: tuple[str, ...]) -> None:
        for key in self._row.keys() - set(known):
            self.wrong(str(key)[:_MAX_ID], no_field(str(key)[:_MAX_ID], known))

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(FieldProblem(field=f"{self._path}{key}", message=message))

    def name(self, key: str, longest: int, needed: str = "") -> str:
        """An id or a code; ``needed`` says what to do where there is none."""
        text = self.text(key, longest)
        if not text and needed:
            self.missing(key, needed)
        return text

    def missing(self, key: str, message: str) -> None:
        """A field that is needed has nothing to be read; one that cannot be used was named already."""
        field = f"{self._path}{key}"
        if all(problem.field != field for problem in self.problems):
            self.wrong(key, message)

    def text(self, key: str, longest: int) -> str:
        raw = self._row.get(key)
        try:
            text = plain_text(raw) if raw is not None else ""
        except ImpossibleValueError as error:
            self.wrong(key, f"{error} (no text); 请改正 (mend it)")
            return ""
        if len(text) > longest:
            self.wrong(key, f"超过 {longest} 个字符 (longer than {longest} characters); 请缩短 (shorten it)")
            return ""
        return text

    def items(self, rows: object) -> tuple[Item, ...]:
        """Every item that can be used; the problems of the others are told with their places."""
        if not isinstance(rows, list) or not rows:
            self.wrong("items", EXPECTED_OBJECTS if rows else _NO_ITEMS)
            return ()
        return tuple(item for place, row in enumerate(rows) if (item := self._one(row, place)) is not None)

    def _one(self, row: object, place: int) -> Item | None:
        if not isinstance(row, dict):
            self.wrong(f"items[{place}]", EXPECTED_OBJECT)
            return None
        reading = _Reading(row, f"{self._path}items[{place}].", self._zone)
        item = reading.item()
        reading.strangers(_ITEM)
        self.problems += reading.problems
        return item

    def item(self) -> Item | None:
        """The item of this object, where its finding and what was done are told."""
        finding_id = self.name("finding_id", _MAX_ID, "缺少 (missing); 请给出提示中的编号 (give that of the finding)")
        done = self._done()
        value, raw, found_at = self._value()
        told: dict[str, Any] = {
            "reason_code": self.name("reason_code", _MAX_ID),
            "reason_text": self.text("reason_text", MAX_TEXT),
            "fact": self._fact(),
            "value": value,
            "raw": raw,
            "found_at": found_at,
            "done_at": self._moment("done_at"),
            "answer_ms": self._milliseconds(),
            "automatic": self._flag("automatic"),
            "refusable": self._flag("refusable"),
        }
        if done is None:
            return None
        self._needs(done, told["reason_code"], told["reason_text"])
        return Item(finding_id=finding_id, done=done, **told)

    def _done(self) -> Done | None:
        told = self.text("done", _MAX_ID).lower().removeprefix(_ENUM)
        known = {word: word for word in DONE}
        if told in known:
            return known[told]
        if told:
            hint = likely(told, DONE) or f"请用 {', '.join(DONE)} 之一 (use one of these)"
            self.wrong("done", f"没有处理方式 `{told}` (nothing is done so); {hint}")
        else:
            self.missing("done", f"缺少 (missing); 请用 {', '.join(DONE)} 之一 (give one of these)")
        return None

    def _needs(self, done: Done, code: str, text: str) -> None:
        """A coded reason where one is needed, and words where the code asks for them."""
        if done in NEEDS_REASON and not code:
            self.missing("reason_code", _NO_REASON)
        usual = standard().get(code)
        if usual is not None and usual.text and not text:
            self.missing("reason_text", f"理由 `{code}` 需要写明 (`{code}` needs words); 请写明原因 (say which reason)")

    def _fact(self) -> str:
        name = self.text("fact", _MAX_ID)
        if not name or name == DIAGNOSES:
            return name
        if name not in load():
            self.wrong("fact", no_fact(name, load()))
        elif load()[name].private:
            self.wrong(
                "fact", f"`{name}` 是隐私，从不保存或查询 (private, never kept or looked up); 请删除 (take it out)"
            )
        elif not load()[name].settable:
            self.wrong("fact", f"`{name}` 是请求自身的内容 (belongs to the body); 请用其他事实 (name another fact)")
        else:
            return name
        return ""

    def _value(self) -> tuple[FactValue | None, object, datetime | None]:
        """The value told with the fact; as it was told, where only the reason names the fact; and since when."""
        raw = self._row.get("value")
        found_at: object = None
        if isinstance(raw, dict):
            found_at, raw = raw.get("at"), raw.get("value")
        elif raw == "":
            raw = None
        name = self._row.get("fact")
        if raw is None or (name and not self._is_fact(name)):
            return None, None, None
        if name:
            return self._told(str(name), raw), None, self._civil("value.at", found_at)
        if not self._row.get("reason_code"):
            self.wrong("value", _NO_FACT)
        return None, raw, self._civil("value.at", found_at)

    def _is_fact(self, name: object) -> bool:
        return isinstance(name, str) and (name == DIAGNOSES or name in load())

    def _told(self, name: str, raw: object) -> FactValue | None:
        try:
            return value_of(name, raw, self._zone)
        except ImpossibleValueError as error:
            self.wrong("value", f"不是 `{name}` 的值：{error} (no value of it); 请改正 (mend it)")
            return None

    def _civil(self, key: str, raw: object) -> datetime | None:
        try:
            told = parse_time(raw, self._zone) if raw is not None else None
        except ImpossibleValueError as error:
            self.wrong(key, f"{error} (no time); 请写成 2026-01-31 09:00:00 (write it like that)")
            return None
        return told[0] if told else None

    def _moment(self, key: str) -> datetime | None:
        """A civil time as an instant, UTC."""
        civil = self._civil(key, self._row.get(key))
        try:
            return civil.replace(tzinfo=self._zone).astimezone(UTC) if civil else None
        except OverflowError:
            self.wrong(key, f"`{civil}` 超出范围 (out of range); 请改正 (mend it)")
            return None

    def _milliseconds(self) -> int | None:
        raw = self._row.get("answer_ms")
        if raw is None or (isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= _MAX_MS):
            return raw
        self.wrong("answer_ms", "应为毫秒数 (expected whole milliseconds); 请改正或删除 (mend it or leave it out)")
        return None

    def _flag(self, key: str) -> bool:
        raw = self._row.get(key)
        if isinstance(raw, bool | str | None) and raw in _FLAGS:
            return _FLAGS[raw]
        self.wrong(key, "应为 true 或 false (expected true or false); 请改正 (mend it)")
        return False


_NO_ITEMS = "没有内容 (nothing is told); 请为每个提示给出一项 (give one for each finding)"
_NO_FACT = "没有说明是哪个事实 (of no fact); 请给出 `fact` (name the fact)"
_NO_REASON = "缺少理由代码 (missing); 请选择理由，都不合适时用 `other` 并写明 (give one, or `other` with words)"
