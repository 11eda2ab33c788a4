"""The fields a body is looked through for: those of the national interface by table, and those of our own JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from negative_list.dictionary import load
from negative_list.readers.dialect_table import table as dialect_table
from negative_list.readers.own import own_plan
from negative_list.readers.reading import plan

if TYPE_CHECKING:
    from negative_list.dictionary import Fact
    from negative_list.readers.columns import Columns
    from negative_list.readers.dialect_table import Node
    from negative_list.readers.reading import Row
    from negative_list.site import Site

__all__ = [
    "EXTENSION",
    "OWN",
    "Field",
    "Table",
    "columns_of",
    "field_of",
    "fields_of",
    "own_rows",
    "rows_of",
    "table_said",
    "theirs",
]

OWN = "own"
"""The dialect of our own JSON."""

EXTENSION = "fsi_order_dtos.extend_order_map"
"""The table of an order's extension, interface fact sheet 2.5."""

_CAMEL = "camel"
_NODES: Mapping[str, str] = {
    "envelope": "envelope",
    "data": "data",
    "patient": "patient_dtos",
    "encounter": "fsi_encounter_dtos",
    "diagnosis": "fsi_diagnose_dtos",
    "order": "fsi_order_dtos",
    "extension": EXTENSION,
    "operation": "fsi_operation_dtos",
}
"""The nodes of the table of dialects and the tables of the interface they are, sections 1.1 and 2.1 to 2.6."""

_OWN_TABLES = ("", "patient", "encounter", "diagnoses", "operations", "line")

Rows: TypeAlias = "Iterator[tuple[str, Row]]"
"""Tables with their rows, one after the other."""


class Field(Struct, frozen=True, kw_only=True):
    """A field of a body: the facts it becomes, and whether its values are those of a code table.

    ``name`` is what it is counted under: its table and its key.
    """

    name: str
    table: str
    key: str
    zh: str
    facts: tuple[str, ...] = ()
    coded: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """The fields of one table by key; ``known``: every key that means something there (none: any may)."""

    fields: Mapping[str, Field]
    known: frozenset[str] = frozenset()


@cache
def fields_of(dialect: str) -> Mapping[str, Table]:
    """The tables of a body: our own JSON's, or the national interface's."""
    return _own_tables() if dialect == OWN else _national_tables()


def _national_tables() -> dict[str, Table]:
    found: dict[str, dict[str, list[Fact]]] = {name: {} for name in _NODES.values()}
    for fact in load().values():
        for path in fact.national:
            name, _, key = path.rpartition(".")
            if (name or "envelope") in found and "dtos" not in key and not key.endswith(("_map", "_dto")):
                found[name or "envelope"].setdefault(key, []).append(fact)
    return {
        name: Table(
            fields={key: _field(name, key, facts) for key, facts in found[name].items()},
            known=_known(node, found[name]),
        )
        for node, name in _NODES.items()
    }


def _known(node: str, fields: Iterable[str]) -> frozenset[str]:
    """Every key that stands for something in a node: its fields and inner nodes; nothing where any key may stand."""
    if node in {"envelope", "data"}:
        return frozenset()
    inner = (table.rpartition(".")[2] for table in _NODES.values())
    return frozenset({*fields, *inner, "fsi_his_data_dto", "facts"})


def _field(table: str, key: str, facts: list[Fact]) -> Field:
    own = min(facts, key=lambda fact: fact.national.index(_path(table, key)))
    coded = any(fact.values or fact.variants or fact.type == "flag" for fact in facts)
    return Field(
        name=f"{table}.{key}", table=table, key=key, zh=own.zh, facts=tuple(fact.name for fact in facts), coded=coded
    )


def _path(table: str, key: str) -> str:
    return key if table == "envelope" else f"{table}.{key}"


def _own_tables() -> dict[str, Table]:
    from negative_list.site import Site  # noqa: PLC0415 - what a site is has no part in what the fields are

    columns = own_plan(Site()).columns
    return {name: Table(fields=_own_fields(name, columns[name])) for name in _OWN_TABLES}


def _own_fields(table: str, columns: Columns) -> dict[str, Field]:
    return {
        key: Field(
            name=f"{table}.{key}".strip("."),
            table=table,
            key=key,
            zh=load()[column.fact].zh,
            facts=(column.fact,),
            coded=bool(load()[column.fact].words) or load()[column.fact].type == "flag",
        )
        for key, column in columns.items()
    }


def columns_of(site: Site, dialect: str) -> Mapping[str, Columns]:
    """How a site reads each table."""
    if dialect == OWN:
        return own_plan(site).columns
    known = plan(site)
    return {
        "envelope": known.envelope,
        "data": known.data,
        "patient_dtos": known.patient,
        "fsi_encounter_dtos": known.encounter,
        "fsi_diagnose_dtos": known.named["diagnosis"],
        "fsi_order_dtos": known.line,
        EXTENSION: known.line_extension,
        "fsi_operation_dtos": known.named["operation"],
    }


def field_of(dialect: str, name: str) -> Field | None:
    """The field that is counted under a name."""
    table, _, key = name.rpartition(".")
    found = fields_of(dialect).get(table)
    return found.fields.get(key) if found is not None else None


def theirs(field: Field, dialect: str) -> str:
    """What a dialect calls a field; its national name where it has no other."""
    node = next((node for node, table in _NODES.items() if table == field.table), "")
    if not node:
        return field.key
    names = _spoken(dialect_table().nodes[node], field.key, dialect)
    # In camelCase a dialect's own name comes after the national one.
    return names[-1 if _CAMEL in dialect else 0]


def table_said(table: str, dialect: str) -> str:
    """What a dialect calls a table: the key it stands under in the body; "" for the envelope."""
    node = next((dialect_table().nodes[node] for node, name in _NODES.items() if name == table), None)
    if node is None or not node.path:
        return table if node is None else ""
    around = next(one for one in dialect_table().nodes.values() if one.path == node.path[:-1])
    names = _spoken(around, node.key, dialect)
    return next((name for name in names if "_" not in name), names[0]) if _CAMEL in dialect else names[0]


def _spoken(node: Node, national: str, dialect: str) -> list[str]:
    """What a dialect calls something in a node, the likeliest first; its national name where it has no other."""
    spoken = dialect.split("+")
    return [name for name, alias in node.names(national) if alias.dialect in spoken] or [national]


# -- rows


def rows_of(body: Row, most_lines: int) -> Rows:
    """The rows of a body in the names and nesting of the national interface, of orders the first so many."""
    data = _object(_object(body, "input"), "data")
    yield from (("envelope", body), ("data", data))
    left = most_lines
    for person in _objects(data, "patient_dtos"):
        yield "patient_dtos", person
        for visit in _objects(person, "fsi_encounter_dtos"):
            yield "fsi_encounter_dtos", visit
            for table in ("fsi_diagnose_dtos", "fsi_operation_dtos"):
                yield from ((table, row) for row in _objects(visit, table))
            for order in _objects(visit, "fsi_order_dtos")[: max(0, left)]:
                left -= 1
                yield "fsi_order_dtos", order
                yield EXTENSION, _object(order, "extend_order_map")


def own_rows(body: Row, most_lines: int) -> Rows:
    """The same of our own JSON."""
    yield from (("", body), ("patient", _object(body, "patient")))
    left = most_lines
    for visit in (_object(body, "encounter"), *_objects(body, "other_encounters")):
        yield "encounter", visit
        for table in ("diagnoses", "operations"):
            yield from ((table, row) for row in _objects(visit, table))
        for line in _objects(visit, "lines")[: max(0, left)]:
            left -= 1
            yield "line", line


def _object(row: Row, key: str) -> Row:
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _objects(row: Row, key: str) -> list[Row]:
    value = row.get(key)
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
