"""What a worker that is started now begins with: the supervisor follows what stands, so that it never loads a list.

After an activation the supervisor loads the new list too, a little at a time between its other work; the worker it then
forks has it at once, and shares its memory with all that are forked after. Without threads and without an event loop.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from negative_list.compiled_form import FormError
from reminder.releases.cache import opened_compiled
from reminder.releases.folder import Folder, FolderError
from reminder.releases.policies import policy_of
from reminder.releases.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.compiled_form import Loading
    from reminder.active import Active

__all__ = ["STEP_S", "Standby"]

STEP_S = 0.05
"""How long one look goes on loading: a worker that died waits no longer for its replacement."""


class Standby:
    """``active`` is what to begin with.

    Args:
        active: What was loaded at the start.
        data: The data folder.
    """

    def __init__(self, active: Active, data: Path) -> None:
        self.active = active
        self._folder = Folder(data)
        self._mark: tuple[int, int, int] | None = None
        self._standing = Standing()
        self._loading: Loading | None = None
        self._steps: Iterator[None] = iter(())

    @property
    def busy(self) -> bool:
        """Whether the next look has something to do at once."""
        return self._loading is not None

    def look(self) -> None:
        """Follow what stands, for some moments; what cannot be followed here each worker follows for itself."""
        try:
            if self._changed():
                self._standing = self._folder.read_standing()
                self._begin()
            if self._loading is not None:
                self._go_on(self._loading)
        except (FolderError, FormError):
            self._loading = None

    def _changed(self) -> bool:
        try:
            found = self._folder.standing.stat()
        except OSError:
            return False
        before, self._mark = self._mark, (found.st_mtime_ns, found.st_size, found.st_ino)
        return self._mark != before

    def _begin(self) -> None:
        """Begin to load what is active now; a change of policy alone is taken over as it is."""
        chosen = self._standing.active
        if chosen is None or chosen.digest == self.active.compiled.digest:
            self._loading = None
            self._become(None)
        else:
            self._loading = opened_compiled(self._folder.compiled_file(chosen.digest), chosen.digest)
            self._steps = iter(self._loading)

    def _go_on(self, loading: Loading) -> None:
        until = time.monotonic() + STEP_S
        for _ in self._steps:
            if time.monotonic() >= until:
                return
        self._loading = None
        self._become(loading)

    def _become(self, loading: Loading | None) -> None:
        chosen, was = self._standing.active, self.active
        compiled = was.compiled if loading is None else loading.compiled
        release = was.release if chosen is None else chosen.version or None
        policy = policy_of(was.base or was.policy, self._standing)
        self.active = was.followed_by(compiled, policy, release)
        if loading is not None:
            del was
            gc.collect()
            gc.freeze()  # as at the start
