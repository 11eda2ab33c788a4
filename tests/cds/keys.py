"""Keys and tokens of clients that are nobody's."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from reminder.cds.settings import Cds, Issuer
from tests.reminder.sidecar import NOW

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BASE", "ISSUER", "SECRET", "Keys", "issuers"]

BASE, ISSUER = "https://reminder.example", "https://ehr.example"
SECRET = "a shared secret, which is no signature " * 2

_SERIAL = count(1)


class Keys:
    """Private keys, and their public JWK Set."""

    def __init__(self) -> None:
        self.elliptic = ec.generate_private_key(ec.SECP384R1())
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.strange = ec.generate_private_key(ec.SECP384R1())

    def public(self) -> dict[str, Any]:
        """The JWK Set, with a shared secret that should not be in it."""
        rows = [
            ECAlgorithm.to_jwk(self.elliptic.public_key(), as_dict=True) | {"kid": "ec"},
            RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True) | {"kid": "rsa"},
            {"kty": "oct", "k": "YQ", "kid": "secret"},
        ]
        return {"keys": rows}

    def token(self, path: str, algorithm: str = "ES384", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token for a path, five minutes long; ``claims`` change it, ``None`` leaves one out."""
        now = int(NOW.timestamp())
        told = {"iss": ISSUER, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": f"t{next(_SERIAL)}"} | claims
        kid = "rsa" if algorithm.startswith(("RS", "PS")) else "secret" if algorithm.startswith("HS") else "ec"
        keys: dict[str, Any] = {"ec": self.elliptic, "rsa": self.rsa, "secret": SECRET}
        key: Any = None if algorithm == "none" else keys[kid]
        rest = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(rest, key, algorithm=algorithm, headers={"kid": kid} | (head or {}))


def issuers(folder: Path, keys: Keys, **changes: Any) -> Cds:
    """The settings of a sidecar that trusts those keys."""
    file = folder / "keys.json"
    file.write_text(json.dumps(keys.public()), encoding="utf-8")
    return Cds(base_url=BASE, issuers=(Issuer(iss=ISSUER, keys=file, **changes),))
