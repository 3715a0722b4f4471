"""Run consumers and watch them: one at a time while they catch up, all at the same time while they are restarted.

The messages are numbered ticks: the one at offset N has the price N. So a line that shows a tick identifies it, even
where a consumer prints only values.
"""

import asyncio
import contextlib
import re
import signal
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psutil
from confluent_kafka import Producer

from peers.clients import COMMANDS
from real_kafka.client import Kafka
from running.programs import Program

RATE = 100  # messages a second, while consumers are restarted
ENDINGS = {"Ctrl+C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}
LIMIT = 300  # seconds, for each wait
TICK = re.compile(r'"price":"(\d+)\.00","broker":"Broker1"}')


class Ticks:
    """A new topic with so many partitions. It has the ticks 0 to `stored` - 1."""

    def __init__(self, servers, topic, partitions=1):
        self.servers, self.topic, self.stored = servers, topic, 0
        Kafka(servers).create_topic(topic, partitions)
        settings = {"enable.idempotence": True, "queue.buffering.max.messages": 0, "log_level": 0}  # 0: no limit
        self._producer = Producer({"bootstrap.servers": servers, **settings})

    def store(self, count) -> None:
        """Store ticks until there are `count`; raise AssertionError if some are not stored within 60 s."""
        for number in range(self.stored, count):
            self._producer.produce(self.topic, b'{"symbol":"AAPL","price":"%d.00","broker":"Broker1"}' % number)
        left = self._producer.flush(60)
        assert not left, f"Kafka has not stored {left} ticks within 60 s"
        self.stored = count


@contextlib.contextmanager
def running(ticks, peer, group, *through):
    """Run a consumer, as arguments of the command `through` if there is one, and kill it at the end."""
    settings = {"KAFKA_BOOTSTRAP_SERVERS": ticks.servers, "KAFKA_TOPIC": ticks.topic, "KAFKA_GROUP_ID": group}
    consumer = Program(peer, [*through, *COMMANDS[peer]], **settings)
    try:
        yield consumer
    finally:
        consumer.kill()


async def catch_up(ticks, peer) -> tuple[float, float, float]:
    """Run a consumer in a new group until it has printed each tick once, to a file, which never slows it down.

    Return the messages per second, without those that the first look finds, so that it is no advantage to print many at
    once; the largest resident memory seen, in MiB; and the user and system CPU time, in seconds.
    """
    looks, printed = [], []
    with tempfile.NamedTemporaryFile(prefix="benchmark-", buffering=0) as file:
        through = ["sh", "-c", 'exec "$@" >"$0"', file.name]
        with running(ticks, peer, str(uuid.uuid4()), *through) as consumer:
            process = psutil.Process(consumer.process.pid)
            while printed[-1:] != [str(ticks.stored - 1)]:
                await asyncio.sleep(0.005)
                assert consumer.process.poll() is None, f"{peer} ended with {consumer.wait()}\n{consumer.text()}"
                assert time.monotonic() < consumer.started + LIMIT, f"{peer} has not caught up within {LIMIT} s"
                file.seek(max(0, file.seek(0, 2) - 4096))  # the last lines
                printed = TICK.findall(file.read().decode())
                if printed:
                    memory, cpu = process.memory_info().rss / 2**20, process.cpu_times()
                    looks.append((time.monotonic(), int(printed[-1]), memory, cpu.user + cpu.system))
        file.seek(0)
        numbers = sorted(map(int, TICK.findall(file.read().decode())))
    assert numbers == list(range(ticks.stored)), f"{peer} did not print each of {ticks.stored} messages once"
    at, last, memory, cpu = zip(*looks, strict=True)
    return (last[-1] - last[0]) / (at[-1] - at[0] or 1), max(memory), cpu[-1]


async def restart_all(ticks, peers, moments, endings=tuple(ENDINGS)) -> dict:
    """Return {(peer, ending): the result of `restart_often`} of all at the same time, while messages arrive."""
    begin, tasks = time.monotonic(), {}
    for peer, name in ((peer, name) for peer in peers for name in endings):
        often = restart_often(ticks, peer, ENDINGS[name], moments, delay=len(tasks) / 2)
        tasks[peer, name] = asyncio.create_task(often)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(tasks)))
    left = tasks.values()
    while left:
        ticks.store(1 + int((time.monotonic() - begin) * RATE))
        done, left = await asyncio.wait(left, timeout=0.02)
        await asyncio.gather(*done)  # raises at once what one of them has raised
    return {key: task.result() for key, task in tasks.items()}


async def restart_often(ticks, peer, ending, moments, delay) -> tuple[float, list[float], tuple[int, int]]:
    """Start a consumer in a new group. End it at each of the moments, in seconds after its first message; restart it.

    Return the seconds from the first start to the first message, a list of the same for the later starts, and the
    result of `missing_and_repeated`.
    """
    await asyncio.sleep(delay)  # so that not all start at once
    group, silences, printed = str(uuid.uuid4()), [], []
    for seconds in (*moments, 0):
        stored = ticks.stored
        with running(ticks, peer, group) as consumer:
            first = await asyncio.to_thread(consumer.wait_for, TICK, LIMIT)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(consumer.wait_for, rf'"{stored}\.00"', LIMIT)
            consumer.send(ending)
            await asyncio.to_thread(consumer.wait)
        silences.append(first.at - consumer.started)
        printed += map(int, TICK.findall(consumer.text()))
    return silences[0], silences[1:], missing_and_repeated(stored, printed)


def missing_and_repeated(stored, printed) -> tuple[int, int]:
    """Return how many of the ticks 0 to `stored` - 1 were not printed, and how many were printed again."""
    judged = [number for number in printed if number < stored]
    distinct = len(set(judged))
    return stored - distinct, len(judged) - distinct
