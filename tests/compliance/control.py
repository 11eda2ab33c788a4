"""The control: figures of a month from `reminder journal export` and docs/compliance.md alone, with nothing of ours.

``python control.py FROM TO BY,BY < export.jsonl``: civil days of Shanghai, half-open. It counts what answers and words
say by themselves. What else became of a reminder (other outcomes than ``overridden`` and ``exited``, sources, the rate
``ours``, intercepted money) takes finding its lines in what came later, which is long: control_whole.py does that too.
Takes it that lines have codes, and that no order is reminded of again after a month of silence.
"""
import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
SHANGHAI, MONTH, MS = timedelta(hours=8), timedelta(days=31), timedelta(milliseconds=1)
GONE, GOING_ON = ["changed", "withdrawn", "self_paid"], ["overridden", "exited", "wrong_rule"]


def instant(text):
    return datetime.fromisoformat(text.rstrip("Z"))


def findings(entry, at, groups):
    """What an answer showed: each finding with its reminders, and of these the line and the part of the amount."""
    for found in filter(lambda found: found.get("shown"), entry.get("found", [])):
        weights, parts, before = defaultdict(int), {}, 0
        for raw in entry["prescription"]["encounter"]["lines"]:
            if raw["id"] in found.get("lines", []):
                weights[raw["codes"][0], (raw.get("begins") or groups["day"])[:10]] += raw["facts"]["line.amount_fen"]
        if not any(weights.values()):
            weights = dict.fromkeys(weights or [("", groups["day"])], 1)
        amount, whole = found.get("amount_fen") or 0, sum(weights.values())
        for ident, (line, weight) in zip(dict.fromkeys(found["reminders"]), weights.items(), strict=True):
            parts[ident] = line, amount * (before + weight) // whole - amount * before // whole
            before += weight
        by = groups | {"rule": found["rule_id"], "class": found["class_id"]}
        yield found | {"at": at, "answer": entry["decision_id"], "parts": parts, "by": by}


def rank(word):
    done = [*GONE, *GOING_ON].index(word["done"])
    return instant(word["done_at"]), word["at"], done, word.get("reason_code", ""), word["finding_id"]


def automatic(word, words, answer):
    """Whether nobody spoke: it says so, or everything in the answer was gone on with within a second."""
    def at_once(one):
        took = one.get("answer_ms", (instant(one["done_at"]) - answer[0]["at"]) / MS)
        return one["done"] in GOING_ON and 0 <= took <= 1000
    every = (any(map(at_once, words[found["finding_id"]])) for found in answer)
    return word["done"] in GOING_ON and (word.get("automatic") or (at_once(word) and all(every)))


def count_encounter(shown, words, begin, end, count):
    """Count the findings of one encounter, in the order of answers, and its reminders: the showings of each id."""
    answers, showings, carried = defaultdict(list), defaultdict(list), set()
    for found in shown:
        answers[found["answer"]].append(found)
        for ident in found["parts"]:
            showings[ident].append(found)
        if begin <= found["at"] < end:
            way = max(words[found["finding_id"]], key=rank, default={"done": "none"})["done"]
            again = sum(showings[ident][0] is not found for ident in found["parts"])
            count(found["by"], findings=1, showings=len(found["parts"]), repeats=again, **{f"ways.{way}": 1})
    mine = [(max(one["parts"][ident][1] for one in every), every[0], ident) for ident, every in showings.items()]
    for amount, found, ident in sorted(mine, key=lambda one: (-one[0], one[1]["at"], one[1]["rule_id"], one[2])):
        if begin <= found["at"] < end:
            said = [(word, answers[one["answer"]]) for one in showings[ident] for word in words[one["finding_id"]]]
            spoken = [word for word, answer in said if not automatic(word, words, answer)]
            word = max(spoken, key=rank, default={"done": "none"})
            line, on, exited = found["parts"][ident][0], word["done"] in GOING_ON, word["done"] == "exited"
            count(found["by"], reminders=1, automatic=bool(said) and not spoken, at_risk_fen=amount, reasons=on,
                  warned_fen=amount * (line not in carried), junk=on and bool(word.get("junk")),
                  **{"outcomes.exited": exited, "outcomes.overridden": on and not exited})
            carried.add(line)


def main(first, after, groupings, export):
    def count(groups, **figures):
        for grouping in groupings.split(","):
            if grouping in groups:
                total[grouping][groups[grouping]].update(figures)
    begin, end = instant(first) - SHANGHAI, instant(after) - SHANGHAI
    total, shown, words = defaultdict(lambda: defaultdict(Counter)), defaultdict(list), defaultdict(list)
    for row in map(json.loads, export):
        entry, at = row["entry"], instant(row["at"])
        if row["kind"] == "decision" and begin - MONTH <= at < end + MONTH:
            facts, day = entry["prescription"]["encounter"]["facts"], str(at + SHANGHAI)[:10]
            by = {"day": day, "doctor": facts["encounter.doctor_id"], "department": facts["encounter.department_code"]}
            shown[row["institution_id"], row["encounter_key"] or row["decision_id"]] += findings(entry, at, by)
            count(by, checks=begin <= at < end)
        elif row["kind"] == "feedback" and not entry.get("times") and begin - MONTH <= at < end + MONTH:
            words[entry["finding_id"]].append(entry | {"at": at})  # told again is told once
    for found in shown.values():
        count_encounter(sorted(found, key=lambda one: (one["at"], one["answer"])), words, begin, end, count)
    for c in (c for groups in total.values() for c in groups.values()):
        c["rates"] = {"bureau": [sum(c[f"ways.{way}"] for way in GONE), c["findings"]]}
    return total


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4], sys.stdin), ensure_ascii=False, sort_keys=True))
