"""What Kafka has deleted before a consumer has read it is reported, with its offsets; nothing else is skipped."""

import re
import signal

import pytest

from evidence.judge import assert_sound
from evidence.scripts import runs
from local_kafka.brokers import Broker
from machine.waiting import wait_until

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
    return consumer, kafka.log(topic)


def test_messages_that_retention_deleted_unread_are_reported_with_their_offsets(start, kafka, topic):
    first, earlier = stopped_with_eight_unread(start, kafka, topic)
    kafka.delete_before(topic, 7)
    second = start("consumer1", judged_by=kafka)
    assert second.wait_for_messages(3) == kafka.log(topic)
    assert [line.text for line in second.output if re.search("Resuming|LOST", line.text)] == [
        "[Consumer1] LOST: offsets 2 to 6 of partition 0. Kafka has deleted them.",
        "[Consumer1] Resuming partition 0 at offset 7: 3 behind.",
    ]
    assert_sound(runs([first, second]), kafka.whole_log(topic, earlier))


def test_messages_that_retention_deletes_ahead_of_a_running_consumer_are_reported(start, kafka, topic):
    kafka.send(topic, *TICKS[:2])
    consumer = start("consumer1")
    consumer.wait_for_messages(2)
    kafka.wait_until_committed(f"{topic}-consumer1", topic, {0: 2})
    consumer.send(signal.SIGSTOP)
    kafka.send(topic, TICKS[2])  # this one answers the fetch that the consumer waits for, if that is not over yet
    kafka.send(topic, *TICKS[3:])
    earlier = kafka.log(topic)
    kafka.delete_before(topic, 7)
    consumer.send(signal.SIGCONT)
    consumer.wait_for(r"LOST: offsets [23] to 6 ")
    consumer.wait_until("the three that are left", lambda: consumer.messages()[-3:], kafka.log(topic))
    assert_sound([consumer.run()], kafka.whole_log(topic, earlier))


@pytest.mark.parametrize("limit", [{"retention_ms": 1000}, {"retention_bytes": 0}], ids=["hours", "bytes"])
def test_the_real_retention_deletes_by_age_and_by_size_and_the_loss_is_reported(start, kafka, topic, limit):
    """Not a command that deletes, but retention itself."""
    first, earlier = stopped_with_eight_unread(start, kafka, topic)
    kafka.configure(topic, **limit)
    wait_until("retention to delete all", lambda: kafka.offsets(topic)[0], (10, 10))
    second = start("consumer1", judged_by=kafka)
    second.wait_for(r"LOST: offsets 2 to 9 of partition 0")
    assert_sound(runs([first, second]), kafka.whole_log(topic, earlier))
