"""Consumers of one group share its partitions, take over from each other, and leave each other alone."""

import signal
import time

import pytest

from evidence.judge import assert_sound, missing
from evidence.kafka_itself import Kafka
from evidence.scripts import runs
from local_kafka.brokers import Broker
from machine.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.fixture
def two_of_a_group(start, kafka, topic):
    """A function that starts both consumers in the group `topic`, on a topic of two partitions that they share."""

    def share(kafka=kafka, **settings):
        kafka.create_topic(topic, partitions=2)
        consumers = [start(name, KAFKA_GROUP_ID=topic, **settings) for name in ("consumer1", "consumer2")]
        wait_until(lambda: kafka.members(topic) == 2 and len(kafka.committed(topic, topic)) == 2)
        for consumer in consumers:
            consumer.wait_for(f"Group {topic} gives this consumer 1 of 2 partitions of {topic}.")
        return consumers

    return share


def send_to_both(kafka, topic):
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)


def test_two_consumers_of_one_group_share_two_partitions(two_of_a_group, kafka, topic):
    consumers = two_of_a_group()
    send_to_both(kafka, topic)
    wait_until(lambda: all(len(consumer.messages()) >= 10 for consumer in consumers))
    for consumer in consumers:
        assert len({message.partition for message in consumer.messages()}) == 1
    assert_sound(runs(consumers), kafka.whole_log(topic))


def test_when_one_of_a_group_stops_the_other_has_its_partition(two_of_a_group, kafka, topic):
    first, second = two_of_a_group()
    first.interrupt()
    stopped = time.monotonic()
    send_to_both(kafka, topic)
    log = kafka.whole_log(topic)
    second.wait_until(lambda: not missing([second.run()], log))
    assert time.monotonic() - stopped < 25  # about 10 s, with room for a busy machine; Kafka's default is 45 s
    second.wait_for(f"Group {topic} gives this consumer 2 of 2 partitions of {topic}.")
    assert_sound(runs([first, second]), log)


def test_a_member_that_restarts_does_not_disturb_the_other(start, two_of_a_group, topic):
    """On a Kafka with its own defaults: after each ending it is back at once, and the other prints messages alone."""
    with Broker(settings={"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 3000}) as broker:
        kafka, settings = Kafka(broker.bootstrap_servers), {"bootstrap_servers": broker.bootstrap_servers}
        first, second = two_of_a_group(kafka, **settings)
        # They may have joined one after the other; after two heartbeats without a line all is shared out.
        wait_until(lambda: time.monotonic() > second.output[-1].at + 4)
        before, restarted = len(second.output), [first]
        for ending in ("SIGINT", "SIGTERM", "SIGKILL"):
            restarted[-1].send(getattr(signal, ending))
            restarted[-1].wait()
            send_to_both(kafka, topic)
            restarted.append(start("consumer1", KAFKA_GROUP_ID=topic, **settings))
            restarted[-1].wait_for_messages(10)
        second.wait_for_messages(30)
        assert not [line.text for line in second.output[before:] if "Received" not in line.text]
        assert_sound(runs([*restarted, second]), kafka.whole_log(topic), repeats=10)


def test_a_consumer_that_gets_no_partition_says_so(start, kafka, topic):
    kafka.create_topic(topic, partitions=1)
    consumers = [start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2")]
    line = f"Group {topic} gives this consumer 0 of 1 partitions of {topic}."
    wait_until(lambda: any(line in consumer.text() for consumer in consumers))


def test_of_two_copies_one_goes_on_and_the_other_ends_with_the_reason(start, kafka, topic):
    kafka.send(topic, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    second = start("consumer1")
    assert first.wait() == 1
    reason = f"[Consumer1] Another consumer1 has joined group {topic}-consumer1: it goes on, this one ends."
    assert [line.text for line in first.errors] == [reason]
    kafka.send(topic, *TICKS)
    assert second.wait_for_messages(10) == kafka.log(topic)[10:]


def test_partitions_added_to_the_topic_are_written_and_read(start, kafka, topic):
    """Also by a consumer that was restarted, which Kafka does not tell that it leads its group."""
    kafka.create_topic(topic)
    producer = start("producer1", SEND_INTERVAL_SECONDS="0.2")
    first, other = start("consumer1"), start("consumer2")
    first.wait_for_messages(1)
    first.interrupt()
    consumers = [start("consumer1"), other]
    for consumer in consumers:
        consumer.wait_for_messages(1)
    with kafka.admin() as admin:
        admin.create_partitions({topic: 2})
    producer.wait_for("partition 1")
    for consumer in consumers:
        consumer.wait_for(f"Group {consumer.group} gives this consumer 2 of 2 partitions of {topic}.")
        consumer.wait_for("No committed offset. Starting partition 1 at the earliest")
        consumer.wait_for("Received.*partition 1, offset 0")
