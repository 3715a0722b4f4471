"""Consumers of one group share the partitions, take over from each other, and do not disturb each other."""

import itertools
import signal
import time

import pytest

from evidence.judge import assert_sound, missing
from machine.waiting import wait_until
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]


def held(kafka, topic) -> dict[str, set[int]]:
    """Return the partitions that each member of the group `topic` holds, as {client id: partition numbers}."""
    members = kafka.snapshot(topic, [topic]).group(topic).members
    return {member.client_id: set(member.partitions) for member in members}


def wait_until_shared_out(kafka, topic, shares):
    wait_until(f"the members to hold {shares}", lambda: sorted(map(sorted, held(kafka, topic).values())), shares)


def send_to_both(kafka, topic):
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)


def test_two_consumers_of_one_group_share_two_partitions_through_restarts_of_one_until_it_stops(start, kafka, topic):
    """consumer1 has both partitions until consumer2 comes, and then prints nothing more of the one that it gave away.

    However consumer1 is ended, it is back at once, and meanwhile consumer2 prints messages and nothing else.
    """
    kafka.create_topic(topic, partitions=2)
    first = start("consumer1", KAFKA_GROUP_ID=topic)
    wait_until_shared_out(kafka, topic, [[0, 1]])
    second = start("consumer2", KAFKA_GROUP_ID=topic)
    wait_until_shared_out(kafka, topic, [[0], [1]])
    for consumer in (first, second):
        (partition,) = held(kafka, topic)[consumer.name]
        consumer.wait_for(f"(Resuming|Starting) partition {partition} ")
    # They may have joined one after the other. After two heartbeats without a line, all partitions are shared out.
    wait_until("four silent seconds", lambda: time.monotonic() - second.output[-1].at, lambda silent: silent > 4)
    before, firsts = len(second.output), [first]
    for number, ending in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGKILL), 1):
        send_to_both(kafka, topic)
        kafka.wait_until_committed(topic, topic, {0: 10 * number, 1: 10 * number})
        for consumer in (firsts[-1], second):
            assert {message.partition for message in consumer.messages()} == held(kafka, topic)[consumer.name]
        firsts[-1].send(ending)
        firsts[-1].wait()
        firsts.append(start("consumer1", judged_by=kafka, KAFKA_GROUP_ID=topic))
        firsts[-1].wait_for("Resuming")
    assert not [line.text for line in second.output[before:] if "Received" not in line.text]
    firsts[-1].interrupt()
    assert firsts[-1].text().count(f"Group {topic} will resume partition") == 1
    send_to_both(kafka, topic)
    log = kafka.log(topic)
    second.until("all that was sent", lambda: missing(printed_by([*firsts, second]), log), [])
    assert held(kafka, topic) == {"consumer2": {0, 1}}
    assert_sound(printed_by([*firsts, second]), log)


def test_a_consumer_that_gets_no_partition_says_so_and_takes_over(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumers = [start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2")]
    told = f"Waiting for group {topic} to give this consumer a partition of {topic}."
    wait_until_shared_out(kafka, topic, [[], [0]])
    without = next(consumer for consumer in consumers if not held(kafka, topic)[consumer.name])
    without.wait_for(told)
    kafka.wait_until_committed(topic, topic, {0: 10})
    consumers.remove(without)
    consumers[0].interrupt()
    without.wait_for("Resuming partition 0 at offset 10: 0 behind.")
    kafka.send(topic, *TICKS)
    without.until("the ten new messages", lambda: without.messages()[-10:], kafka.messages(topic)[10:])
    assert_sound(printed_by([*consumers, without]), kafka.log(topic), repeats=10)  # the two may have swapped meanwhile


@pytest.mark.parametrize("other", ["", "-other"], ids=["one topic", "two topics"])
def test_of_two_copies_one_goes_on_and_the_other_ends_with_the_reason(start, kafka, topic, other):
    """With two topics, the first copy may learn of the rebalance before it is fenced. Then it ends the second."""
    for name in {topic, topic + other}:
        kafka.send(name, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    second = start("consumer1", KAFKA_TOPIC=topic + other)
    reads = {first: topic, second: topic + other}
    [ended] = wait_until("one of them to end", lambda: [copy for copy in reads if copy.has_ended()])
    assert ended is first or other
    assert ended.process.returncode == 1
    reason = "[Consumer1] Another consumer1 joined the group, so this one ends."
    assert [line.text for line in ended.errors] == [reason]
    [(goes_on, its_topic)] = {copy: name for copy, name in reads.items() if copy is not ended}.items()
    kafka.send(its_topic, *TICKS)
    goes_on.until("the ten last", lambda: goes_on.messages()[-10:], kafka.messages(its_topic)[10:])


HISTORIES = {  # how each consumer of a group is ended and started again before the partition is added
    "runs": [None],
    "was stopped": [signal.SIGINT],
    "was killed": [signal.SIGKILL],
    "of two none": [None, None],
    "of two the first": [signal.SIGINT, None],
    "of two the second": [None, signal.SIGKILL],
    "of two both": [signal.SIGINT, signal.SIGINT],
    "is stopped meanwhile": [signal.SIGINT],  # the last: the partition is added while it is stopped
}


def test_a_partition_that_is_added_is_read_whatever_the_history_of_its_consumers(start, kafka, topic):
    """All histories play on one topic, each in a group of its own. A consumer notices after up to 20 seconds."""
    kafka.create_topic(topic, partitions=2)
    producer = start("producer1", SEND_INTERVAL_SECONDS="0.2")
    groups = {
        name: [start(f"consumer{place}", KAFKA_GROUP_ID=f"{topic} {name}") for place, _ in enumerate(endings, 1)]
        for name, endings in HISTORIES.items()
    }
    for consumer in itertools.chain(*groups.values()):
        consumer.wait_for("Received")
    for name, consumers in groups.items():
        for consumer, ending in zip(list(consumers), HISTORIES[name], strict=True):
            if ending:
                consumer.send(ending)
                consumer.wait()
                if "meanwhile" in name:
                    with kafka.admin() as admin:
                        admin.create_partitions({topic: 3})
                again = start(consumer.name, KAFKA_GROUP_ID=consumer.group)
                again.wait_for("Received")
                consumers.append(again)
    producer.wait_for("partition 2, offset 20")
    producer.interrupt()
    log = kafka.log(topic)
    for name, consumers in groups.items():
        wait_until(f"all of partition 2 where it {name}", lambda c=consumers: missing(printed_by(c), log), [], limit=90)
        assert sum("Starting partition 2 at the earliest" in consumer.text() for consumer in consumers) == 1
        repeats = HISTORIES[name].count(signal.SIGKILL)
        assert_sound(printed_by([producer, *consumers]), log, repeats=repeats)
