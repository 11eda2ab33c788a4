"""Data flows one way: a module imports only what stands before it in the order below."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT, absolute_imports, module_name, modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = (
    "negative_list.errors",
    "negative_list.selection",
    "negative_list.conditions",
    "negative_list.walk",
    "negative_list.rules",
    "negative_list.prescription",
    "negative_list.decision",
    "negative_list.text",
    "negative_list.codes",
    "negative_list.dictionary",
    "negative_list.classes",
    "negative_list.sheets.grid",
    "negative_list.sheets.cells",
    "negative_list.sheets.header",
    "negative_list.sheets.codetable",
    "negative_list.site",
    "negative_list.readers",
    "negative_list.schema",
    "negative_list.parse",
    "negative_list.validate_names",
    "negative_list.validate_bounds",
    "negative_list.validate_gathered",
    "negative_list.validate_conditions",
    "negative_list.validate_cases",
    "negative_list.validate",
    "negative_list.terms",
    "negative_list.items",
    "negative_list.refunds",
    "negative_list.check",
    "negative_list.windows",
    "negative_list.members",
    "negative_list.gather",
    "negative_list.limits",
    "negative_list.measure",
    "negative_list.supply",
    "negative_list.ranks",
    "negative_list.values",
    "negative_list.formula",
    "negative_list.evidence",
    "negative_list.visits",
    "negative_list.bind",
    "negative_list.needs",
    "negative_list.hurry",
    "negative_list.compile",
    "negative_list.on_demand",
    "negative_list.compiled_form",
    "negative_list.warming",
    "negative_list.engine",
    "negative_list.explain",
    "negative_list.messages",
    "negative_list.excess",
    "negative_list.findings",
    "negative_list.history",
    "negative_list.policy",
    "negative_list.suggest",
    "negative_list.telling",
    "negative_list.decide",
    "negative_list.indicators",
    "negative_list.running",
    "negative_list.cases",
    "negative_list.output",
    "negative_list.diseases",
    "negative_list.importer",
    "negative_list.generate",
    "negative_list.stats",
    "negative_list.lacking",
    "negative_list.shell",
    "negative_list.release",
    "negative_list.deep",
    "negative_list.differences",
    "negative_list.sheets",
    "negative_list.cli_release",
    "negative_list.cli_differences",
    "negative_list.cli",
    "negative_list",
    "reminder",
    "reminder.v1",
    "reminder.once",
    "reminder.settings",
    "reminder.callers",
    "reminder.cds.prefetch",
    "reminder.cds.settings",
    "reminder.upstream",
    "reminder.config",
    "reminder.ids",
    "reminder.logs",
    "reminder.going_on",
    "reminder.journal.known",
    "reminder.workers",
    "reminder.journal.metrics",
    "reminder.board",
    "reminder.releases.metrics",
    "reminder.relay.metrics",
    "reminder.metrics",
    "reminder.bodies",
    "reminder.national.fitting",
    "reminder.national.replies",
    "reminder.wire",
    "reminder.wire_json",
    "reminder.encodings",
    "reminder.wire_client",
    "reminder.stores",
    "reminder.workers.folder",
    "reminder.journal.forms",
    "reminder.journal.masking",
    "reminder.keyed",
    "reminder.under_keys",
    "reminder.feeds",
    "reminder.stocks",
    "reminder.imports",
    "reminder.memory",
    "reminder.saved",
    "reminder.journal.entries",
    "reminder.journal.ages",
    "reminder.journal.coding",
    "reminder.journal.brief",
    "reminder.journal.briefs",
    "reminder.journal.again",
    "reminder.journal.base",
    "reminder.journal.drafts",
    "reminder.journal",
    "reminder.active",
    "reminder.releases",
    "reminder.junk",
    "reminder.reasons",
    "reminder.exits",
    "reminder.workers.exits",
    "reminder.justify",
    "reminder.feedback",
    "reminder.relay",
    "reminder.recording",
    "reminder.deciding",
    "reminder.survey.fields",
    "reminder.survey.tally",
    "reminder.survey.counting",
    "reminder.survey.keeping",
    "reminder.survey.watching",
    "reminder.happened",
    "reminder.service",
    "reminder.unchecked",
    "reminder.relay.opening",
    "reminder.releases.following",
    "reminder.releases.policy_desk",
    "reminder.releasing",
    "reminder.rounds",
    "reminder.compliance.records",
    "reminder.compliance",
    "reminder.reports",
    "reminder.office",
    "reminder.forecast",
    "reminder.survey",
    "reminder.feedback_rpc",
    "reminder.rpc",
    "reminder.feed_rpc",
    "reminder.report_rpc",
    "reminder.office_rpc",
    "reminder.policy_rpc",
    "reminder.list_rpc",
    "reminder.forecast_rpc",
    "reminder.over_http",
    "reminder.health_http",
    "reminder.json_rpc",
    "reminder.cds",
    "reminder.national",
    "reminder.http",
    "reminder.server",
    "reminder.run",
    "reminder.worker",
    "reminder.standby",
    "reminder.supervisor",
    "reminder.client",
    "reminder.admin_client",
    "reminder.shell",
    "reminder.cli_policy",
    "reminder.cli_lists",
    "reminder.cli_forecast",
    "reminder.cli_journal",
    "reminder.cli_reports",
    "reminder.cli_office",
    "reminder.cli_keeping",
    "reminder.cli_points",
    "reminder.cli_survey",
    "reminder.cli",
    "reminder.entry",
    "reminder.demo",
)
"""Lowest first. A name stands for the module and, where it is a folder, for all modules in it."""

FACADES = ("negative_list", "reminder")
"""Package roots: they stand for themselves only."""

GENERATED = "reminder.v1"
"""The folder of generated code, whose modules are not among the hand-written ones."""


def place(name: str) -> int | None:
    """Where a module stands in the order: the longest entry that is the module or a folder around it."""
    fitting = [e for e in ORDER if name == e or (e not in FACADES and name.startswith(e + "."))]
    return ORDER.index(max(fitting, key=len)) if fitting else None


def own_imports(path: Path, known: set[str]) -> Iterator[str]:
    """The modules of this project a file imports."""
    for name in absolute_imports(path):
        if name.split(".")[0] in FACADES:
            yield name if name in known or name.startswith(GENERATED) else name.rpartition(".")[0] or name


def refusals(path: Path, known: set[str]) -> Iterator[str]:
    """What is wrong with the imports of one file."""
    name = module_name(path)
    here = place(name)
    if here is None:
        yield f"{name} has no place in the order of imports"
        return
    for other in own_imports(path, known):
        there = place(other)
        if there is None or there > here:
            yield f"{name} imports {other}, which stands after it"


def test_every_module_imports_only_what_stands_before_it() -> None:
    """No import goes against the flow, be it inside a function or for types only."""
    known = {module_name(path) for path in modules()}
    assert [text for path in modules() for text in refusals(path, known)] == []


def test_the_order_names_no_module_twice_and_the_list_never_needs_the_service() -> None:
    """The order is a list of different names in which all of the library stands before the service."""
    packages = [name.split(".")[0] for name in ORDER]
    assert len(set(ORDER)) == len(ORDER)
    assert packages == sorted(packages)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Inside a folder, too, imports have a direction."""
    known = {module_name(path) for path in modules()}
    needs = {module_name(path): set(own_imports(path, known)) - {module_name(path)} for path in modules()}
    while leaves := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in leaves:
            del needs[name]
    assert needs == {}


def declared(*extras: str) -> set[str]:
    """The distributions the core and the given extras depend on, in normal form."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    rows = [*project["dependencies"], *(row for e in extras for row in project["optional-dependencies"][e])]
    return {normal(re.split(r"[^\w.-]", row)[0]) for row in rows}


def normal(distribution: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize(
    ("package", "extras"), [("negative_list", ("sheets", "sign")), ("reminder", ("serve", "postgres", "sheets"))]
)
def test_everything_imported_is_declared(package: str, extras: tuple[str, ...]) -> None:
    """The library runs on the core install and its extra, the service on the core and its own, and on nothing else."""
    owners = importlib.metadata.packages_distributions()
    roots = {
        name.split(".")[0]
        for path in modules()
        if module_name(path).split(".")[0] == package
        for name in absolute_imports(path)
    }
    foreign = roots - set(sys.stdlib_module_names) - set(FACADES)
    allowed = declared(*extras)
    # A namespace (`google`, `grpc_status`) may belong to several distributions; one declared is enough.
    missing = {name for name in foreign if not {normal(d) for d in owners.get(name, [])} & allowed}
    assert missing == set()


def test_importing_the_library_loads_nothing_else() -> None:
    """``import negative_list`` costs next to nothing: public names are loaded when they are first used."""
    loaded = "[m for m in sys.modules if m.startswith(('negative_list.', 'msgspec'))]"
    code = f"import sys, negative_list; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
