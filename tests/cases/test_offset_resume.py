"""A consumer that is started again resumes at its group's committed offset. It misses nothing, and says so."""

import re
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from confluent_kafka import Consumer
from kafka import KafkaProducer

from evidence.judge import assert_sound
from machine.waiting import wait_until
from real_kafka.brokers import SMALL, Broker
from real_kafka.client import Kafka
from running.scripts import printed_by

TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_restart_resumes_at_the_committed_offset_long_before_its_session_ends(start, kafka, topic, ending):
    """A restart that waited for the session to end would take five to seven seconds longer than a first start."""
    kafka.send(topic, *TICKS[:4])
    first = start("consumer1", judged_by=kafka)
    first.wait_for_messages(4)
    first.wait_for(r"^\[Consumer1\] No committed offset\. Starting partition 0 at the earliest offset\.$")
    kafka.wait_until_committed(first.group, topic, {0: 4})
    first.send(ending)
    assert first.wait() == (-ending if ending == signal.SIGKILL else 0)
    if ending != signal.SIGKILL:
        assert [line.text for line in first.output[-2:]] == [
            f"[Consumer1] Group {first.group} will resume partition 0 at offset 4.",
            "[Consumer1] Stopped.",
        ]
    kafka.send(topic, *TICKS[4:])
    second = start("consumer1", judged_by=kafka)
    second.wait_for_messages(6)
    seconds = [script.wait_for("Received").at - script.started for script in (first, second)]
    assert seconds[1] < seconds[0] + 4
    second.wait_for(r"^\[Consumer1\] Resuming partition 0 at offset 4: 6 behind\.$")
    assert first.messages() + second.messages() == kafka.messages(topic)
    assert_sound(printed_by([first, second]), kafka.log(topic))


def test_a_consumer_killed_while_it_joins_for_the_first_time_starts_again(start, topic):
    """A join takes three seconds here: as by default, Kafka waits for more members of a new group."""
    with (
        Broker(settings={**SMALL, "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 3000}) as broker,
        closing(Kafka(broker.bootstrap_servers)) as kafka,
    ):
        kafka.send(topic, *TICKS)
        first = start("consumer1", bootstrap_servers=broker.bootstrap_servers)
        first.until("Kafka to let it in", lambda: kafka.members(first.group), 1)
        first.kill()
        assert not first.messages()
        second = start("consumer1", bootstrap_servers=broker.bootstrap_servers, judged_by=kafka)
        assert second.wait_for_messages(10) == kafka.messages(topic)
        second.interrupt()
        assert_sound(printed_by([first, second]), kafka.log(topic))


def test_a_consumer_killed_while_it_waits_for_its_topic_starts_again(start, kafka, topic):
    """The trap: it joins before it knows the new topic and gets no partition, and so its next start gets none."""
    first = start("consumer1")
    first.wait_for("Waiting for topic|Starting")  # its own question creates the topic: soon, but not always after it
    kafka.send(topic, TICKS[0])
    first.kill()
    second = start("consumer1")
    second.wait_for("Resuming partition 0 at offset 1|Received: .*offset 0")
    assert_sound(printed_by([first, second]), kafka.log(topic), repeats=1)


def test_thirty_restarts_lose_nothing_however_and_whenever_a_consumer_is_ended(start, kafka, topic):
    """100 messages come a second. Every other consumer prints some and is ended; the rest are killed at any moment."""
    producers = start("producer1"), start("producer2")
    consumers, uncommitted = [], 0
    for number in range(30):
        consumer = start("consumer1", judged_by=kafka)
        consumers.append(consumer)
        if number % 2:
            consumer.wait_for_messages(number)
            ending = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
        else:
            time.sleep(number / 60)  # this test is about the moment: it connects, joins, prints, commits
            ending = signal.SIGKILL
        consumer.send(ending)
        assert consumer.wait() == (-ending if ending == signal.SIGKILL else 0), consumer.text()
        assert not consumer.errors
        if printed := consumer.messages():
            left = printed[-1].offset + 1 - kafka.committed(consumer.group, topic).get(0, 0)
            assert left == 0 or ending == signal.SIGKILL
            uncommitted += left
    for producer in producers:
        assert producer.interrupt() == 0
    consumers.append(start("consumer1", judged_by=kafka))
    log = kafka.log(topic)
    kafka.wait_until_committed(consumers[-1].group, topic, {0: len(log.messages)})
    assert_sound(printed_by([*producers, *consumers]), log, repeats=uncommitted)


def test_a_group_starts_at_the_latest_if_told_so_and_keeps_that_place(start, kafka, topic):
    """The place is committed at once: a consumer that is killed before any message must not go to the latest again.

    What was deleted below it was never the group's to read, so it is no loss.
    """
    kafka.create_topic(topic, partitions=2)
    kafka.send(topic, *TICKS, partition=0)
    first = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    kafka.wait_until_committed(first.group, topic, {0: 10, 1: 0})
    kafka.delete_before(topic, 7)
    kafka.send(topic, b"new", partition=0)
    assert [message.value for message in first.wait_for_messages(1)] == ["new"]
    kafka.wait_until_committed(first.group, topic, {0: 11, 1: 0})
    first.kill()
    for partition in (0, 1):
        assert f"No committed offset. Starting partition {partition} at the latest offset." in first.text()
        kafka.send(topic, *TICKS, partition=partition)
    second = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    assert sorted(second.wait_for_messages(20)) == kafka.messages(topic)[4:]
    assert "LOST" not in first.text() + second.text()


def test_a_topic_with_transactions_is_read_to_its_end_and_nothing_is_called_lost(start, kafka, topic):
    """Aborted messages are not printed. The marker that ends a transaction takes an offset, which is no loss."""
    kafka.create_topic(topic)
    first = start("consumer1")
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    producer.init_transactions()
    for number in range(6):
        producer.begin_transaction()
        producer.send(topic, b"aborted" if number % 2 else b"committed")
        producer.flush()
        (producer.abort_transaction if number % 2 else producer.commit_transaction)()
        first.wait_for_messages(1 + number // 2)  # so each message comes with a poll() of its own
    producer.close()
    kafka.wait_until_committed(first.group, topic, {0: 12})
    first.interrupt()
    assert first.output[-2].text == f"[Consumer1] Group {first.group} will resume partition 0 at offset 12."
    second = start("consumer1", judged_by=kafka)
    second.wait_for("Resuming .* at offset 12: 0 behind")
    assert [message.value for message in first.messages()] == ["committed"] * 3
    assert_sound(printed_by([first, second]), kafka.log(topic))
    assert "LOST" not in first.text() + second.text()


ONE_COMMIT_FAILS = """
commit = script.KafkaConsumer.commit
def fail_after_printing(self, **_):
    script.KafkaConsumer.commit = commit
    raise ArithmeticError("no error of Kafka's")
script.KafkaConsumer.commit = fail_after_printing
"""


def test_what_is_printed_and_not_committed_comes_again_after_an_error(start, start_changed, kafka, topic):
    """After an error of any kind, the consumer takes a new client and resumes at the committed offset."""
    kafka.send(topic, *TICKS[:2])
    first = start("consumer1")
    first.wait_for_messages(2)
    first.interrupt()
    kafka.send(topic, *TICKS[2:])
    second = start_changed("consumer1", ONE_COMMIT_FAILS, judged_by=kafka)
    second.wait_for_messages(16)
    second.interrupt()
    assert [line.text for line in second.output if not re.search("Received|Waiting for group", line.text)] == [
        "[Consumer1] Resuming partition 0 at offset 2: 8 behind.",
        "[Consumer1] Waiting: ArithmeticError.",
        "[Consumer1] Resuming partition 0 at offset 2: 8 behind.",
        f"[Consumer1] Group {second.group} will resume partition 0 at offset 10.",
        "[Consumer1] Stopped.",
    ]
    assert not second.errors
    assert_sound(printed_by([first, second]), kafka.log(topic), repeats=8)


def test_a_committed_offset_beyond_the_end_of_the_log_is_reported(start, kafka, topic):
    kafka.send(topic, *TICKS[:3])
    kafka.commit(f"{topic}-consumer1", topic, 42)
    consumer = start("consumer1", judged_by=kafka)
    assert consumer.wait_for_messages(3) == kafka.messages(topic)
    consumer.wait_for("Going back in partition 0, from offset 42 to offset 0.")


def test_a_rewound_group_reads_again(start, kafka, topic):
    """With the command of EXPERIMENTS.md. Kafka allows it only when the stopped consumer's session is over."""
    kafka.send(topic, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    first.interrupt()
    wait_until("the end of its session", lambda: kafka.members(first.group), 0)
    admin = [sys.executable, "-m", "kafka.admin", "-b", kafka.bootstrap_servers[0]]
    rewind = [*admin, "groups", "reset-offsets", "-g", first.group, "-p", f"{topic}:0", "--to-offset", "3"]
    subprocess.run(rewind, check=True, capture_output=True, timeout=60)
    second = start("consumer1", judged_by=kafka)
    assert second.wait_for_messages(7) == kafka.messages(topic)[3:]
    second.wait_for("Resuming partition 0 at offset 3: 7 behind")
    assert_sound(printed_by([first, second]), kafka.log(topic), repeats=7)


def test_a_consumer_of_another_client_library_and_this_one_take_over_from_each_other(start, kafka, topic):
    """Bytes and committed offsets are plain Kafka: librdkafka resumes where consumer1.py stopped, and vice versa."""
    kafka.send(topic, *TICKS[:3])
    first = start("consumer1")
    first.wait_for_messages(3)
    assert first.interrupt() == 0
    kafka.send(topic, *TICKS[3:6])
    settings = {"bootstrap.servers": kafka.bootstrap_servers[0], "group.id": first.group, "enable.auto.commit": False}
    other, seen = Consumer(settings), []
    other.subscribe([topic])

    def receive():
        if message := other.poll(1):
            seen.append((message.offset(), message.value()))
        return seen

    wait_until("the other client to read three messages", receive, list(enumerate(TICKS))[3:6], every=0)
    other.commit(asynchronous=False)
    other.close()
    kafka.send(topic, *TICKS[6:])
    second = start("consumer1", judged_by=kafka)
    assert second.wait_for_messages(4) == kafka.messages(topic)[6:]
    assert_sound([second.printed()], kafka.log(topic))
