"""Consumers of one group share its partitions, take over from each other, and leave each other alone."""

import signal
import time

import pytest

from evidence.judge import assert_sound, missing
from machine.waiting import wait_until
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]


def held(kafka, topic) -> dict[str, set[int]]:
    """Return which partitions each member of the group `topic` holds, as {client id: their numbers}."""
    members = kafka.snapshot(topic, [topic]).group(topic).members
    return {member.client_id: set(member.partitions) for member in members}


def wait_until_shared_out(kafka, topic, shares):
    wait_until(f"members that hold {shares}", lambda: sorted(map(sorted, held(kafka, topic).values())), shares)


def two_of_a_group(start, kafka, topic):
    """Start consumer1, and when it has both partitions consumer2, in the group `topic`; return them when both read."""
    kafka.create_topic(topic, partitions=2)
    consumers = []
    for name, shared in (("consumer1", [[0, 1]]), ("consumer2", [[0], [1]])):
        consumers.append(start(name, KAFKA_GROUP_ID=topic))
        wait_until_shared_out(kafka, topic, shared)
    for consumer in consumers:
        (partition,) = held(kafka, topic)[consumer.name]
        consumer.wait_for(f"(Resuming|Starting) partition {partition} ")
    return consumers


def send_to_both(kafka, topic):
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)


def test_two_consumers_of_one_group_share_two_partitions_until_one_stops(start, kafka, topic):
    """The first had both until the second came, and prints nothing more of the one that it gave away."""
    first, second = consumers = two_of_a_group(start, kafka, topic)
    send_to_both(kafka, topic)
    kafka.wait_until_committed(topic, topic, {0: 10, 1: 10})
    for consumer in consumers:
        assert {message.partition for message in consumer.messages()} == held(kafka, topic)[consumer.name]
    first.interrupt()
    assert first.text().count(f"Group {topic} will resume partition") == 1
    send_to_both(kafka, topic)
    log = kafka.log(topic)
    second.until("all that was sent", lambda: missing(printed_by(consumers), log), [])
    assert held(kafka, topic) == {"consumer2": {0, 1}}
    assert_sound(printed_by(consumers), log)


def test_a_member_that_restarts_does_not_disturb_the_other(start, kafka, topic):
    """After each ending it is back at once, and the other prints messages alone."""
    first, second = two_of_a_group(start, kafka, topic)
    # They may have joined one after the other; after two heartbeats without a line all is shared out.
    wait_until("four silent seconds", lambda: time.monotonic() - second.output[-1].at, lambda silent: silent > 4)
    before, restarted = len(second.output), [first]
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        restarted[-1].send(ending)
        restarted[-1].wait()
        restarted.append(start("consumer1", judged_by=kafka, KAFKA_GROUP_ID=topic))
        restarted[-1].wait_for("Resuming")
        send_to_both(kafka, topic)
        restarted[-1].wait_for_messages(10)
    second.wait_for_messages(30)
    assert not [line.text for line in second.output[before:] if "Received" not in line.text]
    assert_sound(printed_by([*restarted, second]), kafka.log(topic), repeats=10)


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
    without.until("the ten that came since", lambda: without.messages()[-10:], kafka.messages(topic)[10:])
    assert_sound(printed_by([*consumers, without]), kafka.log(topic), repeats=10)  # in between they may have swapped


@pytest.mark.parametrize("other", ["", "-other"], ids=["one topic", "two topics"])
def test_of_two_copies_one_goes_on_and_the_other_ends_with_the_reason(start, kafka, topic, other):
    read_by_second = topic + other
    for name in {topic, read_by_second}:
        kafka.send(name, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    second = start("consumer1", KAFKA_TOPIC=read_by_second)
    assert first.wait() == 1
    reason = "[Consumer1] Another consumer1 joined the group, so this one ends."
    assert [line.text for line in first.errors] == [reason]
    kafka.send(read_by_second, *TICKS)
    second.until("the ten last", lambda: second.messages()[-10:], kafka.messages(read_by_second)[10:])


HISTORIES = {  # of a consumer's endings before the partition is added, or of those of two in one group
    "runs": [[]],
    "was stopped": [[signal.SIGINT]],
    "was killed": [[signal.SIGKILL]],
    "is stopped meanwhile": [[signal.SIGINT]],
    "of two none": [[], []],
    "of two the first": [[signal.SIGINT], []],
    "of two the second": [[], [signal.SIGKILL]],
    "of two both": [[signal.SIGINT], [signal.SIGINT]],
}


def test_a_partition_that_is_added_is_read_whatever_the_history_of_its_consumers(start, kafka, topic):
    """All at the same time, each on a topic of its own: a consumer notices after up to 20 seconds."""
    played = {}
    for number, (name, endings) in enumerate(HISTORIES.items()):
        own = {"KAFKA_TOPIC": f"{topic}-{number}", "KAFKA_GROUP_ID": f"{topic}-{number}"}
        kafka.create_topic(own["KAFKA_TOPIC"], partitions=len(endings))
        producer = start("producer1", SEND_INTERVAL_SECONDS="0.2", **own)
        consumers = [start(f"consumer{place}", **own) for place in range(1, 1 + len(endings))]
        played[name] = own["KAFKA_TOPIC"], producer, consumers
    created = {own_topic: 1 + len(HISTORIES[name]) for name, (own_topic, _, _) in played.items()}
    for name, (own_topic, _, consumers) in played.items():
        for consumer, endings in zip(list(consumers), HISTORIES[name], strict=True):
            consumer.wait_for("Received")
            for ending in endings:
                consumer.send(ending)
                consumer.wait()
                if "meanwhile" in name:
                    with kafka.admin() as admin:
                        admin.create_partitions({own_topic: created.pop(own_topic)})
                again = start(consumer.name, KAFKA_TOPIC=own_topic, KAFKA_GROUP_ID=own_topic)
                again.wait_for("Received")
                consumers.append(again)
    with kafka.admin() as admin:
        admin.create_partitions(created)
    for name, (own_topic, producer, consumers) in played.items():
        added = f"partition {len(HISTORIES[name])}"
        producer.wait_for(f"{added}, offset 20")
        producer.interrupt()
        log = kafka.log(own_topic)
        wait_until(
            f"all of {added} where it {name}", lambda c=consumers, g=log: missing(printed_by(c), g), [], limit=90
        )
        assert sum(f"Starting {added} at the earliest" in consumer.text() for consumer in consumers) == 1
        repeats = sum(signal.SIGKILL in endings for endings in HISTORIES[name])
        assert_sound(printed_by([producer, *consumers]), log, repeats=repeats)
