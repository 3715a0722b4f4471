"""The judge catches a fault that is put into a script, in real runs of it, and names it."""

import pytest

from evidence.judge import assert_sound
from evidence.scripts import runs
from machine.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]


def verdict(scripts, log, repeats=0) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_sound(runs(scripts), log, repeats)
    return str(caught.value)


COMMITS_FIRST = """
tell_places = script.tell_places
def commit_first(consumer, messages, expected):
    expected = tell_places(consumer, messages, expected)
    if messages:
        consumer.commit()
        time.sleep(60)
    return expected
script.tell_places = commit_first
"""
SKIPS = """
show = script.show
def without_3(messages):
    show({tp: [m for m in batch if m.offset != 3] for tp, batch in messages.items()})
script.show = without_3
"""
REPEATS = """
show = script.show
def with_3_again(messages):
    show(messages)
    show({tp: [m for m in batch if m.offset == 3] for tp, batch in messages.items()})
script.show = with_3_again
"""
SHOUTS = """
show = script.show
def louder(messages):
    show({tp: [m._replace(value=m.value.upper()) for m in batch] for tp, batch in messages.items()})
script.show = louder
"""
INVENTS = """
show = script.show
def with_42(messages):
    show(messages)
    if messages:
        script.say("Received: invented (partition 0, offset 42)")
script.show = with_42
"""
CRIES_LOST = """
show = script.show
def cry(messages):
    if messages:
        script.say(f"LOST: offsets 0 to 2 of partition 0. Kafka has deleted them.")
    show(messages)
script.show = cry
"""
DROPS = """
tell_places = script.tell_places
def fails_once(consumer, messages, expected):
    if messages:
        script.tell_places = tell_places
        raise script.errors.KafkaTimeoutError
    return tell_places(consumer, messages, expected)
script.tell_places = fails_once
script.reconnect = lambda consumer, stop: consumer
"""
NEVER_COMMITS = "script.KafkaConsumer.commit = lambda *_, **__: None"
TELLS_NO = """
say = script.say
script.say = lambda line: None if {words} in line else say(line)
"""
TELLS_NO_START = TELLS_NO.format(words="'Starting'")
TELLS_NO_LOSS = TELLS_NO.format(words="'LOST'")
SAYS_SENT = "script.deliver = lambda *_: SimpleNamespace(partition=0, offset=0)"
SWAPS = """
deliver = script.deliver
def swapped(*arguments):
    stored = deliver(*arguments)
    return SimpleNamespace(partition=0, offset=stored.offset ^ 1)
script.deliver = swapped
"""
SENDS_TWICE = """
deliver = script.deliver
def twice(producer, tick, *more):
    deliver(producer, tick, *more)
    return deliver(producer, tick, *more)
script.deliver = twice
"""


def test_commit_before_print_is_an_unseen_message(start, start_changed, kafka, topic):
    kafka.send(topic, *TICKS)
    broken = start_changed("consumer1", COMMITS_FIRST)
    wait_until(lambda: kafka.committed(broken.group, topic) == {0: 10})
    broken.kill()
    second = start("consumer1")
    second.wait_for("Resuming")
    second.interrupt()
    assert "unseen: " in verdict([broken, second], kafka.whole_log(topic))


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (SKIPS, "poll skip: consumer1, partition 0, offset 3"),
        (REPEATS, "nonmonotonic poll: consumer1, partition 0, offset 3"),
        (SHOUTS, "wrong value: consumer1, partition 0, offsets 0 to 9"),
        (INVENTS, "phantom: consumer1, partition 0, offset 42"),
        (CRIES_LOST, "false LOST: consumer1, partition 0, offsets 0 to 2"),
        (DROPS, "unseen: group "),
        (TELLS_NO_START, "unplaced: consumer1"),
    ],
    ids=["skips", "repeats", "shouts", "invents", "cries-lost", "drops-what-poll-returned", "tells-no-start"],
)
def test_a_fault_in_a_consumer_is_named(start_changed, kafka, topic, fault, named):
    kafka.send(topic, *TICKS)
    broken = start_changed("consumer1", fault)
    wait_until(lambda: kafka.committed(broken.group, topic) == {0: 10})
    broken.interrupt()
    assert named in verdict([broken], kafka.whole_log(topic))


def test_a_consumer_that_never_commits_repeats_too_much(start_changed, kafka, topic):
    """Also when it is killed: what it may print again is one poll's messages, not all that it has printed."""
    kafka.send(topic, *TICKS)
    consumers = []
    for _ in range(2):
        consumers.append(start_changed("consumer1", NEVER_COMMITS))
        consumers[-1].wait_for_messages(10)
        consumers[-1].kill()
    assert "10 repeated by group" in verdict(consumers, kafka.whole_log(topic), repeats=5)


def test_a_loss_that_is_not_told_is_unseen(start, start_changed, kafka, topic):
    kafka.send(topic, *TICKS[:2])
    first = start("consumer1")
    first.wait_for_messages(2)
    first.interrupt()
    kafka.send(topic, *TICKS[2:])
    earlier = kafka.log(topic)
    kafka.delete_before(topic, 7)
    broken = start_changed("consumer1", TELLS_NO_LOSS)
    broken.wait_for_messages(3)
    broken.interrupt()
    told = verdict([first, broken], kafka.whole_log(topic, earlier))
    assert "unseen: " in told
    assert "offsets 2 to 6" in told


def test_a_report_before_the_acknowledgement_is_a_lost_write(start_changed, kafka, topic):
    kafka.create_topic(topic)
    broken = start_changed("producer1", SAYS_SENT, SEND_INTERVAL_SECONDS="60")
    broken.wait_for_messages(1)
    broken.kill()
    assert "lost write: producer1, partition 0, offset 0" in verdict([broken], kafka.whole_log(topic))


@pytest.mark.parametrize(
    ("fault", "named"),
    [(SENDS_TWICE, "duplicate: producers, partition 0"), (SWAPS, "producer order: producer1, partition 0, offset")],
    ids=["sends-twice", "swaps-offsets"],
)
def test_a_fault_in_a_producer_is_named(start_changed, kafka, topic, fault, named):
    broken = start_changed("producer1", fault)
    broken.wait_for_messages(3)
    broken.interrupt()
    assert named in verdict([broken], kafka.whole_log(topic))
