"""What the demonstration shows and concludes: pure, no Kafka. A real run of it is in test_demo.py."""

import pytest

from evidence.judge import Log
from evidence.lines import Message, read
from story.account import Step, account, verdict
from story.view import in_short

STARTING = "No committed offset. Starting partition 0 at the earliest."


def printed(verb, *told):
    """Return a script's lines: a text as it is, an offset as a message."""
    tick = '{{"symbol":"AAPL","price":"{}.00"}}'
    texts = [x if isinstance(x, str) else f"{verb}: {tick.format(x)} (partition 0, offset {x})" for x in told]
    return [read(f"[Name] {text}") for text in texts]


def resuming(offset):
    return f"Resuming partition 0 at offset {offset}: {8 - offset} behind."


def judged(*told):
    """Return the verdict on two steps of four messages each, and what consumer1 has repeated in the second.

    In the second it was killed when its committed offset was 3, may print one message again, and prints what is `told`.
    """
    steps = []
    for number, offsets, consumer1 in ((1, range(4), [STARTING, *range(4)]), (2, range(4, 8), told)):
        lines = {
            "producer1": printed("Sent", *offsets),
            "producer2": [],
            "consumer1": printed("Received", *consumer1),
            "consumer2": printed("Received", STARTING if number == 1 else resuming(4), *offsets),
        }
        end = offsets[-1] + 1
        steps.append(Step(number, "", "", lines=lines, committed={"consumer1": end, "consumer2": end}, end=end))
    steps[1].may_repeat, steps[1].why = {"consumer1": 3}, "in flight"
    log = Log([Message(0, offset, f'{{"symbol":"AAPL","price":"{offset}.00"}}') for offset in range(8)])
    return verdict(steps, account(steps, log)), steps[1].repeated["consumer1"]


def test_what_was_in_flight_may_come_again():
    words, repeated = judged(resuming(3), *range(3, 8))
    assert words.endswith("each consumer received each once, except for 1 that consumer1 read again (in flight).")
    assert repeated == [3]


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([resuming(3), 3, 4, 6, 7], "poll skip: consumer1, partition 0, offset 5"),
        ([resuming(2), *range(2, 8)], "consumer1 in step 2 repeated offset 2"),
        ([resuming(3), *range(3, 8), 3], "nonmonotonic poll: consumer1, partition 0, offset 3"),
    ],
)
def test_what_must_not_be_is_found_and_said(told, fault):
    words, _ = judged(*told)
    assert words.startswith("Verdict: FAILED: ")
    assert fault in words


def test_a_panel_keeps_the_order_of_the_lines_and_of_many_messages_shows_the_first_and_the_last():
    lines = [*printed("Received", STARTING, *range(7), "Stopped."), read("$ python a.py"), *printed("Received", 7)]
    assert in_short(lines) == [
        STARTING,
        "Received: AAPL 0.00 (offset 0)",
        "… 5 more …",
        "Received: AAPL 6.00 (offset 6)",
        "Stopped.",
        "$ python a.py",
        "Received: AAPL 7.00 (offset 7)",
    ]
