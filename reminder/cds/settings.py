"""The settings of CDS Hooks, ``[cds]``: names and places to show, ids to look for, whose tokens are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct, field

from negative_list.readers.fhir.hooks import Naming
from negative_list.rules import Action
from reminder.cds.prefetch import PREFETCH
from reminder.settings import WrongSettingsError, one_of, read_row, read_rows, text_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CRD", "INDICATORS", "PLAIN", "PROFILES", "Cds", "Indicator", "Issuer", "read_cds"]

Indicator: TypeAlias = Literal["info", "warning", "critical"]
"""How urgent a card is (b.4)."""

INDICATORS: tuple[Indicator, ...] = ("info", "warning", "critical")
"""Every word of :data:`Indicator`, in order of urgency."""

PLAIN, CRD = "plain", "crd"

PROFILES: Mapping[str, Mapping[Action, Indicator]] = {
    PLAIN: {"block": "critical", "warn": "warning", "remind": "info"},
    CRD: {"block": "warning", "warn": "info", "remind": "info"},
}
"""The indicator of each action (b.11). ``crd``: the insurance profile keeps ``critical`` for clinical harm (b.8)."""


class Issuer(Struct, frozen=True, kw_only=True):
    """Whose tokens are trusted: ``iss``, the file of its public keys (a JWK Set), and where it may say they are.

    ``jku``: URLs a token may name; none: it may name any, for keys are only ever taken from the file.
    """

    iss: str
    keys: Path
    jku: tuple[str, ...] = ()


class Cds(Struct, frozen=True, kw_only=True):
    """How CDS Hooks is spoken.

    ``profile``: ``plain``, or ``crd`` for clients of the insurance profile; ``indicators`` change single actions.
    ``source_label`` (with ``source_url``, ``source_icon``) is whose advice a card says it is. ``institution`` is the
    code of the institution where an encounter names none; ``naming`` the identifier systems of ids. ``prefetch``: the
    keys asked for. ``base_url`` is what callers' URLs begin with, before ``/cds-services``; tokens are for it.
    """

    profile: str = PLAIN
    indicators: Mapping[Action, Indicator] = field(default_factory=lambda: PROFILES[PLAIN])
    source_label: str = "医保事前提醒"
    source_url: str = ""
    source_icon: str = ""
    institution: str = ""
    naming: Naming = Naming()
    prefetch: tuple[str, ...] = tuple(PREFETCH)
    base_url: str = ""
    issuers: tuple[Issuer, ...] = ()


def read_cds(raw: object, folder: Path) -> Cds:
    """The settings of ``[cds]``.

    Raises:
        WrongSettingsError: Naming every wrong value.
    """
    told = read_row(raw, folder, _READERS)
    profile = told.get("profile", PLAIN)
    told["indicators"] = PROFILES[profile] | told.get("indicators", {})
    told["naming"] = Naming(**{name: told.pop(f"{name}_system", "") for name in _SYSTEMS})
    if told.get("issuers") and not told.get("base_url"):
        why = "tokens are for the URL that was called; give base_url, what callers' URLs begin with"
        raise WrongSettingsError([(".base_url", why)])
    return Cds(**told)


def _url(raw: object, folder: Path) -> str:
    text = text_of(raw, folder)
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"`{text}` is not a URL, as in https://his.example/reminder")
    return text.rstrip("/")


def _keys(raw: object, folder: Path) -> Path:
    file = folder / text_of(raw, folder)
    if not file.is_file():
        raise ValueError(f"`{file}` is not there; write the issuer's JWK Set into it")
    return file


def _indicators(raw: object, folder: Path) -> dict[str, str]:
    return read_row(raw, folder, dict.fromkeys(PROFILES[PLAIN], one_of(INDICATORS)))


def _prefetch(raw: object, folder: Path) -> tuple[str, ...]:
    return tuple(one_of(tuple(PREFETCH))(key, folder) for key in texts_of(raw) if key) if raw else ()


def _issuers(raw: object, folder: Path) -> tuple[Issuer, ...]:
    readers: Mapping[str, Callable[[object, Path], Any]] = {"iss": text_of, "keys": _keys, "jku": texts_of}
    rows: tuple[dict[str, Any], ...] = read_rows(raw, folder, readers, dict)
    wrong = [
        (f"[{number}]", f"`{name}` is missing; give who issues the tokens (iss) and the file of the public keys (keys)")
        for number, row in enumerate(rows, 1)
        for name in ("iss", "keys")
        if name not in row
    ]
    if wrong:
        raise WrongSettingsError(wrong)
    return tuple(Issuer(**row) for row in rows)


_SYSTEMS = ("patient", "encounter", "institution")
_READERS: Mapping[str, Callable[[object, Path], Any]] = {
    "profile": one_of(tuple(PROFILES)),
    "indicators": _indicators,
    "source_label": text_of,
    "source_url": _url,
    "source_icon": _url,
    "institution": text_of,
    **{f"{name}_system": text_of for name in _SYSTEMS},
    "prefetch": _prefetch,
    "base_url": _url,
    "issuers": _issuers,
}
