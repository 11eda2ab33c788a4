"""Which published items the rules of this folder were written for: drawn by chance, one of each family first.

The published items are read in place; only their ids stand in the project. ``python -m tests.published.draw FILE``
prints the draw.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

__all__ = ["ITEMS", "NOT_AT_ORDER_TIME", "SEED", "draw", "read_items"]

SEED = 20_261_121
"""Seed of the draw."""

ITEMS = 150
"""How many items are drawn."""

NOT_AT_ORDER_TIME = frozenset(
    {
        *(f"R{number}" for number in (35, 37, 38, 41, 43, *range(48, 54), *range(56, 64))),
        *(f"E{number:02}" for number in (7, 13, 19, 21, 22, 23, 24, *range(27, 32))),
    }
)
"""Families that say nothing of an order or a charge being entered: data quality, indicators, management, afterwards."""


def read_items(path: Path) -> list[tuple[str, str]]:
    """Id and family (R01, E05...) of every published item, in file order."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["id"], (row["family"] or "").split(" ")[0]) for row in rows]


def draw(items: list[tuple[str, str]]) -> list[str]:
    """The ids drawn: one of each order-time family, then any others, in the order they were drawn."""
    chance = random.Random(SEED)
    pool = sorted((name, family) for name, family in items if family and family not in NOT_AT_ORDER_TIME)
    chance.shuffle(pool)
    first: dict[str, str] = {}
    for name, family in pool:
        first.setdefault(family, name)
    drawn = [first[family] for family in sorted(first)]
    rest = [name for name, _ in pool if name not in set(drawn)]
    return (drawn + rest)[:ITEMS]


def main() -> None:
    """Print the ids drawn from a file of published items."""
    sys.stdout.writelines(f"{name}\n" for name in draw(read_items(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
