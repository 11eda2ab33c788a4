"""Generated from ``proto/reminder/v1``; written again by ``make proto``."""

__all__: list[str] = []
