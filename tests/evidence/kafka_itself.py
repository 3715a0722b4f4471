"""What a Kafka itself says and stores: the truth that the scripts' lines are compared with."""

import contextlib
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import RetriableError

from evidence.judge import Log
from evidence.lines import Message


def ask_again(question, passing, limit):
    """Return question()'s answer; while it raises `passing`, ask again, for `limit` seconds; then let it pass."""
    deadline = time.monotonic() + limit
    while True:
        try:
            return question()
        except passing:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


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
        """Store these values (bytes, or None for a tombstone, which gets a key) in this order."""
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap_servers, compression_type=compression_type, linger_ms=5
        )
        with contextlib.closing(producer):
            futures = [
                producer.send(topic, value, key=b"key" if value is None else None, partition=partition)
                for value in values
            ]
            for future in futures:
                future.get(timeout=60)

    def log(self, topic) -> list[Message]:
        """Return all messages that the topic has now but those of aborted transactions, by partition and offset."""
        return self.whole_log(topic).messages

    def whole_log(self, topic, earlier=()) -> Log:
        """Return the topic's log as the judge takes it. The values are text: none is null.

        Args:
            earlier: the messages that it is known to have had, as an earlier `log` returned them.
        """
        consumer = KafkaConsumer(**self._client, auto_offset_reset="earliest", isolation_level="read_committed")
        with contextlib.closing(consumer):
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            first, ends, found = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions), []
            while any(consumer.position(tp) < ends[tp] for tp in partitions):
                for records in consumer.poll(timeout_ms=500).values():
                    for record in records:
                        text = record.value.decode("utf-8", "backslashreplace")
                        found.append(Message(record.partition, record.offset, text))
        first, ends = ({tp.partition: offsets[tp] for tp in partitions} for offsets in (first, ends))
        return Log(sorted(found), first, list(earlier), ends)

    def offsets(self, topic) -> dict[int, tuple[int, int]]:
        """Return {partition: (first offset, end offset)}."""
        with contextlib.closing(KafkaConsumer(**self._client)) as consumer:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        return {tp.partition: (first[tp], end[tp]) for tp in partitions}

    def _ask_about_groups(self, question):
        """Return question(admin), asked again while a broker still sets up or loads its groups."""
        limit = self._client["request_timeout_ms"] / 1000
        with self.admin() as admin:
            return ask_again(lambda: question(admin), RetriableError, limit)

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
