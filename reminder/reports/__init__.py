"""Reports: rows become a table of typed columns (:mod:`table`), and that is written as whatever is asked for.

The flow: :mod:`asking` says what is wanted, :mod:`making` finds who makes it (:mod:`stored` from what the store knows,
:mod:`grouped`, :mod:`listed`, :mod:`boards` and :mod:`bureau` from the journal), :mod:`writing` writes it. Words and
headings stand in one table (:mod:`words`).
"""

from __future__ import annotations

__all__: list[str] = []
