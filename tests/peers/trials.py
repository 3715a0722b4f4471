"""One client in one experiment."""

import contextlib
import re
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from machine.waiting import wait_until
from running.programs import Program

LIMIT = 180  # seconds, for what must come


class Trial:
    """One client in one experiment, with a topic and a group of its own.

    Args:
        wait: how many seconds to wait for what may never come.
    """

    def __init__(self, client, command, servers, wait):
        self.client, self.command, self.wait = client, command, wait
        self.settings = {"bootstrap.servers": servers, "log_level": 0}
        self.topic, self.group = str(uuid.uuid4()), str(uuid.uuid4())
        self.admin, self.producer = AdminClient(self.settings), Producer(self.settings)
        self.admin.create_topics([NewTopic(self.topic, 1)])[self.topic].result()
        wait_until("the topic, and the coordinator of the group", self._ready, limit=LIMIT)

    def _ready(self) -> bool:
        """Tell whether a client will find both; without them, in a new Kafka's first seconds, some clients end."""
        with contextlib.suppress(KafkaException):
            self.committed()
            return self.admin.list_topics(self.topic).topics[self.topic].error is None
        return False

    def store(self, count, partition=0, producer=None) -> None:
        producer, stored = producer or self.producer, []
        for _ in range(count):
            producer.produce(self.topic, b"", partition=partition, on_delivery=lambda *report: stored.append(report))
        producer.flush(LIMIT)
        assert [error for error, _ in stored] == [None] * count, stored

    @contextlib.contextmanager
    def consumer(self, messages, **settings):
        """Run the client's program, from its first so many messages on; kill it at the end if it still runs."""
        settings |= {"KAFKA_TOPIC": self.topic, "KAFKA_GROUP_ID": self.group}
        program = Program(
            self.client, self.command, **settings, KAFKA_BOOTSTRAP_SERVERS=self.settings["bootstrap.servers"]
        )
        try:
            program.until(f"{messages} messages", lambda: len(read(program)) >= messages, limit=LIMIT)
            yield program
        finally:
            program.kill()

    def committed(self, offset=None) -> int | None:
        """Return the group's committed offset in partition 0, after a change to this one if it is given."""
        # Not by an AdminClient: confluent-kafka 2.16.1 crashes if the group's coordinator is not there yet.
        with contextlib.closing(Consumer({**self.settings, "group.id": self.group})) as asker:
            if offset is not None:
                asker.commit(offsets=[TopicPartition(self.topic, 0, offset)], asynchronous=False)
            [found] = asker.committed([TopicPartition(self.topic, 0)], timeout=30)
        return found.offset if found.offset >= 0 else None


def read(consumer) -> dict[tuple[int, int], float]:
    """Return {(partition, offset): when it was printed first}."""
    found = {}
    for line in list(consumer.output):
        if match := re.fullmatch(r"(\d+) (\d+)", line.text):
            found.setdefault((int(match[1]), int(match[2])), line.at)
    return found
