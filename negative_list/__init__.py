"""The negative list as a pure library: parse, validate, compile, match.

The verbs stand in the modules of their names, beside the records they work on::

    from negative_list.parse import read_parsed
    from negative_list.validate import check
    from negative_list.compile import compile
    from negative_list.decide import decide

    compiled = compile(check(read_parsed(path)))
    decision = decide(compiled, prescription, at)

Public is what a module names in its ``__all__``. Time is an argument, and nothing is read but the files a function is
given. Importing the package itself loads nothing.
"""

from __future__ import annotations

__all__: list[str] = []
