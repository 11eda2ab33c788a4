"""From what a row says to a rule, and back. A rule goes back only when its row, read again, makes the same rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, replace

from negative_list.conditions import All, Condition, Diagnosis, Not
from negative_list.importer import import_points
from negative_list.importer.points import Point
from negative_list.rules import Basis, OnUnknown, Rule, Text
from negative_list.sheets.cells import CellError, refusal
from negative_list.sheets.columns import columns, read_cell, written
from negative_list.sheets.grid import Grid
from negative_list.walk import children_of

if TYPE_CHECKING:
    from negative_list.sheets.families import Family
    from negative_list.sheets.shapes import Values

__all__ = ["LONGEST_CELL", "identity_of", "not_held", "rules_of", "values_of"]

LONGEST_CELL = 32_767
"""Characters a cell of XLSX may hold; the format's own limit."""

_PLAIN: Mapping[str, str] = {
    # column, the field of the rule it is
    "handling": "action",
    "result": "result",
    "fund_only": "fund_only",
    "addressee": "addressee",
    "per": "per",
    "amount": "amount",
    "suggestions": "suggestions",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
    "version": "version",
    "points": "points",
}
_SAID = frozenset(
    {*_PLAIN.values(), "id", "class_id", "title", "trigger", "violation", "message", "basis", "on_unknown"}
)
"""Fields of a rule that have columns; every other goes into the column 其他设置."""

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_DECODER = msgspec.json.Decoder(Rule)


# -- a row as rules


def rules_of(family: Family, values: Values, base: Rule | None = None) -> tuple[Rule, ...]:
    """The rules a row makes: one, or those of a condition told in the payer's words alone.

    ``base`` is the rule the row changes: what the row leaves blank beside its condition stays as it is there.
    Raises ``CellError`` where something needed is missing or cannot be meant.
    """
    told = {**family.defaults, **values}
    if not told.get("document") and base is None:
        raise refusal("没有来源文件 (no basis); 请填写依据的文件，或用 --document 给出 (name the document)", "document")
    missing = [needed for needed in family.needs if not any(told.get(name) not in (None, ()) for name in needed)]
    if missing and told.get("remark") and family.remarks and (told.get("codes") or told.get("name")):
        return _of_remark(family, told)
    for needed in missing:
        named = "、".join(columns()[name].zh for name in needed)
        raise refusal(
            f"没有填写 {named} (needed); 请填写其一，表中没有这一列时用 --map 指明，其他规则类别另行导入"
            " (fill one in; name its column with --map; import other classes by themselves)",
            needed[0],
        )
    return (_rule(family, values, told, base),)


def _rule(family: Family, values: Values, told: Values, base: Rule | None) -> Rule:
    made = family.shape.make(told)
    violation = _exempted(made.violation, told)
    same = base is not None and (base.violation, base.trigger) == (violation, made.trigger)
    old = _old(base, same=same) if base is not None else {}
    said = {**told, **old, **values}
    rule = Rule(
        id=said.get("rule_id") or "",
        class_id=family.class_id,
        title=said.get("title") or f"{_name(values, made.trigger)}：{family.name}",
        trigger=made.trigger,
        violation=violation,
        message=Text(
            zh=said.get("message") or made.message.zh,
            en=said.get("message_en", made.message.en if not values.get("message") else ""),
        ),
        basis=Basis(document=said["document"], article=said.get("article", "")),
        on_unknown=_on_unknown(said, values),
        **_plain(said, values, violation),
    )
    # Read as a list would be, so that what equals a default is left out of canonical lines.
    rule = _DECODER.decode(_ENCODER.encode(_with_rest(rule, said.get("rest"))))
    return rule if rule.id else replace(rule, id=_made_id(family, rule))


def _plain(said: Values, values: Values, violation: Condition) -> dict[str, Any]:
    """The fields that are one column each; what names alone decide is suspicious and blocks nobody (design 4)."""
    found = {name: said[column] for column, name in _PLAIN.items() if said.get(column) is not None}
    if _by_names_alone(violation, negated=False):
        found["result"] = values.get("result", "suspicious")
        found["action"] = values.get("handling", "warn" if found["action"] == "block" else found["action"])
    return found


def _by_names_alone(condition: Condition, *, negated: bool) -> bool:
    """Whether the absence of a diagnosis told by its name alone would decide."""
    if isinstance(condition, Diagnosis):
        return negated and not (condition.codes or condition.sets)
    inverted = negated is not isinstance(condition, Not)
    return any(_by_names_alone(child, negated=inverted) for child in children_of(condition))


def _on_unknown(said: Values, values: Values) -> OnUnknown:
    """What to do without an answer. An action told without facts asks for none; nothing told is the family's."""
    ask = said["ask"] if "ask" in values or "unknown_action" not in values else ()
    plain = said["unknown_action"] == "pass" and not ask and "ask" not in values
    return _NO_QUESTION if plain else OnUnknown(action=said["unknown_action"], ask=tuple(ask))


_NO_QUESTION: OnUnknown = next(field.default for field in msgspec.structs.fields(Rule) if field.name == "on_unknown")


def _name(values: Values, trigger: Any) -> str:
    told = values.get("group") or values.get("name") or values.get("operation_name")
    pair = "×".join(values[f"{side}_name"] for side in ("main", "other") if values.get(f"{side}_name"))
    listed = (
        *trigger.names,
        *values.get("diagnosis_terms", ()),
        *trigger.codes,
        *trigger.diagnoses,
        *trigger.operations,
    )
    return str(told or pair or (listed[0] if listed else ""))


def _exempted(core: Condition, told: Values) -> Condition:
    """The family's condition with what the row demands beside it."""
    codes, terms = tuple(told.get("exempt_codes") or ()), tuple(told.get("exempt_terms") or ())
    exempt = (Not(of=Diagnosis(codes=codes, terms=terms)),) if codes or terms else ()
    before, after = _also(told["also"]) if told.get("also") else ((), ())
    of = (*before, core, *after, *exempt)
    return All(of=of) if len(of) > 1 else core


def _also(also: Mapping[str, Any]) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    try:
        others = msgspec.convert(also["of"], tuple[Condition, ...])
        place = int(also["at"])
    except (msgspec.ValidationError, KeyError, ValueError, TypeError) as error:
        raise refusal(_CHANGED, "also") from error
    return others[:place], others[place:]


_CHANGED = "程序写入的内容已改动 (changed by hand); 请恢复或清空 (restore it, or empty the cell)"


def _old(base: Rule, *, same: bool) -> dict[str, Any]:
    """What a changed rule keeps where its row is blank; its message only where it still says the same."""
    kept = _common(base)
    if not same:
        kept = {key: value for key, value in kept.items() if key not in ("message", "message_en")}
    return {**kept, "version": base.version + 1}


def _with_rest(rule: Rule, rest: Mapping[str, Any] | None) -> Rule:
    if not rest:
        return rule
    try:
        return msgspec.convert({**msgspec.to_builtins(rule), **rest}, Rule)
    except msgspec.ValidationError as error:
        raise refusal(_CHANGED, "rest") from error


# -- a condition in words


def _of_remark(family: Family, told: Values) -> tuple[Rule, ...]:
    """The rules of a remark, as the importer of knowledge points reads it."""
    codes, name = tuple(told.get("codes") or ()), told.get("name") or ""
    point = Point(
        kp_id=f"S{_short((family.class_id, codes or name))}",
        rule_class=family.name,
        item_name=name or codes[0],
        med_codes=codes,
        constraint=told["remark"],
        limit=told.get("limit"),
        unit=told.get("unit"),
        period_days=told.get("period_days"),
    )
    imported = import_points([point])
    if not imported.rule_list.rules:
        reason = imported.report[0].reason
        raise refusal(
            f"限定条件无法识别 (the words cannot be read: {reason}); 请按列填写 (fill in the columns)", "remark"
        )
    return tuple(_dressed(rule, told) for rule in imported.rule_list.rules)


def _dressed(rule: Rule, told: Values) -> Rule:
    """A rule of a remark with what the row says beside it."""
    basis = Basis(document=told["document"], article=told.get("article") or "")
    dates = {name: told[name] for name in ("valid_from", "valid_to", "version") if told.get(name) is not None}
    return replace(rule, basis=basis, points=(), **dates)


# -- a rule as a row


def values_of(family: Family, rule: Rule) -> dict[str, Any] | None:
    """What a row says of a rule; ``None`` where its condition is built otherwise than the family's."""
    told = family.shape.take(rule, rule.violation)
    if told is not None:
        exempted = {"exempt_codes": (), "exempt_terms": ()} if "exempt_codes" in family.defaults else {}
        return {**_blanks(family, told), **told, **exempted, **_common(rule)}
    for place, core in enumerate(rule.violation.of if isinstance(rule.violation, All) else ()):
        told = family.shape.take(rule, core)
        if told is not None:
            return {**_blanks(family, told), **told, **_beside(family, rule.violation, place), **_common(rule)}
    return None


def _beside(family: Family, whole: Condition, place: int) -> dict[str, Any]:
    """What a condition demands beside the family's own: an exempting diagnosis has columns, the rest is data."""
    of = whole.of if isinstance(whole, All) else ()
    others = (*of[:place], *of[place + 1 :])
    match others:
        case (Not(of=Diagnosis(main=False, past=False) as exempt),) if place == 0:
            return {"exempt_codes": exempt.codes, "exempt_terms": exempt.terms}
    exempted = {"exempt_codes": (), "exempt_terms": ()} if "exempt_codes" in family.defaults else {}
    return {**exempted, "also": {"at": place, "of": msgspec.to_builtins(others)}}


def _blanks(family: Family, told: Values) -> dict[str, Any]:
    """Defaults a rule does not have have to be told to be empty."""
    many = ("modes", "insurance", "types")
    return {name: () for name in many if family.defaults.get(name) and name not in told}


def _common(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {column: getattr(rule, name) for column, name in _PLAIN.items()}
    found |= {
        "rule_id": rule.id,
        "title": rule.title,
        "message": rule.message.zh,
        "message_en": rule.message.en or None,
        "document": rule.basis.document,
        "article": rule.basis.article or None,
        "unknown_action": rule.on_unknown.action,
        "ask": None if rule.on_unknown is _NO_QUESTION else rule.on_unknown.ask,
        "points": rule.points or None,
        "rest": _rest(rule) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _rest(rule: Rule) -> dict[str, Any]:
    """The fields of a rule without a column, as plain data."""
    names = dict(zip(rule.__struct_fields__, rule.__struct_encode_fields__, strict=True))
    data = msgspec.to_builtins(rule)
    return {names[name]: data[names[name]] for name in asdict(rule) if name not in _SAID and names[name] in data}


def not_held(family: Family, rule: Rule) -> tuple[str, ...]:
    """The fields of a rule that its row, written and read again, would not hold; empty for one that is held exactly."""
    told = values_of(family, rule)
    if told is None:
        return ("violation",)
    try:
        again = _rule(family, *_read_again(family, told), None)
    except (CellError, KeyError, TypeError, ValueError, msgspec.ValidationError):
        return ("violation",)
    if _ENCODER.encode(again) == _ENCODER.encode(rule):
        return ()
    return tuple(_differing(rule, again)) or ("violation",)


def _read_again(family: Family, told: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    values = {name: _again(name, value) for name, value in told.items()}
    values = {name: value for name, value in values.items() if value is not None}
    return values, {**family.defaults, **values}


def _again(name: str, value: Any) -> Any:
    """A value written into a cell and read again."""
    if name == "branch":
        return tuple((n, {key: _again(key, one) for key, one in branch.items()}) for n, branch in value)
    cell = written(columns()[name], value)
    if isinstance(cell, str) and len(cell) > LONGEST_CELL and name != "codes":
        raise refusal("单元格过长 (too long for a cell); 请用 JSON Lines 交换 (exchange it as JSON Lines)", name)
    return read_cell(columns()[name], Grid(file="", kind="xlsx", rows=((cell,),)), 0, 0)


def _differing(rule: Rule, again: Rule) -> Iterator[str]:
    for name in rule.__struct_fields__:
        if _ENCODER.encode(getattr(rule, name)) != _ENCODER.encode(getattr(again, name)):
            yield "class" if name == "class_id" else name


# -- which rule a row is about


def identity_of(family: Family, rule: Rule) -> tuple[tuple[str, Any], ...] | None:
    """What tells a rule of a family from another: its items and the family's key; ``None`` for one of another make."""
    told = values_of(family, rule)
    if told is None:
        return None
    if family.shape.grouped:
        return (("group", rule.title.partition("：")[0]),) if "group" in family.shape.columns else (("group", ""),)
    items = ("codes", "sets", "names", "prefixes", "types") if family.of_items else ()
    return tuple((name, _sorted(told.get(name))) for name in (*items, *family.shape.key) if told.get(name))


def _sorted(value: Any) -> Any:
    return tuple(sorted(value)) if isinstance(value, tuple) else str(value)


def _made_id(family: Family, rule: Rule) -> str:
    """An id made of what the rule is about, the same whenever the same sheet is read."""
    return f"{family.class_id}-S{_short(identity_of(family, rule))}"


def _short(key: object) -> str:
    return hashlib.blake2b(repr(key).encode(), digest_size=6).hexdigest()
