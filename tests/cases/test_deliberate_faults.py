"""Real runs of scripts with deliberate faults: the judge catches each fault and names it."""

import pytest

from evidence.judge import assert_sound
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]
START, LAST = r"No committed offset\. Starting (partition \d+) .*", r"Received: .* \((partition \d+), offset 9\)"
# One fault for each partition, from 0 on: the judge's name for it, and what a pattern in the consumer's lines becomes.
FAULTS = [
    ("phantom", "offset 42", r"offset 9\)", "offset 42)"),
    ("wrong value", "offsets 0 to 9", "tick", "TICK"),
    ("poll skip", "offset 3", r".* offset 3\)", ""),
    ("nonmonotonic poll", "offsets 0 to 9", ".* Received: .*", r"\g<0>\n\g<0>"),
    ("false going back", "offset 9", LAST, r"Going back in \1, from offset 9 to offset 0."),
    ("false LOST", "offsets 4 to 9", LAST, r"LOST: offsets 4 to 9 of \1. Kafka has deleted them."),
    ("false place", "offset 0", START, r"Resuming \1 at offset 0: 10 behind."),
    ("false lag", "offset 0", START, r"Resuming \1 at offset 0: 99 behind."),
    ("unplaced", "offset 0", START, ""),
]
PRINTS_FALSE_LINES = f"""
import re
changes = {[change for _, _, *change in FAULTS]}
def print_changed(text, **how):
    for line in text.split("\\n"):
        found = re.search(r"partition (\\d+)", line)
        print(re.sub(*changes[int(found[1])], line) if found else line, **how)
script.print = print_changed
"""


def verdict(scripts, log, repeats=0) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_sound(printed_by(scripts), log, repeats)
    return str(caught.value)


def test_each_fault_of_a_consumer_is_named(start_changed, kafka, topic):
    kafka.create_topic(topic, partitions=len(FAULTS))
    for partition in range(len(FAULTS)):
        kafka.send(topic, *TICKS, partition=partition)
    broken = start_changed("consumer1", PRINTS_FALSE_LINES)
    kafka.wait_until_committed(broken.group, topic, dict.fromkeys(range(len(FAULTS)), 10))
    broken.interrupt()
    found = verdict([broken], kafka.log(topic))
    for partition, (kind, offsets, *_) in enumerate(FAULTS):
        assert f"{kind}: consumer1, partition {partition}, {offsets}: " in found


DELIVERS_BADLY = """
deliver, numbers = script.deliver, iter(range(1_000_000))
def deliver_badly(*given):
    number = next(numbers)
    if number == 0:
        return SimpleNamespace(partition=1, offset=0)
    stored = deliver(*given)
    if number == 1:
        deliver(*given)
    return SimpleNamespace(partition=0, offset=stored.offset ^ 1)
script.deliver = deliver_badly
"""


def test_each_fault_of_a_producer_is_named(start_changed, kafka, topic):
    """Its first tick is not sent, its second is sent twice, and each two of the others change places."""
    kafka.create_topic(topic)
    broken = start_changed("producer1", DELIVERS_BADLY)
    broken.wait_for_messages(4)
    broken.interrupt()
    found = verdict([broken], kafka.log(topic))
    assert "lost write: producer1, partition 1, offset 0: " in found
    assert "duplicate: producers, partition 0, offset" in found
    assert "producer order: producer1, partition 0, offset" in found


DROPS_WHAT_POLL_RETURNED = """
print_messages = script.print_messages
def fail_once(consumer, messages, stop):
    if messages:
        script.print_messages = print_messages
        raise script.errors.KafkaTimeoutError
script.print_messages = fail_once
script.reconnect = lambda consumer, stop: consumer
"""
COMMITS_FIRST = """
def commit_first(consumer, messages, stop):
    consumer.commit()
    time.sleep(60 if messages else 0)
script.print_messages = commit_first
"""


@pytest.mark.parametrize("fault", [DROPS_WHAT_POLL_RETURNED, COMMITS_FIRST], ids=["dropped", "committed first"])
def test_commit_before_print_is_an_unseen_message(start, start_changed, kafka, topic, fault):
    kafka.send(topic, *TICKS)
    broken = start_changed("consumer1", fault)
    kafka.wait_until_committed(broken.group, topic, {0: 10})
    broken.kill()
    second = start("consumer1")
    second.wait_for("Resuming")
    second.interrupt()
    assert f"unseen: group {second.group}, partition 0, offsets 0 to 9: " in verdict([broken, second], kafka.log(topic))


def test_a_consumer_that_never_commits_repeats_too_much(start_changed, kafka, topic):
    """Even a killed consumer may print only one poll's messages again, not all that it has printed."""
    kafka.send(topic, *TICKS)
    consumers = []
    for _ in range(2):
        consumers.append(start_changed("consumer1", "script.KafkaConsumer.commit = lambda *_, **__: None"))
        consumers[-1].wait_for_messages(10)
        consumers[-1].kill()
    assert "10 repeated by group" in verdict(consumers, kafka.log(topic), repeats=5)
