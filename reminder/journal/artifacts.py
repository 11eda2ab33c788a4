"""What decisions are made with, as it is kept beside them: list, policy and code tables, each under its digest."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list.policy import Policy
from negative_list.rules import NamedSet, Rule, RuleList
from reminder.journal.base import Artifact
from reminder.journal.coding import canonical_json
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.site import Sites
    from reminder.journal.base import JournalStore

__all__ = [
    "codes_artifact",
    "codes_digest",
    "intact",
    "is_intact",
    "list_artifact",
    "policy_artifact",
    "policy_of",
    "rules_of",
]

_A_SET = b'{"codes":'  # keys are sorted, and no rule has codes of its own


def is_intact(artifact: Artifact) -> bool:
    """Whether what was kept is what it is named by: lists, policies and code tables by the SHA-256 of their text."""
    return hashlib.sha256(artifact.content).hexdigest() == artifact.digest


def intact(store: JournalStore, digest: str) -> Artifact | None:
    """What was kept under a digest; ``None`` where it is gone, or is not what was kept: nothing rests on that.

    Raises:
        StoreError: When the store cannot be read.
    """
    try:
        artifact = store.artifact(digest)
    except StoreError as error:
        if error.kind != "refused":
            raise
        return None
    return artifact if artifact is not None and is_intact(artifact) else None


def list_artifact(compiled: CompiledList, at: datetime) -> Artifact:
    """The list as canonical JSON Lines. Takes a second for a hundred thousand details."""
    return Artifact(digest=compiled.digest, kind="list", content=b"".join(compiled.lines()), first_at=at)


def rules_of(artifact: Artifact) -> RuleList:
    """The list that was kept."""
    lines = artifact.content.splitlines()
    sets = [msgspec.json.decode(line, type=NamedSet) for line in lines if line.startswith(_A_SET)]
    rules = [msgspec.json.decode(line, type=Rule) for line in lines if not line.startswith(_A_SET)]
    return RuleList(rules=tuple(rules), sets=tuple(sets))


def policy_artifact(policy: Policy, at: datetime) -> Artifact:
    """The policy as canonical JSON."""
    content = msgspec.json.encode(policy, order="sorted")
    return Artifact(digest=policy.digest, kind="policy", content=content, first_at=at)


def policy_of(artifact: Artifact) -> Policy:
    """The policy that was kept."""
    return msgspec.json.decode(artifact.content, type=Policy)


def codes_artifact(sites: Sites, at: datetime) -> Artifact | None:
    """The tables of local codes of every site as canonical JSON; ``None`` where there are none."""
    content = _codes(sites)
    if content is None:
        return None
    return Artifact(digest=hashlib.sha256(content).hexdigest(), kind="codes", content=content, first_at=at)


def codes_digest(sites: Sites) -> str:
    """What the code tables are named by; "" where there are none."""
    content = _codes(sites)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _codes(sites: Sites) -> bytes | None:
    tables: dict[str, Any] = {}
    for name, site in (("default", sites.default), *sites.by_institution.items()):
        if site.codes:
            rows = [(kind, local, row) for (kind, local), told in site.codes.items() for row in told]
            tables[name] = sorted(canonical_json(row).decode() for row in rows)
    return canonical_json(tables) if tables else None
