"""Lists through their compiled form, as the service has them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from negative_list.compiled_form import form_of, loading_of

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.rules import RuleList

__all__ = ["through_form"]


def through_form(rules: RuleList) -> CompiledList:
    """The list that is read from the compiled form of one."""
    loading = loading_of(io.BytesIO(form_of(rules)))
    for _ in loading:
        pass
    return loading.compiled
