"""What Kafka has now: the offsets of a topic, and the groups that read it, asked in few requests.

It only looks. It joins no group and commits nothing. A topic that does not exist is not created, since
the admin client's metadata requests forbid that (allow_auto_topic_creation, KIP-204), and groups are asked
about only when Kafka has listed them: looking for the coordinator of any would create __consumer_offsets.
"""

import time

from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import OffsetSpec

from sight.look import GroupLook, LogLook, Look, Member


class Observer:
    """Looks at one topic, and at the groups that have read it or want to; eight requests to one broker.

    Args:
        bootstrap_servers: "host:port", comma-separated for a cluster.
        groups: look at these alone; by default at all that have a committed offset or a member on the topic.
    """

    def __init__(self, bootstrap_servers, topic, groups=()):
        self.topic, self.wanted = topic, frozenset(groups)
        self._servers = bootstrap_servers.split(",")
        self._admin = None
        self._topic_id, self._listed = None, {}  # {group: as Kafka listed it}

    def look(self, patience_ms=8000) -> Look:
        """Ask Kafka; return what it has. After an error the next look begins with a new connection.

        Args:
            patience_ms: how long to wait for a Kafka to be there, in milliseconds. Whoever asks again and again
                should wait long: kafka-python 3.0.12 leaves a thread behind for each attempt that fails.

        Raises:
            kafka.errors.KafkaError: Kafka does not answer, or answers with an error.
        """
        try:
            self._admin = self._admin or KafkaAdminClient(
                bootstrap_servers=self._servers,
                client_id="watch",
                bootstrap_timeout_ms=patience_ms,
                request_timeout_ms=4000,
                reconnect_backoff_max_ms=500,
            )
            return self._look()
        except Exception as error:
            self.close()  # forget what it believes about coordinators and leaders, too
            if isinstance(error, errors.KafkaError):
                raise
            raise errors.KafkaConnectionError(repr(error)) from error  # amid an outage many can come

    def close(self) -> None:
        if self._admin:
            self._admin.close()
        self._admin = None

    def _look(self) -> Look:
        topic = self._admin.describe_topics([self.topic])[0]
        error = errors.for_code(topic["error_code"])
        if error is errors.UnknownTopicOrPartitionError:
            return Look(time.time(), time.monotonic())
        if error is not errors.NoError:
            raise error()
        partitions = [TopicPartition(self.topic, partition["partition_index"]) for partition in topic["partitions"]]
        topic_id = topic.get("topic_id")
        if topic_id != self._topic_id:  # of a Kafka that was wiped, groups that it knew are not asked about
            self._topic_id, self._listed = topic_id, {}
        # In this order: what is deleted unread is never too much, and a lag is never below 0.
        first = self._admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST), timeout_ms=4000)
        groups = self._groups(partitions)
        end = self._admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST), timeout_ms=4000)
        logs = {tp.partition: LogLook(first[tp].offset, end[tp].offset) for tp in partitions}
        return Look(time.time(), time.monotonic(), topic_id and str(topic_id), logs, groups)

    def _groups(self, partitions) -> dict[str, GroupLook]:
        """Return the groups that have to do with the topic, as they are now."""
        for group in self._admin.list_groups():
            name, reads = group["group_id"], group["protocol_type"] in ("consumer", "")  # "" if it had no member yet
            if reads and (not self.wanted or name in self.wanted):
                self._listed[name] = group
        if not self._listed:
            return {}
        # Those too that are not listed any more: a broker that has just started lists none, and refuses to answer.
        committed = self._admin.list_group_offsets(dict.fromkeys(self._listed, partitions))
        described = self._admin.describe_groups(list(self._listed))
        looks = {}
        for name, said in described.items():
            offsets = {tp.partition: stored.offset for tp, stored in committed[name].items() if stored.offset >= 0}
            # Of a group of the protocol of KIP-848 Kafka tells neither state nor members here.
            state = "" if said["error"] else said["group_state"]
            members = tuple(self._member(member) for member in said["members"])
            metadata = [member["member_metadata"] for member in said["members"]]  # no dict while the group rebalances
            subscribed = any(self.topic in told["topics"] for told in metadata if isinstance(told, dict))
            if offsets or subscribed or name in self.wanted:
                looks[name] = GroupLook(state, offsets, members)
            elif state in ("", "Dead"):
                del self._listed[name]
        return looks

    def _member(self, said) -> Member:
        assigned = said["member_assignment"]
        held = assigned["assigned_partitions"] if isinstance(assigned, dict) else ()
        numbers = {n for topic in held if topic["topic"] == self.topic for n in topic["partitions"]}
        return Member(said["member_id"], said["client_id"], said.get("group_instance_id"), frozenset(numbers))
