"""A consumer that starts again goes on at its group's committed offset: nothing is missed, and it says so."""

import random
import signal
import subprocess
import sys
import time

import pytest
from confluent_kafka import Consumer
from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from evidence.judge import assert_sound, repeated
from evidence.scripts import runs
from machine.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_restart_resumes_at_the_committed_offset(start, kafka, topic, ending):
    kafka.send(topic, *TICKS[:4])
    first = start("consumer1")
    first.wait_for_messages(4)
    wait_until(lambda: kafka.committed(first.group, topic) == {0: 4})
    first.send(getattr(signal, ending))
    assert first.wait() == (-signal.SIGKILL if ending == "SIGKILL" else 0)
    if ending != "SIGKILL":
        assert first.output[-1].text == "[Consumer1] The next start resumes partition 0 at offset 4."
    kafka.send(topic, *TICKS[4:])
    second = start("consumer1")
    second.wait_for_messages(6)
    assert [line.text for line in second.output[:2]] == [
        f"[Consumer1] Group {first.group} gives this consumer 1 of 1 partitions of {topic}.",
        "[Consumer1] Resuming partition 0 at offset 4: 6 behind.",
    ]
    assert first.messages() + second.messages() == kafka.log(topic)


def test_a_killed_consumer_is_replaced_long_before_its_session_ends(start, kafka, topic):
    """Its session lasts 7 s; a restart that had to wait for its end would be slower than one that does not."""
    kafka.send(topic, *TICKS)
    waits = []
    for _ in range(5):
        consumer = start("consumer1")
        waits.append(consumer.wait_for("Resuming|No committed").at - consumer.started)
        consumer.kill()
    assert min(waits[1:]) < 5  # the best of four, so that a busy machine does not matter


def test_a_consumer_killed_while_it_joins_for_the_first_time_starts_again(start, kafka, topic):
    """The trap: it joins before it knows the new topic, is given nothing, and its next start inherits just that."""
    chance = random.Random(topic)
    for number in range(6):
        settings = {"KAFKA_TOPIC": f"{topic}-{number}", "KAFKA_GROUP_ID": f"{topic}-{number}"}
        first = start("consumer1", **settings)
        time.sleep(chance.uniform(0.2, 0.7))  # the moment is the test's subject
        kafka.send(settings["KAFKA_TOPIC"], TICKS[0])
        time.sleep(chance.uniform(0, 0.3))
        first.kill()
        second = start("consumer1", **settings)
        wait_until(lambda first=first, second=second: first.messages() or second.messages())
        second.kill()


def test_thirty_restarts_lose_nothing_however_and_whenever_a_consumer_is_ended(start, kafka, topic):
    """At 100 messages a second, at moments swept over its first second: it connects, joins, prints, commits."""
    producers = start("producer1"), start("producer2")
    consumers, uncommitted = [], 0
    for number in range(30):
        ending = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
        consumer = start("consumer1")
        consumers.append(consumer)
        committed = kafka.committed(consumer.group, topic).get(0, 0)
        if ending != signal.SIGKILL and sys.platform == "linux":
            consumer.wait_until_it_handles_signals()
        time.sleep(number / 30)  # the moment is the test's subject
        consumer.send(ending)
        assert consumer.wait() == (-ending if ending == signal.SIGKILL else 0), consumer.text()
        assert not consumer.errors
        if printed := consumer.messages():
            assert printed[0].offset == committed
            left = printed[-1].offset + 1 - kafka.committed(consumer.group, topic).get(0, 0)
            assert left == 0 or ending == signal.SIGKILL
            uncommitted += left
    for producer in producers:
        assert producer.interrupt() == 0
    consumers.append(start("consumer1"))
    log = kafka.whole_log(topic)
    wait_until(lambda: kafka.committed(consumers[-1].group, topic) == {0: len(log.messages)})
    history = runs([*producers, *consumers])
    assert_sound(history, log, repeats=uncommitted)
    # What is committed late comes again: one poll's messages at most, and there are many polls.
    assert sum(map(len, repeated(history[2:]))) < len(log.messages) / 2


def test_a_group_without_a_committed_offset_starts_at_the_earliest(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    assert consumer.wait_for_messages(10) == kafka.log(topic)
    assert consumer.output[1].text == "[Consumer1] No committed offset. Starting partition 0 at the earliest."


def test_a_group_starts_at_the_latest_if_told_so_and_keeps_that_place(start, kafka, topic):
    """It is committed at once, before any message: who is killed then must not jump to the latest again."""
    kafka.create_topic(topic, partitions=2)
    kafka.send(topic, TICKS[0], partition=0)
    first = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    wait_until(lambda: kafka.committed(first.group, topic) == {0: 1, 1: 0})
    first.kill()
    for partition in (0, 1):
        assert f"No committed offset. Starting partition {partition} at the latest." in first.text()
    for partition in (0, 1):
        kafka.send(topic, *TICKS[1:], partition=partition)
    second = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    assert sorted(second.wait_for_messages(18)) == kafka.log(topic)[1:]


def test_a_topic_with_transactions_is_read_to_its_end_without_a_false_word(start, kafka, topic):
    """Aborted messages are not printed; the markers that end transactions take offsets, which are no loss."""
    kafka.create_topic(topic)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    producer.init_transactions()
    for number in range(6):
        producer.begin_transaction()
        producer.send(topic, b"aborted" if number % 2 else b"committed")
        producer.flush()
        (producer.abort_transaction if number % 2 else producer.commit_transaction)()
    producer.close()
    first = start("consumer1")
    wait_until(lambda: kafka.committed(first.group, topic) == {0: 12})
    first.interrupt()
    second = start("consumer1")
    second.wait_for("Resuming .* at offset 12: 0 behind")
    assert [message.value for message in first.messages()] == ["committed"] * 3
    assert_sound(runs([first, second]), kafka.whole_log(topic))
    assert "LOST" not in first.text() + second.text()


COMMITS_FAIL = """
commit = script.KafkaConsumer.commit
def only_up_to_2(self, **how):
    if any(self.position(tp) > 2 for tp in self.assignment()):
        raise script.errors.KafkaTimeoutError
    commit(self, **how)
script.KafkaConsumer.commit = only_up_to_2
"""


def test_the_last_line_names_the_offset_that_kafka_has_taken(start_changed, kafka, topic):
    kafka.send(topic, *TICKS[:2])
    consumer = start_changed("consumer1", COMMITS_FAIL)
    wait_until(lambda: kafka.committed(consumer.group, topic) == {0: 2})
    kafka.send(topic, *TICKS[2:])
    consumer.wait_for("Waiting for Kafka: KafkaTimeoutError.")
    assert consumer.messages() == kafka.log(topic)
    assert consumer.interrupt() == 0
    assert consumer.output[-1].text == "[Consumer1] The next start resumes partition 0 at offset 2."


def test_a_committed_offset_beyond_the_end_of_the_log_is_told(start, kafka, topic):
    kafka.send(topic, *TICKS[:3])
    with kafka.admin() as admin:
        admin.alter_group_offsets(f"{topic}-consumer1", {TopicPartition(topic, 0): OffsetAndMetadata(42, "", -1)})
    consumer = start("consumer1")
    assert consumer.wait_for_messages(3) == kafka.log(topic)
    consumer.wait_for("Going back in partition 0, from offset 42 to offset 0.")


def test_a_rewound_group_reads_again(start, kafka, topic):
    """With the README's command, when Kafka lets it: the session of the stopped consumer must be over."""
    kafka.send(topic, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    first.interrupt()
    wait_until(lambda: kafka.members(first.group) == 0)
    admin = [sys.executable, "-m", "kafka.admin", "-b", kafka.bootstrap_servers[0]]
    rewind = [*admin, "groups", "reset-offsets", "-g", first.group, "-p", f"{topic}:0", "--to-offset", "3"]
    subprocess.run(rewind, check=True, capture_output=True, timeout=60)
    second = start("consumer1")
    assert second.wait_for_messages(7) == kafka.log(topic)[3:]
    second.wait_for("Resuming partition 0 at offset 3: 7 behind")


def test_a_consumer_of_another_client_library_and_this_one_take_over_from_each_other(start, kafka, topic):
    """Bytes and committed offsets are plain Kafka: librdkafka goes on where consumer1.py stopped, and back."""
    kafka.send(topic, *TICKS[:3])
    first = start("consumer1")
    first.wait_for_messages(3)
    assert first.interrupt() == 0
    kafka.send(topic, *TICKS[3:6])
    settings = {"bootstrap.servers": kafka.bootstrap_servers[0], "group.id": first.group, "enable.auto.commit": False}
    other, seen = Consumer(settings), []
    other.subscribe([topic])

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
