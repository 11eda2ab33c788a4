"""The lines of a conforming bill, as an honest clerk writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from negative_list.codes import structure
from negative_list.prescription import FactValue, Line

if TYPE_CHECKING:
    from random import Random

    from tests.silence.points import Points
    from tests.silence.wishes import Wish

__all__ = ["HARMLESS", "Bill"]

HARMLESS = (
    ("XJ01CAA040E001010109991", "阿莫西林胶囊"),
    ("XA11DAW036A001010109992", "维生素B1片"),
    ("XM01AEB181A012010109993", "布洛芬缓释片"),
    ("XC07ABM064A001010109994", "美托洛尔片"),
    ("ZA01AAL0123010109995", "连花清瘟胶囊"),
    ("009910200010000", "普通门诊诊查费"),
    ("009950101010000", "血细胞分析"),
    ("009950102010000", "尿液分析"),
    ("C9901010010000100001", "一次性使用无菌注射器"),
)
"""Codes of national structure that no list names, with their items."""

_HERBS = (("T991700001", "甘草片"), ("T991700002", "茯苓"), ("T991700003", "炒白术"))


class Use(Struct, frozen=True, kw_only=True):
    """One use of an item: now unless it says when it ``begins``, at a ``share`` of the listed price."""

    quantity: int = 1
    days: int = 1
    begins: datetime | None = None
    share: Decimal = Decimal(1)
    facts: Mapping[str, FactValue] = {}


class Bill:
    """The lines of one encounter as they are written, and the patient's earlier ones elsewhere."""

    def __init__(self, points: Points, at: datetime, rng: Random, *, mode: str, bare: bool) -> None:
        self.points, self.at, self.rng, self.mode, self.bare = points, at, rng, mode, bare
        self.lines: list[Line] = []
        self.past: list[Line] = []
        self.onset_before: datetime | None = None
        self.planned: set[str] = set()

    def add(self, code: str, wish: Wish) -> None:
        """The item as the wish wants it, with what must or may stand around it."""
        if not self.bare:
            self._add_earlier(code, wish)
        facts: dict[str, FactValue] = {"line.paid_by": "self"} if wish.self_paid else {}
        if wish.groups:
            facts["line.incision"] = "1"
        quantity = (wish.most or (1 if structure(code) == "service" else self.rng.randint(1, 3))) - self._billed(code)
        days = min(wish.course_days or 30, 1 if self.mode == "inpatient" else 7)
        self._write(code, self._name(code), Use(quantity=quantity, days=days, facts=facts))
        if wish.onset:
            self.onset_before = min(line.begins for line in self.lines if code in line.codes and line.begins)
        if wish.herb and not self.bare:
            self._write(*self.rng.choice(_HERBS), Use(quantity=10, days=days))
        if wish.groups and not self.bare and self.rng.random() < 0.4:
            self._add_operation(wish)

    def add_harmless(self) -> None:
        """An item no point in force names, now and then one that a withdrawn point named."""
        withdrawn = self.points.ended and self.rng.random() < 0.2
        code, name = self.rng.choice(self.points.ended if withdrawn else HARMLESS)
        self._write(code, name, Use(days=3))

    def add_apart(self) -> None:
        """Sometimes, once all is written, the other item of a pair, outside the window in which the two go together."""
        current = {line.codes[0] for line in self.lines}
        pairs = [p for p in self.points.pairs if p.window and current & {*p.med_codes}]
        if not pairs or self.mode != "inpatient" or self.rng.random() < 0.4:
            return
        point = self.rng.choice(pairs)
        other = next((held for held in point.med_codes if held not in current), "")
        if sum(other in pair and bool(pair & current) for pair in self.points.apart) != 1:
            return
        hours = {"单日": 24 + self.at.hour % 5, "6小时": 7, "同一小时": 2}.get(str(point.window))
        if hours is None:
            self._elsewhere(other, 3)
        else:
            self._write(other, self._name(other), Use(begins=self.at - timedelta(hours=hours)))

    def _name(self, code: str) -> str:
        point = self.points.by_code[code][0]
        names = point.item_name.split("×")
        return names[min(point.med_codes.index(code), len(names) - 1)]

    def _add_earlier(self, code: str, wish: Wish) -> None:
        """Earlier uses of the item, as many and as near as its limits allow."""
        if wish.gap_days:
            self._elsewhere(code, wish.gap_days)
        elif wish.course_days and self.mode == "inpatient":
            for ago in range(1, 1 + min(wish.course_days - 1, self.rng.randint(0, 13))):
                begins = self.at.replace(minute=0, second=0) - timedelta(days=ago)
                self._write(code, self._name(code), Use(begins=begins))
        elif wish.most and wish.most > 1 and self.rng.random() < 0.5:
            hours = self.rng.randint(1, wish.most - 1)
            self._write(code, self._name(code), Use(begins=self.at - timedelta(hours=2), quantity=hours))
        if wish.course_days and structure(code) == "drug" and self.rng.random() < 0.3:
            for ago in range(60, 60 + wish.course_days):  # a whole course of an earlier disease
                self._elsewhere(code, ago)

    def _billed(self, code: str) -> int:
        """How much of a limited item was charged earlier today."""
        today = (
            line for line in self.lines if code in line.codes and line.begins and line.begins.date() == self.at.date()
        )
        return sum(int(str(line.facts["line.quantity"])) for line in today)

    def _elsewhere(self, code: str, days: int) -> None:
        """A use so many days ago in another encounter, known from history."""
        line = self._made(code, self._name(code), Use(begins=self.at - timedelta(days=days)))
        self.past.append(replace(line, id=f"h{len(self.past)}", encounter_id="E0", current=False))

    def _add_operation(self, wish: Wish) -> None:
        """Another operation of the group: through the same incision at half the price, or through another."""
        others = [p.med_codes[0] for p in self.points.by_class["R15"] if p.constraint in wish.groups]
        other = self.rng.choice(others)
        own = self.points.wish(other, self.rng)
        held = self.planned | {line.codes[0] for line in self.lines}
        apart = other in held or any(frozenset((other, code)) in self.points.apart for code in held)
        if apart or own.sex != wish.sex or own.groups != wish.groups or not own.ages >= wish.ages:
            return
        same = Use(share=Decimal("0.5"), facts={"line.incision": "1"})
        through = same if self.rng.random() < 0.8 else Use(facts={"line.incision": "2"})
        self._write(other, self._name(other), through)

    def _write(self, code: str, name: str, use: Use) -> None:
        line = self._made(code, name, use)
        self.lines.append(replace(line, id=f"L{len(self.lines) + 1}", current=use.begins is None))

    def _made(self, code: str, name: str, use: Use) -> Line:
        kind = structure(code) or "other"
        told: dict[str, FactValue] = {
            **self._price(use),
            "line.quantity": Decimal(use.quantity),
            "line.unit": "次" if kind == "service" else "盒",
            "line.item_type": kind,
            "line.rx_no": "RX1",
            "line.long_order": False,
            "line.paid_by": "fund",
            "line.first_line_used": True,
            "line.first_prescription": self.rng.random() < 0.5,
            "line.payment_condition_met": True,
            **use.facts,
        }
        if kind in ("drug", "herb"):
            told["line.days"] = use.days
        return Line(id="", encounter_id="E1", codes=(code,), name=name, begins=use.begins or self.at, facts=told)

    def _price(self, use: Use) -> dict[str, FactValue]:
        listed = self.rng.randrange(1000, 90000, 100)
        price = int(listed * use.share)
        return {
            "line.list_price_fen": listed,
            "line.unit_price_fen": price,
            "line.amount_fen": price * use.quantity,
            "line.full_price": price >= listed,
        }
