"""A forecast in words: the conclusions an office decides by, then what changes by rule, class, department, doctor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reminder.forecast.columns import ACTION_WORDS, CLASSES, PLACES, RULES, SHEET, fact_name
from reminder.forecast.page import Figure, Page, Table
from reminder.forecast.record import Changed
from reminder.reports.table import Column

if TYPE_CHECKING:
    from reminder.forecast.columns import Cell
    from reminder.forecast.record import About, Forecast, Lack, Row

__all__ = ["MOST_ROWS", "list_name", "page_of", "summary_of", "yuan"]

MOST_ROWS = 30
"""Rows of a table on a page: more is for a sheet."""

_SHOWN = ("block", "warn", "remind")


def page_of(made: Forecast, *, english: bool = False) -> Page:
    """A forecast as a page."""
    told = _Told(made, english=english)
    return Page(
        title=told.title(),
        about=tuple(told.about()),
        warnings=tuple(told.warnings()),
        figures=tuple(told.figures()),
        points=tuple(told.points()),
        tables=tuple(told.tables()),
        sheet=told.sheet(),
        data=made,
    )


def yuan(fen: int) -> str:
    """Money as people read it."""
    return f"{fen / 100:,.2f}"


def list_name(version: str, digest: str, *, english: bool) -> str:
    """A list by its version, else by its digest."""
    return version or (f"list {digest[:12]}" if english else f"名单 {digest[:12]}")


def summary_of(made: Forecast) -> str:
    """A forecast in a sentence, for the steps of its release."""
    about, change = made.about, made.reminders
    before, after = (side.per_100(about.replayed) for side in (made.before, made.after))
    zh = f"重放 {about.replayed:,} 次，每百次打断 {before:.1f} → {after:.1f}，提醒 +{change.new:,} −{change.gone:,}"
    en = f"{about.replayed:,} replayed, interruptions per 100 {before:.1f} to {after:.1f}, "
    return (
        f"{zh}，不可重放 {made.open_:,} ({en}reminders +{change.new:,} -{change.gone:,}, {made.open_:,} not replayable)"
    )


class _Told:
    """The words about one forecast, in one language."""

    def __init__(self, made: Forecast, *, english: bool) -> None:
        self.made, self.english = made, english
        self.decisions = made.about.replayed

    def say(self, zh: str, en: str) -> str:
        return en if self.english else zh

    # -- what it is about

    def title(self) -> str:
        about = self.made.about
        name = list_name(about.version, about.digest, english=self.english)
        return self.say(
            f"预测：名单 {name} 若于 {about.at:%Y-%m-%d} 启用",
            f"Forecast: list {name} if active from {about.at:%Y-%m-%d}",
        )

    def about(self) -> Iterator[str]:
        about = self.made.about
        against = list_name(about.against_version, about.against_digest, english=self.english)
        source = self._source(about)
        yield self.say(
            f"与现行名单 {against} 相比；{source}，共 {about.replayed:,} 次审方，用时 {about.took_s:,.0f} 秒",
            f"beside the active list {against}; {source}, {about.replayed:,} checks, in {about.took_s:,.0f} s",
        )
        yield self.say(
            "年龄与时间窗按每次审方当时计算；规则是否有效按启用日计算；紧急放行不计。",
            "Ages and windows by each check's own clock, validity by the day of activation; no emergency exits.",
        )

    def _source(self, about: About) -> str:
        if about.source == "journal":
            return self.say(
                f"重放日志 {about.begin} 至 {about.end}（不含）", f"journal of {about.begin} to before {about.end}"
            )
        if about.source == "samples":
            return self.say("重放所给处方", "prescriptions that were given")
        return self.say("日志尚无审方，重放随程序提供的示例处方", "no history yet: the shipped sample prescriptions")

    def warnings(self) -> Iterator[str]:
        about, made = self.made.about, self.made
        if about.source == "shipped samples":
            yield self.say(
                "示例处方不是本院处方，下列数字只说明规则会怎样说，不说明会有多少。",
                "Samples are not this hospital's: the figures say what rules say, not how often.",
            )
        if about.out_of_time:
            yield self.say(
                f"时间已到：只重放了最近的 {about.replayed:,} 次（自 {about.reached} 起），"
                f"更早的 {about.out_of_time:,} 次没有重放。",
                f"Out of time: the latest {about.replayed:,} were replayed (from {about.reached} on), "
                f"{about.out_of_time:,} older ones were not.",
            )
        if made.open_:
            rules = sum(bool(row.open_) for row in made.rules)
            lacking = self._lacking(made.lacks)
            yield self.say(
                f"不可重放：{made.open_:,} 次审方缺少新规则所需的信息（{lacking}），涉及 {rules} 条规则；"
                "这些不算“无变化”，启用后可能更多。",
                f"Not replayable: {made.open_:,} checks lack what new rules need ({lacking}), "
                f"{rules} rules; these are not counted as no change, there may be more once it is active.",
            )
        if about.unreadable or about.masked:
            yield self.say(
                f"另有 {about.unreadable:,} 条日志损坏、{about.masked:,} 条因脱敏无法重放，未计入。",
                f"{about.unreadable:,} entries are damaged, {about.masked:,} cannot be replayed for what was masked; "
                "they are not counted.",
            )

    def _lacking(self, lacks: Sequence[Lack]) -> str:
        named = [f"{fact_name(one.fact, english=self.english)} {one.decisions:,}" for one in lacks[:5]]
        more = [self.say(f"等 {len(lacks)} 项", f"{len(lacks)} in all")] if len(lacks) > len(named) else []
        return self.say("、", ", ").join([*named, *more])

    # -- conclusions

    def figures(self) -> Iterator[Figure]:
        made, say = self.made, self.say
        before, after, confirmed = (side.per_100(self.decisions) for side in (made.before, made.after, made.confirmed))
        yield Figure(
            name=say("每百次审方打断", "interruptions per 100 checks"),
            value=f"{before:.1f} → {after:.1f}",
            note=say(f"{_signed(after - before, 1)}；全部确认后 {confirmed:.1f}", f"{_signed(after - before, 1)}; "
                     f"once confirmed {confirmed:.1f}"),
        )  # fmt: skip
        for action in ("block", "warn"):
            yield self._by_action(action)
        change = made.reminders
        yield Figure(
            name=say("提醒（同一就诊、规则、项目、日期计一条）", "reminders (encounter, rule, item, day)"),
            value=f"+{change.new:,} / −{change.gone:,}",
            note=say(f"另有 {change.action:,} 条换了动作", f"{change.action:,} more with another action"),
        )
        yield Figure(
            name=say("涉及金额（元）", "money warned of (yuan)"),
            value=f"{yuan(made.before.amount_fen)} → {yuan(made.after.amount_fen)}",
            note=say(f"新增 {yuan(change.new_fen)}，不再 {yuan(change.gone_fen)}", f"new {yuan(change.new_fen)}, "
                     f"no more {yuan(change.gone_fen)}"),
        )  # fmt: skip
        yield Figure(
            name=say("首次收到提醒的医师", "doctors newly affected"),
            value=f"{made.doctors_new:,}",
            note=say(f"现有 {made.before.doctors:,} 名 → {made.after.doctors:,} 名；{made.doctors_rid:,} 名不再收到",
                     f"{made.before.doctors:,} → {made.after.doctors:,}; {made.doctors_rid:,} no more"),
        )  # fmt: skip

    def _by_action(self, action: str) -> Figure:
        made = self.made
        was, is_, then = (side.actions.get(action, 0) for side in (made.before, made.after, made.confirmed))
        name = ACTION_WORDS[action][self.english]
        return Figure(
            name=self.say(f"结论为{name}的审方", f"checks answered {name}"),
            value=f"{was:,} → {is_:,}",
            note=self.say(
                f"{_signed(is_ - was)}；全部确认后 {then:,}", f"{_signed(is_ - was)}; once confirmed {then:,}"
            ),
        )

    def points(self) -> Iterator[str]:
        lists, rules = self.made.lists, self.made.rules
        yield self.say(
            f"名单差异：新增规则 {lists.new} 条，删除 {lists.gone} 条，判定有改 {lists.judging} 条，"
            f"仅改文字 {lists.worded} 条",
            f"Lists: {lists.new} new rules, {lists.gone} gone, {lists.judging} judge otherwise, "
            f"{lists.worded} reworded",
        )
        if lists.unconfirmed:
            yield self.say(
                f"{lists.unconfirmed} 条新的或改过的规则尚未确认：启用后至多警告，确认后才按规则拦截",
                f"{lists.unconfirmed} new or changed rules are not confirmed: they warn at most until the office does",
            )
        if lists.later:
            yield self.say(
                f"{lists.later} 条规则在启用日之后才生效，不在本预测内；可用 --at 预测那一天",
                f"{lists.later} rules begin after that day and are not in this forecast; name their day by --at",
            )
        if not rules:
            yield self.say("没有任何规则的结果改变", "no rule comes to anything else")
        for change, zh, en in _LARGEST:
            yield from self._largest(change, zh, en)

    def _largest(self, change: str, zh: str, en: str) -> Iterator[str]:
        """The rules with most of a change, in a line."""
        most = sorted((row for row in self.made.rules if getattr(row, change)), key=lambda row: -getattr(row, change))
        if most:
            named = [f"{_called(row)} {getattr(row, change):,}" for row in most[:3]]
            total = sum(getattr(row, change) for row in most)
            yield self.say(
                f"{zh}：{len(most)} 条规则共 {total:,} 次，最多的是 {'、'.join(named)}",
                f"{en}: {len(most)} rules, {total:,} times, most of all {', '.join(named)}",
            )

    # -- tables

    def tables(self) -> Iterator[Table]:
        yield self._actions()
        made = self.made
        yield self._table(self.say("按规则（变化最大的在前）", "By rule, most change first"), RULES, made.rules)
        yield self._table(self.say("按规则类", "By class"), CLASSES, [row for row in made.classes if _tells(row)])
        departments = [row for row in made.departments if row.reminders != Changed()]
        yield self._table(self.say("按科室", "By department"), PLACES, departments)
        doctors = [row for row in made.doctors if row.reminders != Changed()]
        yield self._table(self.say("按医师", "By doctor"), PLACES, doctors)

    def _actions(self) -> Table:
        made = self.made
        names = (("动作", "action"), ("现行", "now"), ("启用时", "at activation"), ("全部确认后", "once confirmed"))
        columns = [Column(name=en, zh=zh, en=en, kind="text" if not n else "count") for n, (zh, en) in enumerate(names)]
        rows = [
            (
                ACTION_WORDS[action][self.english],
                *(side.actions.get(action, 0) for side in (made.before, made.after, made.confirmed)),
            )
            for action in (*_SHOWN, "pass")
        ]
        return Table(title=self.say("审方结论", "Answers"), columns=tuple(columns), rows=tuple(rows))

    def _table(self, title: str, wanted: Sequence[Cell], rows: Sequence[Row], most: int = MOST_ROWS) -> Table:
        cells = (tuple(one.cell(row, self.english) for one in wanted) for row in rows[:most])
        columns = tuple(one.column for one in wanted)
        return Table(title=title, columns=columns, rows=tuple(cells), left_out=max(0, len(rows) - most))

    def sheet(self) -> Table:
        """Every row of every kind, for a spreadsheet."""
        made = self.made
        kinds = (
            (("规则", "rule"), made.rules),
            (("规则类", "class"), made.classes),
            (("科室", "department"), made.departments),
            (("医师", "doctor"), made.doctors),
        )
        cells = [
            (name[self.english], *(one.cell(row, self.english) for one in SHEET))
            for name, rows in kinds
            for row in rows
        ]
        about = Column(name="about", zh="范围", en="about")
        return Table(title="", columns=(about, *(one.column for one in SHEET)), rows=tuple(cells))


_LARGEST = (
    ("newly", "新触发", "newly firing"),
    ("gone", "不再触发", "no longer firing"),
    ("changed", "动作改变", "another action"),
)


def _signed(change: float, digits: int = 0) -> str:
    return f"{change:+,.{digits}f}".replace("-", "−")


def _called(row: Row) -> str:
    return f"{row.title} [{row.key}]" if row.title and row.title != row.key else row.key


def _tells(row: Row) -> bool:
    return bool(row.newly or row.gone or row.changed or row.open_ or row.reminders != Changed())
