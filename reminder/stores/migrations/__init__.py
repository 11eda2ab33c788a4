"""Alembic's scripts, shipped with the package and run by :mod:`reminder.stores.migrate`."""

__all__: list[str] = []
