"""Reading a list from files: YAML for hand-written rules, JSON Lines for exchange.

A list is a file or a folder of files (``*.yaml``, ``*.yml``, ``*.jsonl``), read in the order of their names. A YAML
file holds ``sets:`` and ``rules:``; a line of JSON Lines is one rule, or one set (it has the key ``set``). All problems
come back at once, each with file, row, column and path.
"""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import yaml
from msgspec import Struct

from negative_list.errors import ListError, Problem, nearest
from negative_list.rules import NamedSet, Rule, RuleList
from negative_list.schema import problems_of, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = [
    "MAX_DEPTH",
    "SUFFIXES",
    "Parsed",
    "Place",
    "gathered",
    "parse_jsonl",
    "parse_yaml",
    "read_list",
    "read_parsed",
]

SUFFIXES = (".yaml", ".yml", ".jsonl")
"""Endings of the files of a list."""

MAX_DEPTH = 60
"""Levels of a record: each takes some frames of the stack; the deepest rule of the sample list has 9."""

_MAX_VALUES = 1_000_000
"""Values of a record with its aliases written out: a set of a city's 400,000 codes is far below."""

_MAX_PLAIN = 1_000
"""Openings up to which a text cannot nest deeper than the readers in C have stack for (1 MB on Windows)."""

_RULE = msgspec.json.Decoder(Rule)
_SET = msgspec.json.Decoder(NamedSet)
_RAW = msgspec.json.Decoder()
# CSafeLoader is the same reader in C; a PyYAML built without libyaml has only the slower one.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Locate: TypeAlias = "Callable[[str], tuple[int, int]]"
"""From a path inside a record to its row and column, from 1."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a record stands: its file, and a function from a path inside it to row and column."""

    file: str
    locate: Locate

    def problem(self, path: str, message: str) -> Problem:
        """A problem of the record at a path."""
        row, column = self.locate(path)
        return Problem(file=self.file, row=row, column=column, path=path, message=message)


class Parsed(Struct, frozen=True, kw_only=True):
    """A list, the places of its rules and sets (in their order), and what kept other rows from being read."""

    rules: RuleList
    rule_places: tuple[Place, ...]
    set_places: tuple[Place, ...]
    problems: tuple[Problem, ...]


def read_list(path: Path) -> RuleList:
    """Read a list, without validating what it says.

    Raises:
        ListError: any row cannot be read; all problems are in it.
    """
    parsed = read_parsed(path)
    if parsed.problems:
        raise ListError(parsed.problems)
    return parsed.rules


def read_parsed(path: Path) -> Parsed:
    """Read a list with the places of its records; problems are returned, not raised."""
    return gathered(_read_file(file) for file in _files(path))


class _Row(Struct, frozen=True, kw_only=True):
    """One record read, or the problems that kept it from being read."""

    record: Rule | NamedSet | None = None
    place: Place | None = None
    problems: tuple[Problem, ...] = ()


def gathered(files: Iterable[Iterable[_Row]]) -> Parsed:
    """The list the rows of some files make."""
    rules: list[tuple[Rule, Place]] = []
    sets: list[tuple[NamedSet, Place]] = []
    problems: list[Problem] = []
    for row in (row for rows in files for row in rows):
        problems.extend(row.problems)
        if row.place is None:
            continue
        if isinstance(row.record, Rule):
            rules.append((row.record, row.place))
        elif row.record is not None:
            sets.append((row.record, row.place))
    return Parsed(
        rules=RuleList(rules=tuple(r for r, _ in rules), sets=tuple(s for s, _ in sets)),
        rule_places=tuple(place for _, place in rules),
        set_places=tuple(place for _, place in sets),
        problems=tuple(sorted(problems)),
    )


def _files(path: Path) -> list[Path]:
    """The files of a list, in the order of their names."""
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        if not found:
            message = f"no list file in this folder; put a file ending in {', '.join(SUFFIXES)} here"
            raise ListError([Problem(file=str(path), message=message)])
        return found
    if path.suffix not in SUFFIXES and path.exists():
        hint = nearest(path.suffix, SUFFIXES)
        message = f"`{path.suffix}` is no ending of a list file{hint}; use one of {', '.join(SUFFIXES)}"
        raise ListError([Problem(file=str(path), message=message)])
    return [path]


def _read_file(file: Path) -> Iterable[_Row]:
    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check the name and the rights"
        return [_Row(problems=(Problem(file=str(file), message=message),))]
    return parse_jsonl(data, str(file)) if file.suffix == ".jsonl" else parse_yaml(data, str(file))


# -- JSON Lines


def parse_jsonl(data: bytes, file: str) -> Iterator[_Row]:
    """Records of JSON Lines in UTF-8; empty lines are passed over."""
    for row, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        if line.strip():
            yield _jsonl_row(line, file, row)


def _jsonl_row(line: bytes, file: str, row: int) -> _Row:
    place = Place(file=file, locate=partial(_at_row, row))
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and _json_depth(line) > MAX_DEPTH:
        return _Row(problems=(place.problem("", _TOO_DEEP),))
    try:
        return _Row(record=_RULE.decode(line), place=place)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _jsonl_other(line, place)


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; write the rule flatter, or as several rules"
_JSON_STEP = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]')


def _json_depth(line: bytes) -> int:
    """Levels of a line of JSON, brackets inside texts aside."""
    depth = deepest = 0
    for step in _JSON_STEP.finditer(line):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(step[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _at_row(row: int, _path: str) -> tuple[int, int]:
    return row, 0


def _jsonl_other(line: bytes, place: Place) -> _Row:
    """A line that is no rule: a set, or something to complain about."""
    try:
        raw = _RAW.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _Row(problems=(place.problem("", f"not JSON in UTF-8: {str(error).lower()}"),))
    return _raw_row(raw, place)


def _raw_row(raw: object, place: Place) -> _Row:
    """A rule or a set from plain data, or everything that is wrong with it."""
    record: type[Rule | NamedSet] = NamedSet if isinstance(raw, dict) and "set" in raw else Rule
    try:
        return _Row(record=msgspec.convert(raw, record), place=place)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        found = tuple(problems_of(raw, record)) or (("", str(error).lower()),)
        problems = tuple(place.problem(path, message) for path, message in found)
        return _Row(record=_rest(raw, record, found), place=place, problems=problems)


def _rest(raw: object, record: type[Rule | NamedSet], found: tuple[tuple[str, str], ...]) -> Rule | NamedSet | None:
    """What a bad row says besides its problems, so that validation can look at it in the same run."""
    try:
        return msgspec.convert(without(raw, (path for path, _ in found)), record)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None


# -- YAML


def parse_yaml(data: bytes, file: str) -> Iterator[_Row]:
    """Records of one YAML document with the keys ``sets`` and ``rules``, or a bare sequence of rules."""
    try:
        text = data.decode("utf-8-sig")
        deep = _first_too_deep(text)
        root = None if deep else yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        return iter(
            [_Row(problems=(Problem(file=file, message=f"not UTF-8 at byte {error.start}; save it as UTF-8"),))]
        )
    except yaml.YAMLError as error:
        return iter([_Row(problems=(_yaml_problem(error, file),))])
    if deep is not None:
        return iter([_Row(problems=(_node_problem(deep, file, _TOO_DEEP),))])
    return _yaml_rows(root, file)


def _first_too_deep(text: str) -> Any:
    """The first event below :data:`MAX_DEPTH`; looked for only where a text may nest deeper than the stack is."""
    openings = text.count("[") + text.count("{")
    if openings <= _MAX_PLAIN and not re.search(rf"^[ \-?:]{{{_MAX_PLAIN}}}", text, re.MULTILINE):
        return None
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return event
    return None


def _yaml_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    row, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(file=file, row=row, column=column, message=f"not YAML: {getattr(error, 'problem', None) or error}")


def _yaml_rows(root: Any, file: str) -> Iterator[_Row]:
    if root is None:
        return
    if isinstance(root, yaml.SequenceNode):
        yield from (_yaml_row(node, file) for node in root.value)
        return
    if not isinstance(root, yaml.MappingNode):
        yield _Row(problems=(_node_problem(root, file, "expected `rules:` with a list of rules"),))
        return
    yield from (_Row(problems=(problem,)) for problem in _key_problems(root, file))
    for key, node in root.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value not in {"rules", "sets"}:
            hint = nearest(key.value, ("rules", "sets"))
            yield _Row(problems=(_node_problem(key, file, f"unknown key `{key.value}`{hint}"),))
        elif not isinstance(node, yaml.SequenceNode):
            yield _Row(problems=(_node_problem(node, file, f"expected a list under `{key.value}`"),))
        else:
            yield from (_yaml_row(child, file) for child in node.value)


def _node_problem(node: Any, file: str, message: str) -> Problem:
    return Problem(file=file, row=node.start_mark.line + 1, column=node.start_mark.column + 1, message=message)


def _yaml_row(node: Any, file: str) -> _Row:
    place = Place(file=file, locate=partial(_at_path, node))
    misshapen = tuple(_shape_problems(node, file))
    if misshapen:
        return _Row(problems=misshapen)
    constructor = yaml.constructor.SafeConstructor()
    try:
        raw = constructor.construct_document(node)
    except yaml.YAMLError as error:
        return _Row(problems=(_yaml_problem(error, file),))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # PyYAML lets these through where a value does not fit its tag (`!!timestamp x`).
        return _Row(problems=(place.problem("", f"cannot be read: {error}"),))
    if isinstance(raw, dict) and "cases" in raw:
        raw["cases"] = _as_json(raw["cases"])
    return _raw_row(raw, place)


def _as_json(value: object) -> object:
    """The requests of cases as a caller sends them: JSON has no days and times, YAML makes them of texts."""
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    return str(value) if isinstance(value, date) else value


def _shape_problems(root: Any, file: str) -> tuple[Problem, ...]:
    """Keys no mapping can have, and more levels or values than any rule; aliases count wherever they stand."""
    found: dict[Problem, None] = {}
    values, waiting = 0, [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if not isinstance(node, yaml.CollectionNode):
            continue
        values += len(node.value)
        if depth > MAX_DEPTH or values > _MAX_VALUES:
            return (_node_problem(root, file, _TOO_DEEP if depth > MAX_DEPTH else _TOO_BIG),)
        below = node.value
        if isinstance(node, yaml.MappingNode):
            found.update(dict.fromkeys(_key_problems(node, file)))
            below = [value for _, value in node.value]
        waiting.extend((child, depth + 1) for child in below)
    return tuple(found)


_TOO_BIG = f"more than {_MAX_VALUES} values with its aliases written out; write it without aliases"


def _key_problems(node: Any, file: str) -> Iterator[Problem]:
    """Keys written twice (YAML would keep the last and lose the first without a word), and keys that are no words."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            yield _node_problem(key, file, "a list or a mapping is no key; write a word before the colon")
        elif key.value in seen:
            yield _node_problem(key, file, f"key `{key.value}` is written twice; keep one")
        else:
            seen.add(key.value)


def _at_path(node: Any, path: str) -> tuple[int, int]:
    """Row and column of the deepest node on the path that exists."""
    for step in path.replace("[", ".[").split(".") if path else ():
        below = _step(node, step)
        if below is None:
            break
        node = below
    return node.start_mark.line + 1, node.start_mark.column + 1


def _step(node: Any, step: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        place = step[1:-1]
        # A key of the user's may look like a place: only one that exists is followed.
        return node.value[int(place)] if place.isdecimal() and int(place) < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                # a scalar is found at its value, everything else at its key
                return value if isinstance(value, (yaml.MappingNode, yaml.SequenceNode)) else key
    return None
