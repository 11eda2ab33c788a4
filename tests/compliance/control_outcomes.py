"""What became of one reminder, after docs/compliance.md alone ("Outcomes"); a part of control.py."""
from datetime import timedelta
from control_reading import item
GOING_ON = ["overridden", "exited", "wrong_rule"]
WORDS = ["changed", "withdrawn", "self_paid", *GOING_ON]


def rank(w):
    return w["done_at"], w["at"], WORDS.index(w["done"]), w.get("reason_code", ""), w["finding_id"]


def once(things):
    return list({id(one): one for one in things}.values())


def sight(r, d):  # "Sightings": found again by its id, or by a line's own id
    found = [f for f in d["found"] if f["rule_id"] == r["rule_id"]
             and (r["id"] in f["ids"] or any(o["own"] in r["own"] for o in f["own"]))]
    lines = [o for f in found for o in f["own"] or [o for o in d["lines"] if o["now"]]
             if len(f["ids"]) == 1 or f["key"].get(r["id"]) == o["key"] or o["own"] in r["own"]]
    return found and {"d": d, "at": d["at"], "lines": once(lines), "whole": not found[0]["own"],
                      "unknown": any(f.get("unknown") for f in found)}


def match(s, wanted, lines):  # "Matching", steps 1 to 3
    own = {o["own"] for o in wanted}
    for o in wanted:
        others = {x["own"] for x in s["d"]["lines"] if x not in wanted and x["key"] == o["key"]}
        same = [m for m in lines if m["key"] == o["key"]]
        yield from ([m for m in same if m["own"] and m["own"] in own]
                    or [m for m in same if not m["own"] or m["own"] not in others]
                    or [m for m in lines if o["own"] and m["own"] == o["own"]])


def compared(s, found):  # "comparing": self_paid, changed, or "" where nothing differs
    paid = [all(o["facts"].get("line.paid_by") == "self" for o in lines) for lines in (s["lines"], found)]
    sums = [[None if None in told else sum(told) for told in zip(*(o["told"] for o in x))] for x in (s["lines"], found)]
    other = {item(o) for o in s["lines"]} != {item(o) for o in found}
    other = other or any(None not in two and two[0] != two[1] for two in zip(*sums))
    return "self_paid" if found and paid == [False, True] else "changed" if found and other else ""


def clears(r, s, d):
    judged = s["whole"] or any(o["now"] for o in match(s, s["lines"], d["lines"]))
    known = r["rule_id"] not in d["undecided"] and not d.get("unread") and s["d"]["settles"] == d["settles"]
    return judged and known and not sight(r, d)


def quietly(r, s, upto):  # what the last decision says that clears it with nothing different
    for d in [d for d in r["decisions"] if s["at"] < d["at"] <= upto and clears(r, s, d)
              and compared(s, once(match(s, s["lines"], d["lines"]))) != "changed"][-1:]:
        same = d.get("release") == s["d"].get("release")
        return "justified" if d["diagnoses"] - s["d"]["diagnoses"] or s["unknown"] else "changed" if same else ""


def left_out(s, lines):
    others = [o for o in s["d"]["lines"] if o["now"] and o not in s["lines"]]
    hit = once(match(s, others, lines))
    return hit, "withdrawn" if hit or not others else "abandoned"


def by_feedback(r, words, answers):
    soon = lambda w: w["done"] in GOING_ON and w["done_at"] - answers[w["finding_id"]]["at"] <= timedelta(seconds=1)
    automatic = lambda w: w["done"] in GOING_ON and (w.get("automatic") or (soon(w) and all(
        any(map(soon, words[f["finding_id"]])) for f in answers[w["finding_id"]]["shown"])))
    mine = sorted((w for ident in r["findings"] for w in words[ident] if w["at"] < r["limit"]), key=rank)
    r["automatic"] = bool(mine) and all(map(automatic, mine))
    r["word"] = next((w for w in reversed(mine) if not automatic(w)), {"done": ""})
    return r["word"]["done"].replace("wrong_rule", "overridden")


def by_saved(r, saved):
    first, standing = r["seen"][0], {}
    for p in sorted((p for p in saved if p["at"] < r["limit"]), key=lambda p: (-p["revision"], p["at"])):
        standing.setdefault(p["prescription_id"], p)
    lines = [o for p in standing.values() if p["at"] >= r["at"] for o in p["lines"]]
    if found := once(match(first, first["lines"], lines)):
        at = min(o["at"] for o in found)
        s = [s for s in r["seen"] if s["at"] <= at][-1]
        again = compared(s, found) == "changed" and r["seen"][-1]["at"] > at
        return "ignored" if again else compared(s, found) or quietly(r, s, at) or "ignored"
    told = first["lines"] and any(p["at"] >= r["at"] for p in standing.values())
    return left_out(first, lines)[1] if told else ""


def by_next_call(r):
    told, last = [], r["seen"][-1]["at"]
    for d in [d for d in r["decisions"] if d["at"] > r["at"]]:
        s, lines = [s for s in r["seen"] if s["at"] < d["at"]][-1], d["lines"]
        found, (others, way) = once(match(s, s["lines"], lines)), left_out(s, lines)
        what = "ignored" if compared(s, found) == "changed" and last >= d["at"] else compared(s, found)
        if (found and (d["settles"] or not any(o["now"] for o in found))) or (lines and not s["lines"]):
            told.append((True, d["at"], what or quietly(r, s, d["at"]) or "ignored"))
        elif found or not s["lines"]:
            told.append((False, d["at"], clears(r, s, d) and (compared(s, found) or quietly(r, s, d["at"]))))
        elif d["whole"] and (d["settles"] or not all(o["now"] for o in lines) or others):
            told.append((False, d["at"], way))
    saw, wrote = [t for t in told if t[0]], [t for t in told if not t[0] and t[2] and t[1] > last]
    return ([t for t in saw if t[1] >= last][:1] or wrote[-1:] or saw[-1:] or [("", "", "")])[0][2]
