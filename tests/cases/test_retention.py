"""Messages that Kafka deletes before a consumer has read them are reported, with their offsets. No other is skipped."""

import signal
import time
from contextlib import closing

import pytest
from kafka import KafkaProducer, errors

from evidence.judge import assert_sound
from evidence.lines import Lost
from machine.waiting import wait_until
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]
ENDINGS = {"it runs on": None, "Ctrl+C": signal.SIGINT, "kill -9": signal.SIGKILL}


@pytest.mark.parametrize("numbers", [(0, 10), (0, 7), (2, 10), (2, 7)], ids=str)
@pytest.mark.parametrize("ending", ENDINGS)
def test_messages_deleted_under_a_suspended_consumer_are_named(start, kafka, topic, ending, numbers):
    """Whether it runs on or is ended, has read any before or not, and whether any are left or not.

    If it is ended, that happens before it polls again, or after the poll() in which it was suspended.
    """
    read_before, deleted = numbers
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS[:read_before])
    consumers = [start("consumer1")]
    kafka.wait_until_committed(consumers[0].group, topic, {0: read_before})
    consumers[0].send(signal.SIGSTOP)
    kafka.send(topic, TICKS[read_before])  # this may answer the fetch that the consumer waits for
    kafka.send(topic, *TICKS[read_before + 1 :])
    earlier = kafka.messages(topic)
    kafka.delete_before(topic, deleted)
    if ENDINGS[ending]:
        consumers[0].send(ENDINGS[ending])
    consumers[0].send(signal.SIGCONT)
    if ENDINGS[ending]:
        consumers[0].wait()
        consumers.append(start("consumer1", judged_by=kafka))
        consumers[1].wait_for("Resuming partition 0")
    kafka.wait_until_committed(consumers[0].group, topic, {0: 10})
    assert consumers[-1].interrupt() == 0
    runs = printed_by(consumers)
    [lost] = [lost for run in runs for lost in run.of(Lost)]
    assert lost.begin in (read_before, read_before + 1)
    assert lost.end == deleted
    assert_sound(runs, kafka.log(topic, earlier))


@pytest.mark.parametrize("limit", [{"retention_ms": 1000}, {"retention_bytes": 0}], ids=["hours", "bytes"])
def test_what_the_real_retention_deletes_unread_by_age_or_by_size_is_reported(start, kafka, topic, limit):
    """Here retention itself deletes, not a command. A group that is new has lost nothing."""
    kafka.send(topic, *TICKS[:2])
    first = start("consumer1")
    first.wait_for_messages(2)
    first.interrupt()
    kafka.send(topic, *TICKS[2:])
    earlier = kafka.messages(topic)
    kafka.configure(topic, **limit)
    wait_until("retention to delete all messages", lambda: kafka.offsets(topic)[0], (10, 10))
    second, of_a_new_group = start("consumer1", judged_by=kafka), start("consumer2")
    second.wait_for("Resuming")
    kafka.wait_until_committed(of_a_new_group.group, topic, {0: 10})
    assert "LOST" not in of_a_new_group.text()
    assert [line.text for line in second.output if "Waiting" not in line.text] == [
        "[Consumer1] LOST: offsets 2 to 9 of partition 0. Kafka has deleted them.",
        "[Consumer1] Resuming partition 0 at offset 10: 0 behind.",
    ]
    assert_sound(printed_by([first, second]), kafka.log(topic, earlier))


def test_a_message_beyond_its_time_stays_for_as_long_as_newer_ones_are_added(kafka, topic):
    """Kafka deletes whole segments: partition 0 has an old message and a new one, partition 1 an old one alone."""
    kafka.create_topic(topic, partitions=2)
    new = int(time.time() * 1000)
    old = new - 3_600_000
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:
        for partition, timestamp in ((0, old), (0, new), (1, old)):
            producer.send(topic, b"tick", partition=partition, timestamp_ms=timestamp)
    kafka.configure(topic, retention_ms=1_800_000)
    wait_until("retention to delete what is old", lambda: kafka.offsets(topic)[1], (1, 1))
    assert kafka.offsets(topic)[0] == (0, 2)
    kafka.configure(topic, retention_ms=1)
    wait_until("retention to delete all", lambda: kafka.offsets(topic)[0], (2, 2))
    kafka.configure(topic, segment_bytes=2**20)
    with pytest.raises(errors.KafkaError, match="must be at least 1048576"):
        kafka.configure(topic, segment_bytes=2**20 - 1)
