"""Alembic's scripts of the journal's tables, shipped with the package and run by :mod:`reminder.stores.migrate`."""

__all__: list[str] = []
