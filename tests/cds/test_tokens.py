"""Who may call, where the settings name issuers of tokens."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from reminder.cds.tokens import LONGEST_S, Seen, Token, Tokens, UntrustedError
from tests.cds.asking import Answer, send
from tests.cds.bodies import SIGN, hook_body
from tests.cds.keys import BASE, ISSUER, Keys, issuers
from tests.reminder.sidecar import NOW, Running, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = int(NOW.timestamp())
KEYS = Keys()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar that asks for tokens."""
    folder = tmp_path_factory.mktemp("sidecar")
    with running(folder, cds=issuers(folder, KEYS)) as sidecar:
        yield sidecar


def call(here: Running, token: str, path: str = SIGN, method: str = "POST", body: object = None) -> Answer:
    """One call with a token."""
    return send(here, method, path, body or hook_body(), {"Authorization": f"Bearer {token}"} if token else {})


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "RS256", "PS512"])
def test_a_token_signed_by_a_trusted_issuers_key_is_taken(here: Running, algorithm: str) -> None:
    """Both recommended algorithms, and the others a private key makes."""
    assert call(here, KEYS.token(SIGN, algorithm)).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": BASE + "/cds-services"},
        {"aud": None},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": SECONDS - 120},
        {"exp": None},
        {"exp": SECONDS + LONGEST_S + 1},
        {"iat": SECONDS + 300},
        {"iat": None},
        {"nbf": SECONDS + 300},
        {"jti": None},
        {"iat": "yesterday"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_call_is_refused(here: Running, claims: dict[str, Any]) -> None:
    """Every claim counts; the answer does not say which."""
    answer = call(here, KEYS.token(SIGN, **claims))
    assert (answer.status, dict(answer)) == (
        401,
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login"}]},
    )


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512"])
def test_no_secret_and_no_signature_is_none(here: Running, algorithm: str) -> None:
    """Even where the file of keys holds a secret."""
    assert call(here, KEYS.token(SIGN, algorithm)).status == 401


@pytest.mark.parametrize(
    "head", [{"kid": "unknown"}, {"kid": "rsa"}, {"kid": "secret"}, {"typ": "at+jwt"}, {"crit": ["x"], "x": 1}], ids=str
)
def test_a_token_whose_header_does_not_fit_is_refused(here: Running, head: dict[str, Any]) -> None:
    """An unknown key, a key of another kind, another type of token, an extension nobody knows."""
    assert call(here, KEYS.token(SIGN, head=head)).status == 401


def test_a_strangers_signature_is_refused(here: Running) -> None:
    """With the right name of a key, and everything else right."""
    told = jwt.decode(KEYS.token(SIGN), options={"verify_signature": False})
    assert call(here, jwt.encode(told, KEYS.strange, algorithm="ES384", headers={"kid": "ec"})).status == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.b.c", "." * 9000], ids=["none", "x", "abc", "letters", "long"])
def test_what_is_no_token_is_refused(here: Running, token: str) -> None:
    """Whatever it is."""
    assert call(here, token.encode().decode("latin-1")).status == 401


def test_a_token_is_taken_once(here: Running) -> None:
    """Its id is remembered for as long as it holds."""
    token = KEYS.token(SIGN)
    assert [call(here, token).status, call(here, token).status] == [200, 401]


def test_discovery_and_feedback_ask_for_tokens_too(here: Running) -> None:
    """Each for its own URL."""
    assert call(here, "", "/cds-services", "GET").status == 401
    assert call(here, KEYS.token("/cds-services"), "/cds-services", "GET").status == 200
    path = f"{SIGN}/feedback"
    assert call(here, KEYS.token(SIGN), path, body={"feedback": []}).status == 401
    assert call(here, KEYS.token(path), path, body={"feedback": []}).status == 400


def test_several_audiences_are_one_list(here: Running) -> None:
    """A client that calls several services with one token names each."""
    assert call(here, KEYS.token(SIGN, aud=["https://other.example", BASE + SIGN])).status == 200


def test_the_log_says_why_and_holds_no_token(here: Running) -> None:
    """Nor what the token says."""
    token = KEYS.token(SIGN, iss="https://nobody.example")
    call(here, token)
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline and all(line.get("why") != "issuer" for line in here.logged()):
        time.sleep(0.01)
    assert [line["face"] for line in here.logged() if line.get("why") == "issuer"]
    whole = json.dumps(here.logged())
    assert all(part not in whole for part in (token, *token.split(".")[:2], "nobody.example"))


def test_the_preflight_of_a_browser_needs_no_token(here: Running) -> None:
    """It cannot have one."""
    asked = {
        "Origin": ISSUER,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = send(here, "OPTIONS", SIGN, None, asked)
    assert (answer.status, answer.headers["access-control-allow-headers"]) == (200, "authorization")


# -- the parts


def test_a_url_of_keys_is_only_compared(tmp_path: Path) -> None:
    """Nothing is fetched: a token may name one of the issuer's, and no other."""
    cds = issuers(tmp_path, KEYS, jku=("https://ehr.example/keys",))
    tokens = Tokens(cds.issuers)
    taken = tokens.verified(f"Bearer {KEYS.token('/x', head={'jku': 'https://ehr.example/keys'})}", f"{BASE}/x", NOW)
    assert taken.iss == ISSUER
    assert tokens.verified(f"bearer {KEYS.token('/x')}", f"{BASE}/x", NOW).iss == ISSUER
    with pytest.raises(UntrustedError, match="jku"):
        tokens.verified(f"Bearer {KEYS.token('/x', head={'jku': 'https://evil.example'})}", f"{BASE}/x", NOW)


def test_changed_keys_are_read_again(tmp_path: Path) -> None:
    """An issuer changes its keys without a stop of ours; a broken file trusts nobody."""
    cds, later = issuers(tmp_path, KEYS), Keys()
    tokens, file = Tokens(cds.issuers), cds.issuers[0].keys
    tokens.verified(f"Bearer {KEYS.token('/x')}", f"{BASE}/x", NOW)
    for number, text in enumerate((json.dumps(later.public()), "{"), 1):
        file.write_text(text, encoding="utf-8")
        os.utime(file, (number, number))
        with pytest.raises(UntrustedError):
            tokens.verified(f"Bearer {KEYS.token('/x')}", f"{BASE}/x", NOW)
        if number == 1:
            assert tokens.verified(f"Bearer {later.token('/x')}", f"{BASE}/x", NOW).jti


def test_ids_of_tokens_are_forgotten_when_they_hold_no_more() -> None:
    """So that memory stays bounded."""
    seen = Seen()
    seen.take(Token(iss="a", jti="1", until=SECONDS + 10), NOW)
    with pytest.raises(UntrustedError):
        seen.take(Token(iss="a", jti="1", until=SECONDS + 10), NOW)
    seen.take(Token(iss="b", jti="1", until=SECONDS + 10), NOW)
    seen.take(Token(iss="a", jti="1", until=SECONDS + 900), NOW + timedelta(seconds=120))
