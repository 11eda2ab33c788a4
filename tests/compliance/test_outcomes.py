"""Every outcome by every source, and every tie-break of docs/compliance.md, as stories of an encounter."""

from __future__ import annotations

import pytest

from reminder.compliance.report import reminders, reports
from tests.compliance.stories import JANUARY, story

STORIES = {
    "an exit is feedback's word, and the later showings of what was left by it are the same reminder": """
        09:00 check d1: A 30 -> r1 A
        09:01 feedback d1 r1 A: exited reason=rescue
        09:02 check d2: A 30 -> r1 A exited
        09:03 saved P1.1: A 30
        = r1 A: exited feedback
        """,
    "a doctor who says that the rule is wrong goes on": """
        09:00 check d1: A 30 -> r1 A
        09:01 feedback d1 r1 A: wrong_rule
        = r1 A: overridden feedback
        """,
    "what is paid by the patient in the next body was changed over": """
        09:00 check d1: A 30 -> r1 A
        11:00 check d2 scene=7: A 30 self
        = r1 A: self_paid next_call intercepted
        """,
    "a line that is being written as self-paid and is found no more is self-paid": """
        09:00 check d1: A 30 -> r1 A
        09:01 check d2: A 30 self
        = r1 A: self_paid next_call intercepted
        """,
    "a lower quantity that was saved is a change": """
        09:00 check d1: A 30 -> r1 A
        09:03 saved P1.1: A 14
        = r1 A: changed saved intercepted
        """,
    "fewer days are a change too, and of unknown amounts nothing is known to be intercepted": """
        09:00 check d1: A 30 days=30 -> r1 A ¥9.00
        09:03 saved P1.1: A 30 days=14
        = r1 A: changed saved intercepted ¥0.00
        """,
    "more of it than was judged is not covered by that": """
        09:00 check d1: A 30 ¥48.00 -> r1 A ¥25.60
        09:02 check d2: A 14 ¥22.40
        09:03 saved P1.1: A 30 ¥48.00
        = r1 A: ignored saved disagrees=changed
        """,
    "more than was judged, and less than was found, was not judged": """
        09:00 check d1: A 30 ¥48.00 -> r1 A ¥25.60
        09:02 check d2: A 14 ¥22.40
        09:03 saved P1.1: A 20 ¥32.00
        = r1 A: changed saved intercepted ¥16.00
        """,
    "more that was judged anew and is found no more is justified": """
        09:00 check d1: A 2 ¥10.00 -> r1 A ¥10.00
        09:02 check d2: A 3 ¥15.00
        09:03 saved P1.1: A 3 ¥15.00
        = r1 A: justified saved
        """,
    "what stands as it was and is found no more, the patient's sex put right, goes to the fund": """
        09:00 check d1: A 2 ¥10.00 / B 2 ¥10.00 -> r1 A ¥10.00, r1 B ¥10.00
        09:02 check d2: A 2 ¥10.00 / B 2 ¥8.00
        = r1 A: justified next_call
        = r1 B: justified next_call
        """,
    "more that is in force later is no change, less is one by what it costs less": """
        09:00 check d1: A 2 ¥10.00 / B 2 ¥10.00 -> r1 A ¥10.00, r2 B ¥10.00
        01-06 09:00 check d2: A 3 ¥15.00 in-force @01-05 / B 1 ¥5.00 in-force @01-05
        = r1 A: ignored next_call
        = r2 B: changed next_call intercepted ¥5.00
        """,
    "of two lines of one drug and day one that was saved is paid by the fund": """
        09:00 check d1: A 1 ¥10.00 / A 1 ¥10.00 -> r1 A ¥20.00
        09:03 saved P1.1: A 1 ¥10.00
        = r1 A: changed saved intercepted ¥10.00
        """,
    "a word dated before its answer is a person's, and settled at the first showing": """
        09:00 check d1: A 30 -> r1 A
        09:00:03 feedback d1 r1 A: exited reason=rescue done=08:59
        = r1 A: exited feedback
        """,
    "the time a dialog was open counts before the two clocks": """
        09:00:00 check d1: A 30 -> r1 A
        09:00:01 feedback d1 r1 A: overridden reason=other ms=5000 done=09:00:00.5
        = r1 A: overridden feedback
        """,
    "a lower quantity that was saved and is found again is none": """
        09:00 check d1: A 30 -> r1 A
        09:03 saved P1.1: A 20
        09:30 check d2: A 20 -> r1 A
        = r1 A: ignored saved
        """,
    "what is compared with is the last check before it was saved, not the first": """
        09:00 check d1: A 30 -> r1 A
        09:02 check d2: A 20 -> r1 A
        09:03 saved P1.1: A 20
        = r1 A: ignored saved
        """,
    "1 and 1.00 are one quantity, and what one side does not tell is not compared": """
        09:00 check d1: A 1 ¥5.00 -> r1 A
        09:03 saved P1.1: A 1.00
        = r1 A: ignored saved
        """,
    "a diagnosis that was added before saving justifies": """
        09:00 check d1 diagnoses=J18: A 30 -> r1 A
        09:02 check d2 diagnoses=J18,E11: A 30
        09:03 saved P1.1: A 30
        = r1 A: justified saved
        """,
    "a diagnosis that was added without being judged by does not": """
        09:00 check d1 diagnoses=J18: A 30 -> r1 A
        09:03 saved P1.1 diagnoses=J18,E11: A 30
        = r1 A: ignored saved
        """,
    "an order that nothing is seen to differ in and that is found no more is justified: something was put right": """
        09:00 check d1: A 30 -> r1 A
        09:02 check d2: A 30
        09:03 saved P1.1: A 30
        = r1 A: justified saved
        """,
    "unless the list is another one since": """
        09:00 check d1 release=1: A 30 -> r1 A, r2 A unknown
        09:02 check d2 release=2: A 30
        = r1 A: unobserved none
        = r2 A: justified next_call
        """,
    "or the store was not read": """
        09:00 check d1: A 30 -> r1 A
        09:02 check d2 unread: A 30
        = r1 A: unobserved none
        """,
    "a question that was answered is justified": """
        09:00 check d1: A 30 -> r1 A unknown
        09:02 check d2: A 30
        10:00 check d3: A 30 in-force
        = r1 A: justified next_call
        """,
    "a void prescription of several lines is abandoned": """
        09:00 check d1: A 30 / B 1 -> r1 A
        09:03 saved P1.1: A 30 / B 1
        09:05 saved P1.2:
        = r1 A: abandoned saved intercepted
        """,
    "what consisted of the one line is withdrawn": """
        09:00 check d1: A 30 -> r1 A
        09:05 saved P2.1: B 1
        = r1 A: withdrawn saved intercepted
        """,
    "a prescription that was saved before the reminder tells nothing of it": """
        08:50 saved P1.1: A 30
        09:00 check d1: A 30 -> r1 A
        = r1 A: unobserved none
        """,
    "the first telling of a revision stands": """
        09:00 check d1: A 30 -> r1 A
        09:03 saved P1.2: A 30
        09:04 saved P1.2: A 14
        09:05 saved P1.1: A 7
        = r1 A: ignored saved
        """,
    "of the next call nothing is left of the prescription: abandoned": """
        09:00 check d1: A 30 / B 1 -> r1 A
        11:00 check d2: C 1 in-force / D 1
        = r1 A: abandoned next_call intercepted
        """,
    "presence as saved counts before what was being written": """
        09:00 check d1: A 30 / B 1 -> r1 A
        09:02 check d2: B 1
        09:30 check d3: A 30 in-force / B 1 in-force
        = r1 A: ignored next_call
        """,
    "written anew after it was seen saved, without a later word: as it was saved": """
        09:00 check d1: A 30 -> r1 A
        09:10 check d2: A 30 in-force / B 1
        10:00 check d3: A 40 -> r1 A
        = r1 A: ignored next_call
        """,
    "a change of a line that is found again is none": """
        09:00 check d1: A 30 -> r1 A
        09:02 check d2: A 14
        09:03 check d3: A 30 -> r1 A
        = r1 A: unobserved none
        """,
    "bodies of one instant are not later than each other": """
        09:00 check d1: A 30 -> r1 A
        09:00 check d2: A 14
        = r1 A: unobserved none
        """,
    "a line of another item under the same own id was changed": """
        09:00 check d1: A 30 id=R1 / B 1 id=R2 -> r1 A
        09:03 saved P1.1: C 30 id=R1 / B 1 id=R2
        = r1 A: changed saved intercepted
        """,
    "an order that was stamped anew is the same one, and seen again": """
        09:00 check d1: A 30 id=R1 @01-05 -> r1 A
        09:03 check d2: A 30 id=R1 @01-06 -> r1 A shadow
        09:05 saved P1.1: A 30 id=R1 @01-06
        = r1 A: ignored saved
        """,
    "of two lines of one item the one that is left is not the one that went": """
        09:00 check d1: A 30 id=R1 / A 5 id=R2 in-force -> r1 A
        09:03 saved P1.1: B 1
        11:00 check d2 scene=6: A 5 id=R2 / B 1
        = r1 A: withdrawn saved intercepted
        """,
    "places in a body are no ids: lines of one item and day are taken together": """
        09:00 check d1: A 30 / B 1 -> r1 A
        09:03 saved P1.1: B 1 / A 30
        = r1 A: ignored saved
        """,
    "a finding about the encounter is about all that is being written": """
        09:00 check d1: A 30 / B 1 -> r1 -
        09:03 saved P1.1: A 30 / B 1
        = r1 : ignored saved
        """,
    "what is found at registration and not again later, nothing being written, was mended": """
        09:00 check d1 scene=1: -> r1 -
        09:30 check d2: A 30
        = r1 : justified next_call
        """,
    "an automatic word is passed over, a person's before it counts": """
        09:00 check d1: A 30 / B 1 -> r1 A, r2 B
        09:01 feedback d1 r1 A: withdrawn
        09:02 feedback d1 r1 A: overridden reason=other automatic
        09:02 feedback d1 r2 B: overridden reason=other automatic
        = r1 A: withdrawn feedback intercepted
        = r2 B: ignored feedback
        """,
    "one finding of two answered within a second was answered by somebody": """
        09:00:00 check d1: A 30 / B 1 -> r1 A, r2 B
        09:00:01 feedback d1 r1 A: overridden reason=other
        09:00:02 feedback d1 r2 B: overridden reason=other
        = r1 A: overridden feedback
        = r2 B: overridden feedback
        """,
    "of words of one instant the later in the list counts": """
        09:00 check d1: A 30 -> r1 A
        09:05 feedback d1 r1 A: overridden reason=other
        09:05 feedback d1 r1 A: changed
        = r1 A: overridden feedback
        """,
    "doctors who withdraw what was left out, and go on with what was saved, agree with the records": """
        09:00 check d1: A 30 / B 1 / C 1 -> r1 A, r2 B
        09:01 feedback d1 r1 A: changed
        09:01 feedback d1 r2 B: overridden reason=other
        09:03 saved P1.1: B 1 / C 1
        = r1 A: changed feedback intercepted
        = r2 B: overridden feedback
        """,
    "the next call disagrees with what was saved": """
        09:00 check d1: A 30 / B 1 -> r1 A
        09:03 saved P1.1: B 1
        10:00 check d2 scene=6: A 30 / B 1
        = r1 A: withdrawn saved disagrees=ignored intercepted
        """,
    "what comes after the next reminder of the same order began is that one's": """
        01-02 09:00 check d1: A 30 @01-02 -> r1 A
        02-10 09:00 check d2: A 30 @01-02 -> r1 A
        02-10 09:03 saved P1.1: A 30 @01-02
        = r1 A: unobserved none
        """,
    "a finding of several lines makes a reminder of each, and its amount is shared out": """
        09:00 check d1: A 1 ¥1.00 / B 1 ¥2.00 -> r1 A+B ¥1.00
        09:01 feedback d1 r1 A+B: withdrawn
        = r1 A: withdrawn feedback intercepted ¥0.33
        = r1 B: withdrawn feedback intercepted ¥0.67
        """,
}


@pytest.mark.parametrize("text", STORIES.values(), ids=STORIES)
def test_a_story_comes_out_as_it_is_told(text: str) -> None:
    """Outcome, source, disagreement and money of each reminder are those the definition gives."""
    told = story("\n".join(line.strip() for line in text.strip().splitlines()))
    found = {(one.rule_id, one.item): one for one in reminders(told.rows, JANUARY)}
    assert {(one.rule, one.item) for one in told.reminders} == found.keys()
    for one in told.reminders:
        assert one.says(found[one.rule, one.item]) == one.words


def test_no_time_is_below_zero() -> None:
    """An outcome is not settled before its reminder began, and what a clock that is off says is no time."""
    text = """
09:00:00 check d1: A 30 -> r1 A
09:00:03 feedback d1 r1 A: changed done=08:59:00
""".strip()
    (one,) = reminders(story(text).rows, JANUARY)
    assert (one.settled_at, one.answer_ms) == (one.first_at, None)
    total = reports(story(text).rows, JANUARY)[""].total
    assert (total.answered.count, total.acted.count) == (0, 0)
