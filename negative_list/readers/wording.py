"""What is said of a body that is refused, one wording for every face: 中文 (english); 怎么办 (what to do)."""

from __future__ import annotations

from collections.abc import Collection

from negative_list.errors import nearest

__all__ = [
    "EXPECTED_FACTS",
    "EXPECTED_OBJECT",
    "EXPECTED_OBJECTS",
    "NO_ENCOUNTER",
    "NO_PATIENT",
    "likely",
    "no_fact",
    "no_field",
]

EXPECTED_OBJECT = "应为对象 (expected an object); 请用花括号 (put it in braces)"
"""Something else stands where an object belongs."""

EXPECTED_OBJECTS = "应为对象的列表 (expected a list of objects); 请用方括号 (put them in brackets)"
"""Something else stands where a list belongs."""

EXPECTED_FACTS = "应为“事实名: 值”的对象 (expected an object of fact names and values); 请用花括号 (put them in braces)"
"""Something else stands where ``facts`` belong."""

NO_PATIENT = "没有参保人 (no patient); 请给出一位 (give one)"
"""The body is about nobody."""

NO_ENCOUNTER = "没有就诊信息 (no encounter); 请给出当前就诊 (give the current one)"
"""The body has no current encounter."""


def no_field(key: str, known: Collection[str]) -> str:
    """Say that an object has no such key, and which of those it has is the nearest."""
    other = "其他事实请写在 `facts` 中 (give further facts in `facts`)" if "facts" in known else "请删除 (take it out)"
    return f"没有这个字段 (no such field); {likely(key, known) or other}"


def no_fact(name: str, known: Collection[str]) -> str:
    """Say that the dictionary has no such fact, and which name is the nearest."""
    return f"没有事实 `{name}` (no fact is called so); {likely(name, known) or '请查阅事实表 (see the list of facts)'}"


def likely(name: str, known: Collection[str]) -> str:
    """Ask whether the known name most like ``name`` is meant; "" when none is near."""
    hint = nearest(name, known)
    return f"是否为 {hint.partition('mean ')[2].rstrip('?')} ({hint.removeprefix('; ')})" if hint else ""
