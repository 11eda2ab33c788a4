"""Messages as our own JSON: the field names of the proto, numbers as numbers, words for enums, null for what is absent.

It is not protobuf's own mapping: that writes names in camelCase, 64-bit numbers as texts and enums in capitals, and
leaves out what is empty.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.wording import EXPECTED_OBJECT, EXPECTED_OBJECTS, likely, no_field

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor

__all__ = ["body_of", "message_of"]

M = TypeVar("M", bound=Message)

_DIGITS = 20  # more than 64 bits have

# 1 and 0 are the same keys as True and False.
_FLAGS = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "": False}


# --- messages to JSON -------------------------------------------------------------------------------------------------


def body_of(message: Message) -> dict[str, Any]:
    """Every field of a message, as plain values."""
    return {field.name: _value_of(message, field) for field in message.DESCRIPTOR.fields}


def _value_of(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_plain(field, each) for each in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _plain(field, value)


def _plain(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return body_of(value)
    return _word(field.enum_type, value) if field.enum_type is not None else value


def _word(enum: EnumDescriptor, number: int) -> str:
    """The word of an enum's number, "" where none was given; a number of a later version as its digits."""
    named = enum.values_by_number.get(number)
    return str(number) if named is None else _words(enum).get(named.name, "")


def _words(enum: EnumDescriptor) -> dict[str, str]:
    """``ACTION_WARN`` of ``Action`` is ``warn``: the name without what all begin with, in lower case."""
    prefix = len(enum.values[0].name.removesuffix("UNSPECIFIED"))
    return {value.name: value.name[prefix:].lower() for value in enum.values if value.number}


# --- JSON to messages -------------------------------------------------------------------------------------------------


def message_of(body: object, kind: type[M]) -> M:
    """The message of a JSON object; what is null or left out is not set.

    Raises:
        RequestError: For unknown names and values of another kind, all at once.
    """
    message, problems = kind(), list[FieldProblem]()
    _fill(message, body, "", problems)
    if problems:
        raise RequestError(sorted(problems))
    return message


def _fill(message: Message, body: object, path: str, problems: list[FieldProblem]) -> None:
    if not isinstance(body, dict):
        problems.append(FieldProblem(field=path or "body", message=EXPECTED_OBJECT))
        return
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in body.items():
        place = f"{path}.{name}" if path else name
        if name not in fields:
            problems.append(FieldProblem(field=place, message=no_field(name, set(fields))))
        elif value is not None:
            _set(message, fields[name], value, place, problems)


def _set(message: Message, field: Any, value: object, path: str, problems: list[FieldProblem]) -> None:
    if field.is_repeated:
        _extend(getattr(message, field.name), field, value, path, problems)
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
        _fill(getattr(message, field.name), value, path, problems)
    else:
        try:
            setattr(message, field.name, _typed(field, value))
        except (ArithmeticError, KeyError, TypeError, ValueError):
            problems.append(FieldProblem(field=path, message=_expected(field, value)))


def _extend(items: Any, field: Any, value: object, path: str, problems: list[FieldProblem]) -> None:
    """A list; one value stands for a list of one."""
    for place, each in enumerate(value if isinstance(value, list) else [value]):
        where = f"{path}[{place}]"
        if field.message_type is not None:
            _fill(items.add(), each, where, problems)
            continue
        try:
            items.append(_typed(field, each))
        except (ArithmeticError, KeyError, TypeError, ValueError):
            problems.append(FieldProblem(field=where, message=_expected(field, each)))


def _typed(field: Any, value: Any) -> bool | int | str:
    """The value in the field's type; numbers and flags also from texts, as old systems write them."""
    if isinstance(value, dict | list):
        raise TypeError
    if field.enum_type is not None:
        return _number(field.enum_type, value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _FLAGS[value.strip().lower() if isinstance(value, str) else value]
    return _whole(value)


def _whole(value: Any) -> int:
    """A whole number, also as text, 3.0 and "3" alike; 1e999999999 is not written out to see that it is too large."""
    number = Decimal(value)
    if isinstance(value, bool) or not number.is_finite() or number.adjusted() > _DIGITS or number % 1:
        raise ValueError
    return int(number)


def _number(enum: EnumDescriptor, value: object) -> int:
    numbers = {word: enum.values_by_name[name].number for name, word in _words(enum).items()}
    return numbers[str(value).strip().lower()] if value != "" else 0


def _expected(field: Any, value: object) -> str:
    if field.message_type is not None:
        return EXPECTED_OBJECTS
    if isinstance(value, dict | list):
        return "应为单个值 (expected one value); 请给出文本或数字 (give a text or a number)"
    text = str(value)[:40]
    if field.enum_type is not None:
        words = list(_words(field.enum_type).values())
        known = likely(text, words) or f"请用 (use one of) {', '.join(words)}"
        return f"没有 `{text}` 这个词 (no word `{text}`); {known}"
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return f"`{text}` 不是“是/否”值 (neither true nor false); 请给出 true 或 false (give one of them)"
    return f"`{text}` 不是整数 (not a whole number); 请给出整数 (give one)"
