"""Two lists that answer one body differently, and a service that follows a folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from msgspec.structs import replace

from negative_list.compile import digest_of
from negative_list.policy import Ceiling, Policy
from negative_list.rules import RuleList
from negative_list.site import Sites
from reminder.active import Active
from reminder.metrics import Metrics
from reminder.releases.cache import load_compiled, write_compiled
from reminder.releases.folder import Folder
from reminder.releases.following import Follower
from reminder.releases.standing import Chosen, Standing
from reminder.service import Outside, Service
from tests.negative_list.builders import DRUG, line, prescription, rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from negative_list.decision import Decision

__all__ = ["FIRST", "NOW", "PATIENCE_S", "PROBE", "SECOND", "Following", "chosen", "until"]

NOW = datetime(2026, 3, 15, 2, 30, tzinfo=UTC)
FIRST, SECOND = RuleList(rules=(rule(id="first"),)), RuleList(rules=(rule(id="second"),))
"""The probe, a man given a drug for women, is found by the only rule of each."""

PROBE = prescription(line("1", codes=(DRUG,)))
"""A man is given the drug."""

PATIENCE_S = 60.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def chosen(version: str, rules: RuleList, **fields: Any) -> Chosen:
    """A list made active."""
    return Chosen(version=version, digest=digest_of(rules), at=NOW, **fields)


class Following:
    """A service that began with the first list, and its follower; the test is the office."""

    def __init__(self, data: Path, *lists: RuleList) -> None:
        self.folder = Folder(data)
        self.folder.make()
        for rules in lists or (FIRST, SECOND):
            write_compiled(rules, self.folder.compiled_file(digest_of(rules)), digest_of(rules))
        first = (lists or (FIRST,))[0]
        self.standing = Standing(serial=1, active=chosen("1", first))
        digest = digest_of(first)
        active = Active(
            compiled=load_compiled(self.folder.compiled_file(digest), digest),
            policy=Policy(default=Ceiling(definite="block", suspicious="block")),
            sites=Sites(),
            release="1",
        )
        log = structlog.get_logger()
        outside = Outside(now=lambda: NOW, tick_ns=lambda: 0, draw=lambda _bits: 7)
        self.service = Service(active, outside, Metrics(), log)
        self.folder.write_standing(self.standing)
        self.follower = Follower(self.service, self.folder, 0, log, self.standing)

    def stand(self, **fields: Any) -> None:
        """Write what stands next."""
        self.standing = replace(self.standing, serial=self.standing.serial + 1, **fields)
        self.folder.write_standing(self.standing)

    async def look_until(self, holds: Callable[[], bool]) -> None:
        """Have the worker look until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.follower.look()
                await asyncio.sleep(0.001)

    async def loaded(self, digest: str) -> None:
        """Have the worker look until it says that a list is there."""
        await self.look_until(lambda: self.said("loaded") == digest)

    async def answering(self, digest: str) -> None:
        """Have the worker look until it says that a list answers."""
        await self.look_until(lambda: self.said("digest") == digest)

    async def decided(self) -> Decision:
        """The answer to the probe."""
        return await self.service.check(PROBE)

    async def answer(self) -> tuple[str | None, str, str]:
        """The release the probe's answer names, the rule that found it, and what is done."""
        decision = await self.decided()
        return decision.release, decision.findings[0].rule_id, decision.findings[0].action

    def said(self, field: str) -> Any:
        """What the worker's file says."""
        told = self.folder.working()
        return getattr(told[0], field) if told else None
