"""The demonstration's account passes a good history, with its figures, and fails a bad one."""

import pytest

from evidence.judge import Log
from evidence.lines import Message
from story.account import Step, account, verdict

STORED = [Message(0, offset, f"v{offset}") for offset in range(8)]
LOST = "LOST: offsets 4 to 5 of stock-market-0 are passed over: retention deleted what came next."


def resuming(offset):
    return f"Resuming stock-market-0 at offset {offset}: 2 behind"


def printed(verb, *told):
    """Return a script's lines: a text as it is, an offset as a message."""
    return [f"[Name] {x if isinstance(x, str) else f'{verb}: v{x} (partition 0, offset {x})'}" for x in told]


def judged(*told, deleted=0):
    """Return the two steps of a story, of four messages each, and the verdict.

    In the second, consumer1 has been killed when its committed offset was 3, prints what is `told`, and may print one
    message again. After that the offsets below `deleted` are deleted.
    """
    first = Step(1, "all run", "", committed={"consumer1": 3, "consumer2": 4}, end=4)
    second = Step(2, "killed", "", committed={"consumer1": 8, "consumer2": 8}, end=8)
    second.may_repeat, second.why = {"consumer1": 3}, "in flight"
    for step, offsets in ((first, range(4)), (second, range(4, 8))):
        step.lines["producer1"] = printed("Sent", *offsets)
        step.lines["consumer2"] = printed("Received", resuming(offsets[0]), *offsets)
    first.lines["consumer1"] = printed("Received", resuming(0), *range(4))
    second.lines["consumer1"] = printed("Received", *told)
    faults = account([first, second], Log(STORED[deleted:], {0: deleted}))
    return first, second, verdict([first, second], faults)


def test_a_good_history_passes_and_says_what_came_again():
    _, second, words = judged(resuming(3), *range(3, 8))
    assert second.repeated == {"consumer1": [3], "consumer2": []}
    assert words == (
        "Verdict: no message went missing. 8 were sent and stored; each consumer received each once, "
        "except for 1 that consumer1 read again (in flight)."
    )


def test_what_was_deleted_unread_is_missing_and_no_fault_where_it_is_reported():
    first, second, words = judged(resuming(4), LOST, 6, 7, deleted=6)
    assert (first.missing["consumer1"], second.missing["consumer1"]) == ([], [4, 5])
    assert words.startswith("Verdict: no message went missing but the 2 deleted unread, which were reported as LOST.")


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([resuming(3), 3, 4, 6, 7], "poll skip: consumer1, partition 0, offset 5"),
        ([resuming(2), *range(2, 8)], "consumer1 in step 2 repeated offset 2"),
        ([resuming(3), *range(3, 8), resuming(3), *range(3, 8)], "consumer1 in step 2 repeated offset 3"),
    ],
)
def test_what_must_not_be_is_found_and_said(told, fault):
    words = judged(*told)[2]
    assert words.startswith("Verdict: FAILED: ")
    assert fault in words
