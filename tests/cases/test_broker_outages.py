"""Kafka goes away and comes back: the four scripts say so, go on by themselves, and lose nothing."""

import signal
import time

import pytest

from evidence.judge import assert_sound
from evidence.kafka_itself import Kafka
from evidence.scripts import end_and_judge
from local_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from local_kafka.waiting import wait_until

AWAY, BACK = "Kafka does not answer", "Kafka answers again"


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


def test_all_four_survive_a_broker_killed_for_20_seconds(four_scripts, kafka, own_broker, topic):
    producers, consumers = four_scripts
    own_broker.kill()
    killed = time.monotonic()
    for script in producers + consumers:
        script.wait_for(AWAY)
    threads = [script.threads() for script in producers + consumers]
    time.sleep(max(0, killed + 20 - time.monotonic()))  # the length of the outage is the test's subject
    assert [script.threads() for script in producers + consumers] == threads  # however long it lasts
    own_broker.start()
    for script in producers + consumers:
        script.wait_for(BACK)
        assert sum(AWAY in line.text for line in script.output) == 1
    end_and_judge([*producers, *consumers], kafka, topic)


def test_all_four_survive_a_broker_stopped_and_started(four_scripts, kafka, own_broker, topic):
    producers, consumers = four_scripts
    own_broker.stop()
    own_broker.start()
    end_and_judge([*producers, *consumers], kafka, topic)


@pytest.mark.posix("it sends SIGSTOP")
@pytest.mark.parametrize("seconds", [3, 20])
def test_a_paused_broker_costs_nothing(four_scripts, kafka, own_broker, topic, seconds):
    """Its sockets stay open and nothing answers, as when a machine is suspended."""
    producers, consumers = four_scripts

    def committed(consumer):
        return kafka.committed(consumer.group, topic).get(0, 0)

    before = [wait_until(lambda consumer=consumer: committed(consumer)) for consumer in consumers]
    own_broker.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)  # the length of the pause is the test's subject
    own_broker.process.send_signal(signal.SIGCONT)
    for consumer in consumers:
        printed = len(consumer.messages())
        wait_until(lambda consumer=consumer, printed=printed: committed(consumer) > printed)
    # Where a session ends meanwhile, what was printed since the last commit comes again.
    uncommitted = max(len(consumer.messages()) - offset for consumer, offset in zip(consumers, before, strict=True))
    end_and_judge([*producers, *consumers], kafka, topic, repeats=uncommitted)


def test_a_consumer_that_waits_for_a_partition_says_when_kafka_is_away(reader_and_waiter, own_broker):
    _, waiter = reader_and_waiter
    own_broker.kill()
    waiter.wait_for(AWAY)
    own_broker.start()
    waiter.wait_for(BACK)
    assert waiter.text().count(AWAY) == 1


def test_a_consumer_that_has_not_joined_yet_says_when_kafka_is_away(start, topic):
    """The join is made long: an empty group's first member waits for others."""
    with Broker(settings={"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 60_000}) as broker:
        kafka = Kafka(broker.bootstrap_servers)
        consumer = start("consumer1", bootstrap_servers=broker.bootstrap_servers)
        wait_until(lambda: kafka.members(consumer.group) == 1)
        broker.wipe()
        consumer.wait_for(AWAY)
        broker.settings["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] = 0
        broker.start()
        consumer.wait_for(f"{BACK}|Topic {topic} exists now")  # the wiped Kafka may answer first that it has no topic
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


@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_a_log_wiped_and_filled_beyond_the_old_offset_is_read_from_its_beginning(
    start, kafka, own_broker, topic, reset
):
    """The trap of a wipe: the old position exists in the new log too, and what is before it would be skipped."""
    kafka.create_topic(topic)
    consumer = start("consumer1", KAFKA_AUTO_OFFSET_RESET=reset)
    consumer.wait_for("Starting")
    kafka.send(topic, b"old 0", b"old 1", b"old 2")
    consumer.wait_for_messages(3)
    own_broker.wipe()
    wiped = time.monotonic()
    consumer.send(signal.SIGSTOP)  # it is slow to notice
    own_broker.start()
    kafka.send(topic, *[b"new %d" % number for number in range(10)])
    consumer.send(signal.SIGCONT)
    log = kafka.whole_log(topic)
    consumer.wait_until(lambda: log.messages[-1] in consumer.messages())
    assert_sound([consumer.run(since=wiped)], log)


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_ctrl_c_while_kafka_is_away_ends_within_seconds(start, kafka, own_broker, topic, name):
    kafka.send(topic, b"tick")
    script = start(name, SEND_INTERVAL_SECONDS="0.1")
    script.wait_for_messages(1)
    own_broker.kill()
    script.wait_for(AWAY)
    asked = time.monotonic()
    status = script.interrupt(limit=30)
    assert time.monotonic() - asked < 15  # a few seconds, with room for a busy machine
    assert "Traceback" not in script.text()
    if name == "producer1":  # the tick that is not stored is named, and the status tells
        assert status == 1
        assert "Kafka has not acknowledged" in script.errors[-1].text
    else:
        assert status == 0


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


def test_a_tick_sent_while_kafka_was_away_is_delivered_once_and_first(start, kafka, own_broker, topic):
    producer = start("producer1", SEND_INTERVAL_SECONDS="0.2")
    producer.wait_for_messages(3)
    own_broker.stop()
    producer.wait_for(AWAY)
    own_broker.start()
    producer.wait_for_messages(len(producer.messages()) + 5)
    assert producer.interrupt() == 0
    assert kafka.log(topic) == producer.messages()
