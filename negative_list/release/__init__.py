"""Releases of a list: what a hospital loads, signed by who made it.

A release is one file. Nothing of it is believed before its signature and its digest were checked; whether it may
become active is another question, asked by the service (:mod:`reminder.releases.trust`).
"""

from __future__ import annotations

__all__: list[str] = []
