"""What the watch says about snapshots of Kafka: everything that happened, and nothing else."""

from dataclasses import replace

import pytest
from kafka.errors import KafkaTimeoutError

from evidence.happenings import Chronicle, clock
from evidence.snapshot import Group, LogOffsets, Member, Snapshot

CONSUMER1 = Member("id-1", "consumer1", "consumer1", frozenset([0]))
OF_ANOTHER_TOPIC = CONSUMER1._replace(member_id="id-2", partitions=frozenset(), reads=False)
ONE = Group("Stable", {0: 10}, (CONSUMER1,))
FIRST = Snapshot(1_800_000_000.0, "topic-id", {0: LogOffsets(0, 10)}, {"g": ONE})
NO_TOPIC = {"topic_id": None, "logs": {}, "groups": {}}
WIPED = {"topic_id": "other", "logs": {0: LogOffsets(0, 3)}, "groups": {"g": replace(ONE, committed={0: 2})}}
BEGINS_ANEW = "The log was wiped: topic t begins anew."
JOINED = "consumer1 joined group g and holds t-0."
AGAIN = "consumer1 is in group g again and holds t-0."


class Watched:
    """A Chronicle that sees one snapshot after another, by default half a second apart."""

    def __init__(self):
        self.chronicle, self.snapshot = Chronicle("t"), FIRST
        assert self.chronicle.see(FIRST) == [(f"{clock(FIRST.at)}  Topic t exists.", "green")]

    def see(self, seconds=0.5, **changes):
        """Show it the next snapshot, with these changes. Return the lines without their time."""
        self.snapshot = replace(self.snapshot, at=self.snapshot.at + seconds, **changes)
        return [text[10:] for text, _ in self.chronicle.see(self.snapshot)]

    def move(self, times=1, seconds=0.5, end=0, committed=0, **group):
        """Each time, let the log grow by `end` and the committed offset by `committed`. `group` changes the group."""
        lines = []
        for _ in range(times):
            log, before = self.snapshot.logs[0], self.snapshot.groups["g"]
            now = replace(before, committed={0: before.committed[0] + committed}, **group)
            lines += self.see(seconds, logs={0: LogOffsets(log.first, log.end + end)}, groups={"g": now})
        return lines


@pytest.mark.parametrize(
    ("changes", "told", "told_when_undone"),
    [
        ({"logs": {0: LogOffsets(5, 10)}}, [], []),  # only read messages are deleted
        ({"logs": {0: LogOffsets(15, 18)}}, ["Deleted: offsets 10 to 14 of t-0, which group g had still to read."], []),
        ({"groups": {}}, ["consumer1 is no longer a member of group g: nobody reads t-0 for it."], [AGAIN]),
        (
            {"groups": {"g": replace(ONE, members=(OF_ANOTHER_TOPIC,))}},
            ["consumer1 reads another topic in group g now: nobody reads t-0 for it."],
            [AGAIN],
        ),
        (WIPED, [BEGINS_ANEW], [BEGINS_ANEW]),
        (NO_TOPIC, ["Topic t does not exist: waiting for it to be created."], ["Topic t exists."]),
    ],
)
def test_a_change_and_its_end_are_each_told_once(changes, told, told_when_undone):
    watched = Watched()
    assert watched.see(**changes) == told
    assert watched.see() == []
    assert watched.see(logs=FIRST.logs, groups=FIRST.groups, topic_id=FIRST.topic_id) == told_when_undone


def test_a_group_that_commits_nothing_is_told_after_three_seconds_and_when_it_has_caught_up():
    watched = Watched()
    assert watched.move(20, end=1, committed=1) == []
    stopped = clock(watched.snapshot.at)
    assert watched.move(7, end=1) == []
    reason = "Its consumer stopped, is slow, or commits rarely."
    assert watched.move(20, end=1) == [
        f"Group g has committed nothing on t-0 since {stopped}: committed 30, lag now 8. {reason}"
    ]
    assert watched.chronicle.note("g", 0) == "held by consumer1; nothing committed for 13 s: lag +26"
    assert watched.move(2, committed=10) == []
    assert watched.chronicle.note("g", 0) == "held by consumer1"
    assert watched.move(committed=7) == ["Group g has caught up on t-0: committed 57."]
    assert watched.see(**WIPED) == [BEGINS_ANEW]
    assert watched.move(8)[0].startswith(
        "Group g has committed nothing on t-0 since before "
    )  # as where the watch begins


def test_a_group_that_rebalances_has_not_lost_its_members():
    watched = Watched()
    assert not watched.move(state="PreparingRebalance", members=(CONSUMER1._replace(partitions=frozenset()),))
    assert watched.chronicle.note("g", 0) == ""
    again, second = CONSUMER1._replace(member_id="id-2"), Member("id-9", "rdkafka")
    joined = [AGAIN, "rdkafka joined group g and holds no partition."]
    assert watched.move(state="Stable", members=(again, second)) == joined
    news = watched.move(members=(second._replace(partitions=frozenset([0])),))
    assert news == ["consumer1 is no longer a member of group g.", "rdkafka now holds t-0 for group g."]


def test_an_outage_is_told_once_and_messages_that_wait_meanwhile_are_no_growing_lag():
    watched = Watched()
    watched.move(end=5)
    errors = [KafkaTimeoutError(), KafkaTimeoutError()]
    lines = [text for error in errors for text, _ in watched.chronicle.no_figures(watched.snapshot.at, error)]
    assert lines == [f"{clock(watched.snapshot.at)}  Waiting for Kafka (KafkaTimeoutError)."]
    assert watched.move(seconds=60, end=5) == ["Kafka answers."]
    assert watched.move(5, end=1) == []
    assert "has committed nothing on t-0 since before" in watched.move(4, end=1)[0]
