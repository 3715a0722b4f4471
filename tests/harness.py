"""What the tests, the demonstration and the benchmark share: running the scripts as a person does, asking Kafka itself.

Nothing here imports the scripts: a `Script` is a process with an environment, whose printed lines are read back.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from broker import die_with_parent
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import RetriableError

ROOT = Path(__file__).resolve().parent.parent
MESSAGE = re.compile(
    r"\[\w+\] (?:Sent|Received): (?P<value>.*) \(partition (?P<partition>\d+), offset (?P<offset>\d+)\)"
)


class Message(NamedTuple):
    """A message as a script's line shows it, or as Kafka has it."""

    partition: int
    offset: int
    value: str


class Line(NamedTuple):
    """A printed line and when it came, in seconds of time.monotonic()."""

    at: float
    text: str


class Script:
    """One of the four scripts, running.

    Args:
        name: "producer1", "producer2", "consumer1" or "consumer2".
        bootstrap_servers: its KAFKA_BOOTSTRAP_SERVERS.
        arguments: its command line.
        command: another program to run instead, as a list.
        settings: more of its environment. Of our own environment it gets nothing that names Kafka or Python.

    Attributes:
        process: the subprocess.Popen.
        started: when it was started, in seconds of time.monotonic().
        output, errors: what it has printed so far, as lists of Line.
    """

    def __init__(self, name, bootstrap_servers, *arguments, command=None, **settings):
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("KAFKA_", "PYTHON", "SEND_"))
        }
        self.name = name
        self.output, self.errors = [], []
        self._news = threading.Condition()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command or [sys.executable, str(ROOT / f"{name}.py"), *arguments],
            env={**inherited, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl+C in our terminal is for us; we pass on what it should get
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it only calls prctl
        )
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        with stream:
            for line in stream:
                with self._news:
                    lines.append(Line(time.monotonic(), line.decode("utf-8", "backslashreplace").rstrip("\r\n")))
                    self._news.notify_all()

    def wait_until(self, condition, limit=60):
        """Return condition()'s first true value; it is asked again whenever a line comes.

        Raises:
            AssertionError: it is not true after `limit` seconds; the message shows what was printed.
        """
        deadline = time.monotonic() + limit
        with self._news:
            while not (result := condition()):
                ended = self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers)
                if ended or time.monotonic() > deadline:
                    why = f"ended with {self.process.returncode}" if ended else f"waited {limit} s"
                    raise AssertionError(f"{self.name}: {why}, but it printed only\n{self.text()}")
                self._news.wait(0.2)
        return result

    def wait_for(self, pattern, limit=60) -> Line:
        """Return the first line of the output that the regular expression is found in.

        Raises:
            AssertionError: as `wait_until`.
        """
        return self.wait_until(
            lambda: next((line for line in self.output if re.search(pattern, line.text)), None), limit
        )

    def wait_for_messages(self, count, limit=60) -> list[Message]:
        """Return the messages it has sent or received when there are `count` of them.

        Raises:
            AssertionError: as `wait_until`.
        """
        self.wait_until(lambda: len(self.messages()) >= count, limit)
        return self.messages()

    def messages(self) -> list[Message]:
        """Return the messages it says it has sent or received, in the order of its lines."""
        found = (MESSAGE.fullmatch(line.text) for line in list(self.output))
        return [Message(int(m["partition"]), int(m["offset"]), m["value"]) for m in found if m]

    def first_message_after(self) -> float:
        """Return the seconds from its start to its first message."""
        return next(line.at for line in self.output if MESSAGE.fullmatch(line.text)) - self.started

    def text(self) -> str:
        return "\n".join(line.text for line in [*self.output, *self.errors])

    def send(self, number) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, limit=60) -> int:
        """Return its exit status when it has ended and all its lines are read.

        Raises:
            AssertionError: it runs on after `limit` seconds.
        """
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {limit} s:\n{self.text()}") from None
        for reader in self._readers:
            reader.join(limit)
        return status

    def interrupt(self, limit=60) -> int:
        """Stop it as Ctrl+C does; return its exit status."""
        self.send(signal.SIGINT)
        return self.wait(limit)

    def kill(self) -> int:
        """Kill it, and what it has started, as kill -9 does; return its exit status."""
        if os.name != "posix":
            self.process.kill()
        elif self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait()


class Kafka:
    """What a Kafka itself says and stores: the truth that the scripts' lines are compared with.

    Args:
        bootstrap_servers: "host:port", comma-separated for a cluster.
        timeout_ms: how long to wait for one answer, in milliseconds; over that, methods raise a KafkaError.
    """

    def __init__(self, bootstrap_servers, timeout_ms=30_000):
        self.bootstrap_servers = bootstrap_servers.split(",")
        self._client = {
            "bootstrap_servers": self.bootstrap_servers,
            "bootstrap_timeout_ms": timeout_ms,
            "request_timeout_ms": timeout_ms,
            "reconnect_backoff_max_ms": 500,  # ask on soon after an outage; kafka-python's default is 30 s
        }

    def admin(self):
        """Return a context manager with a KafkaAdminClient.

        Raises:
            kafka.errors.KafkaTimeoutError: no Kafka answered in time.
        """
        return contextlib.closing(KafkaAdminClient(**self._client))

    def create_topic(self, topic, partitions=1) -> None:
        """Create a topic and wait until it is there."""
        with self.admin() as admin:
            admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=-1)])
            admin.wait_for_topics([topic])

    def configure(self, topic, **configs) -> None:
        """Change the topic's own settings; a dot is written as _."""
        settings = {name.replace("_", "."): str(value) for name, value in configs.items()}
        with self.admin() as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])

    def send(self, topic, *values, compression_type=None, partition=None) -> None:
        """Store these values (bytes, or None for a tombstone) in this order."""
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap_servers, compression_type=compression_type, linger_ms=5
        )
        with contextlib.closing(producer):
            keys = (b"key" if value is None else None for value in values)
            for future in [
                producer.send(topic, v, key=k, partition=partition) for v, k in zip(values, keys, strict=True)
            ]:
                future.get(timeout=60)

    def log(self, topic) -> list[Message]:
        """Return all messages that the topic has now, by partition and offset."""
        consumer = KafkaConsumer(**self._client, auto_offset_reset="earliest")
        with contextlib.closing(consumer):
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            ends, found = consumer.end_offsets(partitions), []
            while any(consumer.position(tp) < ends[tp] for tp in partitions):
                for records in consumer.poll(timeout_ms=500).values():
                    found += [
                        Message(r.partition, r.offset, (r.value or b"").decode("utf-8", "replace")) for r in records
                    ]
        return sorted(found)

    def offsets(self, topic) -> dict[int, tuple[int, int]]:
        """Return {partition: (first offset, end offset)}."""
        with contextlib.closing(KafkaConsumer(**self._client)) as consumer:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        return {tp.partition: (first[tp], end[tp]) for tp in partitions}

    def _ask_about_groups(self, question):
        """Return question(admin), asked again while a broker still sets up or loads its groups."""
        deadline = time.monotonic() + self._client["request_timeout_ms"] / 1000
        with self.admin() as admin:
            while True:
                try:
                    return question(admin)
                except RetriableError:
                    if time.monotonic() > deadline:
                        raise
                time.sleep(0.1)

    def committed(self, group, topic) -> dict[int, int]:
        """Return {partition: committed offset}, without the partitions that have none."""
        found = self._ask_about_groups(lambda admin: admin.list_group_offsets(group)[group])
        return {tp.partition: value.offset for tp, value in found.items() if tp.topic == topic and value.offset >= 0}

    def delete_before(self, topic, offset, partition=0) -> None:
        """Delete the messages below an offset: what retention does when their time has come."""
        with self.admin() as admin:
            admin.delete_records({TopicPartition(topic, partition): offset})

    def members(self, group) -> int:
        """Return how many members the group has."""
        return self._ask_about_groups(lambda admin: len(admin.describe_groups([group])[group]["members"]))


def missing_and_repeated(stored, received) -> tuple[list[Message], list[Message]]:
    """Compare what the topic has with what a consumer printed; return what it did not print and what it printed again."""
    printed = Counter(received)
    return [m for m in stored if m not in printed], [m for m, times in printed.items() if times > 1]


def wait_until(condition, limit=60, every=0.1):
    """Return condition()'s first true value.

    Raises:
        AssertionError: it is not true after `limit` seconds.
    """
    deadline = time.monotonic() + limit
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {limit} s: {condition}")
        time.sleep(every)
    return result
