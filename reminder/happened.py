"""What happens at a service besides its answers, told to the log and to the metrics."""

from __future__ import annotations

import re
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING

from negative_list.errors import LimitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import FilteringBoundLogger

    from negative_list.errors import RequestError
    from reminder.metrics import Metrics
    from reminder.stores.base import StoreError
    from reminder.survey.watching import Watching

__all__ = ["MAX_LOGGED", "Happened"]

MAX_LOGGED = 200
"""Characters of a caller's text that are logged."""

_NAME = re.compile(r"(?:[A-Za-z_]+\d?[A-Za-z_]*)?(?:\[\d+\])*")


class Happened:
    """Tells what happens: one method for each kind of thing."""

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self.metrics = metrics
        self._log = log
        self.survey: Watching | None = None

    @property
    def log(self) -> FilteringBoundLogger:
        """Where it tells what happens."""
        return self._log

    def refused(self, face: str, error: RequestError) -> None:
        """A request could not be decided through the caller's fault. Fields are logged, their texts are not."""
        if self.survey is not None:
            self.survey.refused(error.fields)
        reason = "limit" if isinstance(error, LimitError) else "request"
        self.metrics.refused(face, reason)
        fields = [_loggable(problem.field[:MAX_LOGGED]) for problem in error.fields[:10]]
        self._log.warning("refused", face=face, reason=reason, fields=fields, problems=len(error.fields))

    def fed(self, kind: str, taken: int, refused: int) -> None:
        """A feed was heard to its end."""
        self.metrics.told(kind, "refused", refused)
        self._log.info("fed", kind=kind, taken=taken, refused=refused)

    def not_kept(self, face: str, error: StoreError) -> None:
        """Something to be remembered could not be written anywhere."""
        self.metrics.refused(face, "store")
        self._log.error("not kept", face=face, kind=error.kind)

    def round_made(self, counts: Mapping[str, int]) -> None:
        """The orders in force were checked again."""
        self._log.info("round", **counts)

    def no_round(self, error: StoreError) -> None:
        """The orders in force could not be checked again."""
        self._log.error("no round", kind=error.kind)

    def late(self, face: str) -> None:
        """A request came when its deadline had passed."""
        self.metrics.refused(face, "deadline")
        self._log.warning("refused", face=face, reason="deadline")

    def failed(self, face: str, error: Exception) -> None:
        """The check failed through our fault. The message may quote the body, so only its kind and place are logged."""
        self.metrics.refused(face, "failed")
        frames = [f"{PurePath(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-5:]]
        self._log.error("check failed", face=face, error=type(error).__name__, frames=frames)


def _loggable(path: str) -> str:
    """A path without keys that look like no field's: what a caller writes where a name belongs may be anybody's."""
    return ".".join(part if _NAME.fullmatch(part) else "…" for part in path.split("."))
