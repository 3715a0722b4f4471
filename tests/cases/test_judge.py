"""The judge finds what it is there to find, and nothing else: histories made by hand, no Kafka."""

import pytest

from evidence.judge import Anomaly, Log, Run, assert_sound, judge, missing, repeated
from evidence.lines import CaughtUp, Lost, Message, Placed, Received, Sent, parse

NEW = "[C1] No committed offset. Starting at the {reset}: t-{p} at offset {o}: 5 offsets behind"
RESUMING = "[Consumer1] Resuming t-{p} at offset {o}: 5 offsets behind"


def log(*offsets, partition=0):
    return [Message(partition, offset, f"tick {offset}") for offset in offsets]


def received(*offsets, partition=0):
    return [f"[Consumer1] Received: tick {o} (partition {partition}, offset {o})" for o in offsets]


def sent(*offsets, partition=0):
    return [f"[Broker1] Sent: tick {o} (partition {partition}, offset {o})" for o in offsets]


def starting(offset=0, partition=0):
    return NEW.format(reset="earliest", o=offset, p=partition)


def resuming(offset, partition=0):
    return RESUMING.format(o=offset, p=partition)


def lost(first, last):
    return f"[Consumer1] LOST: retention deleted up to 9 messages, offsets {first} to {last} of t-0"


def consumer(*lines, name="consumer1", killed=False):
    return Run(name, lines, group="g", killed=killed)


def producer(*lines, killed=False):
    return Run("producer1", lines, killed=killed)


FIVE = log(0, 1, 2, 3, 4)
SOUND = {
    "nothing at all": ([], Log([])),
    "sent and received": (
        [producer(*sent(0, 1, 2, 3, 4)), consumer(starting(), *received(0, 1, 2, 3, 4))],
        Log(FIVE),
    ),
    "a clean restart": (
        [consumer(starting(), *received(0, 1)), consumer(resuming(2), *received(2, 3, 4))],
        Log(FIVE),
    ),
    "a restart after kill -9 repeats": (
        [
            consumer(starting(), *received(0, 1, 2), killed=True),
            consumer(resuming(1), *received(1, 2, 3, 4)),
        ],
        Log(FIVE),
    ),
    "a line torn by kill -9": (
        [
            consumer(
                starting(),
                *received(0),
                "[Consumer1] Received: tick 1 (partition 0, off",
                killed=True,
            ),
            consumer(resuming(1), *received(1, 2, 3, 4)),
        ],
        Log(FIVE),
    ),
    "killed before its first line": (
        [consumer(killed=True), consumer(starting(), *received(0, 1, 2, 3, 4))],
        Log(FIVE),
    ),
    "a group rewound on purpose": (
        [
            consumer(starting(), *received(0, 1, 2, 3, 4)),
            consumer(resuming(0), *received(0, 1, 2, 3, 4)),
        ],
        Log(FIVE),
    ),
    "offsets that no message has": (
        [consumer(starting(), *received(0, 3), resuming(4), *received(7))],
        Log(log(0, 3, 7)),
    ),
    "deleted unread, and said so": (
        [consumer(starting(), *received(0, 1), lost(2, 3), resuming(4), *received(4))],
        Log(log(4), first={0: 4}, earlier=FIVE),
    ),
    "deleted after it was read": (
        [producer(*sent(0, 1, 2, 3, 4)), consumer(starting(), *received(0, 1, 2, 3, 4))],
        Log(log(4), first={0: 4}),
    ),
    "deleted before the group began": (
        [consumer(starting(3), *received(3, 4))],
        Log(log(3, 4), {0: 3}, FIVE),
    ),
    "compacted after some of it was read": (
        [consumer(starting(), *received(0, 1), resuming(2), *received(4))],
        Log(log(4), earlier=FIVE),
    ),
    "a start at the latest": (
        [consumer(NEW.format(reset="latest", o=3, p=0), *received(3, 4))],
        Log(FIVE),
    ),
    "two members share two partitions": (
        [
            consumer(starting(partition=0), *received(0, 1), name="consumer1"),
            consumer(starting(partition=1), *received(0, 1, partition=1), name="consumer2"),
        ],
        Log(log(0, 1) + log(0, 1, partition=1)),
    ),
    "a partition moves to the other member": (
        [
            consumer(starting(), *received(0, 1), name="consumer1"),
            consumer(
                starting(partition=1),
                *received(0, partition=1),
                resuming(2),
                resuming(1, 1),
                *received(2),
                *received(1, partition=1),
                name="consumer2",
            ),
        ],
        Log(log(0, 1, 2) + log(0, 1, partition=1)),
    ),
    "a tick in flight when its producer was killed": (
        [producer(*sent(0, 1), killed=True)],
        Log(log(0, 1, 2)),
    ),
}


@pytest.mark.parametrize(("runs", "topic_log"), SOUND.values(), ids=SOUND.keys())
def test_a_sound_history_has_no_anomaly(runs, topic_log):
    assert judge(runs, topic_log) == []
    assert_sound(runs, topic_log, repeats=5)


WRONG = {
    "lost write": ([producer(*sent(0, 1, 2))], Log(log(0, 1)), [("producer1", 2)]),
    "duplicate": (
        [producer(*sent(0, 1))],
        Log([*log(0, 1), Message(0, 2, "tick 1")]),
        [("producers", 2)],
    ),
    "unseen": (
        [consumer(starting(), *received(0, 1)), consumer(resuming(3), *received(3))],
        Log(FIVE),
        [("group g", 2, 4)],
    ),
    "phantom": ([consumer(starting(), *received(0, 1, 2, 3, 4, 5))], Log(FIVE), [("consumer1", 5)]),
    "wrong value": (
        [consumer(starting(), *received(0, 1))],
        Log([*log(0), Message(0, 1, "tock")]),
        [("consumer1", 1)],
    ),
    "poll skip": (
        [consumer(starting(), *received(0, 3, 4)), consumer(resuming(1), *received(1, 2))],
        Log(FIVE),
        [("consumer1", 1, 2)],
    ),
    "nonmonotonic poll": (
        [consumer(starting(), *received(0, 1, 2, 1, 2, 3, 4))],
        Log(FIVE),
        [("consumer1", 1)],
    ),
    "producer order": ([producer(*sent(0, 2, 1))], Log(log(0, 1, 2)), [("producer1", 1)]),
    "false LOST": (
        [consumer(lost(0, 2), resuming(3), *received(3, 4))],
        Log(log(1, 2, 3, 4), first={0: 1}),
        [("consumer1", 1, 2)],
    ),
    "unplaced": ([consumer(*received(0, 1, 2, 3, 4))], Log(FIVE), [("consumer1", 0)]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_each_anomaly_is_found_and_nothing_else(kind):
    runs, topic_log, expected = WRONG[kind]
    assert judge(runs, topic_log) == [Anomaly(kind, who, 0, tuple(offsets)) for who, *offsets in expected]
    with pytest.raises(AssertionError, match=f"^{kind}: .*, partition 0, offsets? [^\n]*$"):
        assert_sound(runs, topic_log, repeats=5)


MORE_WRONG = {
    "one printed twice": (
        [starting(), *received(0, 1, 1, 2, 3, 4)],
        Log(FIVE),
        "nonmonotonic poll",
        (1,),
    ),
    "not where it says it resumes": (
        [starting(), *received(0, 1), resuming(4), *received(2, 3, 4)],
        Log(FIVE),
        "nonmonotonic poll",
        (2,),
    ),
    "beyond where it says it starts": (
        [starting(), *received(1, 2, 3, 4)],
        Log(FIVE),
        "poll skip",
        (0,),
    ),
    "a start that is not the earliest": (
        [starting(2), *received(2, 3, 4)],
        Log(FIVE),
        "unseen",
        (0, 1),
    ),
    "deleted unread without a word": (
        [starting(), *received(0), resuming(3), *received(3, 4)],
        Log(log(3, 4), first={0: 3}, earlier=FIVE),
        "unseen",
        (1, 2),
    ),
    "LOST for what was compacted": (
        [lost(0, 2), resuming(3), *received(3, 4)],
        Log(log(3, 4)),
        "false LOST",
        (0, 1, 2),
    ),
    "nobody was given the partition": ([], Log(FIVE), "unseen", (0, 1, 2, 3, 4)),
}


@pytest.mark.parametrize(("lines", "topic_log", "kind", "offsets"), MORE_WRONG.values(), ids=MORE_WRONG.keys())
def test_each_way_to_go_wrong_has_its_word(lines, topic_log, kind, offsets):
    assert (kind, offsets) in [(found.kind, found.offsets) for found in judge([consumer(*lines)], topic_log)]


def test_what_was_deleted_before_anybody_looked_is_known_from_its_producer():
    history = [
        producer(*sent(0, 1, 2, 3, 4)),
        consumer(starting(), *received(0), resuming(3), *received(3, 4)),
    ]
    assert judge(history, Log(log(3, 4), {0: 3})) == [Anomaly("unseen", "group g", 0, (1, 2))]


def test_an_unheard_tick_without_a_kill_is_a_duplicate():
    assert judge([producer(*sent(0, 1))], Log(log(0, 1, 2))) == [Anomaly("duplicate", "producers", 0, (2,))]


def test_a_group_that_is_behind_owes_what_it_has_passed_and_no_more():
    runs = [consumer(starting(), *received(0)), consumer(resuming(2), *received(2))]
    assert judge(runs, Log(FIVE), behind=["g"]) == [Anomaly("unseen", "group g", 0, (1,))]


def test_an_anomaly_is_one_line_that_names_it_the_process_the_partition_and_the_offsets():
    found = Anomaly("poll skip", "consumer1", 2, (3, 4, 5, 9))
    where = "poll skip: consumer1, partition 2, offsets 3 to 5, 9"
    assert str(found) == f"{where}: jumped over, without a line that says so"


def test_repeats_are_counted_for_each_run_and_bounded():
    runs, topic_log = SOUND["a restart after kill -9 repeats"]
    assert repeated(runs) == [[], log(1, 2)]
    assert_sound(runs, topic_log, repeats=2)
    with pytest.raises(AssertionError, match=r"^2 repeated by group g, 1 allowed: offsets 1 to 2$"):
        assert_sound(runs, topic_log, repeats=1)


def test_missing_is_what_was_never_printed_whether_reported_or_not():
    runs, topic_log = SOUND["deleted unread, and said so"]
    assert missing(runs, topic_log) == log(2, 3)
    assert missing(SOUND["a start at the latest"][0], Log(FIVE)) == []


LINES = {
    '[Broker1] Sent: {"a":"b"} (partition 1, offset 23)': Sent(Message(1, 23, '{"a":"b"}')),
    "[Consumer1] Received: a (partition 9, offset 9) (partition 0, offset 1)": Received(
        Message(0, 1, "a (partition 9, offset 9)")
    ),
    NEW.format(reset="earliest", p=0, o=3): Placed("t", 0, 3, 5, "earliest", None),
    NEW.format(reset="latest", p=1, o=3): Placed("t", 1, 3, 5, "latest", None),
    "[Consumer1] Resuming my-topic-12 at offset 3: 1 offset behind": Placed("my-topic", 12, 3, 1, None, None),
    "[Consumer1] Resuming t-0 at offset 3: 7 offsets behind": Placed("t", 0, 3, 7, None, None),
    "[Consumer1] The log is shorter than the committed offset 9. Starting at the earliest:"
    " t-0 at offset 0: 1 offset behind": Placed("t", 0, 0, 1, "earliest", 9),
    "[Consumer1] LOST: retention deleted up to 1 message, offsets 2 to 2 of t-0": Lost("t", 0, 2, 2),
    "[Consumer1] LOST: retention deleted up to 5 messages, offsets 2 to 6 of t-0": Lost("t", 0, 2, 6),
    "[Consumer1] Caught up: 1 message in 0.3 s": CaughtUp(1, 0.3),
    "[Consumer1] Stopped. The next start resumes t-0 at offset 4.": None,
    "[Broker1] Stopped. Ticks sent and acknowledged: 12.": None,
    "[Consumer2] Waiting: the other members of group g have all partitions of t": None,
    "[Consumer2] Topic t does not exist: waiting for it to be created.": None,
    "[Broker1] Kafka does not answer: keeping the tick and waiting for it.": None,
    "[Broker2] Kafka answers again.": None,
    "[Consumer1] Another consumer1 has joined group g: it goes on, this one ends.": None,
    "[Consumer1] Received: a (partition 0, offs": None,
    "[Consumer1] Resuming t-0 at offset 1": None,
    "Resuming t-0 at offset 3: 7 offsets behind": None,
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_understood_where_it_tells_of_messages_and_of_nothing_else(text):
    assert parse(text) == LINES[text]
