"""A release is read only whole, unchanged, and signed by somebody trusted."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.compile import digest_of
from negative_list.errors import ListError
from negative_list.release.container import (
    MOST_BYTES,
    MOST_SIGNATURES,
    Release,
    ReleaseError,
    head_of,
    read_manifest,
    read_release,
    release_bytes,
    signature_line,
)
from negative_list.release.opening import rules_of
from negative_list.release.signing import (
    KeyFileError,
    PrivateKey,
    load_private,
    load_public,
    private_pem,
    public_pem,
    sign,
    verify,
)
from negative_list.rules import NamedSet, Trigger
from tests.generators_lists import draw_list
from tests.negative_list.builders import DRUG, OTHER, rule
from tests.release.made import key, opened, release, some_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@cache
def whole() -> bytes:
    """A small release."""
    named = NamedSet(id="s", codes=(DRUG, OTHER))
    return release(some_rules(rule(id="a"), rule(id="b", trigger=Trigger(sets=("s",))), sets=[named]))


def refused(data: bytes) -> str:
    """Why a file is refused, "" where it is believed."""
    try:
        verify(opened(data), [key().public])
    except ReleaseError as error:
        return error.reason if error.message else "nothing said"
    return ""


def test_a_release_is_read_as_it_was_built() -> None:
    """Its list, counts and digest are those of the list it was made from, and written again it is the same file."""
    read = opened(whole())
    rules = rules_of(read)
    told = read.manifest
    assert (told.rules, told.details, told.classes) == (2, 3, {"R67": (2, 3)})
    assert told.digest == digest_of(rules) == hashlib.sha256(read.content).hexdigest()
    assert (verify(read, [key().public]), release_bytes(read)) == (key().public, whole())


@given(st.integers(0, 2**32))
def test_any_list_comes_back_as_it_was(seed: int) -> None:
    """Reading what was built gives the list, in the order of its ids."""
    rules = draw_list(seed)
    read = opened(release(rules))
    verify(read, [key().public])
    assert digest_of(rules_of(read)) == digest_of(rules) == read.manifest.digest


@given(st.data())
def test_a_release_with_any_bit_flipped_is_refused(data: st.DataObject) -> None:
    """Wherever the bit stands: in the lines before the list as well as in it."""
    place = data.draw(st.integers(0, len(whole()) * 8 - 1))
    changed = bytearray(whole())
    changed[place // 8] ^= 1 << place % 8
    assert refused(bytes(changed)) in {"altered", "wrong-key", "not-a-release", "truncated", "too-large"}


def test_a_signature_with_any_bit_flipped_is_refused() -> None:
    """Every bit of the line of signatures counts, those that base64 leaves over too."""
    end = whole().index(b"\n", whole().index(b"\n{") + 1) + 1
    start, stop = end, whole().index(b"\n", end) + 1
    for place in range(start * 8, stop * 8):
        changed = bytearray(whole())
        changed[place // 8] ^= 1 << place % 8
        assert refused(bytes(changed)) in {"altered", "wrong-key", "truncated", "too-large"}, place


def test_a_release_that_ends_early_is_refused() -> None:
    """Wherever it ends; and that is what is said."""
    assert {refused(whole()[:size]) for size in range(len(whole()))} == {"truncated"}


@given(st.binary(min_size=1, max_size=40))
def test_nothing_may_follow_a_release(more: bytes) -> None:
    """One byte after its end is one too many."""
    assert refused(whole() + more) == "altered"


@given(st.binary(max_size=300))
def test_what_is_no_release_is_refused(data: bytes) -> None:
    """Whatever the bytes are, they are refused, not fallen over."""
    assert refused(data) in {"not-a-release", "truncated"}


def forged(change: Callable[[Release], Release]) -> bytes:
    """The release with something of it changed by somebody without the key."""
    return release_bytes(change(opened(whole())))


def with_manifest(read: Release, **given: object) -> Release:
    """A release whose manifest says something else, under the signature it had."""
    return msgspec.structs.replace(read, head=head_of(msgspec.structs.replace(read.manifest, **given)))


def another_list(read: Release) -> Release:
    """The list exchanged, the manifest adapted to it, the signature kept."""
    content = opened(release(some_rules(rule(id="x")))).content
    changed = with_manifest(read, digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    return msgspec.structs.replace(changed, content=content)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: with_manifest(r, version="2099.1"), "altered"),
        (another_list, "altered"),
        (lambda r: msgspec.structs.replace(r, content=r.content[:-1] + b" "), "altered"),
        (lambda r: msgspec.structs.replace(r, signatures=()), "unsigned"),
        (lambda r: msgspec.structs.replace(r, signatures=(sign(r.head, key("stranger")),)), "wrong-key"),
        (lambda r: with_manifest(r, size_bytes=MOST_BYTES + 1), "too-large"),
        (lambda r: with_manifest(r, version="neu"), "altered"),
        (lambda r: with_manifest(r, size_bytes=-1), "altered"),
        (lambda r: with_manifest(r, digest="../../elsewhere"), "altered"),
        (lambda r: with_manifest(r, built_at=datetime(2026, 11, 2)), "altered"),
    ],
    ids=[
        *("version", "list", "byte of the list", "unsigned", "stranger"),
        *("size", "no version", "negative size", "no digest", "no zone"),
    ],
)
def test_a_forged_release_is_refused(change: Callable[[Release], Release], reason: str) -> None:
    """What somebody without the key can make of a release is refused, and why is said in a word."""
    assert refused(forged(change)) == reason


def test_of_several_signatures_one_trusted_is_enough_and_a_trusted_one_that_fails_is_too_many() -> None:
    """Two keys sign while an issuer changes keys; who trusts both wants both to hold."""
    both = release(keys=[key("old"), key("new")])
    read = opened(both)
    assert [verify(read, [key(name).public]) for name in ("old", "new")] == [key("old").public, key("new").public]
    broken = msgspec.structs.replace(read, signatures=(read.signatures[0], sign(b"other", key("new"))))
    assert verify(broken, [key("old").public]) == key("old").public
    with pytest.raises(ReleaseError, match="does not hold"):
        verify(broken, [key("old").public, key("new").public])


def test_more_signatures_than_anybody_needs_are_refused() -> None:
    """The line of signatures has a limit."""
    many = release(keys=[key()] * (MOST_SIGNATURES + 1))
    assert refused(many) == "too-large"


def test_another_form_is_told_from_no_release() -> None:
    """A release of a later form says that the program is too old."""
    with pytest.raises(ReleaseError, match="update the program") as caught:
        opened(whole().replace(b"release 1\n", b"release 2\n", 1))
    assert caught.value.reason == "not-a-release"


def test_the_manifest_of_a_file_is_read_without_its_list(tmp_path: Path) -> None:
    """What was brought can be named although the rest is missing; reading it whole is refused."""
    path = tmp_path / "half.release"
    path.write_bytes(whole()[:-1])
    assert read_manifest(path).version == "2026.11.1"
    with pytest.raises(ReleaseError):
        read_release(path)


def test_a_list_not_written_in_the_canonical_way_is_refused() -> None:
    """Signed or not: its digest would not be the one its decisions name."""
    content = opened(whole()).content.replace(b'"codes":', b'"codes": ', 1)
    changed = with_manifest(opened(whole()), digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    signed = msgspec.structs.replace(changed, content=content, signatures=(sign(changed.head, key()),))
    read = opened(release_bytes(signed))
    verify(read, [key().public])
    with pytest.raises(ListError, match="canonical") as caught:
        rules_of(read)
    assert [(p.file, p.row) for p in caught.value.problems] == [("release", 1)]


def test_the_lines_of_a_list_come_out_of_order_are_refused() -> None:
    """As it is not the canonical way; a row that is missing is noticed by the digest."""
    lines = opened(whole()).content.splitlines(keepends=True)
    content = b"".join(reversed(lines))
    changed = with_manifest(opened(whole()), digest=hashlib.sha256(content).hexdigest())
    with pytest.raises(ListError, match="canonical"):
        rules_of(msgspec.structs.replace(changed, content=content))


def test_lines_nested_deeper_than_the_stack_are_refused() -> None:
    """In the manifest, where anything unknown is passed over, and in the signatures."""
    magic = whole()[: whole().index(b"\n") + 1]
    assert refused(magic + b'{"x":' + b"[" * 100_000 + b"\n") == "altered"
    assert refused(opened(whole()).head + b"[" * 4000 + b"\n") == "altered"


def test_a_list_the_manifest_counts_wrongly_is_refused() -> None:
    """Although it is signed: who reads the manifest would be told wrong."""
    changed = with_manifest(opened(whole()), details=99)
    signed = msgspec.structs.replace(changed, signatures=(sign(changed.head, key()),))
    with pytest.raises(ListError, match="counts 2 rules and 99 details, the list has 2 and 3"):
        rules_of(opened(release_bytes(signed)))


def test_keys_are_read_as_they_were_written(tmp_path: Path) -> None:
    """A file of a key gives the key; a file of another kind says which one to name."""
    (tmp_path / "k").write_bytes(private_pem(key()))
    (tmp_path / "k.pub").write_bytes(public_pem(key().public))
    assert load_private(tmp_path / "k").public == load_public(tmp_path / "k.pub") == key().public
    for load, name in ((load_private, "k.pub"), (load_public, "k"), (load_public, "none")):
        with pytest.raises(KeyFileError, match=name):
            load(tmp_path / name)


def test_a_secret_key_shows_nothing_of_itself() -> None:
    """Not in a log, not in an error."""
    assert repr(key()) == "PrivateKey()"
    assert signature_line([sign(b"x", key())]) != signature_line([sign(b"x", key("stranger"))])


KEPT = (
    "reminder-release 1\n"
    '{"built_at":"2026-11-02T08:30:00Z","classes":{"R67":[1,1]},"details":1,'
    '"digest":"28c5fa1212a57b8d6b1e21a0f0e9964b578604894fe5fd0b5c4f07caf3fdd5cc","issuer":"某市医保局",'
    '"layers":[{"digest":"28c5fa1212a57b8d6b1e21a0f0e9964b578604894fe5fd0b5c4f07caf3fdd5cc","name":"某市负面清单",'
    '"origin":"","overridden":[],"rules":1}],"name":"某市负面清单","replaces":"","rules":1,"size_bytes":282,'
    '"valid_from":null,"valid_to":null,"version":"2026.11.1"}\n'
    '[{"ed25519":"eUWwN8cdbI5m6U7V3Agyse6qnTRY4LJCMQx38MUU/da6i31rrhX515fTln/ReJ94uG2NLOrklg39pBQCQRuNDQ==",'
    '"key":"56475aa75463474c"}]\n'
    '{"action":"block","basis":{"article":"条文","document":"知识库"},"class":"R67","id":"r",'
    '"message":{"en":"for women only","zh":"限女性使用"},"title":"药品",'
    '"trigger":{"codes":["XL02BBA326A001010102180"]},'
    '"violation":{"any_of":["男"],"fact":"patient.sex","kind":"fact"}}\n'
).encode()
"""A release of form 1 as it lies in hospitals."""


def test_the_form_stays_as_it_is() -> None:
    """A release built today is built the same ever after, and is read: another form has another number."""
    signing = PrivateKey(bytes(range(32)))
    assert release(keys=[signing], issuer="某市医保局") == KEPT
    read = opened(KEPT)
    assert verify(read, [signing.public]) == signing.public
    assert rules_of(read) == some_rules()
