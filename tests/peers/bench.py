"""Consumers that run, once from start to end, and the messages that they read.

These are numbered ticks: the message at offset N has the price N, so a line that shows a tick names it, and even a
consumer that prints values alone can be judged. Each topic has one partition.
"""

import itertools
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter

from confluent_kafka import Producer

from evidence.judge import Log, Run, missing, repeated
from evidence.lines import Message
from evidence.scripts import Script
from peers.catalogue import NODE_PACKAGES

ENDINGS = {"Ctrl+C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}
MISSED, LIVE = "missed", "live"  # topics: to catch up with, and to read while messages arrive
LIMIT = 600  # seconds, for a run
LAST_LINES = 4096  # bytes
TICK = re.compile(rb'"price":"(\d+)\.00","broker":"Broker1"}')


class Bench:
    """Where consumers are measured.

    Attributes:
        stored: {topic: how many ticks it has}.
    """

    def __init__(self, servers):
        self.stored = Counter()
        self._over = threading.Event()
        self._servers = servers
        self._groups = itertools.count(1)
        settings = {"enable.idempotence": True, "queue.buffering.max.messages": 0, "log_level": 0}  # 0: no limit
        self._producer = Producer({"bootstrap.servers": servers, **settings})

    def close(self) -> None:
        """Have each run that goes on in a thread end its consumer and raise an AssertionError."""
        self._over.set()

    def pause(self, seconds) -> None:
        """Wait for so many seconds; raise an AssertionError once the bench is closed."""
        assert not self._over.wait(seconds), "the benchmark is over"

    def send(self, topic, count) -> None:
        """Store so many more ticks; Kafka makes the topic.

        Raises:
            AssertionError: after 60 s some are not stored.
        """
        for number in range(self.stored[topic], self.stored[topic] + count):
            self._producer.produce(topic, tick(number))
        left = self._producer.flush(60)
        assert not left, f"Kafka has not stored {left} ticks within 60 s"
        self.stored[topic] += count

    def new_group(self, topic) -> dict[str, str]:
        """Return the settings of a consumer whose group has read nothing of the topic."""
        return {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": f"group-{next(self._groups)}"}

    def run(self, peer, group, ending, enough) -> tuple[float, list[int]]:
        """Run a consumer once, from its start to its end.

        Args:
            group: as `new_group` returns it.
            ending: a key of ENDINGS.
            enough: whether to end it now: from its first message on it is asked again and again, with the seconds
                since then, the number of the last tick that is printed, and the process id.

        Returns:
            The seconds from its start to its first message, and the numbers of the ticks that it printed.

        Raises:
            AssertionError: it ended by itself, or there was not enough within LIMIT.
        """
        program = ["node" if peer.program.suffix == ".js" else sys.executable, str(peer.program)]
        command = ["sh", "-c", 'exec "$0" "$1" >"$OUTPUT"', *program]  # to a file: it is never slower than a consumer
        with tempfile.NamedTemporaryFile(prefix="benchmark-", buffering=0) as file:
            settings = {"OUTPUT": file.name, "NODE_PATH": str(NODE_PACKAGES), **group}
            consumer = Script(peer.name, self._servers, command=command, **settings)
            try:
                first = self._watch(consumer, file, enough)
                consumer.send(ENDINGS[ending])
                consumer.wait()
            finally:
                consumer.kill()
            file.seek(0)
            return first, numbers(file.read())

    def _watch(self, consumer, file, enough) -> float:
        """Return the seconds to the first message when it is enough."""
        first = None
        while True:
            if consumer.process.poll() is not None:
                consumer.wait()
                reason = consumer.errors[-1].text if consumer.errors else "it printed no error"
                raise AssertionError(f"{consumer.name} ended by itself: {reason}")
            file.seek(max(0, file.seek(0, 2) - LAST_LINES))
            printed, age = numbers(file.read()), time.monotonic() - consumer.started
            if printed:
                first = first or age
                if enough(age - first, printed[-1], consumer.process.pid):
                    return first
            assert age < LIMIT, f"{consumer.name} was waited for in vain for {LIMIT} s"
            # Ever longer, so that dozens that wait cost little: half a percent of what is measured.
            self.pause(max(0.002, age / 200))


def tick(number) -> bytes:
    return b'{"symbol":"AAPL","price":"%d.00","broker":"Broker1"}' % number


def numbers(output) -> list[int]:
    """Return the numbers of the ticks in what a consumer printed."""
    return [int(number) for number in TICK.findall(output)]


def missing_and_repeated(stored, runs) -> tuple[int, int]:
    """Return how many of the ticks 0 to `stored` - 1 are missing in what a group printed, and how many it repeated.

    The judge counts; the peers print in words of their own, so it is told in those of consumer1.py.

    Args:
        stored: how many ticks the topic has that the group owes.
        runs: for each of the group's runs, the numbers that it printed.
    """
    log = Log([Message(0, number, "tick") for number in range(stored)])
    told = "[Consumer1] Received: tick (partition 0, offset {})"
    group = [Run("run", [told.format(number) for number in run if number < stored], "group") for run in runs]
    return len(missing(group, log)), sum(map(len, repeated(group)))
