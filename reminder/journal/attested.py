"""What signed lines say of chains: how far they had come, and which spans were taken out; and what is wrong with lines.

A line whose signature does not hold says nothing. A line that was taken out is missed by the next of its process, for
they are numbered, or by the one that was written after it, which names it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.journal.lines import Checkpoint, SealedSpan, digest_of, read_line
from reminder.journal.problems import Problem

if TYPE_CHECKING:
    from reminder.journal.lines import Line, Signed
    from reminder.journal.signing import TrustedKeys

__all__ = ["Attested", "Chain", "End", "covering", "read_attested"]

_NEAR = 1000  # how many lines others can write between one's reading of the last and writing of the next
_END = b"}"  # of a line that was written whole
_UNREADABLE = "cannot be read, and is whole: it was edited"
_SEQ_BYTES = 8
_HASH_BYTES = 32
_PLACE = _SEQ_BYTES + _HASH_BYTES


class End(Struct, frozen=True, kw_only=True):
    """The furthest a chain is attested: entry ``seq``, by a checkpoint of that instant (UTC) in that line."""

    seq: int
    at: datetime
    line: int


class Chain:
    """What lines say of one chain. ``end`` is ``None`` without a checkpoint; ``spans`` are in the order of the file."""

    def __init__(self) -> None:
        self.end: End | None = None
        self.spans: list[SealedSpan] = []
        # 40 bytes a place, so that years of checkpoints fit: number and hash, which sort as bytes do.
        self._places = bytearray()

    def reached(self, seq: int, hash_: bytes, at: datetime, line: int) -> None:
        """A checkpoint says the chain had come so far."""
        place = seq.to_bytes(_SEQ_BYTES) + hash_
        if self._places[-_PLACE:] != place:
            self._places += place
        if self.end is None or seq >= self.end.seq:
            self.end = End(seq=seq, at=at, line=line)

    def places(self) -> list[tuple[int, bytes]]:
        """Numbers of entries with the hash they must have, by number."""
        places = self._places
        found = {bytes(places[at : at + _PLACE]) for at in range(0, len(places), _PLACE)}
        return [(int.from_bytes(place[:_SEQ_BYTES]), place[_SEQ_BYTES:]) for place in sorted(found)]


class Attested:
    """What all lines say. ``lines`` counts those that hold; ``last_at`` is the instant of the latest checkpoint."""

    def __init__(self) -> None:
        self.chains: dict[str, Chain] = {}
        self.lines = 0
        self.last_at: datetime | None = None
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def chain(self, name: str) -> Chain:
        """What lines say of a chain: nothing, where none names it."""
        return self.chains.setdefault(name, Chain())

    def add(self, line: Line, number: int) -> None:
        """A line that holds."""
        self.lines += 1
        if isinstance(line, SealedSpan):
            self.chain(line.chain).spans.append(line)
            return
        self.last_at = max(self.last_at or line.at, line.at)
        for place in line.heads:
            if place.seq:
                self.chain(place.chain).reached(place.seq, bytes.fromhex(place.hash), line.at, number)


def read_attested(lines: Iterable[tuple[int, bytes]], trusted: TrustedKeys) -> Attested:
    """What lines say, of which each comes with its number in the file, by keys that are trusted.

    Raises:
        SigningError: When a key cannot be used.
    """
    attested, order = Attested(), _Order()
    cut_off: list[int] = []
    for number, raw in lines:
        signed = read_line(raw)
        if signed is None:
            if raw.endswith(_END):
                attested.problems.append(Problem(kind="line", line=number, text=_UNREADABLE))
            else:
                cut_off.append(number)
            continue
        wrong = _wrong(signed, trusted) or order.wrong(signed.line)
        order.add(signed.line, digest_of(raw))
        if wrong:
            attested.problems.append(Problem(kind="line", line=number, text=wrong))
        else:
            attested.add(signed.line, number)
    attested.notes += _torn(cut_off)
    return attested


def covering(
    lines: Iterable[tuple[int, bytes]], trusted: TrustedKeys, chain: str, seq: int
) -> tuple[int, bytes, Checkpoint] | None:
    """The first checkpoint that says a chain had come as far as an entry: number, bytes and meaning of its line.

    Raises:
        SigningError: When a key cannot be used.
    """
    for number, raw in lines:
        signed = read_line(raw)
        if signed is not None and isinstance(signed.line, Checkpoint):
            reaches = any(place.chain == chain and place.seq >= seq for place in signed.line.heads)
            if reaches and not _wrong(signed, trusted):
                return number, raw, signed.line
    return None


def _wrong(signed: Signed, trusted: TrustedKeys) -> str:
    good = trusted.signed(signed.line.key, signed.signature, signed.content)
    if good is None:
        return f"is signed with key `{signed.line.key}`, which is not among those trusted"
    return "" if good else "is not what was signed: it was edited, or forged"


class _Order:
    """Which lines came before: the digests of the last ones, and the last number of each process."""

    def __init__(self) -> None:
        self._digests: deque[str] = deque(maxlen=_NEAR)
        self._numbers: dict[str, int] = {}

    def wrong(self, line: Line) -> str:
        """Which line is missing before this one; "" where none is."""
        expected = self._numbers.get(line.run, 0) + 1
        if line.number != expected:
            return f"is number {line.number} of its process, where {expected} was to come: lines are missing, or moved"
        if line.previous in self._digests or (not line.previous and not self._digests):
            return ""
        return "follows a line that is not there: lines are missing, or moved"

    def add(self, line: Line, digest: str) -> None:
        """A line that was read."""
        self._digests.append(digest)
        self._numbers[line.run] = line.number


def _torn(cut_off: list[int]) -> Iterator[str]:
    """A line that cannot be read is one a crash cut off: were it one that counted, another would miss it."""
    for number in cut_off:
        yield f"line {number} is not a whole one: it was cut off when it was written"
