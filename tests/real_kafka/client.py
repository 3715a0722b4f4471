"""Ask a real Kafka, and change it. The judge compares its answers with the scripts' lines, and the watch shows them."""

import itertools
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic, OffsetSpec

from evidence.history import Log
from evidence.lines import Message
from evidence.snapshot import Group, LogOffsets, Member, Snapshot
from machine.processes import now
from machine.waiting import wait_until

PROTOCOLS = ("consumer", "")  # the protocol types of consumer groups; "" if the group has had no member yet


class Kafka:
    """A Kafka. Questions share one client, which `close` closes; each change makes a client of its own.

    Its bootstrap servers are given as "host:port", comma-separated, and kept as a list. All methods raise a KafkaError
    if an answer takes longer than `timeout_ms`.
    """

    def __init__(self, bootstrap_servers, timeout_ms=30_000):
        self.bootstrap_servers = bootstrap_servers.split(",")
        self._client = {
            "bootstrap_servers": self.bootstrap_servers,
            "bootstrap_timeout_ms": timeout_ms,
            "request_timeout_ms": timeout_ms,
            "reconnect_backoff_max_ms": 500,  # answer soon after an outage; kafka-python's default is 30 s
        }
        self._kept = None  # the KafkaAdminClient for questions
        self._listed = {}  # {topic id: the groups that Kafka has listed since this id was first seen}

    def close(self) -> None:
        """Close the client. The next question makes another one."""
        if self._kept:
            self._kept.close()
        self._kept = None

    # Questions.

    def snapshot(self, topic, groups=None, patience=None) -> Snapshot:
        """Return what Kafka has of a topic, and of the groups that have a committed offset or a member on it.

        This changes nothing: it joins no group and commits nothing. It does not create the topic, because the admin
        client's metadata requests forbid that (allow_auto_topic_creation, KIP-204). It asks only about groups that
        Kafka has listed, or only about those `groups`, because looking for a coordinator creates __consumer_offsets.

        While no Kafka answers, or while it has not yet loaded its groups, it asks again, for `patience` seconds or for
        `timeout_ms`. Callers that ask again and again should pass a large number: kafka-python 3.0.12 leaves a thread
        behind for each client that finds no Kafka.
        """
        return self._ask(lambda admin: self._look(admin, topic, groups), patience)

    def committed(self, group, topic) -> dict[int, int]:
        """Return {partition: committed offset}, without partitions that have none."""
        return self.snapshot(topic, [group]).group(group).committed

    def wait_until_committed(self, group, topic, offsets, limit=60) -> None:
        """Wait until the group has committed exactly these offsets: {partition: offset}."""
        wait_until(f"group {group} to commit {offsets}", lambda: self.committed(group, topic), offsets, limit)

    def members(self, group) -> int:
        """Return how many members the group has."""
        return self._ask(lambda admin: len(admin.describe_groups([group])[group]["members"]))

    def offsets(self, topic) -> dict[int, LogOffsets]:
        """Return the first and the end offset of each partition."""
        return self.snapshot(topic, groups=()).logs

    def messages(self, topic) -> list[Message]:
        """Return the topic's messages, except those of aborted transactions, sorted by partition and offset."""
        return self.log(topic).messages

    def log(self, topic, earlier=()) -> Log:
        """Return the topic's log for the judge, with the messages of an `earlier` log added. No value may be null."""
        offsets, records = self.offsets(topic), self.records(topic)
        found = {Message(each.partition, each.offset, each.value.decode(errors="backslashreplace")) for each in records}
        first = {number: log.first for number, log in offsets.items()}
        return Log(sorted(found.union(earlier)), first, end={number: log.end for number, log in offsets.items()})

    def records(self, topic) -> list:
        """Return the topic's records as kafka-python has them, except those of aborted transactions."""
        how = {"auto_offset_reset": "earliest", "isolation_level": "read_committed"}
        with KafkaConsumer(**self._client, **how) as consumer:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            ends, records = consumer.end_offsets(partitions), []
            while any(consumer.position(tp) < end for tp, end in ends.items()):
                records += itertools.chain(*consumer.poll(timeout_ms=500).values())
        return records

    def _ask(self, question, patience=None):
        """Return question(admin). After an error, ask again with a new client until `patience`, in seconds, is over."""
        deadline = now() + (patience or self._client["request_timeout_ms"] / 1000)
        while True:
            try:
                if self._kept is None:
                    left_ms = max(0, int((deadline - now()) * 1000))
                    self._kept = KafkaAdminClient(**{**self._client, "bootstrap_timeout_ms": left_ms})
                return question(self._kept)
            except errors.AuthorizationError:  # Kafka would refuse again
                raise
            except Exception as error:  # during an outage there are many kinds
                self.close()  # a new client does not remember wrong coordinators and leaders
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
        # First offsets, committed ones, ends: in this order, deletions are never overstated, and no lag is below 0.
        partitions = [TopicPartition(topic, partition["partition_index"]) for partition in described["partitions"]]
        first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        # Ask about groups that are no longer listed, too: a broker that has just started lists none, and refuses to
        # answer. In a Kafka that was wiped, the topic has another id, and the earlier groups do not count.
        listed = self._listed.setdefault(topic_id, set())
        listed |= {group["group_id"] for group in admin.list_groups() if group["protocol_type"] in PROTOCOLS}
        asked = listed if groups is None else listed.intersection(groups)
        found = _groups(admin, asked, partitions) if asked else {}
        end = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        logs = {tp.partition: LogOffsets(first[tp].offset, end[tp].offset) for tp in partitions}
        return Snapshot(time.time(), topic_id, logs, found)

    # What changes it.

    def admin(self):
        """Return a new KafkaAdminClient, which is a context manager."""
        return KafkaAdminClient(**self._client)

    def create_topic(self, topic, partitions=1) -> None:
        """Create a topic and wait until it exists."""
        with self.admin() as admin:
            admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=-1)])
            admin.wait_for_topics([topic])

    def configure(self, topic, **configs) -> None:
        """Change the topic's settings. Write _ for the dot in their names. Raises a KafkaError if Kafka refuses."""
        settings = {name.replace("_", "."): str(value) for name, value in configs.items()}
        with self.admin() as admin:
            said = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])["topic"][topic]
        if said != "OK":
            raise errors.KafkaError(said)

    def send(self, topic, *values, compression_type=None, partition=None) -> None:
        """Store these values in this order: bytes, or None for a tombstone, which gets a key."""
        settings = {"bootstrap_servers": self.bootstrap_servers, "compression_type": compression_type, "linger_ms": 5}
        with KafkaProducer(**settings) as producer:
            keys = [b"key" if value is None else None for value in values]
            futures = [producer.send(topic, *pair, partition=partition) for pair in zip(values, keys, strict=True)]
            for future in futures:
                future.get(timeout=60)

    def commit(self, group, topic, offset) -> None:
        """Commit this offset in partition 0 for a group without members."""
        place = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}

        def stored():  # a Kafka that has just started may refuse, and the client does not say so
            self._ask(lambda admin: admin.alter_group_offsets(group, place))
            return self.committed(group, topic)

        wait_until(f"group {group} to have offset {offset}", stored, {0: offset})

    def delete_before(self, topic, offset) -> None:
        """Delete partition 0's messages below an offset, as retention does when they are too old."""
        with self.admin() as admin:
            admin.delete_records({TopicPartition(topic, 0): offset})


def _groups(admin, asked, partitions) -> dict[str, Group]:
    """Return, of the groups `asked` about, those that have an offset or a member on the topic of these partitions."""
    committed, found = admin.list_group_offsets(dict.fromkeys(asked, partitions)), {}
    for name, said in admin.describe_groups(list(asked)).items():
        offsets = {tp.partition: stored.offset for tp, stored in committed[name].items() if stored.offset >= 0}
        members = tuple(_member(member, partitions[0].topic) for member in said["members"])
        if offsets or any(member.reads for member in members):
            found[name] = Group("" if said["error"] else said["group_state"], offsets, members)
    return found


def _member(said, topic) -> Member:
    """Return a member as Kafka describes it, with the partitions of this topic that it holds."""
    # During a rebalance, Kafka says neither what the member wants nor what it holds.
    wants, holds = (
        said[key] if isinstance(said[key], dict) else {} for key in ("member_metadata", "member_assignment")
    )
    reads = topic in wants.get("topics", ())
    # A static member that comes back gets what it held before, even if it has subscribed to another topic.
    held = [each["partitions"] for each in holds.get("assigned_partitions", ()) if reads and each["topic"] == topic]
    numbers = frozenset(itertools.chain(*held))
    return Member(said["member_id"], said["client_id"], said.get("group_instance_id"), numbers, reads)
