"""The classes the importer knows: what each wishes for, and which words of a point it is made from."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["FAMILIES", "Addressee", "Family", "Kind", "Suggested"]

Kind: TypeAlias = Literal[
    "sex", "ages", "work_age", "insurance", "modes", "level", "indication", "second_line", "course", "never",
    "alone", "pair", "frequency", "period", "discount", "internet",
]  # fmt: skip
"""How a point is read: by which words, into which condition."""

Addressee: TypeAlias = Literal["doctor", "charge_entry", "pharmacy", "registration", "office"]
"""Who can act on a finding, as :class:`negative_list.rules.Rule` names them."""

Suggested: TypeAlias = Literal["drop", "quantity", "days", "self_pay"]
"""The edits a rule may suggest, as :class:`negative_list.rules.Rule` names them."""


class Family(Struct, frozen=True, kw_only=True):
    """What rules of one class have in common. ``kind`` says how a point of the class is read."""

    kind: Kind
    action: Literal["remind", "warn", "block"]
    fund_only: bool
    addressee: Addressee = "doctor"
    suggestions: tuple[Suggested, ...] = ("drop",)
    amount: Literal["line", "excess", "none"] = "line"
    per: Literal["line", "encounter"] = "line"


_FUND: tuple[Suggested, ...] = ("drop", "self_pay")


def _fund(
    kind: Kind,
    action: Literal["warn", "block"],
    *suggestions: Suggested,
    addressee: Addressee = "doctor",
    amount: Literal["line", "excess"] = "line",
) -> Family:
    """Only the fund refuses: the patient may still have it and pay."""
    return Family(
        kind=kind,
        action=action,
        fund_only=True,
        addressee=addressee,
        suggestions=suggestions or _FUND,
        amount=amount,
    )


FAMILIES: dict[str, Family] = {
    "R01": _fund("insurance", "block"),
    "R02": _fund("insurance", "block"),
    "R03": _fund("never", "block"),
    "R04": Family(
        kind="alone", action="warn", fund_only=True, suggestions=("self_pay", "drop"), per="encounter"
    ),
    "R05": _fund("second_line", "warn"),
    "R06": _fund("ages", "block"),
    "R07": _fund("ages", "block"),
    "R08": _fund("indication", "warn"),
    "R10": _fund("course", "warn", "days", "drop", "self_pay", amount="excess"),
    "R12": _fund("level", "block"),
    "R13": _fund("modes", "warn"),
    "R15": Family(
        kind="discount", action="warn", fund_only=False, addressee="charge_entry", suggestions=(), per="encounter"
    ),
    "R16": _fund("insurance", "block", addressee="charge_entry"),
    "R17": _fund("insurance", "block", addressee="charge_entry"),
    "R18": _fund("ages", "block", addressee="charge_entry"),
    "R19": _fund("ages", "block", addressee="charge_entry"),
    "R20": _fund("indication", "warn"),
    "R22": _fund("modes", "warn"),
    "R23": _fund("course", "warn", amount="excess"),
    "R24": _fund("level", "block"),
    "R25": Family(kind="pair", action="warn", fund_only=False, addressee="charge_entry"),
    "R27": Family(
        kind="frequency", action="warn", fund_only=False, addressee="charge_entry", suggestions=("quantity", "drop"),
        amount="excess",
    ),
    "R29": _fund("work_age", "block"),
    "R31": _fund("period", "warn", "quantity", "drop", "self_pay", amount="excess"),
    "R32": _fund("ages", "block", addressee="charge_entry"),
    "R33": _fund("ages", "block", addressee="charge_entry"),
    # prescribing it online is forbidden, whoever pays
    "R47": Family(kind="internet", action="block", fund_only=False),
    # the item itself is made for children, or for one sex: no payer makes it right
    "R65": Family(kind="ages", action="block", fund_only=False),
    "R67": Family(kind="sex", action="block", fund_only=False),
    "R80": Family(kind="ages", action="block", fund_only=False, addressee="charge_entry"),
    "R81": Family(kind="sex", action="block", fund_only=False),
    "R87": Family(kind="sex", action="block", fund_only=False, addressee="charge_entry"),
    "R88": _fund("indication", "warn", addressee="charge_entry"),
}  # fmt: skip
"""Every class the importer can read, by its id. Actions are the list's wish; the policy may ask for less."""
