"""What is made when it is first needed, by one thread at a time: decoders above all.

msgspec 0.22 works the fields of a record out when a decoder first names it, and shows a half-done record to any other
thread that makes a decoder meanwhile. That one then reads through fields that are not there, and the process ends with
a segmentation fault: a sidecar under load some milliseconds after its start. Decoders of a module are made while it is
imported; whatever is made later, and may be made in threads, is made here, where one lock is held for all types.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

__all__ = ["made_once"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MAKING = threading.RLock()  # what is made may need another


def made_once(make: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """``make``, whose outcome is kept for each of its arguments, which can be hashed.

    Unlike ``functools.cache`` no two threads ever make something at a time, not even different things.
    """
    made: dict[tuple[*Ts], T] = {}

    @wraps(make)
    def kept(*args: *Ts) -> T:
        if args not in made:
            with _MAKING:
                if args not in made:
                    made[args] = make(*args)
        return made[args]

    return kept
