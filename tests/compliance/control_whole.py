"""The whole control: every figure from an export and docs/compliance.md alone, with nothing of ours but its other parts.

``python control_whole.py FROM TO BY,BY < export.jsonl``: civil days of Shanghai, half-open. Takes it that lines have codes.
"""
import json, re, sys, tempfile, zlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from control_outcomes import GOING_ON, WORDS, by_feedback, by_next_call, by_saved, rank, sight
from control_reading import UTC, ZONE, day_of, decision, instant, line
MONTH, GONE = timedelta(days=31), {*WORDS[:3], "abandoned"}


def by(d, f):
    return d["by"] | {"rule": f["rule_id"], "class": f["class_id"]}


def reminders(decisions, saved, words, answers):
    shown = defaultdict(list)
    for d, f, ident in [(d, f, ident) for d in decisions for f in d["shown"] for ident in f["ids"]]:
        shown[ident].append((d, f))
    for ident, showings in shown.items():
        starts = [n for n, (d, _) in enumerate(showings) if not n or d["at"] - showings[n - 1][0]["at"] > MONTH]
        for n, end in zip(starts, [*starts[1:], None]):
            (d, f), limit = showings[n], showings[end][0]["at"] if end else datetime.max.replace(tzinfo=UTC)
            r = f | {"id": ident, "at": d["at"], "limit": limit, "line": f["key"][ident], "by": by(d, f),
                     "findings": {f["finding_id"] for _, f in showings[n:end]},
                     "amount": max(f["share"][ident] for _, f in showings[n:end]),
                     "decisions": [x for x in decisions[decisions.index(d):] if x["at"] < limit],
                     "own": {o["own"] for o in f["own"] if o["key"] == f["key"][ident]} - {""}}
            r["seen"] = [s for x in r["decisions"] if (s := sight(r, x))]
            said = ("feedback", by_feedback(r, words, answers)), ("saved", by_saved(r, saved)), ("next_call", by_next_call(r))
            told = [(source, *what) for source, what in said if what[0]]
            nobody = ("feedback", "ignored", "") if r["automatic"] else ("none", "unobserved", "")
            r["source"], r["outcome"], _ = (told or [nobody])[0]
            _, money, most = ([one for one in told if one[0] != "feedback"] or told or [nobody])[0]
            r["most"] = 0 if money not in GONE else float("inf") if most == "" else most
            yield r | {"disagrees": any((what in GONE) != (r["outcome"] in GONE) for _, what, _ in told)}


def figures(decisions, saved, words, begin, end, count):
    answers = {f["finding_id"]: d for d in decisions for f in d["shown"]}
    mine, carried = [r for r in reminders(decisions, saved, words, answers) if begin <= r["at"] < end], {}
    for r in sorted(mine, key=lambda r: (-r["amount"], r["at"], r["rule_id"], r["id"])):
        warned = r["amount"] if carried.setdefault(r["line"], r) is r else 0
        on = r["word"]["done"] in GOING_ON
        count(r["by"], {
            "reminders": 1, "outcomes." + r["outcome"]: 1, "sources." + r["source"]: 1, "disagrees": r["disagrees"],
            "automatic": r["automatic"], "warned_fen": warned, "intercepted_fen": int(min(warned, r["most"])),
            "at_risk_fen": r["amount"], "reasons": on, "texts": on and bool(r["word"].get("reason_text")),
            "junk": on and bool(r["word"].get("junk"))})
    starts = {(r["id"], r["at"]) for r in mine}
    for d, f in [(d, f) for d in decisions if begin <= d["at"] < end for f in d["shown"]]:
        last = max(words[f["finding_id"]], key=rank, default={"done": "none"})
        again = sum((ident, d["at"]) not in starts for ident in f["ids"])
        count(by(d, f), {"findings": 1, "ways." + last["done"]: 1, "showings": len(f["ids"]), "repeats": again})


def main(first, after, groups, export):
    def count(of, more):
        for group in groups.split(","):
            total[group][of[group]].update(more)

    total, parts = defaultdict(lambda: defaultdict(Counter)), [tempfile.TemporaryFile("w+") for _ in range(100)]
    begin, end = [datetime.fromisoformat(day).replace(tzinfo=ZONE) for day in (first, after)]
    for text in export:  # encounter by encounter, without holding all of them
        key = re.search('"encounter_key": ?"([^"]*)"', text)
        parts[zlib.crc32((key[1] if key else "").encode()) % 100].write(text)
    for part in parts:
        part.seek(0)
        encounters, words = defaultdict(lambda: ([], [])), defaultdict(list)
        for row in map(json.loads, part):
            e, at = row["entry"], instant(row["at"])
            if begin - MONTH <= at < end + MONTH:
                decisions, saved = encounters[row["institution_id"], row["encounter_key"] or row["decision_id"]]
                if e["kind"] == "decision":
                    decisions.append(decision(e, at))
                if e["kind"] == "feedback" and not e.get("times"):  # told again is told once
                    words[e["finding_id"]].append(e | {"at": at, "done_at": instant(e["done_at"])})
                if e["kind"] == "saved":
                    lines = [line(raw, day_of(instant(e["saved_at"])), at) for raw in e.get("lines", [])]
                    saved.append(e | {"at": at, "lines": lines})
        for decisions, saved in encounters.values():
            figures(sorted(decisions, key=lambda d: (d["at"], d["decision_id"])), saved, words, begin, end, count)
    for c in [c for group in total.values() for c in group.values()]:
        ours = sum(c["outcomes." + way] for way in (*WORDS[:3], "justified"))
        kept = sum(c["outcomes." + way] for way in ("overridden", "exited", "ignored"))
        c["rates"] = {"bureau": [sum(c["ways." + way] for way in WORDS[:3]), c["findings"]], "ours": [ours, ours + kept]}
    return total


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4], sys.stdin), ensure_ascii=False, sort_keys=True))
