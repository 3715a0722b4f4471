"""Bad moments: a suspended consumer, a signal that comes twice, Ctrl+C at the start, output that cannot be written."""

import signal
import socket
import sys
import time

import pytest

from evidence.judge import assert_sound, missing
from machine.waiting import wait_until
from real_kafka.files import ROOT

TICKS = [b'{"tick":%d}' % number for number in range(10)]


def test_a_consumer_suspended_for_longer_than_its_session_goes_on(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    kafka.wait_until_committed(consumer.group, topic, {0: 10})
    consumer.send(signal.SIGSTOP)
    wait_until("the end of its session", lambda: kafka.members(consumer.group), 0, limit=30)  # not Kafka's 45
    kafka.send(topic, *TICKS)
    consumer.send(signal.SIGCONT)
    log = kafka.log(topic)
    consumer.until("all that was sent", lambda: missing([consumer.printed()], log), [])
    kafka.wait_until_committed(consumer.group, topic, {0: 20})
    assert consumer.interrupt() == 0
    assert_sound([consumer.printed()], log, repeats=10)  # it may print them before it learns that its session is over


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_a_signal_that_is_delivered_twice_is_one_clean_stop(start, kafka, topic, name):
    """`timeout`, launchers and some terminals send a signal to the process and to its process group."""
    kafka.send(topic, *TICKS)
    script = start(name)
    script.wait_for_messages(3)
    script.send(signal.SIGINT)
    time.sleep(0.01)  # long enough for the script to see two signals, not one
    script.send(signal.SIGINT)
    assert script.wait() in (0, -signal.SIGINT)  # the latter if the second comes after the clean end
    assert script.output[-1].text.endswith("] Stopped.")
    assert not script.errors


def test_ctrl_c_ends_a_script_that_has_nothing_to_do_at_once(start, kafka, topic):
    producer, consumer = start("producer1", SEND_INTERVAL_SECONDS="600"), start("consumer1")
    kafka.wait_until_committed(consumer.group, topic, {0: 1})
    for script in (producer, consumer):
        assert script.interrupt() == 0


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_ctrl_c_while_a_script_looks_for_kafka_leaves_no_traceback(start, name):
    """A server accepts the connection but never answers. The script ends when it would give up, with that error."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        script = start(name, bootstrap_servers=f"127.0.0.1:{mute.getsockname()[1]}")
        with mute.accept()[0]:
            assert script.interrupt() == 1
    [error] = script.errors
    assert "KafkaTimeoutError: Unable to bootstrap from " in error.text


UNWRITABLE = {
    "| head -n 3": "[Errno 32] Broken pipe",
    "> /dev/full": "[Errno 28] No space left on device",
    ">&-": "[Errno 9] Bad file descriptor",
}


@pytest.mark.linux("/dev/full")
@pytest.mark.needs("bash", "head")
@pytest.mark.parametrize("redirect", UNWRITABLE)
def test_output_that_cannot_be_written_is_one_line_and_nothing_is_committed(start, kafka, topic, redirect):
    kafka.send(topic, *[b"x" * 1000] * 1000)  # a megabyte: more than a pipe holds
    shell = "bash", "-o", "pipefail", "-c"
    for name in ("consumer1", "producer1"):
        script = start(name, command=[*shell, f'"{sys.executable}" "{ROOT / name}.py" {redirect}'])
        assert script.wait() == 1
        assert [line.text for line in script.errors] == [f"[{name.capitalize()}] {UNWRITABLE[redirect]}"]
    assert kafka.committed(f"{topic}-consumer1", topic).get(0, 0) == 0
