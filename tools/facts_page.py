"""Write docs/facts.md from the fact dictionary; ``make pages`` runs it, a test holds that the page is fresh."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from negative_list.dictionary import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.dictionary import Fact

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "facts.md"

_HEAD = """# Facts

Every fact a condition, a request, a site or a feed may name. `make pages` writes this page from
`negative_list/facts.toml`.

A name is what holds the fact (patient, encounter, line, diagnosis, operation...), a dot, and the fact. A value is
written in the words below; the national codes in brackets are understood where the national interface carries them.
These texts mean *unknown* for every fact: {texts}; and these days for every date: {dates}. Money is whole fen. Times
are civil times of the site's zone. *Open* words may be others than those listed. A *record* has fields of its own and
is not set through `facts`.
"""

_COLUMNS = ("fact", "中文", "type", "words (national codes)", "national interface", "elsewhere", "what else to know")


def page() -> str:
    """The whole page."""
    facts = load()
    head = _HEAD.format(
        texts=_codes(sorted(facts.placeholders - {""})) + ", empty", dates=_codes(sorted(map(str, facts.unknown_dates)))
    )
    return "\n".join([head, *_tables(list(facts.values()))])


def _tables(facts: list[Fact]) -> Iterator[str]:
    for holder, held in groupby(sorted(facts, key=lambda f: _order(facts).index(f.holder)), key=lambda f: f.holder):
        yield f"## {holder}\n"
        yield _line(_COLUMNS)
        yield "|---" * len(_COLUMNS) + "|"
        yield from map(_row, held)
        yield ""


def _order(facts: list[Fact]) -> list[str]:
    """The holders in the order of the dictionary."""
    return list(dict.fromkeys(f.holder for f in facts))


def _row(fact: Fact) -> str:
    cells = (
        f"`{fact.name}`",
        fact.zh,
        _kind(fact),
        _words(fact),
        _codes(fact.national),
        _elsewhere(fact),
        _remarks(fact),
    )
    return _line(cells)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _codes(texts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _kind(fact: Fact) -> str:
    bounds = f"{_bound(fact.minimum)}..{_bound(fact.maximum)}" if (fact.minimum, fact.maximum) != (None, None) else ""
    return ", ".join(
        part
        for part in (fact.type, fact.unit, bounds, "open" if fact.open else "", "private" if fact.private else "")
        if part
    )


def _bound(number: object) -> str:
    return "" if number is None else str(number)


def _words(fact: Fact) -> str:
    codes: dict[str, list[str]] = {}
    for code, value in fact.values.items():
        codes.setdefault(_plain(value), []).append(code)
    shown = [_word(word, label, codes.pop(word, [])) for word, label in fact.words.items()]
    shown += [_word(word, "", own) for word, own in codes.items()]
    return "; ".join([*shown, *([f"unknown: {', '.join(fact.unknown)}"] if fact.unknown else [])])


def _plain(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _word(word: str, label: str, codes: list[str]) -> str:
    same = label in {"", word}
    return f"`{word}`" + ("" if same else f" {label}") + (f" ({', '.join(codes)})" if codes else "")


def _elsewhere(fact: Fact) -> str:
    return "; ".join(
        part for part in (f"FHIR {fact.fhir}" if fact.fhir else "", f"feed: {fact.feed}" if fact.feed else "") if part
    )


def _remarks(fact: Fact) -> str:
    subject = f"a fact of the {fact.subject}" if fact.subject != fact.holder else ""
    derived = f"derived: {fact.derivation}" if fact.derivation else ""
    lapses = f"lapses with the {fact.lapses}" if fact.lapses else ""
    return "; ".join(part for part in (subject, derived, lapses, fact.note) if part)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {PAGE.name}\n")
