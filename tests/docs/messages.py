"""The messages of the code as templates, and the codes of notes, found by reading the source."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from negative_list.decide import LATE, NOT_READ
from reminder.journal.repeated import REUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MODULES", "key", "messages", "note_codes", "templates"]

ROOT = Path(__file__).resolve().parent.parent.parent

MODULES = (
    "negative_list/errors.py",
    "negative_list/schema.py",
    "negative_list/parse.py",
    "negative_list/validate.py",
    "negative_list/validate_names.py",
    "negative_list/validate_bounds.py",
    "negative_list/validate_gathered.py",
    "negative_list/validate_conditions.py",
    "negative_list/validate_cases.py",
    "negative_list/codes.py",
    "negative_list/policy.py",
    "negative_list/site.py",
    "negative_list/dictionary.py",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "negative_list" / "readers").glob("*.py")),
    "negative_list/importer/points.py",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "negative_list" / "release").glob("[!_]*.py")),
    "negative_list/cli_release.py",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "negative_list" / "sheets").glob("*.py")),
    "reminder/upstream.py",
    "reminder/config.py",
    "reminder/settings.py",
    "reminder/callers.py",
    "negative_list/readers/fhir/request.py",
    *(f"reminder/cds/{name}.py" for name in ("settings", "hook", "outcome", "feedback")),
    *(f"reminder/national/{name}.py" for name in ("turn", "feedback")),
    "reminder/workers/folder.py",
    *(f"reminder/releases/{name}.py" for name in ("folder", "trust", "staged", "moving", "office", "beginning")),
    "reminder/releases/saying.py",
    "reminder/list_rpc.py",
    "reminder/forecast_rpc.py",
    *(f"reminder/forecast/{name}.py" for name in ("comparing", "ordered")),
    "reminder/saved.py",
    "reminder/wire_json.py",
    "reminder/json_rpc.py",
    "reminder/client/spool.py",
    "reminder/feedback/items.py",
    "reminder/feeds.py",
    "reminder/feed_rpc.py",
    "reminder/imports.py",
    *(f"reminder/reports/{name}.py" for name in ("asking", "making", "reconcile", "writing")),
    *(f"reminder/stores/{name}.py" for name in ("keys", "opening", "version", "sqlite", "postgres")),
    *(
        f"reminder/journal/{name}.py"
        for name in ("naming", "signing", "checkpoints", "retention", "store", "sqlite", "postgres")
    ),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "reminder" / "office").glob("[!_]*.py")),
    *(f"reminder/survey/{name}.py" for name in ("gathering", "watching")),
    "reminder/cli_survey.py",
    "reminder/cli_points.py",
    "reminder/cli_keeping.py",
)
"""Where messages about somebody's input are written."""

_ERRORS = (
    "ValueError",
    "ImpossibleValueError",
    "Impossible",
    "StoreError",
    "KeysError",
    "SigningError",
    "CheckpointsError",
    "ChainBrokenError",
    "ArchiveError",
    "OfficeError",
    "ReleaseError",
    "KeyFileError",
    "RoadError",
    "BeginError",
    "FolderError",
)
# Calls whose arguments hold a message, and those that carry it as `message=`.
_SPEAKERS = frozenset(
    (
        "problem",
        "add",
        "_add",
        "wrong",
        "missing",
        "refuse",
        "refused",
        "_refused",
        "_node_problem",
        "refusal",
        "_refuse",
        *_ERRORS,
    )
)

# Constants and functions that hold or make messages elsewhere than where the problem is reported.
_NAMED = frozenset(
    {
        *("_TOO_BIG", "_TOO_DEEP", "_TOO_LONG", "_why_not", "no_fact", "no_field"),
        *("_NO_CONTEXT", "_NO_ORDERS", "_NOTHING_KNOWN", "_NOTHING", "_NO_CARD", "_NO_OUTCOME"),
        *("_UNREACHED", "_not_found"),
        *("given_up", "tried_again", "waits_on"),
        *("_OTHERWISE", "_wrong_key", "_TOO_LARGE", "_NO_ITEM", "_no_order"),
        *("_FULL", "_WHOLE", "_expected"),
        *("_BROKEN", "_CHANGED", "_damaged", "_no_icd", "_no_item_code", "_no_table", "_no_word"),
        *("_NO_FACT", "_NO_ITEMS", "_NO_REASON", "_NO_ID", "_NO_NUMBER", "_NO_WARNS", "_NO_WAY"),
        *("EXPECTED_FACTS", "EXPECTED_OBJECT", "EXPECTED_OBJECTS", "NO_ENCOUNTER", "NO_PATIENT", "SAYS_NOTHING"),
    }
)


def _text(node: ast.expr) -> str | None:
    """A string as a template: what is put in at run time becomes ``…``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = (_text(node.left), _text(node.right))
        return "".join(part if part is not None else "…" for part in parts)
    return None


def _whys(tree: ast.Module) -> Iterator[ast.AST]:
    """Messages that stand in a constant, or come from a function that says why."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _NAMED:
            yield ast.Call(func=ast.Name("problem"), args=[node.value], keywords=[])
        if isinstance(node, ast.FunctionDef) and node.name in _NAMED:
            returned = (part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value)
            yield from (ast.Call(func=ast.Name("problem"), args=[value], keywords=[]) for value in returned)


def _is_sentence(text: str) -> bool:
    """Whether a text is more than a name or a path."""
    return " " in text or re.search(r"[\u4e00-\u9fff]", text) is not None


def _spoken(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of one node that are messages."""
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        yield node.value.elts[-1]
    elif isinstance(node, ast.Call):
        yield from (word.value for word in node.keywords if word.arg == "message")
        if node.args and ast.unparse(node.func).rpartition(".")[2] in _SPEAKERS:
            yield from (arg for arg in node.args if _is_sentence(_text(arg) or ""))
    elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message":
        yield node.value


def templates(name: str) -> set[str]:
    """The messages of a module, up to the advice that follows the semicolon."""
    return {_statement(text) for text in messages(name)}


def messages(name: str) -> set[str]:
    """The messages of a module, whole."""
    tree = ast.parse((ROOT / name).read_text("utf-8"))
    texts = {_text(part) for node in [*_whys(tree), *ast.walk(tree)] for part in _spoken(node)}
    return {text for text in texts if text is not None and key(text)}


def _statement(text: str) -> str:
    """What is wrong, without what to do next."""
    return text.partition(";")[0].strip() if text.isascii() or ";" in text else text


def key(text: str) -> str:
    """What two writings of one message have in common: letters only, nothing put in at run time."""
    return re.sub(r"[^\w]+", "", text.replace("…", "")).lower()


def note_codes() -> set[str]:
    """The codes of the notes the readers and the service make."""
    found = {LATE, NOT_READ, REUSED}
    for path in sorted((*(ROOT / "negative_list").rglob("*.py"), *(ROOT / "reminder").glob("*.py"))):
        calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
        for call in calls:
            if ast.unparse(call.func).rpartition(".")[2] in {"Note", "note"}:
                codes = [*(word.value for word in call.keywords if word.arg == "code"), *call.args[:1]]
                found |= {str(code.value) for code in codes if isinstance(code, ast.Constant)}
    return found
