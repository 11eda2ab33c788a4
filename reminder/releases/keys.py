"""The public keys that are trusted here, as far as their files can be read: one that is gone keeps no other out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.release.signing import PublicKey

__all__ = ["keys_of", "unread", "watch_keys"]

_LOOK_S = 60.0
_TRUST = "trust"


def keys_of(paths: Sequence[Path]) -> tuple[tuple[PublicKey, ...], tuple[str, ...]]:
    """The keys of some files, and what is wrong with those that cannot be read. Blocks."""
    # Loaded with the first look: whoever trusts nobody does without.
    from negative_list.release.signing import KeyFileError, load_public  # noqa: PLC0415

    keys: list[PublicKey] = []
    problems: list[str] = []
    for path in paths:
        try:
            keys.append(load_public(path))
        except KeyFileError as error:
            problems.append(str(error))
    return tuple(keys), tuple(problems)


async def watch_keys(paths: Sequence[Path], log: FilteringBoundLogger, say: Callable[[str, str], None]) -> None:
    """Look now and then whether every trusted key can be read; cancel it to stop.

    Args:
        paths: their files.
        log: told once of each that cannot.
        say: told under a name what does not work just now; "" when it does again.
    """
    told: tuple[str, ...] = ()
    while True:
        _, problems = await asyncio.to_thread(keys_of, paths)
        for problem in problems:
            if problem not in told:
                log.warning("key not trusted", problem=problem)
        told = problems
        say(_TRUST, unread(problems) if problems else "")
        await asyncio.sleep(_LOOK_S)


def unread(problems: Sequence[str]) -> str:
    """That releases of some trusted keys are refused."""
    return f"releases: {'; '.join(problems)}; releases signed by that key alone are refused"
