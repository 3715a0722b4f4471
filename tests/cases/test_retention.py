"""What Kafka has deleted before a consumer has read it is reported, with its offsets; nothing else is skipped."""

import re
import signal
import time
from contextlib import closing

import pytest
from kafka import KafkaProducer, errors

from evidence.judge import assert_sound
from evidence.lines import Lost
from machine.waiting import wait_until
from real_kafka.brokers import Broker
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]
LOOK_OFTEN = {"KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS": 500, "KAFKA_LOG_INITIAL_TASK_DELAY_MS": 500}  # not every 5 min


@pytest.fixture(scope="module")
def bootstrap_servers():
    with Broker(settings=LOOK_OFTEN) as broker:
        yield broker.bootstrap_servers


def stopped_with_eight_unread(start, kafka, topic):
    """Return a consumer that has read two of ten messages and stopped, and the log as it is then."""
    kafka.send(topic, *TICKS[:2])
    consumer = start("consumer1")
    consumer.wait_for_messages(2)
    consumer.interrupt()
    kafka.send(topic, *TICKS[2:])
    return consumer, kafka.messages(topic)


def test_messages_that_retention_deleted_unread_are_reported_with_their_offsets(start, kafka, topic):
    first, earlier = stopped_with_eight_unread(start, kafka, topic)
    kafka.delete_before(topic, 7)
    second = start("consumer1", judged_by=kafka)
    assert second.wait_for_messages(3) == kafka.messages(topic)
    assert [line.text for line in second.output if re.search("Resuming|LOST", line.text)] == [
        "[Consumer1] LOST: offsets 2 to 6 of partition 0. Kafka has deleted them.",
        "[Consumer1] Resuming partition 0 at offset 7: 3 behind.",
    ]
    assert_sound(printed_by([first, second]), kafka.log(topic, earlier))


def end_at_once(consumer, ending):
    """End a suspended consumer: before it polls again, or after the poll() that it is in."""
    consumer.send(ending)
    consumer.send(signal.SIGCONT)
    consumer.wait()


ENDINGS = {"it runs on": None, "Ctrl+C": signal.SIGINT, "kill -9": signal.SIGKILL}


@pytest.mark.parametrize("numbers", [(0, 10), (0, 7), (2, 10), (2, 7)], ids=str)
@pytest.mark.parametrize("ending", ENDINGS)
def test_messages_deleted_under_a_suspended_consumer_are_named(start, kafka, topic, ending, numbers):
    """Whether it runs on or ends, whether it has read any before, and whether any are left."""
    read_before, deleted = numbers
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS[:read_before])
    consumer = start("consumer1")
    kafka.wait_until_committed(consumer.group, topic, {0: read_before})
    consumer.send(signal.SIGSTOP)
    kafka.send(topic, TICKS[read_before])  # it may answer the fetch that the consumer waits for
    kafka.send(topic, *TICKS[read_before + 1 :])
    earlier = kafka.messages(topic)
    kafka.delete_before(topic, deleted)
    if ENDINGS[ending]:
        end_at_once(consumer, ENDINGS[ending])
    else:
        consumer.send(signal.SIGCONT)
        kafka.wait_until_committed(consumer.group, topic, {0: 10})
        consumer.kill()
    second = start("consumer1", judged_by=kafka)
    second.wait_for("Resuming partition 0")
    kafka.wait_until_committed(consumer.group, topic, {0: 10})
    assert second.interrupt() == 0
    consumers = printed_by([consumer, second])
    [lost] = [lost for run in consumers for lost in run.of(Lost)]
    assert lost.begin in (read_before, read_before + 1)
    assert lost.end == deleted
    assert_sound(consumers, kafka.log(topic, earlier))


@pytest.mark.parametrize("limit", [{"retention_ms": 1000}, {"retention_bytes": 0}], ids=["hours", "bytes"])
def test_the_real_retention_deletes_by_age_and_by_size_and_the_loss_is_reported(start, kafka, topic, limit):
    """Not a command that deletes, but retention itself."""
    first, earlier = stopped_with_eight_unread(start, kafka, topic)
    kafka.configure(topic, **limit)
    wait_until("retention to delete all", lambda: kafka.offsets(topic)[0], (10, 10))
    second = start("consumer1", judged_by=kafka)
    second.wait_for(r"LOST: offsets 2 to 9 of partition 0")
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
