"""The judge finds each anomaly and nothing else. The histories are made by hand, without Kafka."""

import functools

import pytest

from evidence.history import Log, Run
from evidence.judge import MEANING, assert_sound, judge, missing, repeated
from evidence.lines import Line, Lost, Message, Resuming, Started, WentBack, line_of
from evidence.snapshot import Group, LogOffsets, Snapshot


def ticks(*offsets, partition=0):
    return [Message(partition, offset, f"tick {offset}") for offset in offsets]


def lines(events, at=0.0):
    return [Line(at, "", event) for event in events]


def consumer(*told, name="consumer1", committed=None, end=0, first=0):
    asked = Snapshot(0, logs={0: LogOffsets(first, end)}, groups={"g": Group(committed={0: committed})})
    return Run(name, lines(told), "g", None if committed is None else asked)


def producer(*offsets):
    return Run("producer1", lines(ticks(*offsets)))


resuming = functools.partial(Resuming, 0)
START, LATEST = Started(0, "earliest"), Started(0, "latest")
BACK = WentBack(0, 42, 0)
ALL = 0, 1, 2, 3, 4
FIVE = ticks(*ALL)
WHOLE, FROM_3, FROM_4 = Log(FIVE), Log(ticks(3, 4), first={0: 3}), Log(FIVE, first={0: 4})
RESTART = [consumer(START, *ticks(0, 1, 2)), consumer(resuming(1, 4), *FIVE[1:])]
KILLED = [consumer(START, *ticks(0)), consumer(START, *ticks(0, 1, 2, 3, 4))]
TAKEN_BACK = [  # consumer1 gets the partition, consumer2 takes it over, and consumer1 takes it back at offset 2
    Run("consumer1", [*lines([START]), *lines([resuming(2, 1), *FIVE[2:3]], at=2.0)], "g"),
    Run("consumer2", lines([START, *FIVE[:2]], at=1.0), "g"),
]
TOLD_LOSS = [consumer(START, *ticks(0, 1), Lost(0, 2, 3), *ticks(4))]
TOLD_LOSS_AT_A_START = [
    consumer(START, *ticks(0, 1, 2)),
    consumer(Lost(0, 2, 3), resuming(4, 1), *ticks(4), committed=2, end=5),
]
MOVED = [
    consumer(START, *ticks(0, 1)),
    consumer(Started(1, "earliest"), *ticks(0, partition=1), resuming(2, 1), *ticks(2), name="consumer2"),
]
GAPS = [consumer(START, *ticks(0, 3), resuming(5, 3), *ticks(7))]
SOUND = {
    "nothing at all": ([], Log([])),
    "sent and received": ([producer(*ALL), consumer(START, *FIVE)], WHOLE),
    "a producer killed before it could print its tick": ([Run("producer1", [], has_open_tick=True)], Log(ticks(0))),
    "a restart after kill -9 repeats": (RESTART, WHOLE),
    "a kill -9 before the first commit": (KILLED, WHOLE),
    "rewound on purpose": ([consumer(START, *FIVE), consumer(resuming(0, 5), *FIVE, committed=0)], WHOLE),
    "committed beyond the end": ([consumer(BACK, resuming(0, 3), *FIVE, committed=42, end=3)], WHOLE),
    "the topic is recreated under a running consumer": ([consumer(BACK, *FIVE[:3], START, *FIVE)], WHOLE),
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


def wrong(kind, offsets, *runs, who="consumer1", log=WHOLE):
    expected = f"{kind}: {who}, partition 0, offset{'s' if ' ' in offsets else ''} {offsets}"
    return pytest.param(expected, list(runs), log, id=expected)


LATER = resuming(3, 2), *ticks(3, 4)
TOCK, TWICE = Log([Message(0, 0, "tock")]), Log([*ticks(0, 1), Message(0, 2, "tick 1")])
# Each history has these anomalies and no other.
WRONG = [
    wrong("lost write", "2", producer(0, 1, 2), who="producer1", log=Log(ticks(0, 1))),
    wrong("duplicate", "2", producer(0, 1), who="producers", log=TWICE),
    wrong("duplicate", "0 to 4", Run("producer1", [], has_open_tick=True), who="producers"),
    wrong("producer order", "1", producer(0, 2, 1), who="producer1", log=Log(ticks(0, 1, 2))),
    wrong("unseen", "2, 4", consumer(START, *ticks(0, 1)), consumer(resuming(3, 1), *ticks(3)), who="group g"),
    wrong("unseen", "4", consumer(LATEST, *ticks(2, 3)), who="group g"),
    # Deleted unread without a word. Only the producer knows of these.
    wrong("unseen", "1 to 2", producer(*ALL), consumer(START, *ticks(0), *LATER), who="group g", log=FROM_3),
    wrong("unseen", "2", consumer(resuming(2, 3), *LATER, committed=2), who="group g"),
    wrong("phantom", "5", consumer(START, *FIVE, *ticks(5))),
    wrong("wrong value", "0", consumer(START, *ticks(0)), log=TOCK),
    wrong("poll skip", "1 to 2", consumer(START, *ticks(0, 3, 4)), RESTART[1]),
    # Another member of the group has printed them.
    wrong("poll skip", "0 to 1", consumer(START, *ticks(0, 1), name="consumer2"), consumer(START, *ticks(2, 3, 4))),
    # Deleted without a word. Nobody knows what these were.
    wrong("poll skip", "1 to 3", consumer(START, *ticks(0, 4)), log=Log(ticks(4), {0: 4})),
    wrong("nonmonotonic poll", "1", consumer(START, *ticks(0, 1, 2, 1, 2, 3, 4))),
    wrong("false LOST", "2 to 3", *TOLD_LOSS, consumer(resuming(2, 3), *ticks(2, 3))),
    wrong("false LOST", "1", consumer(START, *ticks(0, 1), Lost(0, 1, 3), *ticks(4)), log=FROM_4),  # it has read 1
    wrong("false going back", "5", consumer(START, *FIVE, WentBack(0, 5, 0), *FIVE)),
    wrong("false going back", "3", *RESTART, consumer(WentBack(0, 3, 0), resuming(0, 5), *FIVE, committed=3, end=5)),
    wrong("false place", "42", *RESTART, consumer(BACK, resuming(0, 5), *FIVE)),
    wrong("false place", "0", consumer(resuming(0, 5), *FIVE)),
    wrong("false place", "0", consumer(START, *FIVE, committed=2)),
    wrong("false place", "0", *RESTART, consumer(START, *FIVE)),  # it has committed 1
    wrong("false place", "0", *RESTART, consumer(resuming(0, 5), *FIVE)),
    wrong("false place", "2", consumer(resuming(2, 3), *FIVE[2:]), consumer(START, *FIVE)),
    wrong("false place", "1", consumer(START, *FIVE[:3]), consumer(*LATER), RESTART[1]),
    wrong("false place", "2", *RESTART, consumer(resuming(2, 3), committed=4)),
    wrong("false place", "3", *KILLED, consumer(Lost(0, 3, 3), resuming(4, 1), *ticks(4), committed=2), log=FROM_4),
    # It says that it resumes where messages are LOST: it cannot resume there.
    wrong("false place", "2", consumer(resuming(2, 3), Lost(0, 2, 3), *ticks(4), committed=2, first=4), log=FROM_4),
    wrong("false lag", "0", consumer(START, resuming(0, 6), *FIVE)),
    wrong("false lag", "1", consumer(START, *FIVE), consumer(resuming(1, 3), *FIVE[1:])),
    wrong("false lag", "3", consumer(resuming(3, 1), *FIVE[3:], committed=3, end=5)),
    wrong("unplaced", "0", consumer(*FIVE)),
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


def test_what_was_never_printed_is_missing_whether_reported_or_not():
    assert missing(TOLD_LOSS, FROM_4) == ticks(2, 3)
    assert missing([consumer(*LATER, committed=3)], WHOLE) == []


LINES = {
    '[Producer1] Sent: {"a":"b"} (partition 1, offset 23)': Message(1, 23, '{"a":"b"}'),
    "[Consumer1] Received: (partition 9, offset 9) (partition 0, offset 1)": Message(0, 1, "(partition 9, offset 9)"),
    "[Consumer1] No committed offset. Starting partition 1 at the latest offset.": Started(1, "latest"),
    "[Consumer1] Resuming partition 12 at offset 3: 1 behind.": Resuming(12, 3, 1),
    "[Consumer1] Going back in partition 0, from offset 9 to offset 0.": WentBack(0, 9, 0),
    "[Consumer1] LOST: offsets 2 to 6 of partition 0. Kafka has deleted them.": Lost(0, 2, 6),
    "[Consumer1] Group g will resume partition 0 at offset 4.": None,
    "[Consumer1] Received: tick 1 (partition 0, off": None,
}


@pytest.mark.parametrize("text", LINES)
def test_only_a_whole_line_about_messages_is_understood(text):
    assert line_of(text, 1.5) == (1.5, text, LINES[text])
