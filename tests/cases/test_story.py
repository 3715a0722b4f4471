"""The demonstration's account passes a good history and fails a bad one; its picture keeps what a script says."""

import pytest

from evidence.judge import Log
from evidence.lines import Line, Message
from story.account import Part, account, faults, verdict
from story.view import section

STORED = [Message(0, offset, f"v{offset}") for offset in range(8)]


def printed(name, *offsets, at=0.0):
    """Return a script's lines: a word is printed as it is, an offset as a message, each a second after `at`."""
    verb = "Sent" if name == "Broker1" else "Received"
    told = (x if isinstance(x, str) else f"{verb}: v{x} (partition 0, offset {x})" for x in offsets)
    return [Line(at + 1, f"[{name}] {text}") for text in told]


def resuming(offset):
    return f"Resuming stock-market-0 at offset {offset}: 2 behind"


def lost(first, last):
    return f"LOST: offsets {first} to {last} of stock-market-0 are passed over: retention deleted what came next."


def history(*second, **allowed):
    """Return the parts of two steps of four messages each: in the second, consumer1 is killed and prints `second`."""
    allowed = {"may_repeat": range(3, 4), "why": "in flight", **allowed}
    return [
        Part(1, "all run", "producer1", printed("Broker1", 0, 1, 2, 3)),
        Part(1, "all run", "consumer1", printed("Consumer1", resuming(0), 0, 1, 2, 3), 3, 4),
        Part(1, "all run", "consumer2", printed("Consumer2", resuming(0), 0, 1, 2, 3), 4, 4),
        Part(2, "killed", "producer1", printed("Broker1", 4, 5, 6, 7)),
        Part(2, "killed", "consumer1", printed("Consumer1", *second, at=10), 8, 8, restarted=10.5, **allowed),
        Part(2, "killed", "consumer2", printed("Consumer2", 4, 5, 6, 7), 8, 8),
    ]


GOOD = [resuming(3), 3, 4, 5, 6, 7]


def test_the_account_of_a_good_history_has_its_figures():
    first, other, second, _ = account(history(*GOOD), Log(STORED))
    assert (first.missing, first.repeated, first.wait) == ([], [], None)
    assert (second.missing, second.repeated, second.wait) == ([], [3], 0.5)
    assert (other.script, other.repeated) == ("consumer2", [])


def test_what_was_never_printed_is_missing_where_the_committed_offset_passed_it():
    first, _, second, _ = account(history(resuming(3), 3, 4, 6, 7), Log(STORED))
    assert (first.missing, second.missing) == ([], [5])


def test_a_good_history_passes():
    parts = history(*GOOD)
    assert verdict(parts, faults(parts, Log(STORED))) == (
        "Verdict: no message went missing. 8 were sent and stored; each consumer received each once, "
        "except for 1 that consumer1 read again (in flight)."
    )


def test_what_a_step_allows_is_no_fault():
    assert faults(history(resuming(0), *range(8), may_repeat=range(4)), Log(STORED)) == []
    deleted = Log(STORED[6:], {0: 6}, STORED)
    parts = history(lost(4, 5), resuming(6), 6, 7, deleted=range(4, 6))
    assert verdict(parts, faults(parts, deleted)).startswith(
        "Verdict: no message went missing but the 2 deleted unread, which were reported as LOST. 8 were sent"
    )


@pytest.mark.parametrize(
    ("second", "allowed", "first_kept", "fault"),
    [
        ([resuming(3), 3, 4, 6, 7], {}, 0, "poll skip: consumer1, partition 0, offset 5"),
        ([resuming(2), 2, 3, 4, 5, 6, 7], {}, 0, "consumer1 in step 2 repeated offset 2"),
        ([*GOOD, resuming(3), *GOOD[1:]], {}, 0, "consumer1 in step 2 repeated offsets 3 to 7"),
        (GOOD, {"may_repeat": range(0)}, 0, "consumer1 in step 2 repeated offset 3"),
        ([lost(4, 5), resuming(6), 6, 7], {}, 6, "reported as LOST offsets 4 to 5, deleted unread were none"),
        ([resuming(6), 6, 7], {"deleted": range(4, 6)}, 6, "as LOST none, deleted unread were offsets 4 to 5"),
    ],
)
def test_what_must_not_be_is_found_and_said(second, allowed, first_kept, fault):
    parts = history(*second, **allowed)
    found = faults(parts, Log(STORED[first_kept:], {0: first_kept}, STORED))
    assert fault in "; ".join(found)
    assert verdict(parts, found).startswith("Verdict: FAILED: ")


TICK = '{"symbol":"AAPL","price":"417.50","broker":"Broker1"}'


def shown(*lines, since=0.0, width=80):
    """Return what stays and what comes last of a consumer that prints these, one a second, offsets as messages."""
    texts = (text if isinstance(text, str) else f"Received: {TICK} (partition 0, offset {text})" for text in lines)
    told = [Line(at, f"[Consumer1] {text}") for at, text in enumerate(texts, 1)]
    made = section("consumer1", "running", told, since, width)
    return [text for text, _ in made.pinned], [text for text, _ in made.lines]


def test_what_a_consumer_says_stays_above_its_messages_while_its_step_lasts():
    messages = ["Received: AAPL 417.50 (offset 3)", "Received: AAPL 417.50 (offset 4)"]
    assert shown(resuming(3), 3, 4) == ([resuming(3)], messages)
    assert shown(resuming(3), 3, 4, since=2) == ([], [resuming(3), *messages])
    assert shown(resuming(3), 3, 4, "Stopped.") == ([resuming(3)], [*messages, "Stopped."])


def test_a_message_is_shown_as_printed_where_there_is_room():
    assert shown(7, width=120) == ([], [f"Received: {TICK} (partition 0, offset 7)"])
