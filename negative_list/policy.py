"""Policy: what the hospital makes of a finding. A pure step, findings and policy → findings.

A policy is a TOML file. ``[default]`` and ``[classes.ID]`` are ceilings by result kind: the rule's own action is kept
where it is weaker. A ``[[set]]`` row is the office's word: the first row that fits decides the action, ``pass`` meaning
shadow (evaluated and kept, not shown). Whatever a policy says, an unknown finding is at most a warning.
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.classes import CLASS_IDS
from negative_list.decision import Outcome
from negative_list.errors import ListError, Problem, nearest
from negative_list.items import item_of, order_date_of
from negative_list.rules import ACTIONS, Action, Addressee
from negative_list.schema import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from negative_list.prescription import Line

__all__ = ["Ceiling", "ExitKey", "Policy", "Setting", "apply", "exited", "parse_policy", "read_policy", "shipped"]

ExitKey: TypeAlias = tuple[str, str, str]
"""What an emergency exit was taken for: rule id, item and order date of a line (both "" for an encounter)."""


class _Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Ceiling(_Record, frozen=True, kw_only=True):
    """The strongest action by result kind; where one is left out the default's holds. ``why`` is for people."""

    definite: Action | None = None
    suspicious: Action | None = None
    why: str = ""


class Setting(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """An action for the findings that fit every selector given: rule id, class id, department code, addressee.

    ``at_most``: the action is a ceiling, and what is weaker keeps its own; the rows after it are asked first.
    """

    action: Action
    why: str
    at_most: bool = False
    rule: str = ""
    class_id: str = msgspec.field(name="class", default="")
    department: str = ""
    addressee: Addressee | None = None

    def fits(self, finding: Outcome, department: str) -> bool:
        """Whether the setting is about this finding."""
        wanted = (
            (self.rule, finding.rule_id),
            (self.class_id, finding.class_id),
            (self.department, department),
            (self.addressee, finding.addressee),
        )
        return all(not selector or selector == value for selector, value in wanted)


class Policy(_Record, frozen=True, kw_only=True, dict=True, omit_defaults=True):
    """A policy; ``set_`` is written ``set`` in files.

    ``unconfirmed``: ids of rules the office has not confirmed yet; whatever else is said, their findings are at most
    ``unconfirmed_at_most`` (``pass``: in shadow).
    """

    default: Ceiling = Ceiling(definite="warn", suspicious="remind")
    classes: dict[str, Ceiling] = {}
    set_: tuple[Setting, ...] = msgspec.field(name="set", default=())
    unconfirmed: tuple[str, ...] = ()
    unconfirmed_at_most: Literal["warn", "pass"] = "warn"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical JSON, in hexadecimal."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def action_for(self, finding: Outcome, department: str = "") -> Action:
        """The action this policy gives a finding."""
        action = self._given(finding, department)
        if finding.rule_id in self._held_back:
            action = _weaker(action, self.unconfirmed_at_most)
        return _weaker(action, "warn") if finding.unknown else action

    @cached_property
    def _held_back(self) -> frozenset[str]:
        return frozenset(self.unconfirmed)

    def _given(self, finding: Outcome, department: str) -> Action:
        most: Action = "block"
        for setting in self.set_:
            if setting.fits(finding, department):
                if not setting.at_most:
                    return _weaker(setting.action, most)
                most = _weaker(setting.action, most)
        return _weaker(_weaker(finding.action, self._ceiling(finding)), most)

    def _ceiling(self, finding: Outcome) -> Action:
        own = self.classes.get(finding.class_id, self.default)
        for ceiling in (own, self.default):
            action: Action | None = getattr(ceiling, finding.result)
            if action is not None:
                return action
        return "block"


Told = TypeVar("Told", bound=Outcome)


def _weaker(left: Action, right: Action) -> Action:
    return min(left, right, key=ACTIONS.index)


def apply(findings: Iterable[Told], policy: Policy, department: str = "") -> tuple[Told, ...]:
    """The findings with the actions the policy gives; those in shadow have the action ``pass``."""
    return tuple(msgspec.structs.replace(f, action=policy.action_for(f, department)) for f in findings)


def exited(findings: Iterable[Told], exits: AbstractSet[ExitKey], lines: Iterable[Line]) -> tuple[Told, ...]:
    """The findings, where blocks whose emergency exit was taken for all that they offend on only warn.

    ``lines``: those of the prescription's current encounter.
    """
    if not exits:
        return tuple(findings)
    named = {line.id: line for line in lines}
    return tuple(
        _warning(found) if found.action == "block" and _left(found, exits, named) else found for found in findings
    )


def _left(found: Outcome, exits: AbstractSet[ExitKey], lines: Mapping[str, Line]) -> bool:
    offending = [(item_of(lines[name]), order_date_of(lines[name])) for name in found.lines] or [("", "")]
    return all((found.rule_id, *place) in exits for place in offending)


def _warning(found: Told) -> Told:
    return msgspec.structs.replace(found, action="warn", exited=True)


@cache
def shipped() -> Policy:
    """The policy of this package, ``policy.toml``."""
    return parse_policy(files("negative_list").joinpath("policy.toml").read_text("utf-8"), "policy.toml")


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        ListError: it cannot be read, or something in it is wrong; all problems are in it.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(file=str(path), message=f"cannot be read ({error}); check the name, and save it as UTF-8")
        raise ListError([problem]) from None
    return parse_policy(text, str(path))


def parse_policy(text: str, file: str) -> Policy:
    """A policy from TOML; raises ListError with all problems."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ListError([Problem(file=file, message=f"not TOML: {str(error).lower()}")]) from None
    found = [*problems_of(raw, Policy), *_unknown_classes(raw)]
    if found:
        raise ListError(Problem(file=file, path=path, message=message) for path, message in found)
    return msgspec.convert(raw, Policy)


def _unknown_classes(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Classes nobody has: a ceiling or a row for one would be passed over without a word."""
    ceilings, rows = raw.get("classes", {}), raw.get("set", [])
    named = [(f"classes.{name}", name) for name in ceilings] if isinstance(ceilings, dict) else []
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict) and row.get("class"):
            named.append((f"set[{place}].class", row["class"]))
    for path, name in named:
        if isinstance(name, str) and name not in CLASS_IDS:
            yield path, f"unknown class `{name}`{nearest(name, CLASS_IDS)}"
