"""Generated from ``proto/reminder/v1``; written again by ``make proto``."""
