"""What became of one reminder, after docs/compliance.md alone ("Outcomes"); a part of control_whole.py."""
from datetime import timedelta
from control_reading import compared, match, no_more, once
MS = timedelta(milliseconds=1)
GOING_ON = ["overridden", "exited", "wrong_rule"]
WORDS = ["changed", "withdrawn", "self_paid", *GOING_ON]


def rank(w):
    return w["done_at"], w["at"], WORDS.index(w["done"]), w.get("reason_code", ""), w["finding_id"]


def sight(r, d):  # "Sightings": found again by its id, or by a line's own id
    found = [f for f in d["found"] if f["rule_id"] == r["rule_id"]
             and (r["id"] in f["ids"] or any(o["own"] in r["own"] for o in f["own"]))]
    lines = [o for f in found for o in f["own"] or [o for o in d["lines"] if o["now"]]
             if len(f["ids"]) == 1 or f["key"].get(r["id"]) == o["key"] or o["own"] in r["own"]]
    return found and {"d": d, "at": d["at"], "lines": once(lines), "whole": not found[0]["own"],
                      "unknown": any(f.get("unknown") for f in found)}


def clears(r, s, d):
    judged = s["whole"] or any(o["now"] for o in match(s, s["lines"], d["lines"]))
    known = r["rule_id"] not in d["undecided"] and not d.get("unread") and s["d"]["settles"] == d["settles"]
    return judged and known and not sight(r, d)


def stands(r, s, found, upto, again):  # lines that were saved: outcome, and of the money at most ("" is all)
    cover = [d for d in r["decisions"] if s["at"] < d["at"] <= upto and clears(r, s, d)
             and no_more(once(match(s, s["lines"], d["lines"])), found)][-1:]
    how = compared(s["lines"], found)
    if how in ("other", "less"):
        return ("ignored", "") if again else ("changed", "" if how == "other" or cover else fell(s, found))
    return (how, "") if how else ((cover and cleared(s, cover[0])) or "ignored", fell(s, found))


def fell(s, found):
    told = all(o["told"][2] is not None for o in [*s["lines"], *found])
    return max(0, sum(o["told"][2] for o in s["lines"]) - sum(o["told"][2] for o in found)) if told else 0


def cleared(s, d):
    same = d.get("release") == s["d"].get("release")
    return "justified" if d["diagnoses"] - s["d"]["diagnoses"] or s["unknown"] or same else ""


def left_out(s, lines):
    others = [o for o in s["d"]["lines"] if o["now"] and o not in s["lines"]]
    hit = once(match(s, others, lines))
    return hit, "withdrawn" if hit or not others else "abandoned"


def by_feedback(r, words, answers):
    took = lambda w: (w["done_at"] - answers[w["finding_id"]]["at"]) / MS if w.get("answer_ms") is None else w["answer_ms"]
    soon = lambda w: w["done"] in GOING_ON and 0 <= took(w) <= 1000
    automatic = lambda w: w["done"] in GOING_ON and (w.get("automatic") or (soon(w) and all(
        any(map(soon, words[f["finding_id"]])) for f in answers[w["finding_id"]]["shown"])))
    mine = sorted((w for ident in r["findings"] for w in words[ident] if w["at"] < r["limit"]), key=rank)
    r["automatic"] = bool(mine) and all(map(automatic, mine))
    r["word"] = next((w for w in reversed(mine) if not automatic(w)), {"done": ""})
    return r["word"]["done"].replace("wrong_rule", "overridden"), ""


def by_saved(r, saved):
    first, standing = r["seen"][0], {}
    for p in sorted((p for p in saved if p["at"] < r["limit"]), key=lambda p: (-p["revision"], p["at"])):
        standing.setdefault(p["prescription_id"], p)
    lines = [o for p in standing.values() if p["at"] >= r["at"] for o in p["lines"]]
    if found := once(match(first, first["lines"], lines)):
        at = min(o["at"] for o in found)
        s = [s for s in r["seen"] if s["at"] <= at][-1]
        return stands(r, s, found, at, r["seen"][-1]["at"] > at)
    told = first["lines"] and any(p["at"] >= r["at"] for p in standing.values())
    return left_out(first, lines)[1] if told else "", ""


def by_next_call(r):
    told, last = [], r["seen"][-1]["at"]
    for d in [d for d in r["decisions"] if d["at"] > r["at"]]:
        s, lines = [s for s in r["seen"] if s["at"] < d["at"]][-1], d["lines"]
        found, (others, way) = once(match(s, s["lines"], lines)), left_out(s, lines)
        if (found and (d["settles"] or not any(o["now"] for o in found))) or (lines and not s["lines"]):
            told.append((True, d["at"], *stands(r, s, found, d["at"], last >= d["at"])))
        elif found or not s["lines"]:
            how = compared(s["lines"], found)
            what = how if how == "self_paid" else "changed" if how else cleared(s, d)
            told.append((False, d["at"], what if clears(r, s, d) else "", "" if how else fell(s, found)))
        elif d["whole"] and (d["settles"] or not all(o["now"] for o in lines) or others):
            told.append((False, d["at"], way, ""))
    saw, wrote = [t for t in told if t[0]], [t for t in told if not t[0] and t[2] and t[1] > last]
    return ([t for t in saw if t[1] >= last][:1] or wrote[-1:] or saw[-1:] or [("", "", "", "")])[0][2:]
