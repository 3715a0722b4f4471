"""Faults at the worst moments: kills while it starts, a broker that is paused, output that is blocked."""

import os
import random
import signal
import time

import pytest
from kafka import KafkaProducer
from kafka.admin import NewTopic

from evidence.judge import assert_sound
from evidence.kafka_itself import Kafka
from evidence.scripts import runs
from local_kafka.brokers import Broker
from local_kafka.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]
KAFKAS_OWN_DEFAULTS = {"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 3000}  # all that docker-compose.yml has otherwise


@pytest.fixture(scope="module")
def default_broker():
    """A broker with Kafka's own defaults, but for what a single broker can't do without."""
    with Broker(settings=KAFKAS_OWN_DEFAULTS) as broker:
        yield broker


def test_kills_swept_over_the_first_moments_of_a_consumer_lose_nothing(start, kafka, topic):
    """Start, join, place, print, commit: three dozen kills, swept over the first 0.8 s."""
    producer = start("producer1", SEND_INTERVAL_SECONDS="0.02")
    producer.wait_for_messages(1)
    consumers, group, uncommitted = [], f"{topic}-consumer1", 0
    for number in range(36):
        committed = kafka.committed(group, topic).get(0, 0)
        consumers.append(start("consumer1"))
        time.sleep(0.8 * number / 36)  # the moment is the test's subject
        consumers[-1].kill()
        if printed := consumers[-1].messages():
            assert printed[0].offset == committed
            uncommitted += printed[-1].offset + 1 - kafka.committed(group, topic).get(0, 0)
    producer.interrupt()
    consumers.append(start("consumer1"))
    log = kafka.whole_log(topic)
    wait_until(lambda: kafka.committed(group, topic).get(0) == len(log.messages))
    consumers[-1].interrupt()
    assert_sound(runs([producer, *consumers]), log, repeats=uncommitted)


def test_a_member_that_restarts_does_not_disturb_the_other(start, default_broker, topic):
    """On a Kafka with its own defaults: after each ending it is back at once, and the other prints messages alone."""
    kafka = Kafka(default_broker.bootstrap_servers)
    kafka.create_topic(topic, partitions=2)
    settings = {"bootstrap_servers": default_broker.bootstrap_servers, "KAFKA_GROUP_ID": topic}
    consumers = [start(name, **settings) for name in ("consumer1", "consumer2")]
    wait_until(lambda: kafka.members(topic) == 2)
    for consumer in consumers:
        consumer.wait_for(f"{topic}-[01] at offset 0: 0 offsets behind$")
    # Both may have joined one after the other: from here on, the partitions are shared out.
    wait_until(lambda: len(kafka.committed(topic, topic)) == 2)
    before = len(consumers[1].output)
    restarted = [consumers[0]]
    for ending in ("SIGINT", "SIGTERM", "SIGKILL") * 2:
        restarted[-1].send(getattr(signal, ending))
        restarted[-1].wait()
        for partition in (0, 1):
            kafka.send(topic, *TICKS, partition=partition)
        restarted.append(start("consumer1", **settings))
        restarted[-1].wait_for_messages(10)
    consumers[1].wait_for_messages(60)
    assert not [line.text for line in consumers[1].output[before:] if "Received" not in line.text]
    restarted[-1].interrupt()
    consumers[1].interrupt()
    assert_sound(runs([*restarted, consumers[1]]), kafka.whole_log(topic), repeats=20)


def test_output_that_is_blocked_for_20_seconds_loses_nothing(start, kafka, topic):
    """A reader that reads nothing for longer than the session: the consumer stays what it is, and goes on."""
    kafka.send(topic, *[b"x" * 1000] * 300)  # more than a pipe holds
    consumer = start("consumer1", redirect="| (sleep 20; cat)")
    consumer.wait_for_messages(300)
    kafka.send(topic, *TICKS)
    consumer.wait_for_messages(310)
    os.killpg(consumer.process.pid, signal.SIGINT)
    consumer.wait()
    assert_sound([consumer.run()], kafka.whole_log(topic))


def test_a_topic_with_transactions_is_read_to_its_end_without_a_false_word(start, kafka, topic):
    kafka.create_topic(topic)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    producer.init_transactions()
    for number in range(6):
        producer.begin_transaction()
        producer.send(topic, b"aborted" if number % 2 else b"committed")
        producer.flush()
        (producer.abort_transaction if number % 2 else producer.commit_transaction)()
    producer.close()
    consumers = [start("consumer1")]
    consumers[0].wait_for("Caught up: 3 messages")
    consumers[0].interrupt()
    consumers.append(start("consumer1"))
    consumers[1].wait_for("Resuming .* offsets? behind")
    consumers[1].interrupt()
    assert_sound(runs(consumers), kafka.whole_log(topic))
    assert "LOST" not in consumers[0].text() + consumers[1].text()


def test_a_compacted_topic_is_read_to_its_end_without_a_false_lost(start, kafka, topic):
    with kafka.admin() as admin:
        configs = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
        admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configs)])
        admin.wait_for_topics([topic])
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    chance = random.Random(topic)

    def is_compacted():
        producer.send(topic, b"%d" % chance.randrange(1000), key=b"key").get(timeout=30)
        return len(kafka.log(topic)) < kafka.offsets(topic)[0][1] / 2

    wait_until(is_compacted, limit=100, every=0.3)
    producer.close()
    earlier = kafka.log(topic)
    consumer = start("consumer1")
    consumer.wait_for("Caught up: ")
    assert "LOST" not in consumer.text()
    consumer.interrupt()
    assert_sound([consumer.run()], kafka.whole_log(topic, earlier))
