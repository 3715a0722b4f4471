"""Kafka goes away and comes back: the four scripts say so, go on by themselves, and lose nothing."""

import signal
import time

import psutil
import pytest

from evidence.judge import assert_sound
from evidence.kafka_itself import Kafka
from evidence.scripts import end_and_judge
from local_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from machine.waiting import wait_until

AWAY = "Waiting for Kafka"


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


@pytest.fixture
def uncommitted(four_scripts, kafka, topic):
    """A function that returns how many messages a consumer has printed by now and had not committed at its first call.

    They may come again: it is called before Kafka goes away, and once more before it is back.
    """
    committed = {}

    def most():
        for consumer in four_scripts[1]:
            if consumer not in committed:
                committed[consumer] = kafka.committed(consumer.group, topic).get(0, 0)
        return max(len(consumer.messages()) - offset for consumer, offset in committed.items())

    return most


def costs(script):
    """Return what a script has of this machine: threads, open files, and resident memory in MiB."""
    process = psutil.Process(script.process.pid)
    return process.num_threads(), process.num_fds(), process.memory_info().rss / 2**20


def assert_level(before, scripts):
    """Assert that scripts cost about what they did before: no thread for each try, no heap of requests."""
    for script, (threads, files, memory) in zip(scripts, before, strict=True):
        now = costs(script)
        assert now[0] <= threads + 2, f"{script.name}: {threads} threads before, {now[0]} now"
        assert now[1] <= files + 30, f"{script.name}: {files} open files before, {now[1]} now"
        assert now[2] <= memory + 15, f"{script.name}: {memory:.0f} MiB before, {now[2]:.0f} now"


def test_all_four_survive_a_broker_killed_for_a_while(four_scripts, uncommitted, kafka, own_broker, topic):
    producers, consumers = four_scripts
    uncommitted()
    own_broker.kill()
    for script in producers + consumers:
        script.wait_for(AWAY)
    repeats = uncommitted()
    own_broker.start()
    for consumer in consumers:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *consumers], kafka, topic, repeats=repeats)


def test_all_four_survive_a_broker_stopped_and_started(four_scripts, uncommitted, kafka, own_broker, topic):
    producers, consumers = four_scripts
    uncommitted()
    own_broker.stop()
    for script in producers + consumers:
        script.wait_for(AWAY)
    repeats = uncommitted()
    own_broker.start()
    for consumer in consumers:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *consumers], kafka, topic, repeats=repeats)


def test_a_paused_broker_costs_nothing(four_scripts, uncommitted, kafka, own_broker, topic):
    """Its sockets stay open and nothing answers for longer than a session, as when a machine is suspended."""
    producers, consumers = four_scripts
    uncommitted()
    before = [costs(script) for script in producers + consumers]
    own_broker.process.send_signal(signal.SIGSTOP)
    time.sleep(12)  # the length of the pause is the test's subject
    assert_level(before, producers + consumers)
    repeats = uncommitted()
    own_broker.process.send_signal(signal.SIGCONT)
    for consumer in consumers:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *consumers], kafka, topic, repeats=repeats)


SOON_WITHOUT_PATIENCE = """
class Consumer(script.KafkaConsumer):
    patience_ms = 8000
    def __init__(self, *topics, **settings):
        super().__init__(*topics, **{**settings, "bootstrap_timeout_ms": Consumer.patience_ms})
        Consumer.patience_ms = 300
script.KafkaConsumer = Consumer
"""


def test_a_long_outage_piles_up_nothing(start, start_changed, own_broker):
    """kafka-python leaks a thread for each client that finds no Kafka; here one would give up after 0.3 seconds."""
    scripts = [start("producer1"), start_changed("consumer1", SOON_WITHOUT_PATIENCE)]
    for script in scripts:
        script.wait_for_messages(20)
    own_broker.kill()
    for script in scripts:
        script.wait_for(AWAY)
    before = [costs(script) for script in scripts]
    time.sleep(8)  # the length of the outage is the test's subject
    assert_level(before, scripts)


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


def test_a_consumer_whose_join_is_interrupted_by_a_wipe_joins_again(start, topic):
    """The join is made long: an empty group's first member waits for others. It is said, too."""
    with Broker(settings={"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": 60_000}) as broker:
        kafka = Kafka(broker.bootstrap_servers)
        kafka.create_topic(topic)
        consumer = start("consumer1", bootstrap_servers=broker.bootstrap_servers)
        wait_until(lambda: kafka.members(consumer.group) == 1)
        consumer.wait_for(f"Waiting for group {consumer.group} to give this consumer a partition of {topic}.")
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
    # Before that nothing was committed: what a consumer printed before it learnt that its group is gone comes again.
    end = kafka.offsets(topic)[0].end
    end_and_judge([*producers, *consumers], kafka, topic, since=wiped, repeats=end)


SOON_SENT_AGAIN = "script.KafkaProducer = functools.partial(script.KafkaProducer, request_timeout_ms=1000)"


def test_a_tick_that_the_client_sends_again_is_stored_once(start_changed, kafka, own_broker, topic):
    """A suspended Kafka has received it, and stores it when it goes on; the client has sent it again meanwhile."""
    producer = start_changed("producer1", SOON_SENT_AGAIN)
    producer.wait_for_messages(20)
    own_broker.process.send_signal(signal.SIGSTOP)
    producer.wait_for(AWAY)
    time.sleep(3)  # the client sends it each second
    own_broker.process.send_signal(signal.SIGCONT)
    end_and_judge([producer], kafka, topic)


def test_a_producer_that_a_wiped_kafka_takes_for_another_goes_on(start, kafka, own_broker, topic):
    """A wiped Kafka gives out its producer ids anew: the first that asks gets the id that the suspended one has."""

    def start_on_a_wiped_kafka(name, count):
        own_broker.wipe()
        own_broker.start()
        producer = start(name)
        producer.wait_for_messages(count)
        return producer

    suspended = start_on_a_wiped_kafka("producer1", 30)
    suspended.send(signal.SIGSTOP)
    other = start_on_a_wiped_kafka("producer2", 5)
    assert other.interrupt() == 0
    suspended.send(signal.SIGCONT)
    # Before that it may tell of a tick that the Kafka before has stored.
    refused = suspended.wait_for(r"Waiting for Kafka to store a tick .* \(OutOfOrderSequenceNumberError\)\.")
    suspended.wait_until(lambda: len(suspended.messages(since=refused.at)) > 5)
    assert suspended.interrupt() == 0
    assert_sound([other.run(), suspended.run(since=refused.at)], kafka.whole_log(topic))


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
        assert script.interrupt(limit=30) == status  # a few seconds, with room for a busy machine
        assert "Traceback" not in script.text()
    assert "Kafka has not acknowledged" in producer.errors[-1].text
