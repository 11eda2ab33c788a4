"""Reading a table of settings: every wrong value is told with its place in the file, all at once.

A table is described by its fields' readers, each of which takes what TOML gave and the folder relative paths belong to,
and raises ``ValueError`` saying what is wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from negative_list.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "WrongSettingsError",
    "number_of",
    "one_of",
    "problem",
    "read_row",
    "read_rows",
    "text_of",
    "texts_of",
    "yes_of",
]

T = TypeVar("T")


class WrongSettingsError(ValueError):
    """Several values of a table cannot be used: ``problems`` are their places under the table's name, and why."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{place}: {why}" for place, why in self.problems))


def problem(place: str, message: str) -> tuple[str, str]:
    """What is wrong at a place of a table."""
    return place, message


def read_row(
    raw: object, folder: Path, readers: Mapping[str, Callable[[object, Path], Any]], place: str = ""
) -> dict[str, Any]:
    """The values of one table.

    Args:
        raw: what TOML gave.
        folder: what relative paths belong to.
        readers: of every field that may stand there.
        place: of the table under the setting's name, as in ``[2]``.

    Raises:
        WrongSettingsError: Naming every wrong value.
    """
    if not isinstance(raw, dict):
        raise WrongSettingsError([problem(place, f"`{raw}` is not a table of settings")])
    values, wrong = {}, []
    for name, told in raw.items():
        here = f"{place}.{name}"
        try:
            if name not in readers:
                raise ValueError(f"no setting is called `{name}`{nearest(name, readers)}")  # noqa: TRY301 - told as all
            values[name] = readers[name](told, folder)
        except WrongSettingsError as error:
            wrong += [(f"{here}{inner}", why) for inner, why in error.problems]
        except ValueError as error:
            wrong.append((here, str(error)))
    if wrong:
        raise WrongSettingsError(wrong)
    return values


def read_rows(
    raw: object, folder: Path, readers: Mapping[str, Callable[[object, Path], Any]], make: Callable[..., T]
) -> tuple[T, ...]:
    """A list of tables (``[[name]]``), each made into a record.

    Raises:
        WrongSettingsError: As above, for all tables together.
    """
    if not isinstance(raw, (list, tuple)):
        raise WrongSettingsError([problem("", f"`{raw}` is not a list of tables; write [[...]] before each")])
    made: list[T] = []
    wrong: list[tuple[str, str]] = []
    for number, row in enumerate(raw, 1):
        try:
            made.append(make(**read_row(row, folder, readers, f"[{number}]")))
        except WrongSettingsError as error:
            wrong += error.problems
    if wrong:
        raise WrongSettingsError(wrong)
    return tuple(made)


def text_of(raw: object, _folder: Path = Path()) -> str:
    """Some text."""
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError(f"`{raw}` is not a text")
    return raw.strip()


def texts_of(raw: object, _folder: Path = Path()) -> tuple[str, ...]:
    """Texts: one alone, or several in a list."""
    return tuple(text_of(one) for one in (raw if isinstance(raw, (list, tuple)) else [raw]))


def yes_of(raw: object, _folder: Path = Path()) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise ValueError(f"`{raw}` is neither true nor false")  # noqa: TRY004 - told as every wrong value
    return raw


def number_of(least: float, most: float) -> Callable[[object, Path], float]:
    """A reader of numbers in a range."""

    def read(raw: object, _folder: Path) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not least <= raw <= most:
            raise ValueError(f"`{raw}` is not a number from {least:,g} to {most:,g}")
        return float(raw)

    return read


def one_of(words: Sequence[str]) -> Callable[[object, Path], str]:
    """A reader of one of some words."""

    def read(raw: object, _folder: Path) -> str:
        if raw not in words:
            raise ValueError(f"`{raw}` is none of {', '.join(words)}{nearest(str(raw), words)}")
        return str(raw)

    return read
