"""What Kafka has now: the offsets of a topic, and the groups that read it, asked in few requests.

It only looks. It joins no group and commits nothing. A topic that does not exist is not created, since
the admin client's metadata requests forbid that (allow_auto_topic_creation, KIP-204), and groups are asked
about only when Kafka has listed them: looking for the coordinator of any would create __consumer_offsets.
"""

import queue
import threading
import time

from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import OffsetSpec

from sight.look import GroupLook, LogLook, Look, Member

LIST_GROUPS_EVERY = 2  # seconds: a new group is seen that soon
REFUSALS = (
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.UnsupportedVersionError,
)
OFFSETS = "classic", "consumer", ""  # the types of groups that commit offsets; "" before Kafka 3.8


class Observer:
    """Looks at one topic, and at the groups that have read it or want to.

    A look is seven requests, however many partitions and groups there are; with several brokers, up to as
    many for each. A broker before 3.0 is asked about each group by itself.

    Args:
        bootstrap_servers: "host:port", comma-separated for a cluster.
        groups: look at these alone; by default at all that have a committed offset or a member on the topic.
        patience_ms: how long to wait for a Kafka to be there, in milliseconds; by default as long as it takes.
        client: more settings of kafka-python's admin client.
    """

    def __init__(self, bootstrap_servers, topic, groups=(), patience_ms=2**31 - 1, **client):
        self.topic, self.wanted = topic, frozenset(groups)
        self._settings = {
            "bootstrap_servers": bootstrap_servers.split(","),
            "client_id": "watch",
            # One attempt that waits: kafka-python 3.0.12 leaves a thread behind for each that fails.
            "bootstrap_timeout_ms": patience_ms,
            "request_timeout_ms": 4000,
            "reconnect_backoff_max_ms": 500,
            **client,
        }
        self._admin = None
        self._listed, self._types, self._topic_id = float("-inf"), {}, None

    def look(self) -> Look:
        """Ask Kafka; return what it has. After an error the next look begins with a new connection.

        Raises:
            kafka.errors.KafkaError: Kafka does not answer, or refuses.
        """
        try:
            self._admin = self._admin or KafkaAdminClient(**self._settings)
            return self._look()
        except Exception as error:
            self.close()  # forget what it believes about coordinators and leaders, too
            if isinstance(error, errors.KafkaError):
                raise
            raise errors.KafkaConnectionError(repr(error)) from error  # amid an outage many can come

    def close(self) -> None:
        if self._admin:
            self._admin.close()
        self._admin, self._listed = None, float("-inf")

    def _look(self) -> Look:
        topic_id, numbers = self._topic()
        if topic_id != self._topic_id:  # of a Kafka that was wiped, groups that it knew are not asked about
            self._topic_id, self._types, self._listed = topic_id, {}, float("-inf")
        partitions = [TopicPartition(self.topic, number) for number in numbers]
        # In this order: what is deleted unread is never too much, and a lag is never below 0.
        first = self._offsets(partitions, OffsetSpec.EARLIEST)
        groups = self._groups(partitions)
        end = self._offsets(partitions, OffsetSpec.LATEST)
        logs = {tp.partition: LogLook(first[tp].offset, end[tp].offset) for tp in partitions}
        return Look(time.time(), topic_id, logs, groups)

    def _topic(self) -> tuple[str | None, list[int]]:
        """Return the topic's id and its partitions' numbers: none if it does not exist."""
        topic = self._admin.describe_topics([self.topic])[0]
        error = errors.for_code(topic["error_code"])
        if error is errors.UnknownTopicOrPartitionError:
            return None, []
        if error is not errors.NoError:
            raise error()
        topic_id = topic.get("topic_id")
        numbers = sorted(partition["partition_index"] for partition in topic["partitions"])
        return topic_id and str(topic_id), numbers

    def _offsets(self, partitions, spec):
        asked = dict.fromkeys(partitions, spec)
        return self._admin.list_partition_offsets(asked, timeout_ms=4000) if asked else {}

    def _list_groups(self) -> None:
        if time.monotonic() < self._listed + LIST_GROUPS_EVERY:
            return
        self._listed = time.monotonic()
        listed = {
            group["group_id"]: group
            for group in self._admin.list_groups()
            if group.get("group_type", "") in OFFSETS
            and group["protocol_type"] in ("consumer", "")
            and (not self.wanted or group["group_id"] in self.wanted)
        }
        # A broker that has just started lists no group yet, but refuses to answer about those it knows.
        self._types.update(listed)

    def _groups(self, partitions) -> dict[str, GroupLook]:
        """Return the groups that have to do with the topic, as they are now."""
        self._list_groups()
        if not partitions or not self._types:
            return {}
        committed = self._admin.list_group_offsets(dict.fromkeys(self._types, partitions))
        described = self._admin.describe_groups(list(self._types))
        looks = {}
        for name in list(self._types):
            offsets = {tp.partition: o.offset for tp, o in committed[name].items() if o.offset >= 0}
            look, subscribed = self._group(name, described[name], offsets)
            if offsets or subscribed or name in self.wanted:
                looks[name] = look
            elif look.state == "Dead":
                del self._types[name]
        return looks

    def _group(self, name, said, offsets) -> tuple[GroupLook, bool]:
        """Return a group's look, and whether a member wants the topic."""
        listed = self._types[name]
        if said["error"] and listed.get("group_type") == "consumer":  # KIP-848: only its state is told
            members = () if listed["group_state"] == "Empty" else None
            return GroupLook(listed["group_state"], offsets, members), False
        members = tuple(self._member(member) for member in said["members"])
        wants = any(self.topic in topics(m["member_metadata"]) for m in said["members"])
        return GroupLook(said["group_state"], offsets, members), wants

    def _member(self, said) -> Member:
        assigned = said["member_assignment"]
        held = assigned["assigned_partitions"] if isinstance(assigned, dict) else ()
        numbers = {n for topic in held if topic["topic"] == self.topic for n in topic["partitions"]}
        client, instance = said["client_id"], said.get("group_instance_id")
        return Member(said["member_id"], client, instance, frozenset(numbers))


def topics(metadata) -> list[str]:
    """Return the topics that a member has subscribed to; while its group rebalances Kafka tells none."""
    return metadata["topics"] if isinstance(metadata, dict) else []


class Looks(threading.Thread):
    """Takes a look every `interval` seconds, in a thread of its own, since a look may take long.

    Attributes:
        news: a queue of what came of them: a Look, or the KafkaError with which Kafka refuses an answer.
    """

    def __init__(self, observer, interval):
        super().__init__(daemon=True)
        self.observer, self.interval = observer, interval
        self.news = queue.SimpleQueue()
        self.over = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.over.wait(max(0, due - time.monotonic())):
            try:
                self.news.put(self.observer.look())
            except REFUSALS as error:
                self.news.put(error)
            except errors.KafkaError:
                pass  # no look is news enough
            due = max(due + self.interval, time.monotonic())
