"""Sheets: rules and local codes as XLSX, XLS and CSV, read as bureaus send them and written so that they read back.

The flow: :mod:`grid` reads cells, :mod:`header` finds where the table begins, :mod:`maps` says which column is what,
:mod:`families` turns rows into rules and back, :mod:`importing` puts them into a list, :mod:`writing` writes sheets.
openpyxl and python-calamine come with the extra ``sheets`` and are loaded only when a sheet is read or written.
"""

from __future__ import annotations

__all__: list[str] = []
