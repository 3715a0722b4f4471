"""The reader of the output is slow or stands still, or the link to Kafka is slow: no message is skipped."""

import fcntl
import os
import re
import signal
import sys
import termios
import time

import pytest

from machine import processes
from machine.waiting import wait_until
from real_kafka.files import ROOT

TICKS = [b'{"symbol":"AAPL","price":"%d.00","broker":"Broker1"}' % number for number in range(8000)]


class Reader:
    """Runs consumer1.py. Reads its output only when told to, from a pipe or a terminal.

    Attributes:
        process: the subprocess.Popen.
        output: what was read, as bytes.
    """

    def __init__(self, kafka, topic, terminal=False, **settings):
        self.output = b""
        self._end, theirs = os.openpty() if terminal else os.pipe()
        [servers] = kafka.bootstrap_servers
        names = {"KAFKA_BOOTSTRAP_SERVERS": servers, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
        command = [sys.executable, str(ROOT / "consumer1.py")]
        self.process = processes.start(command, env={**os.environ, **names, **settings}, stdout=theirs)
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._end)

    def read(self, size=4096) -> bytes:
        """Wait for more output and read it; return b"" at the end."""
        try:
            data = os.read(self._end, size)
        except OSError:  # the end of a terminal, on Linux
            data = b""
        self.output += data
        return data

    def offsets(self) -> list[int]:
        return [int(number) for number in re.findall(rb"Received: .* offset (\d+)\)", self.output)]

    def wait_until_its_output_is_full(self):
        def unread():
            return fcntl.ioctl(self._end, termios.FIONREAD, b"    ")

        def stands_still():
            before = unread()
            time.sleep(0.3)
            return before == unread() != bytes(4)

        wait_until("the output to be full", stands_still)


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_offset_is_committed_only_after_its_line_is_written_though_signals_interrupt(
    kafka, topic, terminal, unbuffered
):
    """It is suspended, goes on and gets Ctrl+C while it waits for somebody to read what it writes."""
    kafka.create_topic(topic, partitions=2)
    for partition in (0, 1):
        kafka.send(topic, *TICKS, partition=partition)
    with Reader(kafka, topic, terminal, PYTHONUNBUFFERED=unbuffered) as consumer:
        while len(consumer.offsets()) < 1500:
            consumer.read()
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGINT):
            consumer.wait_until_its_output_is_full()
            assert sum(kafka.committed(topic, topic).values()) == 0  # one poll() returned them all; it is still writing
            consumer.process.send_signal(number)
        while consumer.read():
            pass
        assert consumer.process.wait(60) == 0
        printed = consumer.offsets()
    assert printed == list(range(len(printed)))  # of the first partition
    assert sorted(kafka.committed(topic, topic).values()) == [0, len(printed)]
    assert 1500 <= len(printed) < len(TICKS)  # the rest is left for the next start


def test_a_slow_reader_makes_progress_and_ctrl_c_ends_the_script_soon(kafka, topic):
    """At 20 lines a second, the backlog would take seven minutes: longer than a member may go without a poll."""
    kafka.send(topic, *TICKS)
    with Reader(kafka, topic) as consumer:

        def read_slowly_until(what, ask, wanted=bool):
            def asked():
                consumer.read(900)  # about ten lines
                return ask()

            wait_until(what, asked, wanted, limit=30, every=0.5)

        read_slowly_until("a commit", lambda: kafka.committed(topic, topic).get(0, 0))
        assert kafka.members(topic) == 1
        consumer.process.send_signal(signal.SIGINT)
        read_slowly_until("a clean end", consumer.process.poll, 0)
        while consumer.read():
            pass
        assert kafka.committed(topic, topic) == {0: len(consumer.offsets())}


SLOW_LINK = """
import socket
recv, free_at = socket.socket.recv, [0.0]
def recv_slowly(self, size, *flags):
    if time.monotonic() < free_at[0]:
        time.sleep(0.01)
        raise BlockingIOError  # nothing has come yet
    data = recv(self, size, *flags)
    free_at[0] = time.monotonic() + len(data) / 100_000
    return data
socket.socket.recv = recv_slowly
"""


def test_over_a_slow_link_all_is_read_and_ctrl_c_stays_a_matter_of_seconds(start_changed, kafka, topic):
    """At 100 kB a second and with batches of one megabyte, a fetch takes ten seconds."""
    kafka.send(topic, b"x" * 1_000_000, b"y" * 1_000_000, b"z")
    consumer = start_changed("consumer1", SLOW_LINK)
    received = consumer.wait_for_messages(3, limit=120)
    assert [len(message.value) for message in received] == [1_000_000, 1_000_000, 1]
    assert consumer.interrupt(limit=30) == 0
    assert not consumer.errors
