"""The chain of hashes: an entry's place and hash from the one before, and whether an entry follows another.

Everything here is pure, and simple enough to be done again by a stranger with an export: the hash of an entry is
SHA-256 over, one after the other, the 32 bytes of the previous entry's hash (:data:`reminder.journal.base.NO_HASH`
before the first), two JSON arrays (UTF-8, no spaces), the brief, and the body. The first array is chain and number, the
second kind, instant (:func:`instant_text`), decision id, institution id, patient key, encounter key, ``asked``, and the
length of the brief in bytes. So no two entries read the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from reminder.journal.base import Draft, Head, Row

__all__ = ["Problem", "follows", "hash_of", "instant_of", "instant_text", "rows_of"]

Problem: TypeAlias = Literal["chain", "number", "hash"]
"""Why an entry does not follow another: it is of another chain, its number is not the next, its hash is not the one of
what it says after what came before."""

_ENCODE = msgspec.json.Encoder().encode
# Over 2,047 bytes hashlib lets go of the interpreter's lock, and gets it back from a busy loop after milliseconds only:
# that is worth it where the hash itself takes a while.
_PIECE = 2047
_LARGE = 100_000
_TEXTS = ("decision_id", "institution_id", "patient_key", "encounter_key", "asked")


def hash_of(previous: bytes, chain: str, seq: int, draft: Draft) -> bytes:
    """The hash of an entry in a place, after the one with hash ``previous``. ``draft`` may be a ``Row``.

    Raises:
        UnicodeEncodeError: When a text is no Unicode; :func:`rows_of` makes none such.
    """
    return _hash(previous, chain, seq, draft, _texts(draft))


def rows_of(head: Head, drafts: Iterable[Draft]) -> tuple[list[Row], Head]:
    """The next entries of a chain, and how far it has come then.

    What no database takes in the short texts (half a surrogate pair, NUL) is replaced; the body is written as it is.
    """
    rows, chain, seq, last = [], head.chain, head.seq, head.hash
    for given in drafts:
        draft, texts = _storable(given)
        seq += 1
        last = _hash(last, chain, seq, draft, texts)
        rows.append(
            Row(
                kind=draft.kind,
                at=draft.at,
                decision_id=draft.decision_id,
                institution_id=draft.institution_id,
                patient_key=draft.patient_key,
                encounter_key=draft.encounter_key,
                asked=draft.asked,
                brief=draft.brief,
                body=draft.body,
                chain=chain,
                seq=seq,
                hash=last,
            )
        )
    return rows, Head(chain=chain, seq=seq, hash=last)


def follows(row: Row, previous: Head) -> Problem | None:
    """Why an entry is not the next one after ``previous``; ``None`` where it is."""
    if row.chain != previous.chain:
        return "chain"
    if row.seq != previous.seq + 1:
        return "number"
    try:
        return None if hash_of(previous.hash, row.chain, row.seq, row) == row.hash else "hash"
    except (UnicodeEncodeError, TypeError):  # somebody has put in what is no text, or no bytes
        return "hash"


def instant_text(at: datetime) -> str:
    """An instant as ``yyyy-mm-ddThh:mm:ss.ffffff``, UTC: such texts sort as the instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26]


def instant_of(text: str) -> datetime:
    """The instant (UTC) such a text stands for. Raises ``ValueError``."""
    return datetime.fromisoformat(text + "+00:00")  # a fifth of what it takes to replace the zone


def _hash(previous: bytes, chain: str, seq: int, draft: Draft, texts: bytes) -> bytes:
    whole = b"".join((previous, _ENCODE((chain, seq)), texts, draft.brief, draft.body))
    if len(whole) >= _LARGE:
        return hashlib.sha256(whole).digest()
    hashed = hashlib.sha256(whole[:_PIECE])
    for begin in range(_PIECE, len(whole), _PIECE):
        hashed.update(whole[begin : begin + _PIECE])
    return hashed.digest()


def _texts(draft: Draft) -> bytes:
    return _ENCODE(
        (
            draft.kind,
            instant_text(draft.at),
            draft.decision_id,
            draft.institution_id,
            draft.patient_key,
            draft.encounter_key,
            draft.asked,
            len(draft.brief),
        )
    )


def _storable(draft: Draft) -> tuple[Draft, bytes]:
    """The same with short texts every database takes (nearly always the very same), and these as they are hashed."""
    try:
        texts = _texts(draft)
        if b"\\u0000" not in texts:
            return draft, texts
    except UnicodeEncodeError:
        pass
    clean = msgspec.structs.replace(draft, **{name: _clean(getattr(draft, name)) for name in _TEXTS})
    return clean, _texts(clean)


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
