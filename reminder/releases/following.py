"""Following what stands: every worker looks twenty times a second, and answers with what it says.

A change of policy is in force with the look that sees it. A list that is coming is loaded beside the one that answers,
in slices; when it is to be active, one object is put in the place of another. What cannot be followed is told in the
worker's file and in the log, and what was active goes on.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.compiled_form import FormError
from reminder.journal.artifacts import policy_artifact
from reminder.releases.cache import opened_compiled
from reminder.releases.folder import Folder, FolderError
from reminder.releases.letting_go import LettingGo
from reminder.releases.loading import Settling, loaded
from reminder.releases.policies import policy_of
from reminder.releases.standing import Chosen, Standing, Working

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.compile import CompiledList
    from negative_list.policy import Policy
    from reminder.service import Service

__all__ = ["LOOK_S", "Follower"]

LOOK_S = 0.05
"""Seconds between looks at what stands; that it did not change is seen in some microseconds."""

_Mark: TypeAlias = tuple[int, int, int]


class Follower:
    """One worker's following of what stands.

    Args:
        service: what answers; it has the list and the policy of ``standing``.
        folder: where it stands.
        number: of the worker.
        log: told of every change, and of what cannot be followed.
        standing: what the service began with.
    """

    def __init__(
        self, service: Service, folder: Folder, number: int, log: FilteringBoundLogger, standing: Standing | None = None
    ) -> None:
        self.standing = standing or Standing()
        self.problem = ""
        self.going = LettingGo()
        self._service = service
        self._base = service.base_policy
        self._folder = folder
        self._number = number
        self._log = log
        self._answering = self.standing.active
        self._beside: CompiledList | None = None
        self._loading: asyncio.Task[None] | None = None
        self._letting_go: asyncio.Task[None] | None = None
        self._failed: set[str] = set()
        self._mark: _Mark | None = None
        self._settling = self._settling_of(service.active.compiled)

    async def follow(self) -> None:
        """Look for as long as the service runs; cancel it to stop."""
        try:
            while True:
                try:
                    await self.look()
                except Exception as error:  # noqa: BLE001 - whatever it is, the next look may follow
                    self._trouble(f"cannot follow what stands ({type(error).__name__})")
                await asyncio.sleep(LOOK_S)
        finally:
            for task in (self._loading, self._letting_go):
                if task is not None:
                    task.cancel()

    async def begin(self) -> None:
        """Look until the list that stands answers, or is known not to be had: before anybody is answered."""
        await self.look()
        while self._loading is not None:
            await asyncio.wait([self._loading])
            await self.look()

    async def look(self) -> bool:
        """See what stands and follow it as far as it can be at once; whether anything had changed."""
        changed = await self._read()
        if changed or (self._loading is not None and self._loading.done()):
            self._ended()
            self._swap()
            self._load()
            await self._tell()
        self._let_go()
        self._settling.go_on()
        return changed

    # -- what stands

    async def _read(self) -> bool:
        mark = self._marked()
        if mark is None or mark == self._mark:
            return False
        try:
            standing = await asyncio.to_thread(self._folder.read_standing)
        except FolderError as error:
            self._mark = mark
            self._trouble(str(error))
            await self._tell()
            return False
        self._mark = mark
        self.problem = ""
        self._failed.clear()
        self.standing = standing
        return True

    def _marked(self) -> _Mark | None:
        """What the file is known again by; ``None`` where there is none."""
        try:
            found = os.stat(self._folder.standing)  # noqa: PTH116 - twenty times a second
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _trouble(self, problem: str) -> None:
        if problem != self.problem:
            self._log.error("not followed", problem=problem)
        self.problem = problem

    def _settling_of(self, compiled: CompiledList) -> Settling:
        return Settling(compiled, lambda: self._service.deciding)

    # -- one object in the place of another

    def _swap(self) -> None:
        """Put the list and the policy that stand in the place of those that answer, where the list is there."""
        service, chosen = self._service, self.standing.active
        compiled = self._ready(chosen)
        if compiled is not None:
            self._answering = chosen
        policy = policy_of(self._base, msgspec.structs.replace(self.standing, active=self._answering))
        was = service.active
        compiled = compiled or was.compiled
        if compiled is was.compiled and policy == was.policy and self._release == was.release:
            return
        self._keep(policy)
        service.become(was.followed_by(compiled, policy, self._release))
        self._said(was.compiled)

    @property
    def _release(self) -> str | None:
        return (self._answering.version or None) if self._answering is not None else self._service.active.release

    def _ready(self, chosen: Chosen | None) -> CompiledList | None:
        """The list of what was chosen, where it answers already or is there beside."""
        serving = self._service.active.compiled
        if chosen is None or chosen.digest == serving.digest:
            return serving
        return self._beside if self._beside is not None and self._beside.digest == chosen.digest else None

    def _keep(self, policy: Policy) -> None:
        """Have the journal keep a policy that entries are going to name."""
        journal = self._service.journal
        if journal is not None and policy != self._service.active.policy:
            journal.keep(policy_artifact(policy, self._service.now()))

    def _said(self, before: CompiledList) -> None:
        active = self._service.active
        if active.compiled is not before:
            self.going.add(before)
            self._beside = None
            self._settling = self._settling_of(active.compiled)
        self._log.info(
            "following",
            serial=self.standing.serial,
            release=active.release or "",
            digest=active.compiled.digest,
            policy=active.policy.digest,
        )

    def _let_go(self) -> None:
        """Have what nobody uses any more taken apart, beside: the next look may have a policy to follow."""
        if self.going.can_go_on and (self._letting_go is None or self._letting_go.done()):
            self._letting_go = asyncio.create_task(self.going.go_on(), name="letting go")

    # -- loading beside

    def _load(self) -> None:
        """Begin to load what is to answer next, or forget what no longer is."""
        wanted = self._wanted()
        if self._beside is not None and (wanted is None or wanted.digest != self._beside.digest):
            self.going.add(self._beside)
            self._beside = None
        if wanted is not None and self._beside is None and self._loading is None:
            self._loading = asyncio.create_task(self._load_beside(wanted.digest), name=wanted.digest)

    def _wanted(self) -> Chosen | None:
        serving = self._service.active.compiled.digest
        for chosen in (self.standing.active, self.standing.coming):
            if chosen is not None and chosen.digest not in {serving, *self._failed}:
                return chosen
        return None

    async def _load_beside(self, digest: str) -> None:
        loading = await asyncio.to_thread(opened_compiled, self._folder.compiled_file(digest), digest)
        self._beside = await loaded(loading, self._service.active.compiled)

    def _ended(self) -> None:
        """What came of the loading, where it has ended."""
        task = self._loading
        if task is None or not task.done():
            return
        self._loading = None
        error = task.exception()
        if error is not None:
            self._failed.add(task.get_name())
            self._trouble(str(error) if isinstance(error, FormError) else f"cannot be loaded ({type(error).__name__})")

    # -- what is told

    async def _tell(self) -> None:
        """Say what this worker answers with."""
        active, beside = self._service.active, self._beside
        coming = self.standing.coming
        ready = coming is not None and coming.digest == active.compiled.digest
        working = Working(
            number=self._number,
            pid=os.getpid(),
            serial=self.standing.serial,
            version=active.release or "",
            digest=active.compiled.digest,
            policy=active.policy.digest,
            loaded=beside.digest if beside is not None else active.compiled.digest if ready else "",
            problem=self.problem,
            at=self._service.now(),
        )
        try:
            await asyncio.to_thread(self._folder.write_working, working)
        except OSError as error:
            self._log.error("not told", problem=f"the worker's file cannot be written ({error.strerror})")
