"""What the watch tells about snapshots of Kafka: every kind of news, and none where there is none."""

import re
from dataclasses import replace

import pytest
from kafka.errors import KafkaTimeoutError, LeaderNotAvailableError, RequestTimedOutError

from evidence.snapshot import Group, Member, PartitionLog, Snapshot
from sight.happenings import Chronicle, clock

START = 1_800_000_000.0
CONSUMER1 = Member("id-1", "consumer1", "consumer1", frozenset([0]))
ONE = Group("Stable", {0: 10}, (CONSUMER1,))
FIRST = Snapshot(START, 100.0, "topic-id", {0: PartitionLog(0, 10)}, {"g": ONE})
NO_TOPIC = {"topic_id": None, "logs": {}, "groups": {}}


class Watched:
    """A chronicle that is told snapshot by snapshot, one each half second of a made-up time."""

    def __init__(self):
        self.chronicle, self.snapshot = Chronicle("t", "127.0.0.1:9092"), FIRST
        self.told = self.texts(self.chronicle.see(FIRST))

    def texts(self, lines):
        """Return the lines without their time, which must be that of the snapshot."""
        assert all(text.startswith(f"{clock(self.snapshot.at)}  ") for text, _ in lines)
        return [text[10:] for text, _ in lines]

    def see(self, seconds=0.5, **changes):
        """Snapshot again; changes are those of Snapshot. Return the lines."""
        now = {"at": self.snapshot.at + seconds, "moment": self.snapshot.moment + seconds}
        self.snapshot = replace(self.snapshot, **now | changes)
        return self.texts(self.chronicle.see(self.snapshot))

    def move(self, times=1, seconds=0.5, end=0, committed=0, **group):
        """Each time the log has grown by `end`, the committed offset by `committed`; `group` changes the group."""
        lines = []
        for _ in range(times):
            log, before = self.snapshot.logs[0], self.snapshot.groups["g"]
            now = replace(before, committed={0: before.committed[0] + committed}, **group)
            lines += self.see(seconds, logs={0: PartitionLog(log.first, log.end + end)}, groups={"g": now})
        return lines

    def note(self):
        return self.chronicle.note("g", 0)


NEWS = {
    "a new group": (
        {"groups": {"g": ONE, "h": ONE}},
        ["consumer1 joined h and holds t-0."],
    ),
    "a group that is gone": (
        {"groups": {}},
        [
            "The session of consumer1 in g is over: nobody reads t-0 for it.",
            "g has no committed offset on t-0 any more.",
        ],
    ),
    "messages deleted that were read": (
        {"logs": {0: PartitionLog(5, 10)}},
        [],
    ),
    "no topic any more": (NO_TOPIC, ["Topic t is gone: waiting for it to be created again."]),
    "added partitions": (
        {
            "logs": dict.fromkeys(range(5), PartitionLog(0, 10)),
            "groups": {"g": Group("Stable", {0: 10, 1: 0}, (CONSUMER1._replace(partitions=frozenset(range(5))),))},
        },
        [
            "Partitions were added to t: 5 now, 1 before.",
            "consumer1 now holds t-0 and 4 more for g.",
        ],
    ),
}


@pytest.mark.parametrize(("changes", "told"), NEWS.values(), ids=NEWS.keys())
def test_what_has_changed_since_the_snapshot_before_is_told(changes, told):
    watched = Watched()
    assert watched.told == ["Topic t is there."]
    assert watched.see(**changes) == told
    assert watched.see() == []


def test_of_a_group_that_keeps_up_nothing_is_told():
    watched = Watched()
    assert watched.move(250, end=1, committed=1) == []
    assert watched.note() == "held by consumer1 while its session lasts"


def test_a_group_that_commits_nothing_is_told_after_three_seconds_and_a_clock_set_back_hides_nothing():
    watched = Watched()
    watched.move(20, end=1, committed=1)
    watched.see(at=START - 3600)
    stopped = clock(watched.snapshot.at)
    assert watched.move(6, end=1) == []
    reason = "Its consumer stopped, is slow, or commits rarely."
    assert watched.move(20, end=1) == [f"g commits nothing on t-0 since {stopped}: committed 30, lag 8. {reason}"]
    assert watched.note() == f"held by consumer1 while its session lasts; lag +25 since {stopped}"
    assert watched.move(2, committed=10) == []
    assert "since" not in watched.note()
    assert watched.move(committed=6) == ["g has caught up on t-0: committed 30 → 56."]


def test_a_lag_that_grows_slowly_is_not_said_to_stand():
    watched = Watched()
    watched.move(state="Empty", members=())
    for _ in range(30):
        watched.move(end=1)
        watched.move(7)
        assert re.search(r"no member; lag \+\d+ since", watched.note())
    assert "lag +29 since" in watched.note()


def test_what_was_deleted_before_it_was_committed_is_not_said_to_be_caught_up_with():
    watched = Watched()
    watched.move(8, end=1)
    assert watched.see(logs={0: PartitionLog(15, 18)}) == [
        "Deleted: offsets 10 to 14 of t-0, which g has not committed."
    ]
    assert watched.move(committed=8) == ["g has caught up on t-0: committed 10 → 18, 5 of them deleted before that."]
    watched.move(8, end=1)
    assert watched.move(committed=8) == ["g has caught up on t-0: committed 18 → 26."]


def test_a_member_that_turns_to_another_topic_of_its_group_does_not_join():
    """Kafka gives a static member that comes back what it held before, whatever it has subscribed to now."""
    watched = Watched()
    elsewhere = CONSUMER1._replace(member_id="id-2", partitions=frozenset(), reads=False)
    news = "consumer1 reads another topic in g now: nobody reads t-0 for it."
    assert watched.move(members=(elsewhere,)) == [news]
    assert watched.note() == "no member holds it"
    assert watched.move(members=(elsewhere, Member("id-9", "other", reads=False))) == []
    assert watched.move(members=(CONSUMER1,)) == ["consumer1 joined g and holds t-0."]


def test_a_group_that_rebalances_has_not_lost_its_members():
    watched = Watched()
    assert not watched.move(state="PreparingRebalance", members=(CONSUMER1._replace(partitions=frozenset()),))
    again, second = CONSUMER1._replace(member_id="id-2"), Member("id-9", "rdkafka")
    assert watched.move(state="Stable", members=(again, second)) == [
        "consumer1 joined g again and holds t-0.",
        "rdkafka joined g and holds no partition.",
    ]
    news = watched.move(members=(second._replace(partitions=frozenset([0])),))
    assert news == ["The session of consumer1 in g is over.", "rdkafka now holds t-0 for g."]
    news = watched.move(state="Empty", members=())
    assert news == ["rdkafka left g, or its session is over: nobody reads t-0 for it."]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KafkaTimeoutError, "Kafka at 127.0.0.1:9092 does not answer (KafkaTimeoutError): waiting for it."),
        (RequestTimedOutError, "Kafka at 127.0.0.1:9092 does not answer (RequestTimedOutError): waiting for it."),
        (LeaderNotAvailableError, "Kafka at 127.0.0.1:9092 answers with LeaderNotAvailableError: waiting for it."),
    ],
)
def test_a_kafka_that_does_not_answer_is_told_once_and_what_waits_meanwhile_is_no_growing_lag(error, told):
    watched = Watched()
    watched.move(end=5)
    lines = [line for _ in range(2) for line in watched.chronicle.no_figures(watched.snapshot.at, error())]
    assert watched.texts(lines) == [told]
    assert watched.move(seconds=60, end=5) == ["Kafka answers again."]
    assert watched.move(5, end=1) == []
    assert "commits nothing" in watched.move(4, end=1)[0]


def test_nothing_wrong_is_concluded_from_a_topic_that_is_gone_for_a_while_and_wiped():
    watched = Watched()
    watched.see(**NO_TOPIC)
    assert watched.see(
        topic_id="other", logs={0: PartitionLog(0, 3)}, groups={"g": replace(ONE, committed={0: 2})}
    ) == [
        "The log was wiped: topic t begins anew.",
    ]
