"""Kafka goes away and comes back: the four scripts say so, go on by themselves, and lose nothing."""

import signal
import time

import psutil
import pytest

from evidence.kafka_itself import Kafka
from evidence.scripts import end_and_judge
from local_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from machine.waiting import wait_until

AWAY = "Waiting for Kafka: |No acknowledgement for 5 seconds: "


@pytest.fixture(scope="module")
def own_broker():
    """A broker of this module's own, to stop, kill and wipe."""
    with Broker(settings=FORGET_THE_KILLED_SOON) as broker:
        yield broker


@pytest.fixture
def bootstrap_servers(own_broker):
    """The scripts of this module use the broker that it may stop; what the last test did to it is undone."""
    if own_broker.process is None:
        own_broker.start()
    own_broker.process.send_signal(signal.SIGCONT)
    return own_broker.bootstrap_servers


@pytest.fixture
def four_scripts(start):
    """Both producers at 20 ticks a second each, and both consumers, all at work."""
    producers = [start(name, SEND_INTERVAL_SECONDS="0.05") for name in ("producer1", "producer2")]
    consumers = [start(name) for name in ("consumer1", "consumer2")]
    for script in producers + consumers:
        script.wait_for_messages(20)
    return producers, consumers


def test_all_four_survive_a_broker_killed_for_a_while(four_scripts, kafka, own_broker, topic):
    """Each says so, and its client does not pile up threads."""
    producers, consumers = four_scripts
    own_broker.kill()
    for script in producers + consumers:
        script.wait_for(AWAY)
    processes = [psutil.Process(script.process.pid) for script in producers + consumers]
    threads = [process.num_threads() for process in processes]
    time.sleep(5)  # the length of the outage is the test's subject: longer than a session, in all
    assert [process.num_threads() for process in processes] == threads
    back = time.monotonic()
    own_broker.start()
    for script in producers + consumers:
        script.wait_until(lambda script=script: script.messages(since=back))
    for consumer in consumers:
        consumer.wait_for("Going on.")
    end_and_judge([*producers, *consumers], kafka, topic, repeats=20)  # those of a session that is over


def test_all_four_survive_a_broker_stopped_and_started(four_scripts, kafka, own_broker, topic):
    producers, consumers = four_scripts
    own_broker.stop()
    own_broker.start()
    end_and_judge([*producers, *consumers], kafka, topic)


def test_a_paused_broker_costs_nothing(four_scripts, kafka, own_broker, topic):
    """Its sockets stay open and nothing answers for longer than a session, as when a machine is suspended."""
    producers, consumers = four_scripts

    def committed(consumer):
        return kafka.committed(consumer.group, topic).get(0, 0)

    before = [wait_until(lambda consumer=consumer: committed(consumer)) for consumer in consumers]
    own_broker.process.send_signal(signal.SIGSTOP)
    time.sleep(12)  # the length of the pause is the test's subject
    own_broker.process.send_signal(signal.SIGCONT)
    for consumer in consumers:
        printed = len(consumer.messages())
        wait_until(lambda consumer=consumer, printed=printed: committed(consumer) > printed)
    # Where a session ends meanwhile, what was printed since the last commit comes again.
    uncommitted = max(len(consumer.messages()) - offset for consumer, offset in zip(consumers, before, strict=True))
    end_and_judge([*producers, *consumers], kafka, topic, repeats=uncommitted)


def test_a_start_at_the_latest_outlives_a_pause_of_kafka(start, kafka, own_broker, topic):
    """Paused after the first line, until the session is over: what is old must not be printed then."""
    kafka.send(topic, *[b"old"] * 200)
    consumer = start("consumer1", KAFKA_AUTO_OFFSET_RESET="latest")
    consumer.wait_for("at the latest")
    wait_until(lambda: kafka.committed(consumer.group, topic) == {0: 200})
    own_broker.process.send_signal(signal.SIGSTOP)
    time.sleep(10)  # longer than a session
    own_broker.process.send_signal(signal.SIGCONT)
    kafka.send(topic, b"new")
    assert [message.value for message in consumer.wait_for_messages(1)] == ["new"]


def test_a_consumer_that_waits_for_a_partition_says_when_kafka_is_away(start, kafka, own_broker, topic):
    kafka.create_topic(topic)
    consumers = [start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2")]
    wait_until(lambda: any("gives this consumer 0 of 1" in consumer.text() for consumer in consumers))
    own_broker.kill()
    for consumer in consumers:
        consumer.wait_for(f"{AWAY}|Waiting to join group")  # the latter where the group still shares out
    own_broker.start()
    for consumer in consumers:
        consumer.wait_for("Going on.")


def test_a_consumer_whose_join_is_interrupted_by_a_wipe_joins_again(start, topic):
    """The join is made long: an empty group's first member waits for others. It is said, too."""
    with Broker(settings={"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 60_000}) as broker:
        kafka = Kafka(broker.bootstrap_servers)
        kafka.create_topic(topic)
        consumer = start("consumer1", bootstrap_servers=broker.bootstrap_servers)
        wait_until(lambda: kafka.members(consumer.group) == 1)
        consumer.wait_for(f"Waiting to join group {consumer.group}.")
        broker.wipe()
        broker.settings["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] = 0
        broker.start()
        kafka.send(topic, b"tick")
        consumer.wait_for_messages(1)


def test_all_four_go_on_with_the_new_topic_after_the_data_are_wiped(four_scripts, kafka, own_broker, topic):
    """`docker compose down -v` and up, under the running scripts: the new log begins at offset 0 again."""
    producers, consumers = four_scripts
    own_broker.wipe()
    wiped = time.monotonic()
    own_broker.start()
    for consumer in consumers:
        wait_until(lambda group=consumer.group: kafka.committed(group, topic))
    # What a consumer prints before it learns that its group is gone, it cannot commit: that comes again.
    uncommitted = max(len(consumer.messages(since=wiped)) for consumer in consumers)
    end_and_judge([*producers, *consumers], kafka, topic, since=wiped, repeats=uncommitted)


def test_a_producer_that_kafka_no_longer_knows_goes_on(start, kafka, own_broker, topic):
    """Of wiped brokers, each second one answers an idempotent producer with OUT_OF_ORDER_SEQUENCE_NUMBER."""
    for _ in range(2):
        producer = start("producer1")
        producer.wait_for_messages(5)
        own_broker.wipe()
        before = len(producer.messages())
        own_broker.start()
        producer.wait_for_messages(before + 5)
        assert producer.interrupt() == 0, producer.text()
        assert kafka.log(topic) == producer.messages()[before:]


def test_a_log_wiped_and_filled_beyond_the_old_offset_is_read_from_its_beginning(start, kafka, own_broker, topic):
    """The trap of a wipe: the old position exists in the new log too, and what is before it would be skipped."""
    kafka.send(topic, b"old 0", b"old 1", b"old 2")
    consumer = start("consumer1")
    consumer.wait_for_messages(3)
    own_broker.wipe()
    wiped = time.monotonic()
    consumer.send(signal.SIGSTOP)  # it is slow to notice
    own_broker.start()
    kafka.send(topic, *[b"new %d" % number for number in range(10)])
    consumer.send(signal.SIGCONT)
    log = kafka.whole_log(topic)
    # What it fetched before it learnt that its group is gone comes first, then all of the new log.
    consumer.wait_until(lambda: consumer.messages(since=wiped)[-10:] == log.messages)


def test_ctrl_c_while_kafka_is_away_ends_within_seconds(start, own_broker):
    """The tick that is not stored is named, and the producer's status tells."""
    producer, consumer = start("producer1", SEND_INTERVAL_SECONDS="0.1"), start("consumer1")
    for script in (producer, consumer):
        script.wait_for_messages(1)
    own_broker.kill()
    for script, status in ((producer, 1), (consumer, 0)):
        script.wait_for(AWAY)
        asked = time.monotonic()
        assert script.interrupt(limit=30) == status
        assert time.monotonic() - asked < 15  # a few seconds, with room for a busy machine
        assert "Traceback" not in script.text()
    assert "Kafka has not acknowledged" in producer.errors[-1].text


def test_a_second_ctrl_c_ends_at_once(start, kafka, own_broker, topic):
    scripts = [start("producer1"), start("consumer1")]
    for script in scripts:
        script.wait_for_messages(1)
    own_broker.process.send_signal(signal.SIGSTOP)  # it answers nothing, so that the first Ctrl+C takes its time
    for script in scripts:
        script.wait_for(AWAY)
        script.send(signal.SIGINT)
        time.sleep(0.3)  # as a person's second Ctrl+C; one that comes sooner than 0.1 s is taken for the same one
        script.send(signal.SIGINT)
        assert script.wait(limit=10) in (128 + signal.SIGINT, 0)  # 0: the first was faster
        assert not script.errors
