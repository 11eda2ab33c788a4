"""Which column is what: guessed from the headings, shown, confirmed once, and kept for the issuer and the header.

A map is a TOML file that can be edited by hand::

    issuer = "某市医保局"
    family = "R67"
    header = ["序号", "药品名称", "药品编码", "性别"]
    [columns]
    "药品名称" = "项目名称"
    "药品编码" = "项目编码"
    "性别" = "限定性别"

A heading that is in ``header`` and not in ``[columns]`` is not read. A sheet whose header is not the map's asks again.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import ListError, Problem, nearest
from negative_list.sheets.columns import columns
from negative_list.sheets.header import Header, heading, spellings

if TYPE_CHECKING:
    from negative_list.sheets.families import Family

__all__ = ["ColumnMap", "kept_map", "known_headings", "map_path", "map_text", "other_headers", "proposed", "read_map"]


class ColumnMap(Struct, frozen=True, kw_only=True):
    """A map: for each heading (as the sheet writes it) the key of its column."""

    issuer: str
    family: str
    header: tuple[str, ...]
    columns: Mapping[str, str]

    def fits(self, header: Header) -> bool:
        """Whether the map is for this header."""
        return tuple(map(heading, self.header)) == header.signature

    def places(self, header: Header) -> dict[str, int]:
        """The place of each column in a sheet of this header."""
        by_title = {heading(title): place for place, title in enumerate(header.titles)}
        told = ((key, by_title.get(heading(title))) for title, key in self.columns.items())
        return {key: place for key, place in told if place is not None}


def _names(family: Family) -> Iterator[tuple[str, str]]:
    """Every heading that means a column of the family, the columns' own first."""
    listed = [columns()[key] for key in family.columns]
    yield from ((heading(column.zh), column.key) for column in listed)
    yield from ((heading(name), column.key) for column in listed for name in column.synonyms)


def known_headings(family: Family) -> frozenset[str]:
    """Every heading that means a column of the family."""
    return frozenset(name for name, _ in _names(family))


def proposed(header: Header, family: Family, issuer: str) -> ColumnMap:
    """The map the headings suggest: own headings before synonyms, whole ones before parts, each column once."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for depth in range(_DEEPEST):
        for title in header.titles:
            key = _meant(title, depth, family, taken) if title and title not in found else None
            if key is not None:
                found[title] = key
                taken.add(key)
    ordered = {title: found[title] for title in header.titles if title in found}
    return ColumnMap(issuer=issuer, family=family.class_id, header=header.signature, columns=ordered)


_DEEPEST = 5
"""How many spellings of a heading there are: two rows, each with and without brackets, and the whole."""


def _meant(title: str, depth: int, family: Family, taken: set[str]) -> str | None:
    told = list(spellings(title))
    if depth >= len(told):
        return None
    return next((key for name, key in _names(family) if name == told[depth] and key not in taken), None)


def map_text(column_map: ColumnMap, header: Header, family: Family) -> str:
    """A map as TOML; headings that mean nothing known are listed as comments with the nearest known one."""
    lines = [
        f"issuer = {_quoted(column_map.issuer)}",
        f"family = {_quoted(column_map.family)}  # {family.name}",
        f"header = [{', '.join(map(_quoted, column_map.header))}]",
        "[columns]",
    ]
    known = [columns()[key].zh for key in family.columns]
    for title in header.titles:
        if title in column_map.columns:
            lines.append(f"{_quoted(title)} = {_quoted(columns()[column_map.columns[title]].zh)}")
        elif title and heading(title) in column_map.header:
            near = nearest(title, known).partition("`")[2].rstrip("`?")
            lines.append(f"# {_quoted(title)} = {_quoted(near)}  不读入 (not read)")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def map_path(folder: Path, column_map: ColumnMap) -> Path:
    """Where a map is kept: by issuer, family and header."""
    digest = hashlib.blake2b(repr(column_map.header).encode(), digest_size=4).hexdigest()
    return folder / f"{_slug(column_map.issuer)}-{column_map.family}-{digest}.toml"


def _slug(issuer: str) -> str:
    return re.sub(r"[^\w]+", "_", issuer).strip("_") or "any"


def kept_map(folder: Path, header: Header, family: Family, issuer: str) -> ColumnMap | None:
    """The confirmed map of this issuer, family and header, if there is one."""
    path = map_path(folder, ColumnMap(issuer=issuer, family=family.class_id, header=header.signature, columns={}))
    found = read_map(path) if path.is_file() else None
    return found if found is not None and found.fits(header) else None


def other_headers(folder: Path, family: Family, issuer: str) -> list[ColumnMap]:
    """Maps of this issuer and family that were confirmed for another header."""
    paths = sorted(folder.glob(f"{_slug(issuer)}-{family.class_id}-*.toml")) if folder.is_dir() else []
    return [read_map(path) for path in paths]


def read_map(path: Path) -> ColumnMap:
    """Read a map.

    Raises:
        ListError: with everything that is wrong with it.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"列对照表无法读取 (the map cannot be read: {error}); 请检查文件 (check the file)"
        raise ListError([Problem(file=str(path), message=message)]) from error
    problems = list(_map_problems(path, raw))
    if problems:
        raise ListError(problems)
    by_zh = {heading(column.zh): column.key for column in columns().values()}
    return ColumnMap(
        issuer=str(raw.get("issuer", "")),
        family=str(raw["family"]),
        header=tuple(raw.get("header", raw["columns"])),
        columns={title: by_zh.get(heading(name), name) for title, name in raw["columns"].items() if name},
    )


def _map_problems(path: Path, raw: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("family", "columns"):
        if key not in raw:
            yield Problem(file=str(path), path=key, message=f"列对照表缺少 `{key}` (missing); 请补上 (give it)")
    known = {column.zh for column in columns().values()}
    for title, name in dict(raw.get("columns", {})).items():
        if name and name not in known and name not in columns():
            hint = nearest(str(name), known)
            message = f"没有叫 `{name}` 的列 (no such column){hint}; 请用模板中的列名 (use a heading of the template)"
            yield Problem(file=str(path), path=f"columns.{title}", message=message)
