"""Tests. Helpers are imported by their whole name: ``from tests.plain import ...``."""
