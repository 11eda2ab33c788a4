"""Making a release: lists in rising precedence become one flat list, which is counted, digested and signed."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.compile import canonical_lines, digest_of
from negative_list.release.container import MOST_BYTES, Release, ReleaseError, head_of, release_bytes
from negative_list.release.layering import Flat, Source, flattened
from negative_list.release.manifest import Layer, Manifest, version_key
from negative_list.release.signing import sign
from negative_list.rules import details_of
from negative_list.validate import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.release.signing import PrivateKey
    from negative_list.rules import RuleList

__all__ = ["About", "agreeing", "build", "build_rules", "flat_list", "layers_of"]


class About(Struct, frozen=True, kw_only=True):
    """What a release says of itself besides its list; as in :class:`negative_list.release.manifest.Manifest`."""

    name: str
    version: str
    built_at: datetime
    issuer: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    replaces: str = ""


def flat_list(sources: Sequence[Source]) -> Flat:
    """The flat list of some layers, validated as a whole.

    Raises:
        ListError: every problem of reading, of layers that contradict each other, or of validation, with its place.
    """
    flat = flattened(sources)
    check(flat.parsed)
    return flat


def build(sources: Sequence[Source], keys: Sequence[PrivateKey], about: About) -> bytes:
    """The file of a release of some lists in rising precedence.

    Raises:
        ListError: as :func:`flat_list` says.
        ReleaseError: it would be over a limit.
        ValueError: ``about`` contradicts itself.
    """
    flat = flat_list(sources)
    return build_rules(flat.parsed.rules, keys, about, layers_of(sources, flat))


def layers_of(sources: Sequence[Source], flat: Flat) -> tuple[Layer, ...]:
    """What the manifest says of the layers."""
    return tuple(
        Layer(
            origin=source.whose,
            name=source.name,
            digest=digest_of(source.parsed.rules),
            rules=kept,
            overridden=replaced,
        )
        for source, kept, replaced in zip(sources, flat.kept, flat.replaced, strict=True)
    )


def build_rules(
    rules: RuleList, keys: Sequence[PrivateKey], about: About, layers: tuple[Layer, ...] | None = None
) -> bytes:
    """The file of a release of a list as it is, without validating it; without layers it is its own only one.

    Raises:
        ReleaseError: it would be over a limit.
        ValueError: ``about`` contradicts itself.
    """
    content = b"".join(canonical_lines(rules))
    if len(content) > MOST_BYTES:
        raise ReleaseError("too-large", f"the list is over {MOST_BYTES} bytes; split it, or take what nobody uses out")
    manifest = _manifest(rules, content, agreeing(about), layers)
    head = head_of(manifest)
    signatures = tuple(sign(head, key) for key in keys)
    return release_bytes(Release(manifest=manifest, signatures=signatures, head=head, content=content))


def agreeing(about: About) -> About:
    """What a release says of itself, where it agrees with itself.

    Raises:
        ValueError: a version is none or not after the one it replaces, or the release ends before it begins.
    """
    own = version_key(about.version)
    if about.replaces and version_key(about.replaces) >= own:
        raise ValueError(f"version `{about.version}` is not after `{about.replaces}`, which it replaces; count up")
    if about.valid_from and about.valid_to and about.valid_to < about.valid_from:
        raise ValueError(f"ends on {about.valid_to}, before it begins on {about.valid_from}; swap them")
    return about


def _manifest(rules: RuleList, content: bytes, about: About, layers: tuple[Layer, ...] | None) -> Manifest:
    digest = hashlib.sha256(content).hexdigest()
    own = Layer(origin="", name=about.name, digest=digest, rules=len(rules.rules))
    return Manifest(
        name=about.name,
        version=about.version,
        issuer=about.issuer,
        built_at=about.built_at.astimezone(UTC).replace(microsecond=0),
        digest=digest,
        size_bytes=len(content),
        rules=len(rules.rules),
        details=rules.details,
        classes=_classes(rules),
        layers=(own,) if layers is None else layers,
        valid_from=about.valid_from,
        valid_to=about.valid_to,
        replaces=about.replaces,
    )


def _classes(rules: RuleList) -> dict[str, tuple[int, int]]:
    """Rules and details by class id."""
    sizes = {named.id: len(named.codes) for named in rules.sets}
    counted = Counter(rule.class_id for rule in rules.rules)
    details: Counter[str] = Counter()
    for rule in rules.rules:
        details[rule.class_id] += details_of(rule.trigger, sizes)
    return {name: (counted[name], details[name]) for name in sorted(counted)}
