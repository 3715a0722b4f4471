"""Several consumers, suspended ones, copies of the same one, and readers that go away."""

import signal
import subprocess
import sys
import time

import pytest

from evidence.judge import assert_sound, missing
from evidence.scripts import runs
from local_kafka.files import ROOT
from local_kafka.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]


def test_two_consumers_of_one_group_share_two_partitions(start, kafka, topic):
    kafka.create_topic(topic, partitions=2)
    consumers = [start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2")]
    wait_until(lambda: kafka.members(topic) == 2)
    for consumer in consumers:
        consumer.wait_for("-[01] at offset 0")
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)
    wait_until(lambda: len(consumers[0].messages() + consumers[1].messages()) >= 20)
    for consumer in consumers:
        assert len({message.partition for message in consumer.messages()}) == 1
    assert_sound(runs(consumers), kafka.whole_log(topic))


@pytest.mark.parametrize("ending", ["SIGINT", "SIGKILL"])
def test_when_one_of_a_group_stops_the_other_has_its_partition(start, kafka, topic, ending):
    kafka.create_topic(topic, partitions=2)
    first, second = (start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2"))
    wait_until(lambda: kafka.members(topic) == 2)
    for consumer in (first, second):
        consumer.wait_for("-[01] at offset 0")
    first.send(getattr(signal, ending))
    first.wait()
    stopped = time.monotonic()
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)
    log = kafka.whole_log(topic)
    second.wait_until(lambda: not missing([second.run()], log))
    assert time.monotonic() - stopped < 20  # about 10 s, with room for a busy machine; Kafka's default is 45 s
    assert_sound(runs([first, second]), log)


def test_a_consumer_that_gets_no_partition_says_so(start, kafka, topic):
    kafka.create_topic(topic, partitions=1)
    first = start("consumer1", KAFKA_GROUP_ID=topic)
    first.wait_for("at offset 0")
    second = start("consumer2", KAFKA_GROUP_ID=topic)
    wait_until(lambda: "Waiting: the other members" in first.text() + second.text())


def test_of_two_copies_one_goes_on_and_the_other_ends_with_the_reason(start, kafka, topic):
    kafka.send(topic, *TICKS)
    first = start("consumer1")
    first.wait_for_messages(10)
    second = start("consumer1")
    assert first.wait(limit=30) == 1
    reason = f"[Consumer1] Another consumer1 has joined group {topic}-consumer1: it goes on, this one ends."
    assert [line.text for line in first.errors] == [reason]
    kafka.send(topic, *TICKS)
    assert second.wait_for_messages(10) == kafka.log(topic)[10:]


def test_a_consumer_suspended_for_longer_than_its_session_goes_on(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    consumer.wait_for("Caught up")
    consumer.send(signal.SIGSTOP)
    wait_until(lambda: kafka.members(f"{topic}-consumer1") == 0)  # its session is over
    kafka.send(topic, *TICKS)
    consumer.send(signal.SIGCONT)
    log = kafka.whole_log(topic)
    consumer.wait_until(lambda: not missing([consumer.run()], log))
    wait_until(lambda: kafka.committed(f"{topic}-consumer1", topic) == {0: 20})
    assert consumer.interrupt() == 0
    assert_sound([consumer.run()], log, repeats=10)  # what it prints before it learns that its session is over
    assert not consumer.errors


@pytest.mark.parametrize("name", ["producer1", "consumer1"])
def test_a_signal_that_is_delivered_twice_is_one_clean_stop(start, kafka, topic, name):
    """`timeout` and some terminals deliver a signal to the process and to its group."""
    kafka.send(topic, *TICKS)
    script = start(name)
    script.wait_for_messages(3)
    script.send(signal.SIGINT)
    time.sleep(0.01)  # long enough for the script to see two signals, not one; people are slower
    script.send(signal.SIGINT)
    assert script.wait() == 0
    assert "Stopped" in script.output[-1].text
    assert not script.errors


@pytest.mark.linux("it looks at a process's signal handlers")
@pytest.mark.parametrize("name", ["producer1", "producer2", "consumer1", "consumer2"])
def test_ctrl_c_while_it_starts_leaves_no_traceback(start, topic, name):
    for delay in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5):
        script = start(name)
        script.wait_until_it_handles_signals()
        time.sleep(delay)  # the moment is the test's subject: while it imports, connects, joins
        script.interrupt()
        assert not script.errors


def test_output_that_goes_away_ends_the_consumer_quietly(start, kafka, topic):
    """`python consumer1.py | head -n 3`: what was not written is not committed."""
    kafka.send(topic, *[b"x" * 1000] * 1000)  # a megabyte: more than the pipe holds
    consumer = start("consumer1", redirect="| head -n 3")
    assert consumer.wait() == 0
    assert not consumer.errors
    assert len(consumer.output) == 3
    assert kafka.committed(f"{topic}-consumer1", topic).get(0, 0) == 0


@pytest.mark.linux("/dev/full")
def test_a_full_disk_is_one_line_and_nothing_is_committed(start, kafka, topic):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1", redirect="> /dev/full")
    assert consumer.wait() == 1
    assert [error.text for error in consumer.errors] == ["[Consumer1] OSError: [Errno 28] No space left on device"]
    assert kafka.committed(f"{topic}-consumer1", topic) == {}


def test_help_tells_what_a_script_does_and_its_settings():
    for name in ("producer1", "producer2", "consumer1", "consumer2"):
        text = subprocess.run(
            [sys.executable, ROOT / f"{name}.py", "--help"], capture_output=True, text=True, check=True
        )
        for setting in (
            "KAFKA_BOOTSTRAP_SERVERS",
            "KAFKA_TOPIC",
            "SEND_INTERVAL" if "prod" in name else "KAFKA_GROUP_ID",
        ):
            assert setting in text.stdout
