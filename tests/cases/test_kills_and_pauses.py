"""The worst moments: kills while it starts, answers that do not come, a suspended consumer, blocked output."""

import signal
import socket
import time
from contextlib import closing

import pytest

from evidence.judge import assert_sound, missing
from machine.waiting import wait_until
from real_kafka.brokers import Broker
from real_kafka.client import Kafka

TICKS = [b'{"tick":%d}' % number for number in range(10)]


KAFKA_STOPS_ANSWERING = """
poll = script.KafkaConsumer.poll
def then_suspend_kafka(self, **how):
    messages = {}
    while not messages:  # what the first poll() returns begins a partition: there is something to ask
        messages = poll(self, **how)
    script.KafkaConsumer.poll = poll
    os.kill(int(os.environ["KAFKA_PROCESS"]), signal.SIGSTOP)
    return messages
script.KafkaConsumer.poll = then_suspend_kafka
"""


def test_what_poll_returned_is_printed_though_kafka_stops_answering_just_then(start_changed, topic):
    """The questions between poll() and print fail: what poll() returned must not be passed over."""
    with Broker() as broker, closing(Kafka(broker.bootstrap_servers)) as kafka:
        kafka.send(topic, *(b"tick %d" % number for number in range(300)))
        kafka.commit(f"{topic}-consumer1", topic, 0)
        settings = {"bootstrap_servers": broker.bootstrap_servers, "KAFKA_PROCESS": str(broker.process.pid)}
        consumer = start_changed("consumer1", KAFKA_STOPS_ANSWERING, judged_by=kafka, **settings)
        consumer.wait_for("Waiting: ")
        assert not consumer.messages()
        broker.process.send_signal(signal.SIGCONT)
        kafka.wait_until_committed(consumer.group, topic, {0: 300}, limit=120)
        assert consumer.interrupt() == 0
        assert_sound([consumer.printed()], kafka.log(topic))


def test_a_consumer_suspended_for_longer_than_its_session_goes_on(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    kafka.wait_until_committed(consumer.group, topic, {0: 10})
    consumer.send(signal.SIGSTOP)
    wait_until("the end of its session", lambda: kafka.members(consumer.group), 0)
    kafka.send(topic, *TICKS)
    consumer.send(signal.SIGCONT)
    log = kafka.log(topic)
    consumer.until("all that was sent", lambda: missing([consumer.printed()], log), [])
    kafka.wait_until_committed(consumer.group, topic, {0: 20})
    assert consumer.interrupt() == 0
    assert_sound([consumer.printed()], log, repeats=10)  # what it prints before it learns that its session is over


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_a_signal_that_is_delivered_twice_is_one_clean_stop(start, kafka, topic, name):
    """`timeout`, launchers and some terminals deliver a signal to the process and to its group."""
    kafka.send(topic, *TICKS)
    script = start(name)
    script.wait_for_messages(3)
    script.send(signal.SIGINT)
    time.sleep(0.01)  # long enough for the script to see two signals, not one
    script.send(signal.SIGINT)
    assert script.wait() in (0, -signal.SIGINT)  # the latter if the second comes when all is done
    assert script.output[-1].text.endswith("] Stopped.")
    assert not script.errors


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_ctrl_c_while_a_script_looks_for_kafka_leaves_no_traceback(start, name):
    """Here somebody takes its connection and answers nothing. It ends when it would have given up, with that error."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        script = start(name, bootstrap_servers=f"127.0.0.1:{mute.getsockname()[1]}")
        with mute.accept()[0]:
            assert script.interrupt() == 1
    [error] = script.errors
    assert "KafkaTimeoutError: Unable to bootstrap from " in error.text


@pytest.mark.linux("/dev/full")
@pytest.mark.needs("bash", "head")
@pytest.mark.parametrize(
    ("redirect", "error"),
    [
        ("| head -n 3", "[Errno 32] Broken pipe"),
        ("> /dev/full", "[Errno 28] No space left on device"),
        (">&-", "[Errno 9] Bad file descriptor"),
    ],
)
def test_output_that_cannot_be_written_is_one_line_and_nothing_is_committed(start, kafka, topic, redirect, error):
    kafka.send(topic, *[b"x" * 1000] * 1000)  # a megabyte: more than a pipe holds
    consumer, producer = start("consumer1", redirect=redirect), start("producer1", redirect=redirect)
    for script in (consumer, producer):
        assert script.wait() == 1
        assert [line.text for line in script.errors] == [f"[{script.name.capitalize()}] {error}"]
    assert kafka.committed(f"{topic}-consumer1", topic).get(0, 0) == 0
