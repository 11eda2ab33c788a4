"""Forecast: what a coming release would have said to what was asked, beside what is active; and afterwards the fact.

What decides is pure and apart from where it comes from: :mod:`reminder.forecast.inforce` takes two lists as they stand
on the day of activation, :mod:`reminder.forecast.replay` judges one prescription by both,
:mod:`reminder.forecast.tally` counts, :mod:`reminder.forecast.record` is what comes out and is kept.
"""

from __future__ import annotations

__all__: list[str] = []
