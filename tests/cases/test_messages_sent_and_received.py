"""Both producers write to one topic; both consumers print everything in it, byte for byte."""

import contextlib
import itertools
import json
import re
import signal
import sys

import pytest
from kafka import KafkaConsumer

from evidence.judge import assert_sound
from evidence.scripts import runs
from local_kafka.files import ROOT
from machine.waiting import wait_until


def stored(kafka, topic, count):
    """Return the first records of a topic, as the client has them."""
    reader = KafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
    )
    with contextlib.closing(reader):
        return list(itertools.islice(reader, count))


@pytest.mark.parametrize(("number", "ending"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_a_tick_is_stored_byte_for_byte_as_it_is_printed_and_without_a_key(start, kafka, topic, number, ending):
    producer = start(f"producer{number}")
    producer.wait_for_messages(3)
    producer.send(ending)
    assert producer.wait() == 0
    *lines, last = [line.text for line in producer.output]
    assert last == f"[Broker{number}] Stopped."
    for record, line in zip(stored(kafka, topic, len(lines)), lines, strict=True):
        tick = record.value.decode()
        assert line == f"[Broker{number}] Sent: {tick} (partition 0, offset {record.offset})"
        assert re.fullmatch(rf'{{"symbol":"AAPL","price":"\d{{1,4}}\.\d\d","broker":"Broker{number}"}}', tick)
        assert 0 <= float(json.loads(tick)["price"]) <= 1000
        assert record.key is None


def test_a_tick_is_sent_every_two_seconds_by_default(start, kafka, topic):
    kafka.create_topic(topic)
    start("producer1", command=["env", "-u", "SEND_INTERVAL_SECONDS", sys.executable, str(ROOT / "producer1.py")])
    first, _, third = stored(kafka, topic, 3)
    assert third.timestamp - first.timestamp >= 4000  # ms: two pauses, and on a busy machine more


def test_both_consumers_print_everything_of_both_producers_as_documented(start, kafka, topic):
    producers = start("producer1"), start("producer2")
    consumers = start("consumer1"), start("consumer2")
    for producer in producers:
        producer.wait_for_messages(50)
        assert producer.interrupt() == 0
    log = kafka.whole_log(topic)
    received = [f"Received: {message.value} (partition 0, offset {message.offset})" for message in log.messages]
    for consumer, name in zip(consumers, ("Consumer1", "Consumer2"), strict=True):
        consumer.wait_for_messages(len(log.messages))
        assert consumer.interrupt() == 0
        assert [line.text for line in consumer.output if "Received" in line.text] == [
            f"[{name}] {text}" for text in received
        ]
        assert not consumer.errors
    assert_sound(runs([*producers, *consumers]), log)


def test_an_offset_is_committed_only_after_its_line_is_printed(start, kafka, topic, tmp_path):
    """A consumer whose output nobody reads can't print everything, so it may commit nothing but where it starts."""
    kafka.send(topic, *[b"x" * 1000] * 300)  # more than a pipe holds
    first_byte, may_read = tmp_path / "first-byte", tmp_path / "may-read"
    reader = f"dd bs=1 count=1 of='{first_byte}'; until [ -e '{may_read}' ]; do sleep 0.1; done; cat '{first_byte}' -"
    consumer = start("consumer1", redirect=f"| ({reader})")
    wait_until(lambda: first_byte.exists() and first_byte.read_bytes())
    assert kafka.committed(consumer.group, topic).get(0, 0) == 0
    may_read.touch()
    consumer.wait_for_messages(300)
    wait_until(lambda: kafka.committed(consumer.group, topic) == {0: 300})
