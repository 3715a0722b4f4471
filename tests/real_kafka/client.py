"""A real Kafka, to ask and to change: the truth that the scripts' lines are compared with, and that a watch shows."""

import contextlib
import itertools
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic, OffsetSpec

from evidence.history import Log
from evidence.lines import Message
from evidence.snapshot import Group, LogOffsets, Member, Snapshot
from machine.processes import now
from machine.waiting import wait_until

PROTOCOLS = ("consumer", "")  # of the groups that consumers make; "" if it had no member yet


class Kafka:
    """A Kafka. Questions share one connection, which `close` ends; what changes something has a client of its own.

    Methods raise a KafkaError if an answer takes longer than `timeout_ms`.
    """

    def __init__(self, bootstrap_servers, timeout_ms=30_000):
        self.bootstrap_servers = bootstrap_servers.split(",")
        self._client = {
            "bootstrap_servers": self.bootstrap_servers,
            "bootstrap_timeout_ms": timeout_ms,
            "request_timeout_ms": timeout_ms,
            "reconnect_backoff_max_ms": 500,  # ask on soon after an outage; kafka-python's default is 30 s
        }
        self._kept = None  # the KafkaAdminClient of the questions
        self._listed = {}  # {topic id: the groups that Kafka has listed since it was seen first}

    def close(self) -> None:
        """Drop the connection; the next question makes another one."""
        if self._kept:
            self._kept.close()
        self._kept = None

    # Questions.

    def snapshot(self, topic, groups=None, patience=None) -> Snapshot:
        """Ask what there is now of a topic and of the groups that have a committed offset or a member on it.

        It only looks. It joins no group and commits nothing. A topic that does not exist is not created, since
        the admin client's metadata requests forbid that (allow_auto_topic_creation, KIP-204), and groups are asked
        about only when Kafka has listed them: looking for the coordinator of any would create __consumer_offsets.

        Args:
            groups: ask about these alone.
            patience: for how many seconds to ask again while no Kafka answers, or one that has not yet loaded its
                groups; by default as long as for one answer. Whoever asks again and again should wait long:
                kafka-python 3.0.12 leaves a thread behind for each client that finds no Kafka.
        """
        return self._ask(lambda admin: self._look(admin, topic, groups), patience)

    def committed(self, group, topic) -> dict[int, int]:
        """Return {partition: committed offset}, without the partitions that have none."""
        return self.snapshot(topic, [group]).group(group).committed

    def wait_until_committed(self, group, topic, offsets, limit=60) -> None:
        """Wait until the group has committed just these offsets: {partition: offset}."""
        wait_until(f"group {group} to commit {offsets}", lambda: self.committed(group, topic), offsets, limit)

    def members(self, group) -> int:
        """Return how many members the group has."""
        return self._ask(lambda admin: len(admin.describe_groups([group])[group]["members"]))

    def offsets(self, topic) -> dict[int, LogOffsets]:
        """Return {partition: (first offset, end offset)}."""
        return self.snapshot(topic, groups=()).logs

    def messages(self, topic) -> list[Message]:
        """Return all messages that the topic has now but those of aborted transactions, by partition and offset."""
        return self.log(topic).messages

    def log(self, topic, earlier=()) -> Log:
        """Return the topic's log as the judge takes it, with what an `earlier` log had. No value may be null."""
        records, *bounds = self.records(topic)
        found = {
            Message(each.partition, each.offset, each.value.decode("utf-8", "backslashreplace")) for each in records
        }
        return Log(sorted(found.union(earlier)), *bounds)

    def records(self, topic) -> tuple[list, dict[int, int], dict[int, int]]:
        """Return the topic's records, as the client has them, and {partition: offset} of the first and of the end."""
        consumer = KafkaConsumer(**self._client, auto_offset_reset="earliest", isolation_level="read_committed")
        with contextlib.closing(consumer):
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            bounds, records = (consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)), []
            while any(consumer.position(tp) < bounds[1][tp] for tp in partitions):
                records += itertools.chain(*consumer.poll(timeout_ms=500).values())
        return records, *({tp.partition: offsets[tp] for tp in partitions} for offsets in bounds)

    def _ask(self, question, patience=None):
        """Return question(admin); after an error ask again, with a new connection, until patience is over."""
        deadline = now() + (patience or self._client["request_timeout_ms"] / 1000)
        while True:
            try:
                if self._kept is None:
                    left_ms = max(0, int((deadline - now()) * 1000))
                    self._kept = KafkaAdminClient(**{**self._client, "bootstrap_timeout_ms": left_ms})
                return question(self._kept)
            except errors.AuthorizationError:  # asked again, Kafka would refuse again
                raise
            except Exception as error:  # amid an outage many can come
                self.close()  # forget what it believes about coordinators and leaders, too
                if now() > deadline:
                    known = isinstance(error, errors.KafkaError)
                    raise error if known else errors.KafkaConnectionError(repr(error)) from None
            time.sleep(0.1)

    def _look(self, admin, topic, groups) -> Snapshot:
        described = admin.describe_topics([topic])[0]
        if described["error_code"] == errors.UnknownTopicOrPartitionError.errno:
            return Snapshot(time.time())
        if described["error_code"]:
            raise errors.for_code(described["error_code"])()
        topic_id = str(described["topic_id"])
        # In this order: what is deleted unread is never too much, and a lag is never below 0.
        partitions = [TopicPartition(topic, partition["partition_index"]) for partition in described["partitions"]]
        first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        # Asked about are those groups, too, that are not listed any more: a broker that has just started lists none,
        # and refuses to answer. Of a Kafka that was wiped, where the topic has another id, they are forgotten.
        listed = self._listed.setdefault(topic_id, set())
        listed |= {group["group_id"] for group in admin.list_groups() if group["protocol_type"] in PROTOCOLS}
        asked = listed if groups is None else listed.intersection(groups)
        found = _groups(admin, asked, partitions) if asked else {}
        end = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        logs = {tp.partition: LogOffsets(first[tp].offset, end[tp].offset) for tp in partitions}
        return Snapshot(time.time(), topic_id, logs, found)

    # What changes it.

    def admin(self):
        """Return a context manager with a KafkaAdminClient of its own."""
        return contextlib.closing(KafkaAdminClient(**self._client))

    def create_topic(self, topic, partitions=1) -> None:
        """Create a topic and wait until it is there."""
        with self.admin() as admin:
            admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=-1)])
            admin.wait_for_topics([topic])

    def configure(self, topic, **configs) -> None:
        """Change the topic's own settings; a dot is written as _. Raises a KafkaError if Kafka refuses."""
        settings = {name.replace("_", "."): str(value) for name, value in configs.items()}
        with self.admin() as admin:
            said = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])["topic"][topic]
        if said != "OK":
            raise errors.KafkaError(said)

    def send(self, topic, *values, compression_type=None, partition=None) -> None:
        """Store these values (bytes, or None for a tombstone, which gets a key) in this order."""
        settings = {"bootstrap_servers": self.bootstrap_servers, "compression_type": compression_type, "linger_ms": 5}
        with contextlib.closing(KafkaProducer(**settings)) as producer:
            keys = [b"key" if value is None else None for value in values]
            futures = [producer.send(topic, *pair, partition=partition) for pair in zip(values, keys, strict=True)]
            for future in futures:
                future.get(timeout=60)

    def commit(self, group, topic, offset) -> None:
        """Have a group without members go on in partition 0 at this offset."""
        place = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}

        def stored():  # a Kafka that has just started may refuse, and raises nothing
            self._ask(lambda admin: admin.alter_group_offsets(group, place))
            return self.committed(group, topic)

        wait_until(f"group {group} to have offset {offset}", stored, {0: offset})

    def delete_before(self, topic, offset) -> None:
        """Delete partition 0's messages below an offset: what retention does when their time has come."""
        with self.admin() as admin:
            admin.delete_records({TopicPartition(topic, 0): offset})


def _groups(admin, asked, partitions) -> dict[str, Group]:
    """Return those of the groups asked about that have to do with a topic of these partitions, as they are now."""
    committed, found = admin.list_group_offsets(dict.fromkeys(asked, partitions)), {}
    for name, said in admin.describe_groups(list(asked)).items():
        offsets = {tp.partition: stored.offset for tp, stored in committed[name].items() if stored.offset >= 0}
        members = tuple(_member(member, partitions[0].topic) for member in said["members"])
        if offsets or any(member.reads for member in members):
            found[name] = Group("" if said["error"] else said["group_state"], offsets, members)
    return found


def _member(said, topic) -> Member:
    """Return a member as Kafka describes it, with what it holds of this topic."""
    # While the group rebalances, Kafka says neither what it wants nor what it holds.
    wants, holds = (
        said[key] if isinstance(said[key], dict) else {} for key in ("member_metadata", "member_assignment")
    )
    reads = topic in wants.get("topics", ())
    # A static member that comes back is given what it held before, whatever it has subscribed to now.
    held = [each["partitions"] for each in holds.get("assigned_partitions", ()) if reads and each["topic"] == topic]
    numbers = frozenset(number for partitions in held for number in partitions)
    return Member(said["member_id"], said["client_id"], said.get("group_instance_id"), numbers, reads)
