"""Consumers that run and are watched: one at a time where they catch up, all at the same time where they wait.

The messages are numbered ticks: the one at offset N has the price N, so a line that shows a tick names it, also where
a consumer prints values alone.
"""

import asyncio
import re
import signal
import tempfile
import time
import uuid

import psutil
from confluent_kafka import Producer

from evidence.programs import Program
from peers.catalogue import NODE_PACKAGES

RATE = 100  # messages a second, while consumers are restarted
ENDINGS = {"Ctrl+C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}
LIMIT = 600  # seconds, for a run
LAST_LINES = 4096  # bytes
TICK = re.compile(rb'"price":"(\d+)\.00","broker":"Broker1"}')


class Ticks:
    """A topic of one partition, made by Kafka at the first `send`; it has the ticks 0 to `stored` - 1."""

    def __init__(self, servers, topic):
        self.servers, self.topic, self.stored = servers, topic, 0
        settings = {"enable.idempotence": True, "queue.buffering.max.messages": 0, "log_level": 0}  # 0: no limit
        self._producer = Producer({"bootstrap.servers": servers, **settings})

    def send(self, count) -> None:
        """Store so many more.

        Raises:
            AssertionError: after 60 s some are not stored.
        """
        for number in range(self.stored, self.stored + count):
            self._producer.produce(self.topic, b'{"symbol":"AAPL","price":"%d.00","broker":"Broker1"}' % number)
        left = self._producer.flush(60)
        assert not left, f"Kafka has not stored {left} ticks within 60 s"
        self.stored += count


def numbers(output) -> list[int]:
    """Return the numbers of the ticks in what a consumer printed, as bytes."""
    return [int(number) for number in TICK.findall(output)]


async def run(ticks, peer, group, ending, enough) -> tuple[float, list[int]]:
    """Run a consumer once, from its start to its end.

    Args:
        ending: the signal that ends it.
        enough: whether to end it now: from its first message on it is asked again and again, with the seconds
            since then, the number of the last tick that is printed, and the process id.

    Returns:
        The seconds from its start to its first message, and the numbers of the ticks that it printed.

    Raises:
        AssertionError: it ended by itself, or did not end within LIMIT.
    """
    with tempfile.NamedTemporaryFile(prefix="benchmark-", buffering=0) as file:  # it is never slower than a consumer
        command = ["sh", "-c", 'exec "$@" >"$0"', file.name, *peer.command]
        settings = {"KAFKA_BOOTSTRAP_SERVERS": ticks.servers, "KAFKA_TOPIC": ticks.topic, "KAFKA_GROUP_ID": group}
        consumer = Program(peer.name, command, **settings, NODE_PATH=str(NODE_PACKAGES))
        first, told = None, False
        try:
            while not consumer.has_ended():
                file.seek(max(0, file.seek(0, 2) - LAST_LINES))
                printed, age = numbers(file.read()), time.monotonic() - consumer.started
                if printed and not told:
                    first = first or age
                    if told := enough(age - first, printed[-1], consumer.process.pid):
                        consumer.send(ending)
                assert age < LIMIT, f"{peer.name} was waited for in vain for {LIMIT} s"
                # Ever longer, so that dozens that wait cost little: half a percent of what is measured.
                await asyncio.sleep(max(0.002, age / 200))
        finally:
            consumer.kill()
        reason = consumer.errors[-1].text if consumer.errors else "it printed no error"
        assert told, f"{peer.name} ended by itself: {reason}"
        file.seek(0)
        return first, numbers(file.read())


async def catch_up(ticks, peer) -> tuple[float, float, float]:
    """Run a consumer in a new group until it has printed all ticks.

    The lines that the first look finds are taken off the rate's count: whoever prints more at once gains nothing.

    Returns:
        Messages a second, the largest resident memory seen, in MiB, and the seconds of processor time from its start to
        the last line, in the process and for it in the kernel.

    Raises:
        AssertionError: as `run`, or a message is missing or came twice.
    """
    looks = []

    def all_printed(seconds, number, process_id):
        process = psutil.Process(process_id)
        cpu = process.cpu_times()
        looks.append((seconds, number, process.memory_info().rss / 2**20, cpu.user + cpu.system))
        return number == ticks.stored - 1

    _, printed = await run(ticks, peer, str(uuid.uuid4()), signal.SIGINT, all_printed)
    expected = list(range(ticks.stored))
    assert sorted(printed) == expected, f"{peer.name} printed {len(printed)} lines for {ticks.stored} messages"
    seconds, last, memory, cpu = zip(*looks, strict=True)
    return (last[-1] - last[0]) / (seconds[-1] or 1), max(memory), cpu[-1]


async def restart_all(ticks, peers, moments) -> dict:
    """Start each consumer, end it and start it again in each way, all at the same time, while messages arrive.

    Args:
        moments: when each is ended, again and again: the seconds after its first message.

    Returns:
        {(peer, ending): what `restart_often` returns}, with the keys of ENDINGS.
    """
    tasks, begin = {}, time.monotonic()
    for peer in peers:
        for name, ending in ENDINGS.items():
            begin_after = len(tasks) / 2  # seconds: so that not all start at once
            tasks[peer, name] = asyncio.create_task(restart_often(ticks, peer, ending, moments, begin_after))
    left = tasks.values()
    while left:
        ticks.send(1 + int((time.monotonic() - begin) * RATE) - ticks.stored)
        done, left = await asyncio.wait(left, timeout=0.02)
        for task in done:
            task.result()  # raises at once what it has raised
    return {key: task.result() for key, task in tasks.items()}


async def restart_often(ticks, peer, ending, moments, begin_after) -> tuple[float, list[float], int, int]:
    """Start a consumer, end it and start it again, in one new group.

    Returns:
        The seconds from its first start to its first message, the same for the starts after an ending, and how many
        messages are missing and repeated.
    """
    await asyncio.sleep(begin_after)
    group = str(uuid.uuid4())
    runs = [await run(ticks, peer, group, ending, lambda seconds, *_, end=end: seconds >= end) for end in moments]
    stored = ticks.stored
    runs.append(await run(ticks, peer, group, signal.SIGKILL, lambda _, number, __: number >= stored))
    (first, *again), printed = zip(*runs, strict=True)
    return first, again, *missing_and_repeated(stored, printed)


def missing_and_repeated(stored, runs) -> tuple[int, int]:
    """Return how many of the ticks 0 to `stored` - 1 are missing in what a group printed, and how many it repeated.

    Args:
        runs: for each of the group's runs, the numbers that it printed.
    """
    printed = [number for run in runs for number in run if number < stored]
    distinct = len(set(printed))
    return stored - distinct, len(printed) - distinct
