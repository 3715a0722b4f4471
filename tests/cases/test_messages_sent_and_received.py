"""A producer sends what it prints, byte for byte."""

import itertools
import json
import re
import signal


def test_a_tick_is_sent_every_two_seconds_and_stored_byte_for_byte_as_printed(start, kafka, topic):
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
    assert 2000 <= min(pauses) < 2500, pauses  # in ms; on a busy machine, some may be longer
