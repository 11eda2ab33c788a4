"""The points of a list as the silence tests look them up: by code, by class, and which two may not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.silence.readings import class_of, wish_of
from tests.silence.wishes import Wish, both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from negative_list.importer import Point

__all__ = ["Points"]


class Points:
    """The points of a list in force, by code, with what the importer's report says of each, and the pairs among them.

    ``ended`` are codes only withdrawn points name: since the revision they are as harmless as any other.
    """

    def __init__(
        self, points: Iterable[Point], parameters: Mapping[str, Mapping[str, Any]], ended: Iterable[str]
    ) -> None:
        gone = set(ended)
        every = tuple(points)
        self.current = tuple(point for point in every if point.kp_id not in gone)
        self.parameters = parameters
        self.by_code: dict[str, list[Point]] = {}
        for point in self.current:
            for code in point.med_codes:
                self.by_code.setdefault(code, []).append(point)
        self.by_class: dict[str, list[Point]] = {}
        for point in self.current:
            self.by_class.setdefault(class_of(point), []).append(point)
        self.pairs = [point for point in self.current if class_of(point) == "R25"]
        self.apart = {frozenset(point.med_codes) for point in self.pairs}
        withdrawn = {code: p.item_name for p in every if p.kp_id in gone for code in p.med_codes}
        self.ended = sorted((code, name) for code, name in withdrawn.items() if code not in self.by_code)

    def wish(self, code: str, rng: Random) -> Wish:
        """What one patient must meet for every point that names the code."""
        for _ in range(20):
            wish = self._wish(code, rng)
            if wish is not None:
                return wish
        names = [point.kp_id for point in self.by_code[code]]
        message = f"the points {names} of {code} cannot be met together"
        raise AssertionError(message)

    def _wish(self, code: str, rng: Random) -> Wish | None:
        # the remark that names most is read first, so that others choose the same indication where they can
        points = sorted(self.by_code[code], key=lambda point: len(point.constraint))
        whole: Wish | None = Wish()
        for point in points:
            if whole is not None:
                own = wish_of(point, self.parameters.get(point.kp_id, {}), rng, whole.diagnoses)
                whole = both(whole, own)
        return whole
