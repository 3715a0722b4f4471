"""A consumer that starts again goes on at its group's committed offset: nothing is missed, and it says so."""

import random
import re
import signal
import subprocess
import sys
import time

import pytest
from confluent_kafka import Consumer
from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from evidence.judge import assert_sound
from evidence.scripts import runs
from local_kafka.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM"])
def test_restart_after_a_clean_stop_resumes_at_the_committed_offset(start, kafka, topic, ending):
    kafka.send(topic, *TICKS[:4])
    first = start("consumer1")
    first.wait_for_messages(4)
    first.send(getattr(signal, ending))
    assert first.wait() == 0
    assert first.output[-1].text == f"[Consumer1] Stopped. The next start resumes {topic}-0 at offset 4."
    assert kafka.committed(f"{topic}-consumer1", topic) == {0: 4}
    kafka.send(topic, *TICKS[4:])
    second = start("consumer1")
    second.wait_for_messages(6)
    assert second.output[0].text == f"[Consumer1] Resuming {topic}-0 at offset 4: 6 offsets behind"
    second.interrupt()
    assert first.messages() + second.messages() == kafka.log(topic)


def test_restart_after_kill_9_resumes_after_the_last_committed_offset(start, kafka, topic):
    kafka.send(topic, *TICKS[:4])
    first = start("consumer1")
    first.wait_for("Caught up")
    wait_until(lambda: kafka.committed(f"{topic}-consumer1", topic) == {0: 4})
    first.kill()
    kafka.send(topic, *TICKS[4:])
    second = start("consumer1")
    second.wait_for_messages(6)
    assert second.output[0].text == f"[Consumer1] Resuming {topic}-0 at offset 4: 6 offsets behind"
    assert first.messages() + second.messages() == kafka.log(topic)


def test_a_killed_consumer_is_replaced_long_before_its_session_ends(start, kafka, topic):
    """Its session lasts 7 s; a restart that had to wait for its end would be slower than one that does not."""
    kafka.send(topic, *TICKS)
    waits = []
    for _ in range(5):
        consumer = start("consumer1", KAFKA_AUTO_OFFSET_RESET="earliest")
        waits.append(consumer.wait_for("Resuming|No committed").at - consumer.started)
        consumer.kill()
    assert min(waits[1:]) < 5  # the best of four, so that a busy machine does not matter


def test_a_consumer_killed_while_it_joins_for_the_first_time_starts_again(start, kafka, topic):
    """The trap: it joins before it knows the new topic, is given nothing, and its next start inherits just that."""
    chance = random.Random(topic)
    for number in range(12):
        settings = {"KAFKA_TOPIC": f"{topic}-{number}", "KAFKA_GROUP_ID": f"{topic}-{number}"}
        first = start("consumer1", **settings)
        time.sleep(chance.uniform(0.25, 0.75))  # the moment is the test's subject
        first.kill()
        kafka.send(settings["KAFKA_TOPIC"], TICKS[0])
        second = start("consumer1", **settings)
        second.wait_for_messages(1)
        second.kill()


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_two_dozen_restarts_at_100_messages_a_second_lose_nothing(start, kafka, topic, ending):
    producers = start("producer1", SEND_INTERVAL_SECONDS="0.02"), start("producer2", SEND_INTERVAL_SECONDS="0.02")
    consumers, chance, group, uncommitted = [], random.Random(ending), f"{topic}-consumer1", 0
    for _ in range(24):
        committed = kafka.committed(group, topic).get(0)
        consumer = start("consumer1")
        consumers.append(consumer)
        if ending == "SIGINT" and sys.platform == "linux":
            consumer.wait_until_it_handles_signals()
        time.sleep(
            chance.uniform(0.05, 1.2)
        )  # the moment is the test's subject: while it starts, joins, prints, commits
        consumer.send(getattr(signal, ending))
        status = consumer.wait()
        if printed := consumer.messages():
            assert printed[0].offset == (committed or 0)
            uncommitted += printed[-1].offset + 1 - kafka.committed(group, topic).get(0, 0)
        assert "Traceback" not in consumer.text()
        assert status in (-getattr(signal, ending), 0), consumer.text()  # early, by the signal itself
    for producer in producers:
        assert producer.interrupt() == 0
    last, stored = start("consumer1"), kafka.log(topic)
    last.wait_until(lambda: stored[-1] in last.messages() or re.search(" 0 offsets behind", last.text()))
    last.interrupt()
    history = runs([*producers, *consumers, last])
    assert_sound(history, kafka.whole_log(topic), repeats=uncommitted if ending == "SIGKILL" else 0)


def test_a_group_without_a_committed_offset_starts_at_the_earliest(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    consumer.wait_for_messages(10)
    begin = f"[Consumer1] No committed offset. Starting at the earliest: {topic}-0 at offset 0: 10 offsets behind"
    assert consumer.output[0].text == begin
    assert consumer.messages() == kafka.log(topic)


def test_a_group_without_a_committed_offset_starts_at_the_latest_if_told_so(start, kafka, topic):
    kafka.send(topic, *TICKS[:4])
    consumer = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    line = consumer.wait_for("No committed").text
    assert line == f"[Consumer1] No committed offset. Starting at the latest: {topic}-0 at offset 4: 0 offsets behind"
    kafka.send(topic, *TICKS[4:])
    assert consumer.wait_for_messages(6) == kafka.log(topic)[4:]


def test_latest_misses_nothing_after_the_first_start(start, kafka, topic):
    """Stopped before its first message, it must not jump to the latest again."""
    kafka.send(topic, TICKS[0])
    first = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    first.wait_for("No committed")
    wait_until(lambda: kafka.committed(f"{topic}-consumer1", topic) == {0: 1})
    first.kill()
    kafka.send(topic, *TICKS[1:])
    second = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    assert second.wait_for_messages(9) == kafka.log(topic)[1:]


def test_a_consumer_says_when_it_has_caught_up(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    caught_up = consumer.wait_for("Caught up").text
    assert re.fullmatch(r"\[Consumer1\] Caught up: 10 messages in \d+\.\d s", caught_up)
    kafka.send(topic, *TICKS)
    consumer.wait_for_messages(20)
    consumer.interrupt()
    assert sum("Caught up" in line.text for line in consumer.output) == 1


def send_in_a_transaction(kafka, topic, *values, commit=True):
    """Store these values and, after them, the marker that ends the transaction and takes an offset too."""
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    producer.init_transactions()
    producer.begin_transaction()
    for value in values:
        producer.send(topic, value)
    producer.flush()
    (producer.commit_transaction if commit else producer.abort_transaction)()
    producer.close()


def test_a_transaction_does_not_keep_a_consumer_from_catching_up(start, kafka, topic):
    kafka.create_topic(topic)
    send_in_a_transaction(kafka, topic, TICKS[0])
    first = start("consumer1")
    first.wait_for("Starting .* at offset 0: 2 offsets behind")
    first.wait_for("Caught up: 1 message in ")
    first.interrupt()
    second = start("consumer1")
    second.wait_for("Resuming .* at offset 1: 1 offset behind")
    second.wait_for("Caught up: 0 messages in ")


def test_messages_of_an_aborted_transaction_are_not_printed(start, kafka, topic):
    kafka.create_topic(topic)
    send_in_a_transaction(kafka, topic, b"aborted", commit=False)
    kafka.send(topic, b"kept")
    consumer = start("consumer1")
    assert [message.value for message in consumer.wait_for_messages(1)] == ["kept"]


def test_a_log_that_is_shorter_than_the_committed_offset_is_told_and_read_from_its_beginning(start, kafka, topic):
    kafka.send(topic, *TICKS[:3])
    with kafka.admin() as admin:
        offsets = {TopicPartition(topic, 0): OffsetAndMetadata(42, "", -1)}
        admin.alter_group_offsets(f"{topic}-consumer1", offsets)
    consumer = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    assert consumer.wait_for_messages(3) == kafka.log(topic)
    begin = f"Starting at the earliest: {topic}-0 at offset 0: 3 offsets behind"
    assert consumer.output[0].text == f"[Consumer1] The log is shorter than the committed offset 42. {begin}"


def test_a_rewound_group_reads_again(start, kafka, topic):
    """With the README's command, when Kafka lets it: the session of the stopped consumer must be over."""
    kafka.send(topic, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    first.interrupt()
    wait_until(lambda: kafka.members(f"{topic}-consumer1") == 0)
    group, admin = f"{topic}-consumer1", [sys.executable, "-m", "kafka.admin", "-b", kafka.bootstrap_servers[0]]
    rewind = [*admin, "groups", "reset-offsets", "-g", group, "-p", f"{topic}:0", "--to-offset", "3"]
    subprocess.run(rewind, check=True, capture_output=True, timeout=60)
    second = start("consumer1")
    assert second.wait_for_messages(7) == kafka.log(topic)[3:]
    assert second.output[0].text == f"[Consumer1] Resuming {topic}-0 at offset 3: 7 offsets behind"


def test_a_consumer_of_another_client_library_and_this_one_take_over_from_each_other(start, kafka, topic):
    """Bytes and committed offsets are plain Kafka: librdkafka goes on where consumer1.py stopped, and back."""
    group = f"{topic}-consumer1"
    kafka.send(topic, *TICKS[:3])
    first = start("consumer1")
    first.wait_for_messages(3)
    assert first.interrupt() == 0
    kafka.send(topic, *TICKS[3:6])
    other = Consumer({"bootstrap.servers": kafka.bootstrap_servers[0], "group.id": group, "enable.auto.commit": False})
    other.subscribe([topic])
    seen = []

    def has_seen_three():
        if message := other.poll(1):
            seen.append((message.offset(), message.value()))
        return len(seen) == 3

    wait_until(has_seen_three, every=0)
    other.commit(asynchronous=False)
    other.close()
    assert seen == list(enumerate(TICKS))[3:6]
    kafka.send(topic, *TICKS[6:])
    second = start("consumer1")
    assert second.wait_for_messages(4) == kafka.log(topic)[6:]
