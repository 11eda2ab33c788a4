"""What a cell says: codes, numbers, dates, words. What cannot be read for certain is refused, never guessed.

A message is 中文 (english); 怎么办 (what to do), like those of refused requests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from negative_list.codes import expand_ranges, normal, usable_item
from negative_list.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from negative_list.sheets.grid import Raw

__all__ = [
    "CellError",
    "code_list",
    "day_of",
    "decimal_of",
    "each",
    "flag_of",
    "folded",
    "icd_list",
    "item_codes",
    "operation_list",
    "refusal",
    "terms_of",
    "text_of",
    "whole_of",
    "word_of",
    "written_terms",
]


class CellError(ValueError):
    """What a cell says cannot be read; the message says why and what to do, ``column`` is the key of its column."""

    def __init__(self, message: str, column: str = "") -> None:
        self.column = column
        super().__init__(message)


def refusal(message: str, column: str = "") -> CellError:
    """A cell that is refused."""
    return CellError(message, column)


def folded(text: str) -> str:
    """A text as it is compared: full-width letters and digits as plain ones, no blanks around."""
    return unicodedata.normalize("NFKC", text).strip()


def text_of(value: Raw) -> str:
    """A cell as text; whole numbers without a point, days as ``2026-01-31``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


_MIDNIGHT = time()


# -- codes

_SEPARATORS = re.compile(r"[\s、,;/|]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]|^\\s*['`]")
"""Marks nobody sees, and the apostrophe that keeps a code text."""

_PADDED = re.compile(r"0+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_LOST_ZEROS = re.compile(r"\d{9,14}")
_TOO_LONG = re.compile(r"\d{15,}0{1,9}")
_RANGE = re.compile(r"[A-Za-z]?\w{3,}\s*(?:[-~—–至到]|\.\.+)\s*[A-Za-z]?\w{3,}")
_SERVICE_DIGITS = 15


def code_list(value: Raw, number_format: str = "") -> tuple[str, ...]:
    """The codes of a cell, in their order, each once; separators are 、 , ; / blank and line break.

    A code that became a number is damaged, unless its format shows every zero (``000000000000000``).
    """
    if isinstance(value, (bool, date, datetime)):
        raise refusal(f"`{text_of(value)}` 不是编码 (no code); 请填写编码 (write a code)")
    if isinstance(value, (int, float)):
        return (_numeric_code(value, number_format),)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", value or ""))
    return tuple(dict.fromkeys(normal(code) for code in _SEPARATORS.split(text) if code))


def _numeric_code(value: float, number_format: str) -> str:
    shown = number_format.split(";", maxsplit=1)[0].strip()
    if _PADDED.fullmatch(shown) and len(shown) == _SERVICE_DIGITS and value == int(value):
        return f"{int(value):0{len(shown)}d}"
    raise refusal(_damaged(_shown_number(value)))


def _shown_number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _damaged(text: str) -> str:
    return (
        f"编码已损坏：`{text}` 被表格软件变成了数字，前导零或末位已丢失 (DAMAGED: the code was turned into a number)"
        "; 请从原始文件按文本重新取得 (get it again as text from the source)"
    )


def item_codes(value: Raw, number_format: str = "") -> tuple[str, ...]:
    """The national item codes of a cell."""
    codes = code_list(value, number_format)
    text = value if isinstance(value, str) else ""
    if _is_range(text):
        raise refusal(
            f"编码区间 `{text.strip()}` 不展开 (a range of codes is not expanded); 请逐个写出 (write each code)"
        )
    for code in codes:
        if not usable_item(code):
            raise refusal(_no_item_code(code))
    return codes


def _is_range(text: str) -> bool:
    return bool(_RANGE.search(unicodedata.normalize("NFKC", text)))


def _no_item_code(code: str) -> str:
    if _SCIENTIFIC.fullmatch(code) or _LOST_ZEROS.fullmatch(code) or _TOO_LONG.fullmatch(code):
        return _damaged(code)
    return (
        f"`{code}` 不符合国家编码的结构 (no structure of a national code)"
        "; 请核对位数、全角字符和多余的文字 (check its length and stray characters)"
    )


def icd_list(value: Raw, number_format: str = "") -> tuple[str, ...]:
    """Diagnosis codes, categories and ranges (``I20-I25``) of a cell."""
    return _ranges(code_list(_joined_range(value), number_format), "诊断编码", letters=True)


def operation_list(value: Raw, number_format: str = "") -> tuple[str, ...]:
    """Operation codes and categories (ICD-9-CM-3) of a cell."""
    return _ranges(code_list(_joined_range(value), number_format), "手术编码", letters=False)


def _joined_range(value: Raw) -> Raw:
    """A range written with blanks, or with another dash, as one word."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\s*[-~—–至到]\s*", "-", unicodedata.normalize("NFKC", value))


def _ranges(codes: tuple[str, ...], what: str, *, letters: bool) -> tuple[str, ...]:
    for code in codes:
        try:
            expand_ranges((code,))
        except ValueError as error:
            raise refusal(_no_icd(code, what)) from error
        if code[:1].isalpha() is not letters:
            raise refusal(_no_icd(code, what))
    return codes


def _no_icd(code: str, what: str) -> str:
    if _SCIENTIFIC.fullmatch(code):
        return _damaged(code)
    return (
        f"`{code}` 不是{what} (no such code); 请写类目、编码或 `I20-I25` 这样的区间 (write a category, code or range)"
    )


_TERM = re.compile(r'"([^"]+)"|([^、；;\n|]+)')
_DOUBTFUL = re.compile(
    r"[，,]|或|^除|[以之]外|不限|^(?:各科|全院|全部|所有)|(?<=科)[和与及/]|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])"
)
"""What may part names, or turn the sense of a list: taken for one name it would stand for nothing."""

_IN_A_TERM = re.compile(r"[、；;\n|，,]")


def terms_of(value: Raw) -> tuple[str, ...]:
    """Names in a cell, separated by 、 ； or line breaks.

    What may part names or be part of one (a comma, 或, a blank) is refused, as are exceptions (除…外). A name that
    holds a separator itself stands in straight quotes: ``"轻、中度高血压"``.
    """
    parts = []
    for found in _TERM.finditer(text_of(value)):
        if found[2] and _DOUBTFUL.search(found[2].strip()):
            raise refusal(
                f"`{found[2].strip()}` 是一个名称、几个名称还是例外 (one name, several, or an exception)"
                "; 分隔请用、，确是一个名称请加半角引号 (part names by 、, or quote the name)"
            )
        parts.append(found[1] or found[2].strip())
    return tuple(dict.fromkeys(part for part in parts if part))


def written_terms(terms: Iterable[str]) -> str:
    """Names as a cell, for :func:`terms_of` to read as the same."""
    return "、".join(f'"{term}"' if _IN_A_TERM.search(term) or _DOUBTFUL.search(term) else term for term in terms)


# -- numbers, dates, words


_LARGEST = 10**15
"""The digits a spreadsheet keeps, and the largest bound a rule may have."""


def decimal_of(value: Raw) -> Decimal:
    """A number above zero, with full-width digits and thousands separators as people write them."""
    text = folded(text_of(value)).replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and number < _LARGEST) or isinstance(value, bool):
        raise refusal(f"`{text_of(value)}` 不是数字 (no number); 请只写数字 (write the number alone)")
    if number <= 0:
        raise refusal(
            f"`{text_of(value)}` 不大于零，会使每一行都违规 (zero or less, every line would offend); 请核对 (check it)"
        )
    return number


def whole_of(value: Raw) -> int:
    """A whole number."""
    number = decimal_of(value)
    if number != number.to_integral_value():
        raise refusal(f"`{text_of(value)}` 不是整数 (no whole number); 请写整数 (write a whole number)")
    return int(number)


_DATE = re.compile(r"(\d{4})\s*(?:[-/.]|年)\s*(\d{1,2})\s*(?:[-/.]|月)\s*(\d{1,2})\s*日?(?:\s+0{1,2}:00(?::00)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NO_END = ("", "-", "--", "长期", "长期有效", "至今", "无", "永久")
_NO_END_YEAR = 9999
_SERIALS = range(20_000, 80_000)
_EPOCH = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)


def day_of(value: Raw, *, epoch_1904: bool = False) -> date | None:
    """A day: a date, an Excel serial of 1954 to 2119, or text (``2026-1-31``, ``2026年1月31日``, ``20260131``).

    ``None`` for what means without end (长期, 9999-12-31).
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and int(value) in _SERIALS:
        value = (_EPOCH_1904 if epoch_1904 else _EPOCH) + timedelta(days=int(value))
    if not isinstance(value, date):
        value = _day_of_text(folded(text_of(value)))
    return None if value is None or value.year == _NO_END_YEAR else value


def _day_of_text(text: str) -> date | None:
    if text in _NO_END:
        return None
    found = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    if not found and text.isdecimal() and int(text) in _SERIALS:
        return _EPOCH + timedelta(days=int(text))
    try:
        return date(*map(int, found.groups())) if found else _no_day(text)
    except ValueError as error:
        raise refusal(f"`{text}` 不是日期 (no date); 请写成 2026-01-31 (write it like 2026-01-31)") from error


def _no_day(text: str) -> date:
    raise ValueError(text)


_YES = ("是", "1", "y", "yes", "true", "√", "✓", "有", "含")
_NO = ("否", "0", "n", "no", "false", "×", "无", "不含")


def flag_of(value: Raw) -> bool:
    """是 or 否."""
    text = folded(text_of(value)).lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise refusal(f"`{text_of(value)}` 不是“是”或“否” (neither yes nor no); 请填 是 或 否 (write 是 or 否)")


def word_of(value: Raw, words: Mapping[str, str], also: Mapping[str, str]) -> str:
    """The value a word stands for; ``also`` are other spellings. The nearest known word is offered."""
    text = folded(text_of(value))
    found = words.get(text) or also.get(text)
    if found is None:
        raise refusal(_no_word(text, words))
    return found


def _no_word(text: str, words: Iterable[str]) -> str:
    known = list(words)
    hint = nearest(text, known).partition("mean ")[2].rstrip("?")
    likely = f"是否为 {hint} (did you mean {hint})；" if hint else ""
    return f"`{text}` 不是可用的词 (no word of this column); {likely}可用 (use): {'、'.join(known)}"


def each(read: Callable[[Raw], str], value: Raw) -> tuple[str, ...]:
    """Several words of one cell."""
    parts = [part for part in re.split(r"[、,;/\n|]+|[或和及]", folded(text_of(value))) if part.strip()]
    return tuple(dict.fromkeys(read(part.strip()) for part in parts))
