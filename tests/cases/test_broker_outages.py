"""Kafka goes away and comes back: the four scripts say so, go on by themselves, and lose nothing."""

import operator
import signal
import time

import psutil
import pytest

from evidence.judge import assert_sound
from machine.waiting import wait_until
from real_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from running.scripts import end_and_judge

AWAY = r"Waiting.*: \w+Error\."


def suspend(broker):
    broker.process.send_signal(signal.SIGSTOP)


def resume(broker):
    broker.process.send_signal(signal.SIGCONT)


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
    resume(own_broker)
    return own_broker.bootstrap_servers


@pytest.fixture
def four_scripts(start):
    """Both producers at 10 ticks a second each, and both consumers, all at work."""
    names = "producer1", "producer2", "consumer1", "consumer2"
    scripts = [start(name, SEND_INTERVAL_SECONDS="0.1") for name in names]
    for script in scripts:
        script.wait_for_messages(20)
    return scripts


def costs(script):
    """Return what a script has of this machine: threads, open files, and resident memory in MiB."""
    process = psutil.Process(script.process.pid)
    return process.num_threads(), process.num_fds(), process.memory_info().rss / 2**20


def assert_level(before, scripts, threads=2):
    """Assert that scripts cost about what they did before: at most so many more threads, and no heap of requests."""
    for script, then in zip(scripts, before, strict=True):
        now, most = costs(script), [old + more for old, more in zip(then, (threads, 30, 15), strict=True)]
        assert all(map(operator.le, now, most)), f"{script.name}: threads, files, MiB were {then}, are {now}"


def test_all_four_survive_a_broker_killed_stopped_and_paused(four_scripts, kafka, own_broker, topic):
    """The pause is longer than a session: sockets stay open and nothing answers, as when a machine is suspended."""
    outages = (Broker.kill, 0, Broker.start), (Broker.stop, 0, Broker.start), (suspend, 10, resume)
    may_repeat = 0  # what was stored before Kafka was back from each outage, and not committed before it
    at_first = [costs(script) for script in four_scripts]
    for away, seconds, back in outages:
        before = [costs(script) for script in four_scripts]
        may_repeat -= min(kafka.committed(consumer.group, topic).get(0, 0) for consumer in four_scripts[2:])
        began = time.monotonic()
        away(own_broker)
        for script in four_scripts:
            script.wait_for(AWAY, since=began)
        time.sleep(max(0, began + seconds - time.monotonic()))  # the length of the outage is the test's subject
        assert_level(before, four_scripts)
        back(own_broker)
        may_repeat += 2 + sum(len(producer.messages()) for producer in four_scripts[:2])  # with two in flight
        for script in four_scripts:
            script.wait_for_messages(len(script.messages()) + 10)
    assert_level(at_first, four_scripts, threads=0)  # the clients that were given up are gone
    end_and_judge(four_scripts, kafka, topic, repeats=may_repeat)


def test_all_four_go_on_with_the_new_topic_after_the_data_are_wiped(four_scripts, kafka, own_broker, topic):
    """`docker compose down -v` and up, under the running scripts: the new log begins at offset 0 again."""
    own_broker.kill()  # after an orderly end kafka-python's producers look for Kafka without a pause: a core each
    own_broker.wipe()
    wiped = time.monotonic()
    own_broker.start()
    for consumer in four_scripts[2:]:
        wait_until("a first commit", lambda group=consumer.group: kafka.committed(group, topic))
    # Before that nothing was committed: what a consumer printed before it learnt that its group is gone comes again.
    end = kafka.offsets(topic)[0].end
    end_and_judge(four_scripts, kafka, topic, since=wiped, repeats=end)


def test_a_partition_that_is_added_after_an_outage_is_read(start, kafka, own_broker, topic):
    """The consumer has come back as a member that Kafka knows: nobody would share out the partitions anew."""
    kafka.create_topic(topic)
    producer, consumer = start("producer1", SEND_INTERVAL_SECONDS="0.2"), start("consumer1")
    consumer.wait_for_messages(3)
    own_broker.stop()
    consumer.wait_for(AWAY)
    own_broker.start()
    consumer.wait_for("Resuming partition 0")
    with kafka.admin() as admin:
        admin.create_partitions({topic: 2})
    producer.wait_for("partition 1, offset 3")
    consumer.wait_for("Received.*partition 1, offset 0")
    consumer.wait_for("Received.*partition 1, offset 3")


SOON_SENT_AGAIN = "script.KafkaProducer = functools.partial(script.KafkaProducer, request_timeout_ms=1000)"


def test_a_tick_that_the_client_sends_again_is_stored_once(start_changed, kafka, own_broker, topic):
    """A suspended Kafka has received it, and stores it when it goes on; the client has sent it again meanwhile."""
    producer = start_changed("producer1", SOON_SENT_AGAIN)
    producer.wait_for_messages(20)
    suspend(own_broker)
    producer.wait_for(AWAY)
    time.sleep(3)  # the client sends it each second
    resume(own_broker)
    end_and_judge([producer], kafka, topic)


def test_suspended_scripts_go_on_with_a_wiped_log_that_was_filled_beyond_their_place(start, kafka, own_broker, topic):
    """The traps of a wipe: the consumer's place exists in the new log, too, and what is before it would be skipped.

    The producer's id does as well: Kafka gives them out anew, and the first that asks gets the first one.
    """
    own_broker.wipe()
    own_broker.start()
    # Its pauses are long, so that it is suspended in one: what was in flight the client would sort out by itself.
    producer, consumer = start("producer1", SEND_INTERVAL_SECONDS="0.5"), start("consumer1")
    for script in (producer, consumer):
        script.wait_for_messages(3)
        script.send(signal.SIGSTOP)
    own_broker.wipe()
    wiped = time.monotonic()
    own_broker.start()
    other = start("producer2")
    other.wait_for_messages(20)
    assert other.interrupt() == 0
    for script in (producer, consumer):
        script.send(signal.SIGCONT)
    # Before that the producer may tell of a tick that the Kafka before has stored.
    refused = producer.wait_for(r"Waiting to store a tick .*: OutOfOrderSequenceNumberError\.")
    producer.until("three ticks since", lambda: producer.messages(since=refused.at), lambda sent: len(sent) > 2)
    assert producer.interrupt() == 0
    log = kafka.log(topic)
    assert_sound([other.printed(), producer.printed(since=refused.at)], log)
    # What the consumer fetched before it learnt that its group is gone comes first, then all of the new log.
    consumer.until("the new log", lambda: consumer.messages(since=wiped)[-len(log.messages) :], log.messages)


SOON_WITHOUT_PATIENCE = """
class Consumer(script.KafkaConsumer):
    patience_ms = 8000
    def __init__(self, *topics, **settings):
        super().__init__(*topics, **{**settings, "bootstrap_timeout_ms": Consumer.patience_ms})
        Consumer.patience_ms = 300
script.KafkaConsumer = Consumer
"""


def test_a_long_outage_piles_up_nothing_and_ctrl_c_ends_it_within_seconds(start, start_changed, own_broker):
    """kafka-python leaks a thread for each client that finds no Kafka; here one would give up after 0.3 seconds.

    The tick that is not stored is named, and the producer's status tells.
    """
    producer, consumer = start("producer1"), start_changed("consumer1", SOON_WITHOUT_PATIENCE)
    for script in (producer, consumer):
        script.wait_for_messages(20)
    own_broker.kill()
    for script in (producer, consumer):
        script.wait_for(AWAY)
    before = [costs(script) for script in (producer, consumer)]
    time.sleep(8)  # the length of the outage is the test's subject
    assert_level(before, (producer, consumer))
    for script, status in ((producer, 1), (consumer, 0)):
        assert script.interrupt(limit=10) == status
        assert "Traceback" not in script.text()
    assert "Kafka has not acknowledged" in producer.errors[-1].text
