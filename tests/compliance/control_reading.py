"""A decision, and a line, of an export: what docs/compliance.md ("What is read") reads of them; a part of control_whole.py."""
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo
ZONE, UTC = ZoneInfo("Asia/Shanghai"), ZoneInfo("UTC")


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day_of(at):
    return str(at.astimezone(ZONE).date())


def item(raw):
    return (raw.get("codes") or [""])[0]


def line(raw, day, at=None):  # at: of the prescription it was saved with
    facts = raw.get("facts", {})
    told = [facts.get(name) for name in ("line.quantity", "line.days", "line.amount_fen")]
    return raw | {"facts": facts, "key": (item(raw), (raw.get("begins") or day)[:10]), "at": at,
                  "own": "" if "#" in raw["id"] else raw["id"], "now": raw.get("current", True) and not at,
                  "told": [None if one is None else Decimal(str(one)) for one in told]}


def once(things):
    return list({id(one): one for one in things}.values())


def match(s, wanted, lines):  # "Matching", steps 1 to 3
    own = {o["own"] for o in wanted}
    for o in wanted:
        others = {x["own"] for x in s["d"]["lines"] if x not in wanted and x["key"] == o["key"]}
        same = [m for m in lines if m["key"] == o["key"]]
        yield from ([m for m in same if m["own"] and m["own"] in own]
                    or [m for m in same if not m["own"] or m["own"] not in others]
                    or [m for m in lines if o["own"] and m["own"] == o["own"]])


def less(before, now):  # the total of quantity or of days, where every line tells it
    sums = [[None if None in told else sum(told) for told in zip(*(o["told"][:2] for o in x))] for x in (before, now)]
    return any(None not in two and two[1] < two[0] for two in zip(*sums))


def compared(before, now):  # "comparing": self_paid, other, less, or "" where nothing differs
    if now and [all(o["facts"].get("line.paid_by") == "self" for o in lines) for lines in (before, now)] == [False, True]:
        return "self_paid"
    return "other" if items(before) != items(now) else "less" if less(before, now) else ""


def items(lines):
    return {item(o) for o in lines}


def no_more(judged, now):  # "covers"
    return items(judged) == items(now) and not less(now, judged)


def decision(e, at):
    body, day = e["prescription"]["encounter"], day_of(at)
    facts, lines = body.get("facts", {}), [line(raw, day) for raw in body.get("lines", [])]

    def told(name):  # by the first current line that tells it, else by the encounter
        ours = [o["facts"]["line." + name] for o in lines if o["now"] and o["facts"].get("line." + name)]
        return [*ours, facts.get("encounter." + name, "")][0]

    for f in e.setdefault("found", []):
        f["own"] = [o for ref in f.get("lines", []) for o in lines if o["id"] == ref]
        f["ids"], keys = [*dict.fromkeys(f["reminders"])], [*dict.fromkeys(o["key"] for o in f["own"])] or [("", day)]
        f["key"] = dict(zip(f["ids"], keys, strict=True))
        weights = [sum(max(0, o["told"][2] or 0) for o in f["own"] if o["key"] == key) for key in keys]
        f["share"] = dict(zip(f["ids"], shares(f.get("amount_fen") or 0, weights), strict=True))
    return e | {"at": at, "lines": lines, "shown": [f for f in e["found"] if f.get("shown")],
                "settles": bool({*"6789"} & {*facts.get("encounter.scene", [])}), "whole": body.get("complete", True),
                "undecided": [one["rule_id"] for one in e["answer"].get("not_evaluated", [])],
                "diagnoses": {*map(item, body.get("diagnoses", []))},
                "by": {"doctor": told("doctor_id"), "department": told("department_code"), "day": day}}


def shares(amount, weights):  # "Reminders", amount
    weights, parts = weights if any(weights) else [1] * len(weights), []
    for n in range(len(weights)):
        parts.append(int(amount * sum(weights[:n + 1]) // sum(weights)) - sum(parts))
    return parts
