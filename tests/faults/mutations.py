"""Mutated bodies of 3101: mutants that are still readable say what their twin says, the others may say anything.

``readable`` draws how a client might send the same prescription; ``broken`` damages bytes or values. Everything is
drawn from the given ``Random``, so that a mutant can be made again from its seed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tests.readers.dialect_list import body
from tests.readers.dialect_points import camel, current, everywhere, flat, hainan, orders, people

if TYPE_CHECKING:
    from random import Random

__all__ = ["BREAKS", "KEEPS", "SPECIALS", "Mutant", "base", "broken", "encode", "readable"]

Json: TypeAlias = "dict[str, Any]"
_Keep: TypeAlias = "Callable[[Json, Random], Json]"
_Break: TypeAlias = "Callable[[bytes, Random], bytes]"

_BLANKS: tuple[object, ...] = (None, "", "-", "--", " ")
_UNREAD = ("hilist_memo", "grpno", "hosplist_dosform", "lv2_hosp_item_pric", "selfpay_amt", "drord_stop_date")
_OPTIONAL = ("rxno", "hilist_lv", "hosplist_code", "drord_dept_codg", "spec", "hilist_pric", "drord_dr_name")
_FLAGS = ("long_drord_flag", "maindise_flag", "curr_drord_flag", "main_oprn_flag", "gend", "reim_flag")
_NUMBERS = ("cnt", "pric", "sumamt", "ownpay_amt", "hilist_pric", "medfee_sumamt")
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("-", "/"),
    lambda text: text.replace(" ", "T"),
    lambda text: re.sub("[^0-9]", "", text),
    lambda text: text + ".000",
)
_NAMES = "αβ药品项目价格备注ABCxyz_0189"


class Mutant(NamedTuple):
    """A body as bytes, and which mutations made it."""

    raw: bytes
    how: tuple[str, ...]


def base(rng: Random, patient: str) -> Json:
    """One of the prescriptions mutants are made of: the whole body, or less of it, for one patient."""
    told = body()
    people(told)[0]["patn_id"] = patient
    told["msgid"] = f"H{rng.getrandbits(60):020}"
    visit = current(told)
    people(told)[0]["gend"] = rng.choice("12")
    visit["medins_lv"] = rng.choice(["08", "02"])
    kept = [order for order in visit["fsi_order_dtos"][1:] if rng.random() < 0.8]
    visit["fsi_order_dtos"] = [visit["fsi_order_dtos"][0], *kept]
    for order in visit["fsi_order_dtos"]:
        order["cnt"] = rng.randint(1, 4)
    if rng.random() < 0.3:
        visit["fsi_operation_dtos"] = []
    return told


# -- what keeps a body readable


def _shuffled(told: Json, rng: Random) -> Json:
    """The keys of every object in another order."""

    def shuffle(value: Any) -> Any:
        if isinstance(value, dict):
            keys = rng.sample(list(value), len(value))
            return {key: shuffle(value[key]) for key in keys}
        return [shuffle(one) for one in value] if isinstance(value, list) else value

    shuffled: Json = shuffle(told)
    return shuffled


def _extra(told: Json, rng: Random) -> Json:
    """Keys nobody knows, with anything in them."""
    for row in (told, told["input"], *people(told), current(told), *orders(told)):
        key = "x_" + "".join(rng.choices(_NAMES, k=rng.randint(1, 12)))
        row[key] = rng.choice([None, 1, "", "x" * rng.randint(1, 500), [1, [2]], {"a": {"b": []}}, -1.5, True])
    return told


def _blank(told: Json, rng: Random) -> Json:
    """Fields that say nothing, as one client or another writes them."""
    for order in orders(told):
        order[rng.choice(_UNREAD)] = rng.choice(_BLANKS)
    current(told)["wardno"] = rng.choice(_BLANKS)
    return told


def _dropped(told: Json, rng: Random) -> Json:
    """Fields no rule reads are left out."""
    for order in orders(told):
        order.pop(rng.choice(_OPTIONAL), None)
    return told


def _respelt(told: Json, rng: Random) -> Json:
    """Numbers as texts, with more places, flags as numbers."""

    def respell(key: str, value: Any) -> tuple[str, Any]:
        if key in _NUMBERS and isinstance(value, (int, float)):
            return key, rng.choice([value, str(value), f"{value:.2f}", f"{value:.4f}", f" {value} "])
        if key in _FLAGS and isinstance(value, str) and value.isdigit():
            return key, rng.choice([value, int(value)])
        return key, value

    respelt: Json = everywhere(told, respell)
    return respelt


def _padded(told: Json, rng: Random) -> Json:
    """Blanks around codes and names."""
    keys = rng.sample(["hilist_code", "dise_codg", "oprn_code", "hilist_name", "medins_lv", "adm_dept_name"], 2)
    padded: Json = everywhere(
        told, lambda key, value: (key, f" {value} " if key in keys and isinstance(value, str) else value)
    )
    return padded


def _times(told: Json, rng: Random) -> Json:
    """Times as other clients spell them."""
    spell = rng.choice(_SPELLINGS)
    spelt: Json = everywhere(told, lambda key, value: (key, spell(value) if _is_time(value) else value))
    return spelt


def _is_time(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value))


def _dialect(told: Json, rng: Random) -> Json:
    """Another dialect, the last of all that keeps."""
    return rng.choice(_DIALECTS)(told)


def _as_text(told: Json, rng: Random) -> Json:
    """``input`` as a text, once or twice."""
    for _ in range(rng.randint(1, 2)):
        told["input"] = json.dumps(told["input"], ensure_ascii=rng.random() < 0.5)
    return told


_DIALECTS: tuple[Callable[[Json], Json], ...] = (
    hainan,
    camel,
    flat,
    lambda told: flat(told, above="envelope"),
    lambda told: told,
)

KEEPS: dict[str, _Keep] = {
    "extra": _extra,
    "blank": _blank,
    "dropped": _dropped,
    "respelt": _respelt,
    "padded": _padded,
    "times": _times,
    "dialect": _dialect,
    "shuffled": _shuffled,
    "text": _as_text,
}
"""Mutations that keep what a body says, in the order in which they can be done."""


def encode(told: Json, rng: Random) -> Mutant:
    """The bytes of a body, in one of the ways clients write them."""
    escaped = rng.random() < 0.2
    text = json.dumps(told, ensure_ascii=escaped, indent=rng.choice([None, None, 1]))
    how = rng.choice(["utf-8", "utf-8", "gb18030", "utf-8-sig", "twice"])
    if how == "twice":  # a key that comes again counts as said last
        return Mutant(('{"infno": "9999", "input": [], ' + text.lstrip("{ \n")).encode(), (how,))
    return Mutant(text.encode(how), (how,))


def readable(told: Json, rng: Random) -> Mutant:
    """A mutant that says what ``told`` says."""
    told = copy.deepcopy(told)
    names = [name for name in KEEPS if rng.random() < 0.35]
    for name in names:
        told = KEEPS[name](told, rng)
    mutant = encode(told, rng)
    return Mutant(mutant.raw, (*names, *mutant.how))


# -- what breaks a body

_ODD = (
    b"null", b"true", b"-0", b"1e999999999", b"-1e-999999999", b"9" * 400, b'"\\ud800"', b'"\\u0000"', b"[]", b"{}",
    b'""', b'"-"', b"[[[[[[]]]]]]", b'{"a": {"b": [1, {"c": null}]}}', b'"9999-12-31"', b'"2026-02-31 25:61:61"',
    b"NaN", b'"' + b"\xff\xfe" + b'"', '"药"'.encode("gbk"), b'"' + "药".encode() * 30 + b'"', b"1.5e308", b"'x'",
    b"[" * 300, b'"[{\\"mdtrt_id\\": 1}]"', b'"{"',
)  # fmt: skip
_PIECES = (
    "x", "1", "药", "a@", "(", "（", "1.", "mg*", "1片/", "0.5g*", "-", " ", "\t", "每日", "qd ", "待排", "否认", ".",
    "。", "13800138000", "410101196001011234", "2026-01-01 ", "é", "\ufdfa", "①", "每次1片，", "A1", "㎎", "测试",
)  # fmt: skip
_VALUE = re.compile(rb'(?<=": )("(?:[^"\\]|\\.)*"|-?[0-9.]+)')


def _cut(raw: bytes, rng: Random) -> bytes:
    return raw[: rng.randrange(len(raw))]


def _flipped(raw: bytes, rng: Random) -> bytes:
    data = bytearray(raw)
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _inserted(raw: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + rng.choice((*_ODD, b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\x00")) + raw[at:]


def _removed(raw: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + raw[at + rng.randint(1, 40) :]


def _repeated(raw: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(raw))
    piece = raw[at : at + rng.randint(1, 400)]
    return raw[:at] + piece * rng.randint(2, 20) + raw[at:]


def _replaced(raw: bytes, rng: Random) -> bytes:
    """Some values become others, the body stays JSON for the most part."""
    places = [match.span() for match in _VALUE.finditer(raw)]
    for begin, end in sorted(rng.sample(places, min(len(places), rng.randint(1, 6))), reverse=True):
        raw = raw[:begin] + rng.choice(_ODD) + raw[end:]
    return raw


def _lengthened(raw: bytes, rng: Random) -> bytes:
    """A value becomes as long as may be, of something that is searched for, measured or masked in texts."""
    told = json.loads(raw)
    piece = rng.choice(_PIECES)
    text = (piece * 65_000).encode()[: rng.choice([500, 20_000, 65_000])].decode(errors="ignore")
    places = [(holder, key) for holder, key, value in _nodes(told) if isinstance(value, (str, int))]
    for holder, key in rng.sample(places, rng.randint(1, 2)):
        holder[key] = text
    return json.dumps(told, ensure_ascii=False).encode()


def _renamed(raw: bytes, rng: Random) -> bytes:
    """Some keys become others, known and unknown ones."""
    keys = re.findall(rb'"([a-zA-Z_]+)":', raw)
    for _ in range(rng.randint(1, 5) if keys else 0):
        raw = raw.replace(b'"%s":' % rng.choice(keys), b'"%s":' % rng.choice([*keys, b"x", b"facts"]), 1)
    return raw


def _restructured(raw: bytes, rng: Random) -> bytes:
    """Nodes become other nodes: an object a list, a list an object, a part of the tree another part."""
    told = json.loads(raw)
    for _ in range(rng.randint(1, 3)):
        _graft(told, rng)
    return json.dumps(told).encode()


def _graft(told: Any, rng: Random) -> None:
    nodes = list(_nodes(told))
    holder, key, value = rng.choice(nodes)
    drawn = rng.choice(nodes)[2]
    holder[key] = copy.deepcopy(rng.choice([drawn, [value], {"a": value}, [value] * 3, None, json.dumps(value)]))


def _nodes(told: Any) -> list[tuple[Any, Any, Any]]:
    pairs = list(told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ())
    return [(told, key, value) for key, value in pairs] + [one for _, value in pairs for one in _nodes(value)]


def _reencoded(raw: bytes, rng: Random) -> bytes:
    """In an encoding nobody sends, or half in one and half in another."""
    text = raw.decode()
    half = rng.randrange(len(text))
    return rng.choice(
        [text.encode("utf-16"), text.encode("utf-8-sig")[1:], text[:half].encode("gbk") + text[half:].encode(),
         text.encode().decode("latin-1").encode(), text.encode("gbk").decode("latin-1").encode(),
         text.encode("big5", "replace")]
    )  # fmt: skip


BREAKS: dict[str, _Break] = {
    "cut": _cut,
    "flipped": _flipped,
    "inserted": _inserted,
    "removed": _removed,
    "repeated": _repeated,
    "replaced": _replaced,
    "lengthened": _lengthened,
    "renamed": _renamed,
    "restructured": _restructured,
    "reencoded": _reencoded,
}
"""Damage: what comes of it may be read, refused, or understood otherwise."""


def broken(told: Json, rng: Random) -> Mutant:
    """A mutant that may be no body any more; half of them come from a readable mutant of it."""
    told = copy.deepcopy(told)
    names = [name for name in KEEPS if rng.random() < 0.15]
    for name in names:
        told = KEEPS[name](told, rng)
    raw = json.dumps(told, ensure_ascii=False).encode()
    name = rng.choice(list(BREAKS))
    return Mutant(BREAKS[name](raw, rng), (*names, name))


# -- the few that are large or deep

_MIB = 1024 * 1024


def _stay(count: int) -> bytes:
    """A long stay: lines of items without a rule, and the three that have some."""
    told = body()
    lines = current(told)["fsi_order_dtos"]
    other = lines[0] | {"hilist_code": "XA01AAA001A001010100001", "extend_order_map": {"o_prdDays": "3"}}
    lines += [other | {"rx_id": f"L{n}", "cnt": n % 9 + 1} for n in range(count - len(lines))]
    return json.dumps(told, ensure_ascii=False).encode()


def _at_fault(count: int) -> bytes:
    """Every line violates rules, and every line is looked at for every other."""
    told = body()
    visit = current(told)
    visit["fsi_order_dtos"] = [visit["fsi_order_dtos"][n % 3] | {"rx_id": f"L{n}"} for n in range(count)]
    return json.dumps(told, ensure_ascii=False).encode()


def _long_texts(count: int) -> bytes:
    told = body()
    visit = current(told)
    visit["fsi_order_dtos"] = [
        visit["fsi_order_dtos"][0] | {"rx_id": f"L{n}", "spec": "药" * 20_000} for n in range(count)
    ]
    return json.dumps(told, ensure_ascii=False).encode()


SPECIALS: dict[str, Callable[[], bytes]] = {
    "nested lists": lambda: b'{"infno": "3101", "input": ' + b"[" * 500_000,
    "nested objects": lambda: b'{"infno":' * 500_000,
    "nested in a text": lambda: json.dumps({"infno": "3101", "input": "[" * 500_000}).encode(),
    "nested, of a depth JSON parsers take": lambda: b'{"infno": "3101", "a": ' + b"[" * 900 + b"]" * 900 + b"}",
    "10 MB of nothing": lambda: b" " * (10 * _MIB),
    "10 MB of NUL": lambda: b"\x00" * (10 * _MIB),
    "10 MB that are no encoding": lambda: b"\xff" * (10 * _MIB),
    "10 MB of one text": lambda: b'{"infno": "3101", "input": "' + b"x" * (10 * _MIB) + b'"}',
    "10 MB of keys": lambda: json.dumps({"infno": "3101", "input": {f"k{n}": n for n in range(600_000)}}).encode(),
    "10 MB of long texts": lambda: _long_texts(170),
    "10 MB of placeholders": lambda: json.dumps(
        {"infno": "3101", "input": {"data": {"patient_dtos": [{}] * 2_500_000}}}
    ).encode(),
    "over the limit": lambda: b" " * (17 * _MIB),
    "5,000 lines": lambda: _stay(5_000),
    "10 MB of lines": lambda: _stay(15_000),
    "20,001 lines": lambda: _stay(20_001),
    "2,000 lines, all at fault": lambda: _at_fault(2_000),
}
"""By name, what is made when it is needed."""
