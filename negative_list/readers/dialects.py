"""One reader for every dialect: a body as its client sends it to the names and nesting of the national interface.

The table ``dialects.toml`` holds what clients call things. A body that is national already is taken as it is; any other
is made over node by node, and remembers the caller's words for what is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.readers.body import ENCODINGS, encoding_of, parse_body
from negative_list.readers.dialect_table import NATIONAL, table
from negative_list.readers.limits import MAX_LINES
from negative_list.readers.made_over import Sent, callers_key, is_empty, made_over
from negative_list.readers.rows import plain

if TYPE_CHECKING:
    from negative_list.errors import FieldProblem
    from negative_list.readers.dialect_table import Node

__all__ = [
    "ENCODINGS",
    "NATIONAL",
    "Form",
    "encoding_of",
    "has_strays",
    "is_national",
    "national_form",
    "parse_body",
    "transaction_of_body",
]

_OWN = frozenset({"patient", "encounter", "items", "prescription"})


class Form(Struct, frozen=True, kw_only=True):
    """A body in the names and nesting of the national interface.

    Attributes:
        body: the body; the very object that was sent where it is national already.
        dialect: whose names it has (``hainan+camel``), :data:`NATIONAL` where they are all the interface's.
        points: how else it deviates: ``text`` (a node as JSON in a text), ``flat`` (a set outside its node), ``bare``
            (a node left out around its contents), ``misplaced`` (rows under another node's key).
        sent: what was sent, by national path; empty where nothing was made over.
    """

    body: Mapping[str, object]
    dialect: str = NATIONAL
    points: tuple[str, ...] = ()
    sent: Mapping[str, Sent] = {}

    def said(self, path: str) -> str:
        """The caller's path of a national one."""
        if not self.sent:
            return path
        at = path
        while at not in self.sent:
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        sent = self.sent[at]
        rest = path[len(at) :].removeprefix(".")
        key = rest.partition(".")[0].partition("[")[0]
        theirs = callers_key(sent, key, self.dialect.split("+")) + rest[len(key) :] if key else rest
        return f"{sent.path}.{theirs}".strip(".") if theirs[:1] != "[" else sent.path + theirs

    def problems(self, fields: Iterable[FieldProblem]) -> list[FieldProblem]:
        """Problems of the national body in the caller's words."""
        return [msgspec.structs.replace(one, field=self.said(one.field)) for one in fields]


def national_form(body: Mapping[str, object]) -> Form:
    """The national form of a body of any dialect; one that is national already is not copied.

    Raises:
        RequestError: a text stands where an object belongs, and is no JSON.
        LimitError: a set has too many rows.
    """
    if _is_plain(table().nodes["envelope"], body):
        return Form(body=body)
    made = made_over(body)
    return Form(body=made.body, dialect="+".join(made.dialects) or NATIONAL, points=made.points, sent=made.sent)


def is_national(body: Mapping[str, object]) -> bool:
    """Whether a body is one of the national interface, in any dialect; else it is our own JSON."""
    if "input" in body or "infno" in body:
        return True
    return _OWN.isdisjoint(body) and not _signs().isdisjoint(body)


def transaction_of_body(body: Mapping[str, object]) -> str:
    """The transaction a body asks for: 3101, 3102 or 3103 whatever the dialect numbers it, else its own number.

    A number that clients send by mistake (3301) is what the body looks like; so is a body without one; "": nothing.
    """
    known, number = table(), _number(body)
    if number in known.transactions:
        return known.transactions[number]
    meant = known.mistaken.get(number, "" if number else "3101")
    if not meant:
        return number
    data = _data(body)
    if not is_empty(data.get("warns")):
        return "3103"
    return meant if not is_empty(data.get("patient_dtos")) else number


def _number(body: Mapping[str, object]) -> str:
    names = ("infno", *(name for name, _ in table().nodes["envelope"].names("infno")))
    return next((told for name in names if (told := plain(body.get(name)).upper())), "")


def _data(body: Mapping[str, object]) -> Mapping[str, object]:
    try:
        inner = national_form(body).body.get("input")
    except RequestError:
        return {}
    data = inner.get("data") if isinstance(inner, dict) else None
    return data if isinstance(data, dict) else {}


@cache
def _signs() -> frozenset[str]:
    """Keys that only a body of the national interface has at its top, where it has neither number nor ``input``."""
    nodes = table().nodes
    return frozenset({*nodes["envelope"].strays, *(name for name, _ in nodes["input"].names("data")), "data"})


def has_strays(inner: Mapping[str, object]) -> bool:
    """Whether something stands in ``input`` beside ``data`` that belongs in it, or is ``data`` by another name."""
    return not table().nodes["input"].foreign.isdisjoint(inner)


def _is_plain(node: Node, row: Mapping[str, object]) -> bool:
    """Whether every node and field has its national name and place."""
    if not node.foreign.isdisjoint(row):
        return False
    for key, child in node.children.items():
        value = row.get(key)
        if isinstance(value, dict) and value:
            if not _is_plain(child, value):
                return False
        elif isinstance(value, list) and not child.single:
            # the reader refuses more, whatever they are called
            if not all(_is_plain(child, one) for one in value[: MAX_LINES + 1] if isinstance(one, dict)):
                return False
        elif not is_empty(value) or (child.single and not child.children.keys().isdisjoint(row)):
            return False  # a text, a list in place of one object, or what belongs in it without it
    return True
