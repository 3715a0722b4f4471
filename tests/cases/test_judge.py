"""The judge finds what it is there to find, and nothing else: histories made by hand, no Kafka."""

import pytest

from evidence.judge import MEANING, Log, Run, assert_sound, judge, missing, repeated
from evidence.lines import Lost, Message, Resuming, Started, WentBack, read


def ticks(*offsets, partition=0):
    return [Message(partition, offset, f"tick {offset}") for offset in offsets]


def starting(partition=0, reset="earliest"):
    return Started(partition, reset)


def resuming(offset, behind=0):
    return Resuming(0, offset, behind)


def lost(first, last):
    return Lost(0, first, last)


def consumer(*told, name="consumer1", killed=False, ends=()):
    return Run(name, list(told), group="g", killed=killed, ends=dict(ends))


def producer(*offsets, killed=False):
    return Run("producer1", ticks(*offsets), killed=killed)


ALL = 0, 1, 2, 3, 4
FIVE = ticks(*ALL)
ONLY_4 = Log(ticks(4), {0: 4}, FIVE)
RESTART = [consumer(starting(), *ticks(0, 1, 2), killed=True), consumer(resuming(1, 4), *ticks(1, 2, 3, 4))]
TOLD_LOSS = [consumer(starting(), *ticks(0, 1), lost(2, 3), *ticks(4))]
LATEST = [consumer(starting(reset="latest"), *ticks(3, 4))]
MOVED = [
    consumer(starting(), *ticks(0, 1)),
    consumer(starting(1), *ticks(0, partition=1), resuming(2, 1), *ticks(2), name="consumer2"),
]
GOES_BACK = [consumer(starting(), resuming(42), WentBack(0, 0), *FIVE)]
SOUND = {
    "nothing at all": ([], Log([])),
    "sent and received": ([producer(*ALL), consumer(starting(), *FIVE)], Log(FIVE)),
    "a restart after kill -9 repeats": (RESTART, Log(FIVE)),
    "an error in mid-run repeats": ([consumer(starting(), *ticks(0, 1, 2), resuming(1, 2), *FIVE[1:])], Log(FIVE)),
    "rewound on purpose": ([consumer(starting(), *FIVE, resuming(0, 5), *FIVE)], Log(FIVE)),
    "committed beyond the end": (GOES_BACK, Log(FIVE)),
    "offsets that no message has": (
        [consumer(starting(), *ticks(0, 3), resuming(5, 3), *ticks(7))],
        Log(ticks(0, 3, 7), end={0: 9}),
    ),
    "deleted unread, and said so": (TOLD_LOSS, ONLY_4),
    "deleted after it was read": ([consumer(starting(), *FIVE)], Log(ticks(4), {0: 4})),
    "deleted before the group began": ([consumer(starting(), *ticks(3, 4))], Log(ticks(3, 4), {0: 3}, FIVE)),
    "a start at the latest": (LATEST, Log(FIVE)),
    "a partition moves to the other member": (MOVED, Log(ticks(0, 1, 2) + ticks(0, partition=1))),
    "a tick in flight when its producer was killed": ([producer(0, 1, killed=True)], Log(ticks(0, 1, 2))),
}


@pytest.mark.parametrize("history", SOUND)
def test_a_sound_history_has_no_anomaly(history):
    assert_sound(*SOUND[history], repeats=5)


def test_a_group_owes_what_it_had_not_committed_before():
    later = [consumer(resuming(3, 2), *ticks(3, 4))]
    assert_sound(later, Log(FIVE), begin={"g": {0: 3}})
    assert missing(later, Log(FIVE), {0: 2}) == ticks(2)


# Each history has these anomalies and no other: what it is, whose, where.
WRONG = [
    ("lost write: producer1, partition 0, offset 2", [producer(0, 1, 2)], Log(ticks(0, 1))),
    ("duplicate: producers, partition 0, offset 2", [producer(0, 1)], Log([*ticks(0, 1), Message(0, 2, "tick 1")])),
    ("duplicate: producers, partition 0, offset 2", [producer(0, 1)], Log(ticks(0, 1, 2))),  # it was not killed
    ("producer order: producer1, partition 0, offset 1", [producer(0, 2, 1)], Log(ticks(0, 1, 2))),
    (
        "unseen: group g, partition 0, offsets 2, 4",
        [consumer(starting(), *ticks(0, 1)), consumer(resuming(3, 1), *ticks(3))],
        Log(FIVE),
    ),
    ("unseen: group g, partition 0, offset 4", [consumer(starting(reset="latest"), *ticks(2, 3))], Log(FIVE)),
    ("unseen: group g, partition 0, offsets 0 to 4", [consumer()], Log(FIVE)),
    (
        "unseen: group g, partition 0, offsets 1 to 2",  # deleted unread without a word, and seen in the log before
        [consumer(starting(), *ticks(0), resuming(3, 2), *ticks(3, 4))],
        Log(ticks(3, 4), {0: 3}, FIVE),
    ),
    (
        "unseen: group g, partition 0, offsets 1 to 2",  # the same, and known from the producer alone
        [producer(*ALL), consumer(starting(), *ticks(0), resuming(3, 2), *ticks(3, 4))],
        Log(ticks(3, 4), {0: 3}),
    ),
    ("phantom: consumer1, partition 0, offset 5", [consumer(starting(), *FIVE, *ticks(5))], Log(FIVE)),
    (
        "wrong value: consumer1, partition 0, offset 1",
        [consumer(starting(), *ticks(0, 1))],
        Log([*ticks(0), Message(0, 1, "tock")]),
    ),
    (
        "poll skip: consumer1, partition 0, offsets 1 to 2",
        [consumer(starting(), *ticks(0, 3, 4)), consumer(resuming(1, 4), *ticks(1, 2))],
        Log(FIVE),
    ),
    (
        "poll skip: consumer1, partition 0, offsets 0 to 1",  # another member of the group has printed them
        [consumer(starting(), *ticks(0, 1), name="consumer2"), consumer(starting(), *ticks(2, 3, 4))],
        Log(FIVE),
    ),
    (
        "poll skip: consumer1, partition 0, offsets 1 to 3",  # deleted without a word; nobody knows what they were
        [consumer(starting(), *ticks(0, 4))],
        Log(ticks(4), {0: 4}),
    ),
    (
        "poll skip: consumer1, partition 0, offset 1",  # the line says less than what was lost
        [consumer(starting(), *ticks(0), lost(2, 3), *ticks(4))],
        Log(ticks(4), {0: 4}),
    ),
    (
        "nonmonotonic poll: consumer1, partition 0, offset 1",
        [consumer(starting(), *ticks(0, 1, 2, 1, 2, 3, 4))],
        Log(FIVE),
    ),
    (
        "nonmonotonic poll: consumer1, partition 0, offset 2",  # it is not read on where the line says
        [consumer(starting(), *ticks(0, 1), resuming(4, 1), *ticks(2, 3, 4))],
        Log(FIVE),
    ),
    (
        "false LOST: consumer1, partition 0, offsets 2 to 3",
        [consumer(starting(), *ticks(0, 1), lost(2, 3), *ticks(4)), consumer(resuming(2, 3), *ticks(2, 3))],
        Log(FIVE),
    ),
    (
        "false LOST: consumer1, partition 0, offset 1",  # it has read that one
        [consumer(starting(), *ticks(0, 1), lost(1, 3), *ticks(4))],
        ONLY_4,
    ),
    (
        "unseen: group g, partition 0, offsets 0 to 2\nfalse place: group g, partition 0, offset 3",
        [consumer(resuming(3, 2), *ticks(3, 4))],
        Log(FIVE),
    ),
    ("false place: group g, partition 0, offset 0", [consumer(resuming(0, 5), *FIVE)], Log(FIVE)),
    ("false lag: consumer1, partition 0, offset 0", [consumer(starting(), resuming(0, 6), *FIVE)], Log(FIVE)),
    (
        "false lag: consumer1, partition 0, offset 1",  # it has itself printed four messages from there on
        [consumer(starting(), *FIVE, resuming(1, 3), *FIVE[1:])],
        Log(FIVE),
    ),
    (
        "false lag: consumer1, partition 0, offset 3",  # all five were there before it was started
        [*RESTART[:1], consumer(resuming(3), *ticks(3, 4), ends={0: 5})],
        Log(FIVE),
    ),
    ("unplaced: consumer1, partition 0, offset 0", [consumer(*FIVE)], Log(FIVE)),
]


@pytest.mark.parametrize(("expected", "runs", "topic_log"), WRONG, ids=[expected for expected, *_ in WRONG])
def test_each_anomaly_is_found_and_nothing_else(expected, runs, topic_log):
    lines = [f"{line}: {MEANING[line.partition(':')[0]]}" for line in expected.splitlines()]
    assert judge(runs, topic_log) == lines
    with pytest.raises(AssertionError) as caught:
        assert_sound(runs, topic_log, repeats=5)
    assert str(caught.value) == "\n".join(lines)


def test_a_group_that_resumes_elsewhere_than_it_had_committed_is_found():
    history, said = [consumer(resuming(3, 2), *ticks(3, 4))], [consumer(starting(), *FIVE)]
    for runs, kinds in ((history, ["unseen", "false place"]), (said, ["false place"])):
        assert [anomaly.partition(":")[0] for anomaly in judge(runs, Log(FIVE), {"g": {0: 2}})] == kinds


def test_each_kind_of_anomaly_has_a_history_that_must_fail():
    assert {line.partition(":")[0] for expected, *_ in WRONG for line in expected.splitlines()} == set(MEANING)


def test_repeats_are_counted_for_each_run_and_bounded():
    assert repeated(RESTART) == [[], ticks(1, 2)]
    assert_sound(RESTART, Log(FIVE), repeats=2)
    with pytest.raises(AssertionError, match=r"^2 repeated by group g, 1 allowed: offsets 1 to 2$"):
        assert_sound(RESTART, Log(FIVE), repeats=1)


def test_missing_is_what_was_never_printed_whether_reported_or_not():
    assert missing(TOLD_LOSS, ONLY_4) == ticks(2, 3)
    assert missing(LATEST, Log(FIVE)) == []


LINES = {
    '[Broker1] Sent: {"a":"b"} (partition 1, offset 23)': Message(1, 23, '{"a":"b"}'),
    "[Consumer1] Received: a (partition 9, offset 9) (partition 0, offset 1)": Message(
        0, 1, "a (partition 9, offset 9)"
    ),
    "[Consumer1] Received: 42 (partition 0, offset 1)": Message(0, 1, "42"),
    "[Consumer1] No committed offset. Starting partition 0 at the earliest.": Started(0, "earliest"),
    "[Consumer1] No committed offset. Starting partition 1 at the latest.": Started(1, "latest"),
    "[Consumer1] Resuming partition 12 at offset 3: 1 behind.": Resuming(12, 3, 1),
    "[Consumer1] Resuming partition 0 at offset 3": None,
    "[Consumer1] Going back in partition 0, from offset 9 to offset 0.": WentBack(0, 0),
    "[Consumer1] LOST: offsets 2 to 6 of partition 0. Kafka deleted them unread.": Lost(0, 2, 6),
    "[Consumer1] Group g resumes partition 0 at offset 4.": None,
    "[Consumer1] Waiting for topic t to be created.": None,
    "[Broker1] Stopped. Ticks sent and acknowledged: 12.": None,
    "[Consumer1] Received: tick 1 (partition 0, off": None,
    "[Consumer1] Resuming partition 0 at off": None,
    "Resuming partition 0 at offset 3: 7 behind.": None,
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_understood_where_it_tells_of_messages_and_of_nothing_else(text):
    assert read(text, 1.5) == (1.5, text, LINES[text])
