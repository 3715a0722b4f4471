"""The judge finds what it is there to find, and nothing else: histories made by hand, no Kafka."""

import pytest

from evidence.history import Log, Run
from evidence.judge import MEANING, assert_sound, judge, missing, repeated
from evidence.lines import Line, Lost, Message, Resuming, Started, WentBack, read
from evidence.snapshot import Group, PartitionLog, Snapshot


def ticks(*offsets, partition=0):
    return [Message(partition, offset, f"tick {offset}") for offset in offsets]


def resuming(offset, behind=0):
    return Resuming(0, offset, behind)


def lines(events, at=0.0):
    return [Line(at, "", event) for event in events]


def consumer(*told, name="consumer1", before=None):
    return Run(name, lines(told), "g", before)


def committed(offset=None, end=0):
    """Return a Snapshot from before a start: what the group had committed, and where the log ended."""
    offsets = {} if offset is None else {0: offset}
    return Snapshot(0.0, "", {0: PartitionLog(0, end)}, {"g": Group("Empty", offsets)})


def producer(*offsets):
    return Run("producer1", lines(ticks(*offsets)))


START, LATEST = Started(0, "earliest"), Started(0, "latest")
BACK = WentBack(0, 42, 0)
ALL = 0, 1, 2, 3, 4
FIVE = ticks(*ALL)
WHOLE, FROM_4 = Log(FIVE), Log(FIVE, first={0: 4})
RESTART = [consumer(START, *ticks(0, 1, 2)), consumer(resuming(1, 4), *FIVE[1:])]
KILLED = [consumer(START, *ticks(0)), consumer(START, *ticks(0, 1, 2, 3, 4))]
TAKEN_BACK = [  # it came to 2 before the one that was started first came back to it
    Run("consumer1", [*lines([START]), *lines([resuming(2, 1), *FIVE[2:3]], at=2.0)], "g"),
    Run("consumer2", lines([START, *FIVE[:2]], at=1.0), "g"),
]
TOLD_LOSS = [consumer(START, *ticks(0, 1), Lost(0, 2, 3), *ticks(4))]
TOLD_LOSS_AT_A_START = [
    consumer(START, *ticks(0, 1, 2)),
    consumer(Lost(0, 2, 3), resuming(4, 1), *ticks(4), before=committed(2, end=5)),
]
MOVED = [
    consumer(START, *ticks(0, 1)),
    consumer(Started(1, "earliest"), *ticks(0, partition=1), resuming(2, 1), *ticks(2), name="consumer2"),
]
GAPS = [consumer(START, *ticks(0, 3), resuming(5, 3), *ticks(7))]
SOUND = {
    "nothing at all": ([], Log([])),
    "sent and received": ([producer(*ALL), consumer(START, *FIVE)], WHOLE),
    "a restart after kill -9 repeats": (RESTART, WHOLE),
    "a kill -9 before the first commit": (KILLED, WHOLE),
    "rewound on purpose": ([consumer(START, *FIVE), consumer(resuming(0, 5), *FIVE, before=committed(0))], WHOLE),
    "committed beyond the end": ([consumer(BACK, resuming(0, 3), *FIVE, before=committed(42, end=3))], WHOLE),
    "the topic is made anew under a running consumer": ([consumer(BACK, *FIVE[:3], START, *FIVE)], WHOLE),
    "offsets that no message has": (GAPS, Log(ticks(0, 3, 7), end={0: 9})),
    "deleted unread, and said so": (TOLD_LOSS, FROM_4),
    "deleted unread before a start": (TOLD_LOSS_AT_A_START, FROM_4),
    "deleted after it was read": ([consumer(START, *FIVE)], Log(ticks(4), {0: 4})),
    "deleted before the group began": ([consumer(START, *ticks(3, 4))], Log(FIVE, {0: 3})),
    "a start at the latest": ([consumer(LATEST, *ticks(3, 4))], WHOLE),
    "a partition moves to the other member": (MOVED, Log(ticks(0, 1, 2) + ticks(0, partition=1))),
    "a partition moves there and back": (TAKEN_BACK, Log(FIVE[:3])),
}


@pytest.mark.parametrize("history", SOUND)
def test_a_sound_history_has_no_anomaly(history):
    assert_sound(*SOUND[history], repeats=5)


def wrong(expected, *runs, log=WHOLE):
    return pytest.param(expected, list(runs), log, id=expected)


LATER = resuming(3, 2), *ticks(3, 4)
# Each history has these anomalies and no other: what it is, whose, where.
WRONG = [
    wrong("lost write: producer1, partition 0, offset 2", producer(0, 1, 2), log=Log(ticks(0, 1))),
    wrong(
        "duplicate: producers, partition 0, offset 2", producer(0, 1), log=Log([*ticks(0, 1), Message(0, 2, "tick 1")])
    ),
    wrong("producer order: producer1, partition 0, offset 1", producer(0, 2, 1), log=Log(ticks(0, 1, 2))),
    wrong(
        "unseen: group g, partition 0, offsets 2, 4",
        consumer(START, *ticks(0, 1)),
        consumer(resuming(3, 1), *ticks(3)),
    ),
    wrong("unseen: group g, partition 0, offset 4", consumer(LATEST, *ticks(2, 3))),
    # Deleted unread without a word, and known from the producer alone.
    wrong(
        "unseen: group g, partition 0, offsets 1 to 2",
        producer(*ALL),
        consumer(START, *ticks(0), *LATER),
        log=Log(ticks(3, 4), {0: 3}),
    ),
    wrong("unseen: group g, partition 0, offset 2", consumer(resuming(2, 3), *LATER, before=committed(2))),
    wrong("phantom: consumer1, partition 0, offset 5", consumer(START, *FIVE, *ticks(5))),
    wrong(
        "wrong value: consumer1, partition 0, offset 0", consumer(START, *ticks(0)), log=Log([Message(0, 0, "tock")])
    ),
    wrong("poll skip: consumer1, partition 0, offsets 1 to 2", consumer(START, *ticks(0, 3, 4)), RESTART[1]),
    wrong(
        "poll skip: consumer1, partition 0, offsets 0 to 1",  # another member of the group has printed them
        consumer(START, *ticks(0, 1), name="consumer2"),
        consumer(START, *ticks(2, 3, 4)),
    ),
    # Deleted without a word, and nobody knows what that was.
    wrong(
        "poll skip: consumer1, partition 0, offsets 1 to 3", consumer(START, *ticks(0, 4)), log=Log(ticks(4), {0: 4})
    ),
    wrong("nonmonotonic poll: consumer1, partition 0, offset 1", consumer(START, *ticks(0, 1, 2, 1, 2, 3, 4))),
    wrong("false LOST: consumer1, partition 0, offsets 2 to 3", *TOLD_LOSS, consumer(resuming(2, 3), *ticks(2, 3))),
    wrong(
        "false LOST: consumer1, partition 0, offset 1",  # it has read that one
        consumer(START, *ticks(0, 1), Lost(0, 1, 3), *ticks(4)),
        log=FROM_4,
    ),
    wrong("false place: consumer1, partition 0, offset 0", consumer(resuming(0, 5), *FIVE)),
    wrong("false place: consumer1, partition 0, offset 0", consumer(START, *FIVE, before=committed(2))),
    wrong("false place: consumer1, partition 0, offset 0", *RESTART, consumer(START, *FIVE)),  # it has committed 1
    wrong("false place: consumer1, partition 0, offset 0", *RESTART, consumer(resuming(0, 5), *FIVE)),
    wrong("false place: consumer1, partition 0, offset 2", consumer(resuming(2, 3), *FIVE[2:]), consumer(START, *FIVE)),
    wrong("false place: consumer1, partition 0, offset 1", consumer(START, *FIVE[:3]), consumer(*LATER), RESTART[1]),
    wrong("false place: consumer1, partition 0, offset 2", *RESTART, consumer(resuming(2, 3), before=committed(4))),
    wrong(
        "false place: consumer1, partition 0, offset 3",  # LOST, but not what it had committed
        consumer(START, *FIVE[:3]),
        consumer(Lost(0, 3, 3), resuming(4, 1), *ticks(4), before=committed(2)),
        log=FROM_4,
    ),
    wrong("false going back: consumer1, partition 0, offset 5", consumer(START, *FIVE, WentBack(0, 5, 0), *FIVE)),
    wrong(
        "false going back: consumer1, partition 0, offset 3",  # the log had ended at 5
        *RESTART,
        consumer(WentBack(0, 3, 0), resuming(0, 5), *FIVE, before=committed(3, end=5)),
    ),
    wrong("false place: consumer1, partition 0, offset 42", *RESTART, consumer(BACK, resuming(0, 5), *FIVE)),
    wrong("false lag: consumer1, partition 0, offset 1", consumer(START, *FIVE), consumer(resuming(1, 5), *FIVE[1:])),
    wrong("false lag: consumer1, partition 0, offset 1", consumer(START, *FIVE), consumer(resuming(1, 3), *FIVE[1:])),
    wrong(
        "false lag: consumer1, partition 0, offset 3", consumer(resuming(3, 1), *FIVE[3:], before=committed(3, end=5))
    ),
    wrong("unplaced: consumer1, partition 0, offset 0", consumer(*FIVE)),
]


@pytest.mark.parametrize(("expected", "runs", "log"), WRONG)
def test_each_anomaly_is_found_and_nothing_else(expected, runs, log):
    line = f"{expected}: {MEANING[expected.partition(':')[0]]}"
    assert judge(runs, log) == [line]
    with pytest.raises(AssertionError) as caught:
        assert_sound(runs, log, repeats=9)
    assert str(caught.value) == line


def test_each_kind_of_anomaly_has_a_history_that_must_fail():
    assert {case.id.partition(":")[0] for case in WRONG} == set(MEANING)


def test_repeats_are_counted_for_each_run_and_bounded():
    assert repeated(RESTART) == [[], ticks(1, 2)]
    assert_sound(RESTART, WHOLE, repeats=2)
    with pytest.raises(AssertionError, match=r"^2 repeated by group g, 1 allowed: offsets 1 to 2$"):
        assert_sound(RESTART, WHOLE, repeats=1)


def test_missing_is_what_was_never_printed_whether_reported_or_not():
    assert missing(TOLD_LOSS, FROM_4) == ticks(2, 3)
    assert missing([consumer(*LATER, before=committed(3))], WHOLE) == []


LINES = {
    '[Producer1] Sent: {"a":"b"} (partition 1, offset 23)': Message(1, 23, '{"a":"b"}'),
    "[Consumer1] Received: 42 (partition 9, offset 9) (partition 0, offset 1)": Message(
        0, 1, "42 (partition 9, offset 9)"
    ),
    "[Consumer1] No committed offset. Starting partition 1 at the latest.": Started(1, "latest"),
    "[Consumer1] Resuming partition 12 at offset 3: 1 behind.": Resuming(12, 3, 1),
    "[Consumer1] Going back in partition 0, from offset 9 to offset 0.": WentBack(0, 9, 0),
    "[Consumer1] LOST: offsets 2 to 6 of partition 0. Kafka has deleted them.": Lost(0, 2, 6),
    "[Consumer1] Group g will resume partition 0 at offset 4.": None,
    "[Consumer1] Received: tick 1 (partition 0, off": None,
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_understood_where_it_tells_of_messages_and_of_nothing_else(text):
    assert read(text, 1.5) == (1.5, text, LINES[text])
