"""The judge catches a fault that is put into a script, in real runs of it, and names it."""

import pytest

from evidence.judge import assert_sound
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]
ORIGINAL = "original = SimpleNamespace(**vars(script))\n"
DROPS_WHAT_POLL_RETURNED = """
def fail_once(consumer, messages, stop):
    if messages:
        script.print_messages = original.print_messages
        raise script.errors.KafkaTimeoutError
script.print_messages = fail_once
script.reconnect = lambda consumer, stop: consumer
"""


def says_instead_of_its_start(*lines) -> str:
    return f"script.say = lambda line: [original.say(each) for each in ({lines} if 'Starting' in line else (line,))]"


IN_A_CONSUMER = {
    "unseen: group ": DROPS_WHAT_POLL_RETURNED,
    "phantom: consumer1, partition 0, offset 42": (
        "script.line_for = lambda message: original.line_for(message).replace('offset 9', 'offset 42')"
    ),
    "wrong value: consumer1, partition 0, offsets 0 to 9": (
        "script.line_for = lambda message: original.line_for(message).replace('tick', 'TICK')"
    ),
    "poll skip: consumer1, partition 0, offset 3": (
        "script.line_for = lambda message: '' if message.offset == 3 else original.line_for(message)"
    ),
    "nonmonotonic poll: consumer1, partition 0, offsets 0 to 9": (
        "script.line_for = lambda message: f'{original.line_for(message)}\\n{original.line_for(message)}'"
    ),
    "false going back: consumer1, partition 0, offset 10": (
        "script.print_messages = lambda *given: (original.print_messages(*given), given[1] and"
        " script.say('Going back in partition 0, from offset 10 to offset 0.'))"
    ),
    "false place: consumer1, partition 0, offset 0": says_instead_of_its_start(
        "Resuming partition 0 at offset 0: 10 behind."
    ),
    "false LOST: consumer1, partition 0, offsets 0 to 2": says_instead_of_its_start(
        "LOST: offsets 0 to 2 of partition 0. Kafka has deleted them.", "Resuming partition 0 at offset 3: 7 behind."
    ),
    "false lag: consumer1, partition 0, offset 0": says_instead_of_its_start(
        "Resuming partition 0 at offset 0: 99 behind."
    ),
    "unplaced: consumer1, partition 0, offset 0": says_instead_of_its_start(),
}
IN_A_PRODUCER = {
    "lost write: producer1, partition 0, offset 0": (
        "script.deliver = lambda *_: SimpleNamespace(partition=0, offset=0)"
    ),
    "duplicate: producers, partition 0, offset": (
        "script.deliver = lambda *given: (original.deliver(*given), original.deliver(*given))[1]"
    ),
    "producer order: producer1, partition 0, offset": (
        "script.deliver = lambda *given: SimpleNamespace(partition=0, offset=original.deliver(*given).offset ^ 1)"
    ),
}


def verdict(scripts, log, repeats=0) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_sound(printed_by(scripts), log, repeats)
    return str(caught.value)


@pytest.mark.parametrize("named", IN_A_CONSUMER)
def test_a_fault_in_a_consumer_is_named(start_changed, kafka, topic, named):
    kafka.send(topic, *TICKS)
    broken = start_changed("consumer1", ORIGINAL + IN_A_CONSUMER[named])
    kafka.wait_until_committed(broken.group, topic, {0: 10})
    broken.interrupt()
    assert named in verdict([broken], kafka.log(topic))


@pytest.mark.parametrize("named", IN_A_PRODUCER)
def test_a_fault_in_a_producer_is_named(start_changed, kafka, topic, named):
    kafka.create_topic(topic)
    broken = start_changed("producer1", ORIGINAL + IN_A_PRODUCER[named])
    broken.wait_for_messages(3)
    broken.interrupt()
    assert named in verdict([broken], kafka.log(topic))


COMMITS_FIRST = """
def commit_first(consumer, messages, stop):
    consumer.commit()
    time.sleep(60 if messages else 0)
script.print_messages = commit_first
"""


def test_commit_before_print_is_an_unseen_message(start, start_changed, kafka, topic):
    kafka.send(topic, *TICKS)
    broken = start_changed("consumer1", ORIGINAL + COMMITS_FIRST)
    kafka.wait_until_committed(broken.group, topic, {0: 10})
    broken.kill()
    second = start("consumer1")
    second.wait_for("Resuming")
    second.interrupt()
    assert "unseen: " in verdict([broken, second], kafka.log(topic))


def test_a_consumer_that_never_commits_repeats_too_much(start_changed, kafka, topic):
    """Also when it is killed: what it may print again is one poll's messages, not all that it has printed."""
    kafka.send(topic, *TICKS)
    consumers = []
    for _ in range(2):
        consumers.append(start_changed("consumer1", "script.KafkaConsumer.commit = lambda *_, **__: None"))
        consumers[-1].wait_for_messages(10)
        consumers[-1].kill()
    assert "10 repeated by group" in verdict(consumers, kafka.log(topic), repeats=5)
