"""The standard reasons: what a finding may be answered with besides its rule's own (``reasons.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.errors import nearest
from reminder.journal.entries import Done
from reminder.once import made_once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.rules import Reason

__all__ = ["Given", "Standard", "given", "standard"]


class Standard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A standard reason; ``reasons.toml`` explains the fields."""

    code: str
    zh: str
    en: str
    done: tuple[Done, ...]
    fact: str = ""
    number: bool = False
    text: bool = False


class Given(Struct, frozen=True, kw_only=True):
    """A reason as it was given: its fact, the texts that say no more than itself, and what is odd about it.

    ``odd``: what the caller is told, Chinese first; the reason is kept all the same.
    """

    fact: str = ""
    labels: tuple[str, ...] = ()
    number: bool = False
    odd: str = ""


@made_once
def standard() -> Mapping[str, Standard]:
    """The standard reasons by their codes, in the order of the file, read once."""
    raw = tomllib.loads((resources.files("reminder") / "reasons.toml").read_text("utf-8"))
    return msgspec.convert({code: {"code": code, **row} for code, row in raw.items()}, dict[str, Standard])


def given(code: str, done: Done, own: Iterable[Reason] | None) -> Given:
    """The reason of a code.

    Args:
        code: as told; "" for none.
        done: what was done for this reason.
        own: the reasons of the finding's rule; ``None`` where nobody could look the finding up.
    """
    if not code:
        return Given()
    found = next((reason for reason in own or () if reason.code == code), None)
    if found is not None:
        return Given(fact=found.fact, labels=tuple(filter(None, (found.text.zh, found.text.en))))
    usual = standard().get(code)
    if usual is not None:
        return Given(
            fact=usual.fact,
            labels=(usual.zh, usual.en),
            number=usual.number,
            odd="" if done in usual.done else _unsuited(usual, done),
        )
    return Given() if own is None else Given(odd=_nobodys(code, (*(reason.code for reason in own), *standard())))


def _unsuited(reason: Standard, done: Done) -> str:
    suits = ", ".join(reason.done)
    return (
        f"理由 `{reason.code}` 不适用于处理方式 `{done}`，已照原样记录 "
        f"(`{reason.code}` is a reason for {suits}; kept as told)"
    )


def _nobodys(code: str, known: Iterable[str]) -> str:
    return (
        f"理由代码 `{code}` 既不是本规则的理由，也不是标准理由，已照原样记录 "
        f"(`{code}` is neither a reason of this rule nor a standard one{nearest(code, known)}; kept as told)"
    )
