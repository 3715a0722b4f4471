"""The judge finds what it is there to find, and nothing else: histories made by hand, no Kafka."""

import pytest

from evidence.judge import MEANING, Log, Run, assert_sound, judge, missing, repeated
from evidence.lines import Lost, Message, Placed, Received, Sent, Started, parse


def log(*offsets, partition=0):
    return [Message(partition, offset, f"tick {offset}") for offset in offsets]


def sent(*offsets):
    return [f"[Broker1] Sent: tick {offset} (partition 0, offset {offset})" for offset in offsets]


def received(*offsets, partition=0):
    return [f"[Consumer1] Received: tick {offset} (partition {partition}, offset {offset})" for offset in offsets]


def starting(partition=0, reset="earliest"):
    return f"[Consumer1] No committed offset. Starting partition {partition} at the {reset}."


def resuming(offset, partition=0):
    return f"[Consumer1] Resuming partition {partition} at offset {offset}: 5 behind."


def lost(first, last):
    return (
        f"[Consumer1] LOST: offsets {first} to {last} of partition 0 are passed over: Kafka has deleted what came next."
    )


def consumer(*lines, name="consumer1", killed=False):
    return Run(name, lines, group="g", killed=killed)


def producer(*lines, killed=False):
    return Run("producer1", lines, killed=killed)


ALL = 0, 1, 2, 3, 4
FIVE = log(*ALL)
RESTART = [consumer(starting(), *received(0, 1, 2), killed=True), consumer(resuming(1), *received(1, 2, 3, 4))]
TOLD_LOSS = [consumer(starting(), *received(0, 1), lost(2, 3), *received(4))]
LATEST = [consumer(starting(reset="latest"), *received(3, 4))]
AGAIN = [consumer(starting(), *received(0, 1), name="consumer2")]
TORN = "[Consumer1] Received: tick 1 (partition 0, off"
MOVED = [
    consumer(starting(), *received(0, 1)),
    consumer(starting(partition=1), *received(0, partition=1), resuming(2), *received(2), name="consumer2"),
]
SOUND = {
    "nothing at all": ([], Log([])),
    "sent and received": ([producer(*sent(*ALL)), consumer(starting(), *received(*ALL))], Log(FIVE)),
    "a restart after kill -9 repeats": (RESTART, Log(FIVE)),
    "a line torn by kill -9": (
        [consumer(starting(), *received(0), TORN, killed=True), consumer(resuming(1), *received(1, 2, 3, 4))],
        Log(FIVE),
    ),
    "rewound on purpose": ([consumer(starting(), *received(*ALL), resuming(0), *received(*ALL))], Log(FIVE)),
    "offsets that no message has": (
        [consumer(starting(), *received(0, 3), resuming(4), *received(7))],
        Log(log(0, 3, 7)),
    ),
    "deleted unread, and said so": (TOLD_LOSS, Log(log(4), {0: 4}, FIVE)),
    "deleted after it was read": ([consumer(starting(), *received(*ALL))], Log(log(4), {0: 4})),
    "deleted before the group began": ([consumer(starting(), *received(3, 4))], Log(log(3, 4), {0: 3}, FIVE)),
    "a start at the latest": (LATEST, Log(FIVE)),
    "a partition moves to the other member": (MOVED, Log(log(0, 1, 2) + log(0, partition=1))),
    "a tick in flight when its producer was killed": ([producer(*sent(0, 1), killed=True)], Log(log(0, 1, 2))),
}


@pytest.mark.parametrize("history", SOUND)
def test_a_sound_history_has_no_anomaly(history):
    assert_sound(*SOUND[history], repeats=5)


# Each history has one anomaly and no other: what it is, whose, where.
WRONG = [
    ("lost write: producer1, partition 0, offset 2", [producer(*sent(0, 1, 2))], Log(log(0, 1))),
    (
        "duplicate: producers, partition 0, offset 2",
        [producer(*sent(0, 1))],
        Log([*log(0, 1), Message(0, 2, "tick 1")]),
    ),
    ("duplicate: producers, partition 0, offset 2", [producer(*sent(0, 1))], Log(log(0, 1, 2))),  # it was not killed
    ("producer order: producer1, partition 0, offset 1", [producer(*sent(0, 2, 1))], Log(log(0, 1, 2))),
    (
        "unseen: group g, partition 0, offsets 2, 4",
        [consumer(starting(), *received(0, 1)), consumer(resuming(3), *received(3))],
        Log(FIVE),
    ),
    (
        "unseen: group g, partition 0, offset 4",
        [consumer(starting(reset="latest"), *received(2, 3))],
        Log(FIVE),
    ),
    (
        "poll skip: consumer1, partition 0, offsets 0 to 1",
        [*AGAIN, consumer(starting(), *received(2, 3, 4))],
        Log(FIVE),
    ),
    ("unseen: group g, partition 0, offsets 0 to 4", [consumer()], Log(FIVE)),
    (
        "unseen: group g, partition 0, offsets 1 to 2",  # deleted unread without a word, and seen in the log before
        [consumer(starting(), *received(0), resuming(3), *received(3, 4))],
        Log(log(3, 4), {0: 3}, FIVE),
    ),
    (
        "unseen: group g, partition 0, offsets 1 to 2",  # the same, and known from the producer alone
        [producer(*sent(*ALL)), consumer(starting(), *received(0), resuming(3), *received(3, 4))],
        Log(log(3, 4), {0: 3}),
    ),
    ("phantom: consumer1, partition 0, offset 5", [consumer(starting(), *received(*ALL, 5))], Log(FIVE)),
    (
        "wrong value: consumer1, partition 0, offset 1",
        [consumer(starting(), *received(0, 1))],
        Log([*log(0), Message(0, 1, "tock")]),
    ),
    (
        "poll skip: consumer1, partition 0, offsets 1 to 2",
        [consumer(starting(), *received(0, 3, 4)), consumer(resuming(1), *received(1, 2))],
        Log(FIVE),
    ),
    (
        "nonmonotonic poll: consumer1, partition 0, offset 1",
        [consumer(starting(), *received(0, 1, 2, 1, 2, 3, 4))],
        Log(FIVE),
    ),
    (
        "nonmonotonic poll: consumer1, partition 0, offset 2",  # it is not read on where the line says
        [consumer(starting(), *received(0, 1), resuming(4), *received(2, 3, 4))],
        Log(FIVE),
    ),
    (
        "false LOST: consumer1, partition 0, offsets 1 to 2",
        [consumer(lost(0, 2), resuming(3), *received(3, 4))],
        Log(log(1, 2, 3, 4), {0: 1}),
    ),
    ("unplaced: consumer1, partition 0, offset 0", [consumer(*received(*ALL))], Log(FIVE)),
]


@pytest.mark.parametrize(("expected", "runs", "topic_log"), WRONG, ids=[expected for expected, *_ in WRONG])
def test_each_anomaly_is_found_and_nothing_else(expected, runs, topic_log):
    kind, _, _ = expected.partition(":")
    assert [str(anomaly) for anomaly in judge(runs, topic_log)] == [f"{expected}: {MEANING[kind]}"]
    with pytest.raises(AssertionError, match=f"^{expected}: {MEANING[kind]}$"):
        assert_sound(runs, topic_log, repeats=5)


def test_each_kind_of_anomaly_has_a_history_that_must_fail():
    assert {expected.partition(":")[0] for expected, *_ in WRONG} == set(MEANING)


def test_repeats_are_counted_for_each_run_and_bounded():
    assert repeated(RESTART) == [[], log(1, 2)]
    assert_sound(RESTART, Log(FIVE), repeats=2)
    with pytest.raises(AssertionError, match=r"^2 repeated by group g, 1 allowed: offsets 1 to 2$"):
        assert_sound(RESTART, Log(FIVE), repeats=1)


def test_missing_is_what_was_never_printed_whether_reported_or_not():
    assert missing(TOLD_LOSS, Log(log(4), {0: 4}, FIVE)) == log(2, 3)
    assert missing(LATEST, Log(FIVE)) == []


LINES = {
    '[Broker1] Sent: {"a":"b"} (partition 1, offset 23)': Sent(Message(1, 23, '{"a":"b"}')),
    "[Consumer1] Received: a (partition 9, offset 9) (partition 0, offset 1)": Received(
        Message(0, 1, "a (partition 9, offset 9)")
    ),
    starting(): Started(0, "earliest"),
    starting(1, "latest"): Started(1, "latest"),
    "[Consumer1] Resuming partition 12 at offset 3: 1 behind.": Placed(12, 3),
    "[Consumer1] Resuming partition 0 at offset 3": None,
    "[Consumer1] Going back in partition 0, from offset 9 to offset 0.": Placed(0, 0),
    lost(2, 6): Lost(0, 2, 6),
    "[Consumer1] The next start resumes partition 0 at offset 4.": None,
    "[Consumer1] Group g gives this consumer 1 of 1 partitions of t.": None,
    "[Consumer1] Waiting for topic t to be created.": None,
    "[Broker1] Stopped. Ticks sent and acknowledged: 12.": None,
    TORN: None,
    "[Consumer1] Resuming partition 0 at off": None,
    "Resuming partition 0 at offset 3: 7 behind.": None,
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_understood_where_it_tells_of_messages_and_of_nothing_else(text):
    assert parse(text) == LINES[text]
