"""The demonstration's account passes a good history, with its figures, and fails a bad one."""

import pytest

from evidence.judge import Log
from evidence.lines import Line, Message
from story.account import Part, account, verdict

STORED = [Message(0, offset, f"v{offset}") for offset in range(8)]


def printed(name, *offsets):
    """Return a script's lines: a word is printed as it is, an offset as a message."""
    verb = "Sent" if name == "Broker1" else "Received"
    told = (x if isinstance(x, str) else f"{verb}: v{x} (partition 0, offset {x})" for x in offsets)
    return [Line(0.0, f"[{name}] {text}") for text in told]


def resuming(offset):
    return f"Resuming stock-market-0 at offset {offset}: 2 behind"


GOOD = [resuming(3), 3, 4, 5, 6, 7]
LOST = "LOST: offsets 4 to 5 of stock-market-0 are passed over: retention deleted what came next."


def judged(*second, may_repeat=range(3, 4), deleted=0):
    """Return what comes of two steps of four messages each: in the second, consumer1 is killed and prints `second`.

    Returns:
        consumer1's parts, and the verdict.
    """
    log = Log(STORED[deleted:], {0: deleted}, STORED)
    parts = [
        Part(1, "all run", "producer1", printed("Broker1", 0, 1, 2, 3)),
        Part(1, "all run", "consumer1", printed("Consumer1", resuming(0), 0, 1, 2, 3), 3, 4),
        Part(1, "all run", "consumer2", printed("Consumer2", resuming(0), 0, 1, 2, 3), 4, 4),
        Part(2, "killed", "producer1", printed("Broker1", 4, 5, 6, 7)),
        Part(2, "killed", "consumer1", printed("Consumer1", *second), 8, 8, None, may_repeat, "in flight"),
        Part(2, "killed", "consumer2", printed("Consumer2", 4, 5, 6, 7), 8, 8),
    ]
    return parts[1], parts[4], verdict(parts, account(parts, log))


def test_a_good_history_passes_and_says_what_came_again():
    first, second, words = judged(*GOOD)
    assert (first.missing, first.repeated, second.missing, second.repeated) == ([], [], [], [3])
    assert words == (
        "Verdict: no message went missing. 8 were sent and stored; each consumer received each once, "
        "except for 1 that consumer1 read again (in flight)."
    )


def test_what_was_deleted_unread_is_missing_and_no_fault_where_it_is_reported():
    _, second, words = judged(resuming(4), LOST, 6, 7, deleted=6)
    assert second.missing == [4, 5]
    assert words.startswith("Verdict: no message went missing but the 2 deleted unread, which were reported as LOST.")


def test_what_was_never_printed_is_missing_in_the_step_whose_committed_offset_passed_it():
    first, second, _ = judged(resuming(3), 3, 4, 6, 7)
    assert (first.missing, second.missing) == ([], [5])


@pytest.mark.parametrize(
    ("second", "more", "fault"),
    [
        ([resuming(3), 3, 4, 6, 7], {}, "poll skip: consumer1, partition 0, offset 5"),
        ([resuming(2), 2, 3, 4, 5, 6, 7], {}, "consumer1 in step 2 repeated offset 2"),
        ([*GOOD, resuming(3), *GOOD[1:]], {}, "consumer1 in step 2 repeated offsets 3 to 7"),
        (GOOD, {"may_repeat": range(0)}, "consumer1 in step 2 repeated offset 3"),
        ([resuming(4), LOST, 6, 7], {}, "false LOST: consumer1, partition 0, offsets 4 to 5"),
        ([resuming(6), 6, 7], {"deleted": 6}, "unseen: group consumer1, partition 0, offsets 4 to 5"),
    ],
)
def test_what_must_not_be_is_found_and_said(second, more, fault):
    words = judged(*second, **more)[2]
    assert words.startswith("Verdict: FAILED: ")
    assert fault in words
