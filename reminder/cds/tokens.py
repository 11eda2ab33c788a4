"""Bearer tokens: who calls is known by a JWT signed with a key of a trusted issuer (reference b.7).

Keys come from files only: a hospital without internet cannot fetch them, and nobody else can put others in their place.
Why a token is refused is logged, never told, and the token itself is in neither.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reminder.cds.settings import Issuer

__all__ = ["ALGORITHMS", "LEEWAY_S", "LONGEST_S", "Seen", "Token", "Tokens", "UntrustedError"]

ALGORITHMS = frozenset({"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
"""Signatures by a private key. None of them shares a secret, and ``none`` is not among them (b.7)."""

LEEWAY_S = 60
"""Seconds two clocks may differ by."""

LONGEST_S = 3600
"""Seconds a token may live: its id is remembered as long, so that it is taken once. Clients use five minutes."""

_MOST = 100_000
_ASYMMETRIC = frozenset({"EC", "RSA"})
_BEARER = "bearer "
_CLAIMS = ("iss", "aud", "exp", "iat", "jti")
_OURS: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
"""Times are held against the service's clock here."""


class UntrustedError(Exception):
    """A token is not to be trusted; the message, for the log, holds nothing of it."""


class Token(Struct, frozen=True, kw_only=True):
    """A token that can be trusted, if it was not seen before: who issued it, its id, and until when it holds (s)."""

    iss: str
    jti: str
    until: float


class _Key(Struct, frozen=True, kw_only=True):
    """A public key, and the one algorithm it is for; "": any that its kind can."""

    key: Any
    algorithm: str


class Tokens:
    """The issuers of the settings. Files of keys are read again when they change."""

    def __init__(self, issuers: Sequence[Issuer]) -> None:
        self._issuers = {issuer.iss: issuer for issuer in issuers}
        self._keys: dict[Path, tuple[int, Mapping[str, _Key]]] = {}

    def verified(self, header: str, endpoint: str, now: datetime) -> Token:
        """The token of an ``Authorization`` header.

        Args:
            header: as it came.
            endpoint: the URL that was called, which the token has to be for.
            now: the instant, UTC.

        Raises:
            UntrustedError: It is none, or not to be trusted.
        """
        if not header.lower().startswith(_BEARER):
            raise UntrustedError("no bearer token")
        token = header[len(_BEARER) :].strip()
        try:
            return self._verified(token, endpoint, now.timestamp())
        except (jwt.PyJWTError, ValueError, TypeError, OSError, RecursionError) as error:
            raise UntrustedError(type(error).__name__) from None

    def _verified(self, token: str, endpoint: str, now: float) -> Token:
        head = jwt.get_unverified_header(token)
        if head.get("alg") not in ALGORITHMS:
            raise UntrustedError("algorithm")
        if str(head.get("typ", "JWT")).upper() != "JWT":
            raise UntrustedError("type")
        told = jwt.decode(token, options={"verify_signature": False})
        issuer = self._issuers.get(str(told.get("iss")))
        if issuer is None:
            raise UntrustedError("issuer")
        if issuer.jku and head.get("jku", issuer.jku[0]) not in issuer.jku:
            raise UntrustedError("jku")
        key, algorithm = self._keys_of(issuer).get(str(head.get("kid"))), str(head["alg"])
        if key is None or key.algorithm not in {"", algorithm}:
            raise UntrustedError("key")
        claims = jwt.decode(token, key.key, algorithms=[algorithm], audience=endpoint, issuer=issuer.iss, options=_OURS)
        return Token(iss=issuer.iss, jti=str(claims["jti"]), until=_until(claims, now))

    def _keys_of(self, issuer: Issuer) -> Mapping[str, _Key]:
        """The issuer's keys by their ids."""
        changed = issuer.keys.stat().st_mtime_ns
        known = self._keys.get(issuer.keys)
        if known is None or known[0] != changed:
            known = self._keys[issuer.keys] = changed, _keys(issuer.keys)
        return known[1]


def _keys(file: Path) -> Mapping[str, _Key]:
    """The public keys of a JWK Set; a shared secret is none."""
    rows = json.loads(file.read_text("utf-8-sig"))["keys"]
    told = (row for row in rows if row.get("kty") in _ASYMMETRIC)
    return {str(row.get("kid")): _Key(key=jwt.PyJWK(row).key, algorithm=str(row.get("alg", ""))) for row in told}


def _until(claims: Mapping[str, Any], now: float) -> float:
    """Until when the token holds; raises where it does not now, or is meant to live too long."""
    begun, until = float(claims["iat"]), float(claims["exp"])
    starts = float(claims.get("nbf", begun))
    if not max(begun, starts) - LEEWAY_S <= now < until + LEEWAY_S:
        raise UntrustedError("expired, or not valid yet")
    if until - begun > LONGEST_S:
        raise UntrustedError(f"lives longer than {LONGEST_S} s")
    return until


class Seen:
    """The ids of tokens this process took, until they hold no more; each token is taken once."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, token: Token, now: datetime) -> None:
        """Take a token; raises ``UntrustedError`` where it was taken before."""
        key, moment = (token.iss, token.jti), now.timestamp() - LEEWAY_S
        if self._until.get(key, 0.0) > moment:
            raise UntrustedError("seen before")
        self._until[key] = token.until
        self._until.move_to_end(key)
        while len(self._until) > _MOST or next(iter(self._until.values())) <= moment:
            self._until.popitem(last=False)
