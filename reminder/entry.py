"""Where the command begins: ``serve`` is read here, so that a sidecar which was restarted serves soon.

What reads commands and their options (:mod:`reminder.cli`) takes a quarter of a start. Whatever is not understood here,
wrong options too, is left to it; a test holds that both know the same options.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["OPTIONS", "main", "plain"]

OPTIONS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("config", "list", "release", "trust", "site", "policy", "data"), Path),
    **dict.fromkeys(("grpc", "http", "admin", "admin-http"), str),
    "grace": float,
    "workers": int,
}
"""Options of ``reminder serve``, without their dashes, and what their text becomes."""

_MANY = "trust"
_SETTINGS = {"admin-http": "admin_http", "grace": "grace_s"}


def main() -> None:
    """Run the command."""
    options = plain(sys.argv[1:])
    if options is None:
        from reminder.cli import main as other  # noqa: PLC0415 - it is what takes long

        other()
        return
    # Nothing of what is loaded until it serves is garbage; to look for some takes a tenth of the start.
    gc.disable()
    _serve(options)


def plain(words: Sequence[str]) -> dict[str, Any] | None:
    """The options of a ``serve`` in which every option stands once, with a value that may be one; ``None``: it is not.

    By the names of the settings; an option that is not given is ``None``.
    """
    if not words or words[0] != "serve":
        return None
    given: dict[str, Any] = {}
    for name, value in _pairs(words[1:]):
        if name not in OPTIONS or value is None or (name in given and name != _MANY):
            return None
        try:
            made = OPTIONS[name](value)
        except ValueError:
            return None
        given[name] = [*given.get(name, ()), made] if name == _MANY else made
    return {_SETTINGS.get(name, name): given.get(name) for name in OPTIONS}


def _pairs(words: Sequence[str]) -> list[tuple[str, str | None]]:
    """Options with their values: ``--name value`` or ``--name=value``; ``None`` where there is none."""
    pairs: list[tuple[str, str | None]] = []
    left = iter(words)
    for word in left:
        name, with_value, value = word.partition("=")
        if not name.startswith("--"):
            return [("", None)]
        told = value if with_value else next(left, None)
        pairs.append((name[2:], None if told is None or (not with_value and told.startswith("-")) else told))
    return pairs


def _serve(options: dict[str, Any]) -> None:
    """As the command does."""
    from reminder.run import StartError  # noqa: PLC0415 - loads nearly everything
    from reminder.supervisor import run  # noqa: PLC0415 - loads nearly everything

    config = options.pop("config")
    try:
        run(config, options)
    except StartError as error:
        print(error, file=sys.stderr)  # noqa: T201 - it is told to who started it
        sys.exit(1)


if __name__ == "__main__":
    main()
