"""Kafka goes away and comes back: the four scripts say so, go on by themselves, and lose nothing."""

import operator
import re
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
    """A broker that this module may stop, kill and wipe."""
    with Broker(settings=FORGET_THE_KILLED_SOON) as broker:
        yield broker


@pytest.fixture
def bootstrap_servers(own_broker):
    """Where this module's broker listens. What the last test did to it is undone first."""
    if own_broker.process is None:
        own_broker.start()
    resume(own_broker)
    return own_broker.bootstrap_servers


LATE = "reconnect_backoff_ms=600_000, reconnect_backoff_max_ms=600_000"
LATE_CONSUMER = f"script.KafkaConsumer = functools.partial(script.KafkaConsumer, {LATE})"
SOON_SENT_AGAIN = f"""
script.KafkaProducer = functools.partial(script.KafkaProducer, request_timeout_ms=1000, {LATE})
say, clock = script.say, time.monotonic
def then_three_minutes_pass(line):
    say(line)
    if "Waiting" in line:
        time.monotonic = lambda: clock() + 180
script.say = then_three_minutes_pass
"""


@pytest.fixture
def four_scripts(start, start_changed):
    """Both producers, at 10 ticks a second each, and both consumers, all at work.

    A client sends a tick again when its request has timed out. producer1's client does so after 1 s, not after 30. By
    its clock the first outage takes three minutes: with its default settings, it would give up after two.

    Unless the scripts forbid it, the clients of producer1 and consumer2 wait for ten minutes before they connect again.
    """
    scripts = [start_changed("producer1", SOON_SENT_AGAIN, SEND_INTERVAL_SECONDS="0.1")]
    scripts += [start("producer2", SEND_INTERVAL_SECONDS="0.1"), start("consumer1")]
    scripts += [start_changed("consumer2", LATE_CONSUMER)]
    for script in scripts:
        script.wait_for_messages(20)
    return scripts


def costs(script):
    """Return what a script takes of this machine: threads, open files, and resident memory in MiB."""
    process = psutil.Process(script.process.pid)
    return process.num_threads(), process.num_fds(), process.memory_info().rss / 2**20


def assert_level(before, scripts, threads=2):
    """Assert that scripts take about as much as before: at most so many more threads, and no piled-up requests."""
    for script, then in zip(scripts, before, strict=True):
        now, most = costs(script), [old + more for old, more in zip(then, (threads, 30, 15), strict=True)]
        assert all(map(operator.le, now, most)), f"{script.name}: threads, files, MiB: {then} before, {now} now"


def test_all_four_survive_a_broker_paused_killed_and_stopped_and_then_read_an_added_partition(
    four_scripts, kafka, own_broker, topic
):
    """The pause is longer than a session. Sockets stay open and nothing answers, as when a machine is suspended.

    A suspended Kafka has received a tick, and stores it when it goes on. producer1 has sent it again meanwhile.
    After the stop, the consumers come back as members that Kafka knows, so nobody assigns the partitions anew.
    """
    outages = (suspend, 10, resume), (Broker.kill, 0, Broker.start), (Broker.stop, 0, Broker.start)
    may_repeat = 0  # for each outage: what was stored until Kafka was back, and was not committed before it went
    at_first = [costs(script) for script in four_scripts]
    for away, seconds, back in outages:
        before = [costs(script) for script in four_scripts]
        may_repeat -= min(kafka.committed(consumer.group, topic).get(0, 0) for consumer in four_scripts[2:])
        began = time.monotonic()
        away(own_broker)
        for script in four_scripts:
            script.wait_for(AWAY, since=began)
        time.sleep(max(0, began + seconds - time.monotonic()))  # this test is about the length of the outage
        assert_level(before, four_scripts)
        back(own_broker)
        may_repeat += 2 + sum(len(producer.messages()) for producer in four_scripts[:2])  # two are in flight
        for script in four_scripts:
            script.wait_for_messages(len(script.messages()) + 10)
    assert_level(at_first, four_scripts, threads=0)  # the old clients are gone
    with kafka.admin() as admin:
        admin.create_partitions({topic: 2})
    for producer in four_scripts[:2]:
        producer.wait_for("partition 1, offset")
    end_and_judge(four_scripts, kafka, topic, repeats=may_repeat)


def test_all_four_go_on_with_the_new_topic_after_the_data_are_wiped(four_scripts, kafka, own_broker, topic):
    """As after `docker compose down -v` and up, while the scripts run: the new log begins at offset 0 again."""
    own_broker.kill()  # if it were stopped, kafka-python's producers would look for it without a pause: a core each
    own_broker.wipe()
    wiped = time.monotonic()
    own_broker.start()
    for consumer in four_scripts[2:]:
        wait_until("a first commit", lambda group=consumer.group: kafka.committed(group, topic))
    # Until then nothing is committed. So what a consumer prints before it learns that its group is gone comes again.
    end = kafka.offsets(topic)[0].end
    end_and_judge(four_scripts, kafka, topic, since=wiped, repeats=end)


KAFKA_STOPS_ANSWERING = """
poll = script.KafkaConsumer.poll
def then_suspend_kafka(self, **how):
    messages = {}
    while not messages:  # the first poll() that returns some begins a partition, so there is something to ask
        messages = poll(self, **how)
    script.KafkaConsumer.poll = poll
    os.kill(int(os.environ["KAFKA_PROCESS"]), signal.SIGSTOP)
    return messages
script.KafkaConsumer.poll = then_suspend_kafka
"""


def test_what_poll_returned_is_printed_though_kafka_stops_answering_just_then(start_changed, kafka, own_broker, topic):
    """What the consumer asks between poll() and printing gets no answer. It must not skip what poll() returned."""
    kafka.send(topic, *(b"tick %d" % number for number in range(300)))
    kafka.commit(f"{topic}-consumer1", topic, 0)
    process = str(own_broker.process.pid)
    consumer = start_changed("consumer1", KAFKA_STOPS_ANSWERING, judged_by=kafka, KAFKA_PROCESS=process)
    consumer.wait_for("Waiting: ", limit=28)  # the client's own patience is 30 s
    assert not consumer.messages()
    resume(own_broker)
    kafka.wait_until_committed(consumer.group, topic, {0: 300}, limit=120)
    assert consumer.interrupt() == 0
    assert_sound([consumer.printed()], kafka.log(topic))


def test_suspended_scripts_go_on_with_a_wiped_log_that_was_filled_beyond_their_place(start, kafka, own_broker, topic):
    """A wipe has two traps. The new log has the consumer's offset, too: the messages before it could be skipped.

    The new Kafka has the producer's id, too: it gives out ids from the start, and the first client gets the first one.
    """
    own_broker.wipe()
    own_broker.start()
    # The producer's pauses are long, so it is suspended in one. With a tick in flight, the client would cope alone.
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
    # Before that, the producer may print a tick that the old Kafka has stored.
    refused = producer.wait_for(r"Waiting to store a tick .*: OutOfOrderSequenceNumberError\.")
    producer.until("three more ticks", lambda: producer.messages(since=refused.at), lambda sent: len(sent) > 2)
    assert producer.interrupt() == 0
    log = kafka.log(topic)
    assert_sound([other.printed(), producer.printed(since=refused.at)], log)
    # First it may print what it fetched before it learns that its group is gone. Then comes all of the new log.
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
    """kafka-python leaks a thread with each client that finds no Kafka. Here a new client gives up after 0.3 seconds.

    The producer names the tick that is not stored, and its exit status is 1.
    """
    producer, consumer = start("producer1"), start_changed("consumer1", SOON_WITHOUT_PATIENCE)
    for script in (producer, consumer):
        script.wait_for_messages(20)
    own_broker.kill()
    for script in (producer, consumer):
        script.wait_for(AWAY)
    before = [costs(script) for script in (producer, consumer)]
    time.sleep(8)  # this test is about the length of the outage
    assert_level(before, (producer, consumer))
    for script, status in ((producer, 1), (consumer, 0)):
        assert script.interrupt(limit=10) == status
        assert "Traceback" not in script.text()
    assert re.search(r'Kafka has not acknowledged .*: {"symbol":"AAPL",.*}$', producer.errors[-1].text)
