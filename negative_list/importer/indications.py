"""Reading a remark to its end: alternative branches, and what is common to all of them.

Diseases, ages, sexes, levels, visit modes, insurance, clocks and earlier treatment are read; what no fact carries
stays as ``rest`` and is asked (``line.payment_condition_met``). Several diseases of one branch are alternatives: a
hospital files "慢性肾脏病引起的贫血" under either, so a rule that wanted both would be wrong more often than right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import repeat

from msgspec import Struct
from msgspec.structs import replace

from negative_list.conditions import Condition
from negative_list.diseases import Disease, Mention, disease, mentions
from negative_list.importer.ages import Ages, hull, read_ages
from negative_list.importer.alternatives import cut
from negative_list.importer.limits import (
    Cap,
    Course,
    Level,
    read_cap,
    read_course,
    read_insurance,
    read_level,
    read_modes,
    read_nutrition,
    read_onset_hours,
)
from negative_list.importer.measures import read_alternative_states, read_measures
from negative_list.importer.naming import diseases_named, is_treatment, joined, severities, unlisted
from negative_list.importer.remark import Reader, numbered_items, split
from negative_list.importer.sexes import Sex, read_sex
from negative_list.importer.stages import read_stages
from negative_list.importer.wording import (
    drop_information,
    hide_substances,
    implied_disease,
    only_fills,
    read_exclusions,
    read_leftover,
    read_prior_treatment,
)
from negative_list.text import normalise

__all__ = ["Branch", "Remark", "read_remark"]


class Branch(Struct, frozen=True, kw_only=True):
    """One way to meet a remark (or what is common to every way). Empty and ``None``: nothing is said.

    ``implied`` is the disease of the drugs named where none is; ``excluded`` are diseases that shut a patient out;
    ``states`` are facts of which one lets a patient in whatever the diagnosis; ``measures`` are conditions on
    measured values, stage and line; ``prior_treatment``: an earlier treatment must have failed (``second_line``:
    said in these words); ``people``: the words end with whom they mean; ``alternative``: cut off at an 或, so never a
    condition on the other branches; ``others``: different people are listed as alternatives ("儿童及孕妇");
    ``unlisted``: diseases listed beside those of the table, which it does not know; ``rest``: what no fact carries,
    in the remark's own characters.
    """

    diseases: tuple[Disease, ...] = ()
    implied: tuple[Disease, ...] = ()
    excluded: tuple[Disease, ...] = ()
    ages: Ages | None = None
    sex: Sex | None = None
    level: Level | None = None
    modes: tuple[str, ...] = ()
    insurance: tuple[str, ...] = ()
    course: Course | None = None
    cap: Cap | None = None
    onset_hours: Decimal | None = None
    nutrition: bool = False
    prior_treatment: bool = False
    second_line: bool = False
    measures: tuple[Condition, ...] = ()
    states: tuple[str, ...] = ()
    people: bool = False
    alternative: bool = False
    others: bool = False
    unlisted: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


class Remark(Struct, frozen=True, kw_only=True):
    """A remark read to its end: one of ``branches`` must hold, and ``common`` always."""

    branches: tuple[Branch, ...]
    common: Branch

    @property
    def rest(self) -> tuple[str, ...]:
        """Everything no fact carries."""
        parts = (*self.branches, self.common)
        return tuple(dict.fromkeys(text for part in parts for text in (*part.rest, *part.unlisted)))

    @property
    def others(self) -> bool:
        """Whether some part lists people of different kinds."""
        return any(part.others for part in (*self.branches, self.common))

    @property
    def diseases(self) -> tuple[Disease, ...]:
        """Every disease that meets some branch, in the remark's order."""
        return tuple({d.name: d for branch in self.branches for d in branch.diseases}.values())

    @property
    def ages(self) -> Ages | None:
        """The ages of all branches together, narrowed by the common part."""
        together = hull(branch.ages for branch in self.branches) if self.branches else None
        return together.narrowed(self.common.ages) if together else self.common.ages


_CHILDREN = "儿童|小儿|患儿|新生儿|婴幼儿|青少年|老年人"
_WOMEN = "孕产妇|孕妇|产妇|妊娠期妇女|哺乳期妇女|妇女"
_OTHERS = re.compile(
    r"(?:儿童|小儿|婴幼儿)(?:、|及|和|或|与|以及)老年人?|"
    rf"(?:{_CHILDREN})(?:、|及|和|或|与|以及)(?:{_WOMEN})|(?:{_WOMEN})(?:、|及|和|或|与|以及)(?:{_CHILDREN})"
)


def read_remark(text: str) -> Remark:
    """Read a payer's remark. An empty remark has one branch that says nothing."""
    parts = split(Reader(text))
    branches = [branch for part in parts.branches for branch in _branches(part)]
    common = _together(_read(part) for part in parts.common)
    common, branches = _settle(common, branches, numbered=parts.numbered)
    return Remark(branches=tuple(branches) or (Branch(),), common=common)


def _branches(part: Reader) -> list[Branch]:
    """The branches of one part: each item of a list inside it, under the part's own heading, else its alternatives."""
    items = numbered_items(part)
    if not items:
        pieces = cut(part)
        return _with_shared_head([replace(_read(piece), alternative=len(pieces) > 1) for piece in pieces], part.text)
    heading, *listed = map(_read, items)
    return [_merged(item, heading) for item in listed]


def _with_shared_head(branches: list[Branch], text: str) -> list[Branch]:
    """Alternatives before one disease ("成人或住院的癫痫患者") each with that disease."""
    last = branches[-1]
    if len(branches) == 1 or not last.diseases or "的" not in text:
        return branches
    whole = (b.diseases or b.insurance or b.people or b.states for b in branches)
    return [b if own else replace(b, diseases=last.diseases) for b, own in zip(branches, whole, strict=True)]


def _read(reader: Reader) -> Branch:
    people = bool(_PEOPLE.match(reader.text))
    drop_information(reader)
    others = [reader.original(*match.span()) for match in reader.takes(_OTHERS)]
    excluded, rest = _excluded(reader)
    insurance = read_insurance(reader)
    nutrition = read_nutrition(reader)
    level = read_level(reader)
    onset_hours = read_onset_hours(reader)
    course = read_course(reader)
    cap = read_cap(reader)
    measures = read_measures(reader)
    modes = read_modes(reader)
    found = diseases_named(reader)
    beside = unlisted(reader, found)
    asked = (*severities(reader, found), *joined(reader, found))
    implied = () if found else _implied(reader.text)
    states = _states(reader, found)
    _hide(reader, [m for m in found if _AGED.search(m.disease.name) or m.disease.chapter == _PERINATAL])
    ages = read_ages(reader)
    sex = read_sex(reader)
    _hide(reader, map(_without_stage, found, repeat(reader.text)))
    rows = tuple({m.disease.name: m.disease for m in found}.values())
    second_line = bool(_SECOND_LINE.search(reader.text))
    prior_treatment = read_prior_treatment(reader)
    # beside several diseases a stage may be said of one of them only
    stages = read_stages(reader, tumour=[row.chapter for row in rows] == [_TUMOURS])
    more = (level.rest,) if level and level.rest else ()
    branch = Branch(
        diseases=rows,
        implied=implied,
        excluded=excluded,
        ages=ages,
        sex=sex,
        level=level,
        modes=modes,
        insurance=insurance,
        course=course,
        cap=cap,
        onset_hours=onset_hours,
        nutrition=nutrition,
        prior_treatment=prior_treatment,
        second_line=second_line,
        measures=(*measures, *stages),
        states=states,
        people=people,
        others=bool(others),
        rest=(*others, *(() if states else asked), *rest, *more),
    )
    return _with_leftover(branch, read_leftover(reader), beside)


def _states(reader: Reader, found: list[Mention]) -> tuple[str, ...]:
    if found and all(m.disease.name == _CRITICAL for m in found):
        return ("encounter.rescue", "encounter.critical")
    return read_alternative_states(reader)


def _with_leftover(branch: Branch, left: tuple[str, ...], beside: list[str]) -> Branch:
    """A branch with what nobody read: further members of its list of diseases (``beside``), and conditions."""
    members = tuple(text for text in left if normalise(text) in beside)
    return replace(branch, unlisted=members, rest=(*branch.rest, *(text for text in left if text not in members)))


_PEOPLE = re.compile(r"(?!需|须|应|且|并|首次|支付|最多|每|单次)[^。]*(?:患者|病人|人群)[。;,]?$")
_STAGED = re.compile("(?:局部晚期|中晚期|晚期|早期|转移性|复发性?|难治性?|不可切除|进展期|的|或|和|、|/)+")
_SECOND_LINE = re.compile("二线(?:用药|治疗|使用|药物)")
_TUMOURS = 2
_CRITICAL = "危重症"
_PERINATAL = 16
_AGED = re.compile("新生儿|早产|婴|小儿|幼年|幼儿|儿童|青少年|成人|老年")


def _implied(text: str) -> tuple[Disease, ...]:
    """The disease of the drugs a remark names, where it names none itself."""
    row = disease(implied_disease(text)) if implied_disease(text) else None
    return (row,) if row else ()


def _excluded(reader: Reader) -> tuple[tuple[Disease, ...], tuple[str, ...]]:
    """Diseases that shut a patient out, and the exclusions no disease stands for.

    An exclusion that says more than a disease ("流感相关并发症高风险") has to be asked. A form of a disease that the
    remark lets in ("肝功能不全", but not "严重肝功能不全") shuts out by its own words only.
    """
    exclusions = read_exclusions(reader)
    meant = {m.disease: reader.text[m.start : m.end] for m in mentions(hide_substances(reader.text))}
    rows: list[Disease] = []
    rest: list[str] = []
    for exclusion in exclusions:
        found = [_form(exclusion.text, mention, meant) for mention in mentions(exclusion.text)]
        shut = [row for row in found if row]
        if shut and len(shut) == len(found) and only_fills(_beside(exclusion.text)):
            rows.extend(shut)
        elif exclusion.source:
            rest.append(exclusion.source)
    return tuple(dict.fromkeys(rows)), tuple(rest)


def _form(text: str, mention: Mention, meant: Mapping[Disease, str]) -> Disease | None:
    """What an exclusion shuts out: the disease without what it shares with those that are meant, if anything is left.

    Where the remark means the same row, that is the longer name of it.
    """
    words, row = text[mention.start : mention.end], mention.disease
    if row in meant:
        return Disease(name=words) if meant[row] in words and meant[row] != words else None
    taken = [code for other in meant for code in other.codes]
    codes = tuple(code for code in row.codes if not any(_overlap(code, other) for other in taken))
    return Disease(name=row.name, synonyms=row.synonyms, codes=codes)


def _overlap(one: str, other: str) -> bool:
    """Whether two categories, codes or ranges have a code in common."""
    (first, last), (start, end) = (_ends(code) for code in (one, other))
    return first <= end and start <= last


def _ends(code: str) -> tuple[str, str]:
    """The first and the last full code of a category, code or range."""
    first, _, last = code.partition("-")
    return first, (last or first) + "\uffff"


def _beside(text: str) -> str:
    """A text without the diseases it names."""
    for mention in reversed(mentions(text)):
        text = text[: mention.start] + text[mention.end :]
    return text


def _hide(reader: Reader, found: Iterable[Mention]) -> None:
    for mention in found:
        reader.take(mention.start, mention.end)


def _without_stage(mention: Mention, text: str) -> Mention:
    """The mention of a tumour without the stage its name begins with: "转移性宫颈癌" also says how far it has gone."""
    stage = _STAGED.match(text, mention.start, mention.end) if mention.disease.chapter == _TUMOURS else None
    return replace(mention, start=stage.end()) if stage else mention


def _together(parts: Iterable[Branch]) -> Branch:
    """Parts that must all hold, as one."""
    whole = Branch()
    for part in parts:
        whole = _merged(whole, part)
    return whole


def _merged(one: Branch, other: Branch) -> Branch:
    ages = one.ages.narrowed(other.ages) if one.ages else other.ages
    return replace(
        one,
        diseases=one.diseases or other.diseases,
        excluded=(*one.excluded, *other.excluded),
        ages=ages,
        sex=one.sex or other.sex,
        level=one.level or other.level,
        modes=one.modes or other.modes,
        insurance=one.insurance or other.insurance,
        course=one.course or other.course,
        cap=one.cap or other.cap,
        onset_hours=one.onset_hours or other.onset_hours,
        nutrition=one.nutrition or other.nutrition,
        prior_treatment=one.prior_treatment or other.prior_treatment,
        second_line=one.second_line or other.second_line,
        measures=(*one.measures, *other.measures),
        states=one.states or other.states,
        unlisted=(*one.unlisted, *other.unlisted),
        rest=(*one.rest, *other.rest),
    )


def _settle(common: Branch, branches: list[Branch], *, numbered: bool) -> tuple[Branch, list[Branch]]:
    """Put every part where it belongs.

    A heading's diseases are those of the branches under it that name none ("高胆固醇血症患者: 1.… 2.…"). What the payer
    numbered is an alternative. Without numbers, a part that names no disease beside ones that do is a condition
    on all of them, unless it is an insurance or names other people ("下肢关节置换手术患者").
    """
    if common.diseases:
        branches = [_under(common, branch) for branch in branches or [Branch()]]
    branches = [b if b.diseases else replace(b, diseases=b.implied) for b in branches]
    levels = {b.level.at_least for b in branches if b.level}
    named = [b for b in branches if _is_way(b) or (b.level and len(levels) > 1)]
    if named and not numbered:
        common = _together([common, *(b for b in branches if b not in named)])
        branches = named
    return replace(common, diseases=()), branches


def _is_way(branch: Branch) -> bool:
    """Whether a part is a way of its own to meet the remark, not a condition on the others."""
    own = branch.diseases or branch.insurance or branch.states or branch.alternative
    return bool(own or (branch.people and branch.rest))


def _under(common: Branch, branch: Branch) -> Branch:
    """A branch that names no disease of its own, under a heading that does."""
    own = branch.insurance or any(not is_treatment(row) for row in branch.diseases)
    return branch if own else replace(branch, diseases=common.diseases)
