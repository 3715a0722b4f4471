"""What watch.py tells about looks at Kafka: every kind of news, and none where there is none."""

import re
from dataclasses import replace

import pytest

from sight.happenings import Story, clock
from sight.look import GroupLook, LogLook, Look, Member

START = 1_800_000_000.0
CONSUMER1 = Member("id-1", "consumer1", "consumer1", frozenset([0]))
ONE = GroupLook("Stable", {0: 10}, (CONSUMER1,))
FIRST = Look(START, "topic-id", {0: LogLook(0, 10)}, {"g": ONE})


class Watched:
    """A story that is told look by look, one each half second of a made-up time."""

    def __init__(self, look=FIRST):
        self.story, self.look = Story("t", "127.0.0.1:9092"), look
        self.told = [h.text for h in self.story.see(look)]

    def see(self, seconds=0.5, **changes):
        """Look again; changes are those of Look. Return the lines."""
        self.look = replace(self.look, at=self.look.at + seconds, **changes)
        news = [h.text for h in self.story.see(self.look)]
        self.told += news
        return news

    def move(self, seconds=0.5, end=0, committed=0, **group):
        """The log grows by `end`, and the group's committed offset by `committed`; `group` changes the group."""
        log, before = self.look.logs[0], self.look.groups["g"]
        at = before.committed[0] + committed
        now = replace(before, committed={0: at}, **group)
        return self.see(seconds, logs={0: replace(log, end=log.end + end)}, groups={"g": now})

    def keep_up(self, seconds=10):
        """Two messages a second, each read by the look after it."""
        self.move(end=1)
        for _ in range(int(seconds * 2) - 1):
            self.move(end=1, committed=1)
        return self.move(committed=1)

    def stop_reading(self, seconds):
        return [line for _ in range(int(seconds * 2)) for line in self.move(end=1)]


def test_the_first_look_tells_how_things_stand():
    assert Watched().told == [
        "Topic t: 1 partition, 10 offsets kept.",
        "Group g: committed 10, lag 0; 1 member: consumer1.",
    ]


def test_a_lag_that_comes_and_goes_is_no_news():
    watched = Watched()
    watched.keep_up(50)
    assert len(watched.told) == 2


def test_commits_are_gathered_to_a_line_a_minute():
    watched = Watched()
    watched.keep_up(130)
    found = [re.fullmatch(r"g committed (\d+) → (\d+) on t-0\.", line).groups() for line in watched.told[2:]]
    assert len(found) == 2
    assert found[0][1] == found[1][0]  # nothing between them


def test_a_lag_that_grows_is_told_soon_with_its_beginning_and_no_reason_that_kafka_does_not_show():
    watched = Watched()
    watched.keep_up()
    stopped = clock(watched.look.at + 0.5)
    assert watched.stop_reading(5) == [
        "g committed 10 → 30 on t-0.",
        f"The lag of g on t-0 grows since {stopped}: its consumer stopped, or is slower than the producers.",
    ]
    assert watched.story.trend("g", 0) == "grows"


def test_the_end_of_the_session_is_told_and_who_waits():
    watched = Watched()
    watched.keep_up()
    watched.stop_reading(7)
    news = watched.move(state="Empty", members=())
    assert news == ["The session of consumer1 in g is over: nobody reads t-0 for it."]


def test_a_restart_within_the_session_is_told_as_joining_again_and_catching_up():
    watched = Watched()
    watched.keep_up()
    watched.stop_reading(5)
    again = replace(CONSUMER1, member_id="id-2")
    assert watched.move(members=(again,)) == ["consumer1 joined g again and holds t-0."]
    assert watched.move(committed=10) == ["g has caught up on t-0: committed 30 → 40."]
    assert watched.story.trend("g", 0) == ""


def test_a_restart_after_the_session_is_told_as_joining():
    watched = Watched()
    watched.move(state="Empty", members=())
    news = watched.move(state="Stable", members=(replace(CONSUMER1, member_id="id-2"),))
    assert news == ["consumer1 joined g and holds t-0."]


def test_a_group_that_rebalances_has_not_lost_its_members():
    watched = Watched()
    assert not watched.move(state="PreparingRebalance", members=(replace(CONSUMER1, partitions=frozenset()),))
    assert watched.story.member("g", 0) == CONSUMER1
    second = Member("id-9", "rdkafka", None, frozenset())
    news = watched.move(state="Stable", members=(CONSUMER1, second))
    assert news == ["rdkafka joined g: the other members hold all partitions."]
    news = watched.move(members=(replace(second, partitions=frozenset([0])),))
    assert news == ["The session of consumer1 in g is over.", "rdkafka now holds t-0 for g."]
    assert watched.move(state="Empty", members=()) == [
        "rdkafka left g, or its session is over: nobody reads t-0 for it."
    ]


def test_a_consumer_that_reads_but_too_slowly_is_not_said_to_have_stopped():
    watched = Watched()
    news = [line for _ in range(60) for line in watched.move(end=10, committed=4)]
    growth = [line for line in news if "grows" in line]
    assert len(growth) == 1
    assert growth[0].endswith("it is read, but slower than it is written.")


def test_a_long_lag_is_told_to_drain_once_then_to_be_caught_up():
    watched = Watched()
    watched.keep_up()
    watched.move(end=1000)
    watched.stop_reading(6)
    news = [line for _ in range(10) for line in watched.move(committed=100)]
    assert [line.split(":")[0] for line in news if "drains" in line] == ["The lag of g on t-0 drains"]
    assert watched.story.trend("g", 0) == "shrinks"
    assert watched.move(committed=12) == ["g has caught up on t-0: committed 30 → 1042."]


def test_a_group_that_commits_every_five_seconds_keeps_up():
    watched = Watched()
    for _ in range(10):
        watched.stop_reading(4.5)
        watched.move(end=1, committed=10)
    assert not [line for line in watched.told if "grows" in line or "caught up" in line]


def test_a_group_that_commits_every_half_minute_is_called_behind_once_at_most():
    watched = Watched()
    for _ in range(6):
        watched.stop_reading(29.5)
        watched.move(end=1, committed=60)
    assert sum("grows" in line for line in watched.told) <= 1


def test_one_message_that_stays_unread_is_no_growing_lag():
    """As the end of a transaction, which takes an offset that nobody reads."""
    watched = Watched()
    watched.keep_up()
    watched.move(end=1)
    assert not [line for _ in range(60) for line in watched.move() if "lag" in line]


def test_a_rewind_is_told_with_both_offsets():
    watched = Watched()
    watched.move(state="Empty", members=())
    assert watched.move(committed=-10) == ["g is rewound on t-0: 10 → 0."]


def test_a_move_to_the_end_without_a_member_is_not_called_reading():
    watched = Watched()
    watched.move(state="Empty", members=())
    watched.stop_reading(8)
    news = watched.move(committed=16)
    assert news == ["g is at the end of t-0, though it has no member: committed 10 → 26."]


def test_deleted_unread_messages_are_told_with_their_group():
    watched = Watched()
    watched.keep_up()  # committed 30
    watched.move(state="Empty", members=())
    watched.stop_reading(10)
    news = watched.see(logs={0: LogLook(32, 50)})
    assert news == ["Deleted up to offset 31 of t-0, by retention or by hand: g has not read 30 to 31."]
    news = watched.see(logs={0: LogLook(33, 50)})
    assert news == ["Deleted up to offset 32 of t-0, by retention or by hand: g has not read offset 32."]


def test_deleting_what_every_group_has_read_is_told_as_that_and_not_each_time():
    watched = Watched()
    assert watched.see(logs={0: LogLook(5, 10)}) == [
        "Deleted up to offset 4 of t-0, by retention or by hand: every group had read it."
    ]
    assert not watched.see(logs={0: LogLook(6, 10)})


def test_silence_is_told_once_and_its_end():
    watched = Watched()
    assert [h.text for h in watched.story.silence(START + 4)] == ["Kafka does not answer: waiting for it."]
    assert not watched.story.silence(START + 5)
    assert watched.see(60) == ["Kafka answers again."]


def test_a_kafka_that_was_never_there_is_told_as_that():
    story = Story("t", "127.0.0.1:9092")
    assert [h.text for h in story.silence(START)] == ["No Kafka answers at 127.0.0.1:9092: waiting for it."]
    assert story.see(FIRST)[0].text == "Kafka answers."


def test_what_waits_during_an_outage_and_just_after_it_is_no_growing_lag():
    watched = Watched()
    watched.keep_up()
    watched.move(end=1)
    watched.story.silence(watched.look.at + 3)
    watched.move(seconds=60, end=1)
    assert not watched.stop_reading(8)
    assert watched.stop_reading(4)


def test_a_topic_that_is_not_there_yet_is_waited_for():
    watched = Watched(Look(START))
    assert watched.told == ["Topic t does not exist: waiting for it to be created."]
    assert watched.see(topic_id="topic-id", logs={0: LogLook(0, 1), 1: LogLook(0, 0)}) == [
        "Topic t is there: 2 partitions."
    ]


def test_a_wiped_log_is_told_and_nothing_wrong_is_concluded_from_it():
    watched = Watched()
    assert watched.see(topic_id=None, logs={}, groups={}) == ["Topic t is gone: waiting for it to be created again."]
    assert watched.see(topic_id="other", logs={0: LogLook(0, 3)}) == ["The log was wiped: topic t begins anew."]
    watched = Watched()
    assert watched.see(topic_id="other", logs={0: LogLook(0, 3)}, groups={}) == [
        "The log was wiped: topic t begins anew."
    ]


def test_partitions_that_are_added_are_told():
    news = Watched().see(logs={0: LogLook(0, 10), 1: LogLook(0, 0), 2: LogLook(0, 0)})
    assert news == ["Partitions were added to t: 3 now, 1 before."]


def test_a_new_group_is_told_when_it_appears():
    watched = Watched()
    joined = GroupLook("Stable", {}, (replace(CONSUMER1, client_id="consumer2"),))
    assert watched.see(groups={"g": ONE, "h": joined}) == ["consumer2 joined h and holds t-0."]
    begun = replace(joined, committed={0: 0})
    assert watched.see(groups={"g": ONE, "h": begun}) == ["h begins on t-0: its first committed offset is 0."]


def test_members_that_kafka_does_not_tell_are_not_said_to_be_gone():
    """The groups of KIP-848's protocol, which kafka-python 3.0.12 can't describe."""
    watched = Watched(replace(FIRST, groups={"g": replace(ONE, members=None)}))
    assert watched.told[1] == "Group g: committed 10, lag 0; who its members are Kafka does not tell."
    watched.keep_up()
    assert "its consumer stopped, or is slower" in watched.stop_reading(6)[-1]


@pytest.mark.parametrize("partitions", [2, 50])
def test_commits_on_many_partitions_come_to_one_line(partitions):
    numbers = range(partitions)
    member = replace(CONSUMER1, partitions=frozenset(numbers))
    logs = {number: LogLook(0, 5) for number in numbers}
    group = GroupLook("Stable", dict.fromkeys(numbers, 0), (member,))
    watched = Watched(Look(START, "id", logs, {"g": group}))
    watched.see(groups={"g": replace(group, committed=dict.fromkeys(numbers, 5))})
    news = [line for _ in range(125) for line in watched.see()]
    assert news == [f"g committed {5 * partitions} offsets on {partitions} partitions."]
