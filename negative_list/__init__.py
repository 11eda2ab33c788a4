"""The negative list as a pure library: parse, validate, compile, match.

The four verbs stand in the modules of their names, beside the records they work on::

    from negative_list.parse import read_list
    from negative_list.validate import validate
    from negative_list.compile import compile
    from negative_list.engine import match

Nothing here reads a clock, a file (but :func:`negative_list.parse.read_list`) or the environment, and nothing is loaded
by importing the package itself.
"""

from __future__ import annotations

__all__: list[str] = []
