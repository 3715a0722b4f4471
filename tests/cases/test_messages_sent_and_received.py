"""Both producers write to one topic; both consumers print everything in it, byte for byte."""

import itertools
import json
import re
import signal

import pytest

from machine.waiting import wait_until
from running.scripts import end_and_judge


def test_a_tick_is_sent_every_two_seconds_and_stored_byte_for_byte_as_it_is_printed(start, kafka, topic):
    kafka.create_topic(topic)
    producer = start("producer2", SEND_INTERVAL_SECONDS="")  # the default
    producer.wait_for_messages(3)
    producer.send(signal.SIGTERM)
    assert producer.wait() == 0
    *lines, last = [line.text for line in producer.output]
    assert last == "[Producer2] Stopped."
    records = kafka.records(topic)
    for record, line in zip(records, lines, strict=True):
        tick = record.value.decode()
        assert line == f"[Producer2] Sent: {tick} (partition 0, offset {record.offset})"
        assert re.fullmatch(r'{"symbol":"AAPL","price":"\d{1,4}\.\d\d","broker":"Broker2"}', tick)
        assert 0 <= float(json.loads(tick)["price"]) <= 1000
        assert record.key is None
    pauses = [later.timestamp - earlier.timestamp for earlier, later in itertools.pairwise(records)]
    assert 2000 <= min(pauses) < 2500, pauses  # ms; on a busy machine one may be longer


def test_both_consumers_print_everything_of_both_producers(start, kafka, topic):
    end_and_judge([start(name) for name in ("producer1", "producer2", "consumer1", "consumer2")], kafka, topic)


@pytest.mark.needs("bash", "dd", "sleep", "cat")
def test_an_offset_is_committed_only_after_its_line_is_printed(start, kafka, topic, tmp_path):
    """A consumer whose output nobody reads can't print everything, so it may commit nothing but where it starts."""
    kafka.send(topic, *[b"x" * 1000] * 300)  # more than a pipe holds
    first_byte, may_read = tmp_path / "first-byte", tmp_path / "may-read"
    reader = f"dd bs=1 count=1 of='{first_byte}'; until [ -e '{may_read}' ]; do sleep 0.1; done; cat '{first_byte}' -"
    consumer = start("consumer1", redirect=f"| ({reader})")
    wait_until("the first byte to be read", lambda: first_byte.exists() and first_byte.read_bytes())
    assert kafka.committed(consumer.group, topic).get(0, 0) == 0
    may_read.touch()
    consumer.wait_for_messages(300)
    kafka.wait_until_committed(consumer.group, topic, {0: 300})
