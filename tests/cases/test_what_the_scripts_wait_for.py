"""What a script says while it can't go on is true: no Kafka, no topic, no partition, another copy."""

import sys

import pytest

from evidence.kafka_itself import Kafka
from local_kafka.brokers import Broker
from local_kafka.files import ROOT

AWAY, BACK = "Kafka does not answer: waiting for it.", "Kafka answers again."
TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.fixture(scope="module")
def broker_that_creates_no_topic():
    """A broker with auto.create.topics.enable=false, as many clusters have it."""
    with Broker(settings={"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false"}) as broker:
        yield broker


def test_a_missing_topic_is_not_called_a_missing_kafka(start, broker_that_creates_no_topic, topic):
    kafka = Kafka(broker_that_creates_no_topic.bootstrap_servers)
    scripts = [
        start(name, bootstrap_servers=broker_that_creates_no_topic.bootstrap_servers)
        for name in ("producer1", "producer2", "consumer1", "consumer2")
    ]
    for script in scripts:
        line = script.wait_for("does not exist").text
        assert line.endswith(f"Topic {topic} does not exist: waiting for it to be created.")
    kafka.create_topic(topic)
    for script in scripts:
        script.wait_for(f"Topic {topic} exists now.")
        script.wait_for_messages(10)
        assert AWAY not in script.text()
        assert script.text().count("does not exist") == 1


def test_a_topic_that_is_deleted_under_a_consumer_is_named(start, broker_that_creates_no_topic, topic):
    kafka = Kafka(broker_that_creates_no_topic.bootstrap_servers)
    kafka.create_topic(topic)
    consumer = start("consumer1", bootstrap_servers=broker_that_creates_no_topic.bootstrap_servers)
    consumer.wait_for("at offset 0")
    with kafka.admin() as admin:
        admin.delete_topics([topic])
    consumer.wait_for(f"Topic {topic} does not exist")
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS)
    consumer.wait_for_messages(10)
    assert AWAY not in consumer.text()


def test_a_copy_of_a_consumer_that_waits_for_a_partition_ends_the_first(start, kafka, topic, reader_and_waiter):
    """Else, when reader and copy have stopped, the group has no member: the first waits for ever."""
    reader, waiter = reader_and_waiter
    copy = start(waiter.name, KAFKA_GROUP_ID=topic)
    assert waiter.wait() == 1
    reason = f"Another {waiter.name} has joined group {topic}: it goes on, this one ends."
    assert [line.text.partition("] ")[2] for line in waiter.errors] == [reason]
    assert copy.process.poll() is None
    assert reader.interrupt() == 0
    kafka.send(topic, *TICKS)
    assert copy.wait_for_messages(10) == kafka.log(topic)


def test_partitions_added_to_the_topic_are_written_and_read(start, kafka, topic):
    """Also by a consumer that was restarted, which Kafka does not tell that it leads its group."""
    kafka.create_topic(topic)
    settings = {"SEND_INTERVAL_SECONDS": "0.2"}
    producers = [start(name, **settings) for name in ("producer1", "producer2")]
    consumers = [start(name) for name in ("consumer1", "consumer2")]
    consumers[0].wait_for_messages(1)
    consumers[0].interrupt()
    consumers[0] = start("consumer1")
    for consumer in consumers:
        consumer.wait_for_messages(1)
    with kafka.admin() as admin:
        admin.create_partitions({topic: 2})
    for script in producers:
        script.wait_for("partition 1")
    for script in consumers:
        script.wait_for(f"No committed offset. Starting at the earliest: {topic}-1 at offset 0")
        script.wait_for("Received.*partition 1, offset 0")


def test_a_tick_that_kafka_refuses_is_named(start, kafka, topic):
    kafka.create_topic(topic)
    kafka.configure(topic, max_message_bytes=50)
    producer = start("producer1")
    assert producer.wait() == 1
    assert len(producer.errors) == 1
    assert '"symbol":"AAPL"' in producer.errors[0].text
    assert "Kafka refuses this tick (MessageSizeTooLargeError)" in producer.errors[0].text
    assert kafka.log(topic) == []


SLOW_TO_TIME_OUT = f"""
import runpy, time
from kafka import errors
from kafka.producer.future import FutureRecordMetadata

get = FutureRecordMetadata.get
def get_slowly(self, timeout=None):
    try:
        return get(self, 0.001)
    except errors.KafkaTimeoutError:
        time.sleep(0.05)
        raise
FutureRecordMetadata.get = get_slowly
runpy.run_path({str(ROOT / "producer1.py")!r}, run_name="__main__")
"""


def test_an_acknowledgement_that_comes_as_the_wait_ends_is_not_taken_for_a_failure(start, kafka, topic):
    """The moment between a timeout and the look at its reason is made long: 0.05 s, each time."""
    producer = start("producer1", command=[sys.executable, "-c", SLOW_TO_TIME_OUT])
    producer.wait_for_messages(20)
    assert producer.interrupt() == 0
    assert kafka.log(topic) == producer.messages()
