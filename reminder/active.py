"""What decisions are made with: replaced whole, so that each answer belongs to one list, policy and site."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from negative_list.compile import CompiledList
from negative_list.policy import Policy
from negative_list.site import Sites
from reminder.journal.artifacts import codes_digest
from reminder.journal.drafts import Digests
from reminder.journal.engine import engine

__all__ = ["Active"]


class Active(Struct, frozen=True, kw_only=True, dict=True):
    """A list, a policy and the sites; ``release`` is the version of the list, where it has one.

    ``base``: the policy without what the office decided, where that differs. ``warnings``: what whoever runs the
    service is to be told when it begins with these.
    """

    compiled: CompiledList
    policy: Policy
    sites: Sites
    release: str | None = None
    base: Policy | None = None
    warnings: tuple[str, ...] = ()

    @cached_property
    def digests(self) -> Digests:
        """What entries name them by."""
        return self._digests(codes_digest(self.sites))

    def followed_by(self, compiled: CompiledList, policy: Policy, release: str | None) -> Active:
        """The next one, for the same sites; all that is worked out once for each is worked out here."""
        following = Active(
            compiled=compiled, policy=policy, sites=self.sites, release=release, base=self.base or self.policy
        )
        following.__dict__["digests"] = following._digests(self.digests.codes)
        return following

    def _digests(self, codes: str) -> Digests:
        return Digests(
            engine=engine(),
            list=self.compiled.digest,
            policy=self.policy.digest,
            codes=codes,
            release=self.release,
        )
