"""The documentation as its tests see it: pages, sections, blocks of code, links."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from msgspec import Struct

__all__ = [
    "ROOT",
    "Block",
    "anchors",
    "blocks",
    "headings",
    "inline_codes",
    "links",
    "pages",
    "sections",
    "shell_lines",
]

ROOT = Path(__file__).resolve().parent.parent.parent

_FENCE = re.compile(r"^```(?P<kind>[\w-]*) ?(?P<name>[^\n]*)\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?P<level>#{1,6}) (?P<title>.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


class Block(Struct, frozen=True, kw_only=True):
    """A fenced block of code: the words after the fence, kind and name, its text, and the line it begins on."""

    page: str
    kind: str
    name: str
    text: str
    line: int


@cache
def pages() -> tuple[Path, ...]:
    """Every page a reader may open."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _prose(path: Path) -> str:
    """The text of a page with its blocks of code blanked, line by line."""
    return _FENCE.sub(lambda m: "\n" * m[0].count("\n"), _text(path))


def blocks(path: Path, *kinds: str) -> list[Block]:
    """The fenced blocks of a page, of the given kinds or of all."""
    found = _FENCE.finditer(_text(path))
    name = path.relative_to(ROOT).as_posix()
    every = [
        Block(page=name, kind=m["kind"], name=m["name"], text=m["text"], line=_text(path).count("\n", 0, m.start()) + 1)
        for m in found
    ]
    return [block for block in every if not kinds or block.kind in kinds]


def headings(path: Path) -> list[tuple[int, str]]:
    """Level and title of each heading."""
    return [(len(m["level"]), m["title"]) for m in _HEADING.finditer(_prose(path))]


def sections(path: Path) -> dict[str, str]:
    """The text below each heading, up to the next heading of any level; blocks of code included."""
    titles = [title for _, title in headings(path)]
    text, cuts, start = _text(path), [], 0
    for level, title in headings(path):
        start = text.index(f"{'#' * level} {title}", start)
        cuts.append(start)
        start += level
    ends = [*cuts[1:], len(text)]
    return {title: text[a:b] for title, a, b in zip(titles, cuts, ends, strict=True)}


def links(path: Path) -> list[str]:
    """The target of each link of a page."""
    return [m["target"] for m in _LINK.finditer(_prose(path))]


def anchors(path: Path) -> set[str]:
    """What a link may name after ``#``: each heading in lower case, blanks as dashes, without marks."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in headings(path)}


def inline_codes(text: str) -> list[str]:
    """Everything in single backticks outside of blocks."""
    return _CODE.findall(_FENCE.sub("", text))


def shell_lines(path: Path) -> list[str]:
    """The commands in the shell blocks of a page, continued lines joined, comments left out."""
    joined = "\n".join(block.text for block in blocks(path, "sh")).replace("\\\n", " ")
    return [line.split("  #")[0].strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
