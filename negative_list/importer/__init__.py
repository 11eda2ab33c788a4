"""The importer: published knowledge points into rules, with a report of how each was read."""

from __future__ import annotations

from negative_list.importer.imported import import_points
from negative_list.importer.points import Point, read_points
from negative_list.importer.report import Imported, PointReport, report_json

__all__ = ["Imported", "Point", "PointReport", "import_points", "read_points", "report_json"]
