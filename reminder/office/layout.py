"""A decision explained, laid out as text for the office: Chinese first, English by switch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from negative_list.dictionary import load
from reminder.journal.entries import Appeal, Feedback
from reminder.office.words import fact_text, label, value_text

if TYPE_CHECKING:
    from negative_list.decision import FactSeen
    from negative_list.prescription import History
    from reminder.journal.entries import Found
    from reminder.office.explained import Explained, FoundTold, LineTold, Word
    from reminder.office.proof import Covering
    from reminder.office.tree import Part
    from reminder.office.words import Language

__all__ = ["ACTIONS", "DECISIONS", "SOURCES", "laid_out", "said"]

ACTIONS: Mapping[str, tuple[str, str]] = {
    "block": ("拦截", "block"),
    "warn": ("警告", "warn"),
    "remind": ("提醒", "remind"),
    "pass": ("仅记录", "recorded only"),
}
"""What actions of findings are called."""

DECISIONS: Mapping[str, tuple[str, str]] = {**ACTIONS, "pass": ("通过", "pass")}
"""What decisions are called."""

SOURCES: Mapping[str, tuple[str, str]] = {
    "request": ("请求", "request"),
    "derived": ("由其他事实得出", "derived"),
    "history": ("历史", "history"),
    "site": ("站点配置", "site"),
    "site default": ("站点默认值", "site default"),
    "points ledger": ("记分台账", "points ledger"),
}
"""What sources of facts are called; feeds are called as they call themselves."""

_SUBJECTS: Mapping[str, tuple[str, str]] = {
    "patient": ("患者", "patient"),
    "encounter": ("就诊", "encounter"),
    "line": ("行", "line"),
    "doctor": ("医师", "doctor"),
    "institution": ("医疗机构", "institution"),
    "item": ("项目", "item"),
}

_WORDS: Mapping[str, tuple[str, str]] = {
    "decision": ("决定", "Decision"),
    "when": ("时间", "when"),
    "who": ("开立", "who"),
    "doctor": ("医师 ", "doctor "),
    "department": ("科室 ", "department "),
    "institution": ("医疗机构 ", "institution "),
    "scene": ("场景 ", "scene "),
    "patient": ("患者键 ", "patient key "),
    "encounter": ("就诊键 ", "encounter key "),
    "made with": ("依据", "made with"),
    "list": ("清单 ", "list "),
    "policy": ("策略 ", "policy "),
    "release": ("发布 ", "release "),
    "engine": ("程序 ", "engine "),
    "face": ("接口 ", "face "),
    "place": ("日志位置", "in the journal"),
    "chain": ("链 {} 第 {} 条，回执 {}", "chain {} entry {}, receipt {}"),
    "covered": ("检查点 {} 已覆盖（签名密钥 {}）", "covered by the checkpoint of {} (signing key {})"),
    "uncovered": ("尚无检查点覆盖", "no checkpoint covers it yet"),
    "late": ("（应答后补记）", " (written after the answer)"),
    "findings": ("发现", "Findings"),
    "no findings": ("没有发现", "no findings"),
    "rule": ("规则 {} 第{}版", "rule {} version {}"),
    "by rule": ("规则动作 {}，策略后 {}", "by the rule {}, after policy {}"),
    "shadow": ("（仅记录，未提示）", " (recorded, not shown)"),
    "unshown": ("（未返回给调用方）", " (not returned to the caller)"),
    "exited": ("（已走紧急通道）", " (left by the emergency exit)"),
    "unknown": ("（尚不能判定）", " (undecided)"),
    "basis": ("依据：", "basis: "),
    "message": ("提示：", "message: "),
    "amount": ("涉及金额：{}元", "amount at risk: {} yuan"),
    "lines": ("所涉行：", "lines: "),
    "involved": ("关联行：", "involved: "),
    "reminders": ("提醒编号：", "reminders: "),
    "conditions": ("条件：", "conditions: "),
    "of line": ("条件（行 {}）：", "conditions (line {}): "),
    "evidence": ("当时记录的依据：", "evidence as stored: "),
    "trigger": ("触发：", "trigger: "),
    "scope": ("适用范围：", "scope: "),
    "violation": ("违反：", "violation: "),
    "source": ("来源", "source"),
    "needs": ("缺少：", "lacks: "),
    "not evaluated": ("未能检查的规则", "Rules not evaluated"),
    "read": ("从外部读取", "Read from stores"),
    "nothing read": ("未查询历史和外部事实", "nothing was asked of history and stores"),
    "unread": ("历史和外部事实未能及时读到", "history and store facts did not come in time"),
    "history": ("历史：{}行，{}次就诊，{}", "history: {} lines, {} encounters, {}"),
    "since": ("自{}起完整", "complete since {}"),
    "own since": ("本院自{}起完整", "complete for this institution since {}"),
    "told nothing": ("已查询，没有得到事实和历史", "asked, and told nothing"),
    "complete": ("终身完整", "complete for life"),
    "no promise": ("不保证完整", "not promised to be complete"),
    "notes": ("说明", "Notes"),
    "words": ("反馈与申诉", "Feedback and appeals"),
    "no words": ("没有反馈，没有申诉", "no feedback, no appeal"),
    "junk": ("（无意义文本：{}）", " (text says nothing: {})"),
    "automatic": ("（系统自动应答）", " (answered by a program)"),
    "list gone": (
        "当时的清单已不在日志中，或已被改动，条件不能逐项复核，以下为当时记录的依据",
        "the list is gone or was edited: conditions cannot be shown one by one, what was stored then is",
    ),
    "engine differs": (
        "当时的程序版本与现在不同（{}），逐项条件按现在的程序复核",
        "another version of the program decided ({}); conditions are shown as this one answers them",
    ),
    "differs": (
        "与当时记录不一致，以当时记录为准",
        "this is not what was stored then; what was stored counts",
    ),
    "from": ("，自 ", ", from "),
}
_HOLDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("[成立]", "[true]"),
    False: ("[不成立]", "[false]"),
    None: ("[未知]", "[unknown]"),
}
_REASONS: Mapping[str, tuple[str, str]] = {
    "missing_facts": ("缺少事实", "facts are missing"),
    "coverage": ("历史覆盖不足", "history does not reach far enough"),
    "not_read": ("未能及时读到", "not read in time"),
    "never_sent": ("本院系统从不提供", "nobody tells it at this hospital"),
    "deadline": ("调用方等待的时间已到，未检查", "the caller's time was up before it was evaluated"),
}
_DONE: Mapping[str, tuple[str, str]] = {
    "changed": ("已修改", "changed"),
    "withdrawn": ("已撤销", "withdrawn"),
    "self_paid": ("改自费", "self-paid"),
    "overridden": ("说明理由后继续", "gone on with a reason"),
    "exited": ("紧急通道", "left by the emergency exit"),
    "wrong_rule": ("规则有误", "this rule is wrong"),
}
_STAGES: Mapping[str, tuple[str, str]] = {
    "raised": ("申诉提出", "appeal raised"),
    "answered": ("已答复", "appeal answered"),
    "result": ("申诉结果", "appeal's result"),
}
_UPHELD: Mapping[bool | None, tuple[str, str]] = {
    True: ("（成立）", " (upheld)"),
    False: ("（未成立）", " (rejected)"),
    None: ("", ""),
}
_STEP = "  "


def said(key: str, language: Language, *filled: object) -> str:
    """A word of the layout in one language, with what is filled in."""
    return _WORDS[key][language == "en"].format(*filled)


def laid_out(told: Explained, covering: Covering | None, language: Language) -> str:
    """The whole text, ending in a line break."""
    page = _Page(told, covering, language)
    return "\n".join(page.lines()) + "\n"


class _Page:
    def __init__(self, told: Explained, covering: Covering | None, language: Language) -> None:
        self._told = told
        self._covering = covering
        self._language = language
        self._names = {line.id: line for line in told.lines}

    def _in(self, key: str, *filled: object) -> str:
        return said(key, self._language, *filled)

    def _one(self, table: Mapping[Any, tuple[str, str]], key: Any) -> str:
        return table[key][self._language == "en"] if key in table else str(key)

    def lines(self) -> Iterator[str]:
        """The lines of the text."""
        yield from self._head()
        yield ""
        yield self._in("findings") if self._told.found else self._in("no findings")
        for number, one in enumerate(self._told.found, 1):
            yield from self._found(number, one)
        yield from self._titled("not evaluated", self._not_evaluated())
        yield from self._titled("read", self._read())
        yield from self._titled("notes", (f"{note.code}: {note.message}" for note in self._told.notes))
        words = [self._word(word) for word in self._told.words]
        yield from self._titled("words", words or [self._in("no words")])

    def _titled(self, key: str, lines: Iterable[str]) -> Iterator[str]:
        told = list(lines)
        if told:
            yield ""
            yield self._in(key)
            yield from (_STEP + line for line in told)

    # -- head

    def _head(self) -> Iterator[str]:
        told, entry = self._told, self._told.entry
        action = self._one(DECISIONS, entry.answer.decision)
        yield f"{self._in('decision')} {told.decision_id}  {action}{self._in('late') if entry.late else ''}"
        yield f"{_STEP}{self._in('when')}: {_time(told.civil)} ({entry.zone}), {_time(told.at)} UTC"
        yield f"{_STEP}{self._in('who')}: {self._joint(self._who())}"
        yield f"{_STEP}{self._in('made with')}: {self._joint(self._made_with())}"
        placed = told.placed
        place = self._in("chain", placed.chain, placed.seq, placed.receipt)
        yield f"{_STEP}{self._in('place')}: {place}; {self._cover()}"
        if not told.list_kept and told.found:
            yield _STEP + self._in("list gone")
        if told.list_kept and not told.engine_same:
            yield _STEP + self._in("engine differs", entry.engine)

    def _who(self) -> Iterator[tuple[str, str]]:
        facts = self._told.entry.prescription.encounter.facts
        yield "doctor", _text(facts.get("encounter.doctor_id")) or self._line_doctor()
        department = (_text(facts.get(f"encounter.department{part}")) for part in ("_code", "_name", ""))
        yield "department", " ".join(text for text in department if text)
        yield "institution", self._told.entry.institution_id
        scene = facts.get("encounter.scene")
        yield "scene", value_text("encounter.scene", scene, self._language) if scene else ""
        yield "patient", self._told.patient
        yield "encounter", self._told.encounter

    def _line_doctor(self) -> str:
        told = (_text(line.facts.get("line.doctor_id")) for line in self._told.lines if line.current)
        return " ".join(dict.fromkeys(text for text in told if text))

    def _made_with(self) -> Iterator[tuple[str, str]]:
        entry = self._told.entry
        yield "release", entry.release or ""
        yield "list", entry.list[:16]
        yield "policy", entry.policy[:16]
        yield "engine", entry.engine
        yield "face", entry.face

    def _joint(self, told: Iterable[tuple[str, str]]) -> str:
        comma = "，" if self._language == "zh" else ", "
        return comma.join(self._in(key) + text for key, text in told if text)

    def _cover(self) -> str:
        if self._covering is None:
            return self._in("uncovered")
        return self._in("covered", _time(self._covering.at), self._covering.key)

    # -- findings

    def _found(self, number: int, one: FoundTold) -> Iterator[str]:
        found = one.found
        yield f"{number}. {found.finding_id}  {self._one(ACTIONS, found.action)}{self._marks(found)}"
        yield from (_STEP + line for line in self._about(one))
        if one.walked:
            for walked in one.walked:
                yield _STEP + (self._in("of line", self._name(walked.line)) if walked.line else self._in("conditions"))
                for part in walked.parts:
                    yield from self._part(part, 2, walked.line)
        elif one.facts:
            yield _STEP + self._in("evidence")
            yield from (f"{_STEP * 2}{self._fact_line(seen, '')}" for seen in one.facts)
        if found.finding_id in self._told.differs:
            yield _STEP + self._in("differs")

    def _marks(self, found: Found) -> str:
        marks = [key for key in ("unknown", "exited") if getattr(found, key)]
        if not found.shown:
            marks.append("shadow" if found.action == "pass" else "unshown")
        return "".join(map(self._in, marks))

    def _about(self, one: FoundTold) -> Iterator[str]:
        found, rule = one.found, one.rule
        title = f"  {rule.title}" if rule is not None else ""
        yield f"{self._in('rule', found.rule_id, found.rule_version)}  {found.class_id} {one.class_name}{title}"
        yield self._in("by rule", self._one(ACTIONS, found.own_action), self._one(ACTIONS, found.action))
        basis = one.basis or (f"{rule.basis.document} {rule.basis.article}".strip() if rule is not None else "")
        told = [("basis", basis), ("message", one.message)]
        yield from (self._in(key) + text for key, text in told if text)
        if found.amount_fen is not None:
            yield self._in("amount", f"{found.amount_fen / 100:.2f}")
        for key, names in (("lines", found.lines), ("involved", found.involved)):
            if names:
                yield self._in(key) + self._names_of(names)
        if one.needs:
            yield self._in("needs") + self._labels(one.needs)

    def _names_of(self, names: Iterable[str]) -> str:
        return ("；" if self._language == "zh" else "; ").join(self._name(name) for name in names)

    def _name(self, ident: str) -> str:
        """A line by its id, name and first code; one that is not being written now with its day."""
        line: LineTold | None = self._names.get(ident)
        if line is None:
            return ident
        day = f"{line.begins:%Y-%m-%d}" if line.begins is not None and not line.current else ""
        return " ".join(filter(None, (ident, line.name, *line.codes[:1], day)))

    def _labels(self, names: Iterable[str]) -> str:
        return ("、" if self._language == "zh" else ", ").join(label(name, self._language) for name in names)

    def _part(self, part: Part, depth: int, own: str) -> Iterator[str]:
        """A condition and those inside it; ``own``: the line it was asked for."""
        role = self._in(part.role) if part.role else ""
        yield f"{_STEP * depth}{self._one(_HOLDS, part.holds)} {role}{part.text}"
        for seen in part.facts:
            yield f"{_STEP * (depth + 1)}· {self._fact_line(seen, own)}"
        if part.lines:
            yield f"{_STEP * (depth + 1)}· {self._in('involved')}{self._names_of(part.lines)}"
        if part.needs:
            yield f"{_STEP * (depth + 1)}· {self._in('needs')}{self._labels(part.needs)}"
        for inside in part.parts:
            yield from self._part(inside, depth + 1, own)

    def _fact_line(self, seen: FactSeen, own: str) -> str:
        """A fact with its source, and whose it is where that is another line."""
        whose = f"  [{self._name(seen.subject)}]" if seen.fact.startswith("line.") and seen.subject != own else ""
        return f"{fact_text(seen, self._language)}  ({self._in('source')} {self._one(SOURCES, seen.source)}){whose}"

    # -- what else there is

    def _not_evaluated(self) -> Iterator[str]:
        for one in self._told.not_evaluated:
            reason = self._one(_REASONS, one.reason)
            yield f"{one.rule_id}  {one.class_name}  {reason}: {self._labels(one.needs)}"

    def _read(self) -> Iterator[str]:
        entry = self._told.entry
        if not entry.read:
            yield self._in("unread") if entry.unread else self._in("nothing read")
            return
        if entry.unread:
            yield self._in("unread")
        for fact in self._told.read:
            begins = fact.valid_from or fact.told_at
            since = f"{self._in('from')}{begins:%Y-%m-%d %H:%M}" if begins else ""
            value = value_text(fact.fact, fact.value, self._language)
            told = f"{label(fact.fact, self._language)} = {value}"
            source, subject = self._one(SOURCES, fact.source), self._one(_SUBJECTS, _kind(fact.fact))
            yield f"{told}  ({self._in('source')} {source}{since})  [{subject} {fact.subject}]"
        if entry.history is not None:
            history = entry.history
            yield self._in("history", len(history.lines), len(history.encounters), self._reach(history))
        elif not self._told.read:
            yield self._in("told nothing")

    def _reach(self, history: History) -> str:
        """Since when the history is complete."""
        if history.complete:
            return self._in("complete")
        begun = (("since", history.since), ("own since", history.own_since))
        told = [self._in(key, f"{since:%Y-%m-%d}") for key, since in begun if since is not None]
        return ("，" if self._language == "zh" else ", ").join(told) or self._in("no promise")

    def _word(self, word: Word) -> str:
        told = self._feedback(word.told) if isinstance(word.told, Feedback) else self._appeal(word.told)
        return f"{_time(word.at)} UTC  {word.told.finding_id}  {told}  [{word.placed.receipt}]"

    def _feedback(self, told: Feedback) -> str:
        junk = self._in("junk", told.junk) if told.junk else ""
        marks = junk + (self._in("automatic") if told.automatic else "")
        return (
            " ".join(filter(None, [self._one(_DONE, told.done), told.reason_code, told.reason_text, told.doctor_id]))
            + marks
        )

    def _appeal(self, told: Appeal) -> str:
        amount = f"{told.amount_fen / 100:.2f}元" if told.amount_fen is not None else ""
        stage = self._one(_STAGES, told.stage) + self._one(_UPHELD, told.upheld)
        return " ".join(filter(None, [stage, told.text, amount, told.who]))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _kind(name: str) -> str:
    return load()[name].subject if name in load() else ""
