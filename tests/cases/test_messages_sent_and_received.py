"""Both producers write to one topic; both consumers print everything in it, byte for byte."""

import json
import re
import signal
import time

import pytest
from kafka import KafkaConsumer

from evidence.judge import assert_sound
from evidence.scripts import runs
from local_kafka.waiting import wait_until


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_tick_is_stored_byte_for_byte_as_it_is_printed(start, kafka, topic, number, ending):
    producer = start(f"producer{number}")
    producer.wait_for_messages(3)
    producer.send(getattr(signal, ending))
    assert producer.wait() == 0
    tick = re.compile(rf'{{"symbol":"AAPL","price":"\d{{1,4}}\.\d\d","broker":"Broker{number}"}}')
    assert kafka.log(topic) == producer.messages()
    for message, line in zip(producer.messages(), producer.output, strict=False):
        assert tick.fullmatch(message.value)
        assert 0 <= float(json.loads(message.value)["price"]) <= 1000
        assert line.text == f"[Broker{number}] Sent: {message.value} (partition 0, offset {message.offset})"


def test_ticks_have_no_key(start, kafka, topic):
    producer = start("producer1")
    producer.wait_for_messages(1)
    reader = KafkaConsumer(topic, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    records = next(iter(reader.poll(timeout_ms=30000).values()))
    reader.close()
    assert records[0].key is None


def test_a_tick_is_sent_every_two_seconds_by_default(start, topic):
    producer = start("producer1", SEND_INTERVAL_SECONDS="2")
    producer.wait_for_messages(3)
    assert producer.output[2].at - producer.output[0].at >= 3.5  # it may be late on a busy machine, but never early


def test_both_consumers_print_everything_of_both_producers(start, kafka, topic):
    producers = start("producer1"), start("producer2")
    consumers = start("consumer1"), start("consumer2")
    for producer in producers:
        producer.wait_for_messages(50)
        assert producer.interrupt() == 0
    log = kafka.whole_log(topic)
    for consumer in consumers:
        consumer.wait_for_messages(len(log.messages))
        assert consumer.interrupt() == 0
        assert not consumer.errors
    assert_sound(runs([*producers, *consumers]), log)


def test_a_received_line_looks_as_documented(start, kafka, topic):
    kafka.send(topic, b'{"symbol":"AAPL","price":"969.94","broker":"Broker1"}')
    consumer = start("consumer1")
    line = consumer.wait_for("Received").text
    expected = '{"symbol":"AAPL","price":"969.94","broker":"Broker1"} (partition 0, offset 0)'
    assert line == f"[Consumer1] Received: {expected}"


def test_an_offset_is_committed_only_after_its_line_is_printed(start, kafka, topic):
    """A consumer whose output nobody reads can't print everything, so it may commit nothing but where it starts."""
    kafka.send(topic, *[b"x" * 1000] * 300)  # more than a pipe holds
    consumer, group = start("consumer1", redirect="| sleep 60"), f"{topic}-consumer1"
    wait_until(lambda: kafka.members(group) == 1)
    time.sleep(3)  # there is no condition to wait for: what must not happen is a commit
    assert kafka.committed(group, topic).get(0, 0) == 0
    assert consumer.process.poll() is None
