"""What a Kafka has at one moment, as plain data: a topic's logs, and the groups that read it."""

from dataclasses import dataclass, field
from typing import NamedTuple


class LogOffsets(NamedTuple):
    """One partition: the oldest offset that Kafka keeps, and the offset that the next message gets."""

    first: int
    end: int

    def lag(self, committed: int) -> int:
        """Return how many offsets there are from a committed one to the end, including deleted ones."""
        return max(0, self.end - committed)


class Member(NamedTuple):
    """A member of a group."""

    member_id: str  # Kafka assigns it when the member joins; a restarted script gets another one
    client_id: str  # the name that the member gave itself; several members may have the same
    instance: str | None = None  # its group.instance.id if it is a static member (KIP-345)
    partitions: frozenset[int] = frozenset()  # the numbers of the topic's partitions that it holds
    reads: bool = True  # whether it has subscribed to the topic; its group may have several topics

    @property
    def identity(self) -> str:
        """What stays the same. For a static member that is its instance id, even after a restart."""
        return self.instance or self.member_id


@dataclass(frozen=True)
class Group:
    """A group as it is now."""

    # Kafka's words: Stable, Empty … It is "", without members, where Kafka tells neither: for groups of KIP-848.
    state: str = "Dead"
    committed: dict[int, int] = field(default_factory=dict)  # by partition number; no entry where nothing is committed
    members: tuple[Member, ...] = ()

    @property
    def tells_members(self) -> bool:
        """Whether Kafka says who the members are and what they hold. It does not during a rebalance."""
        return self.state != "" and not self.state.endswith("Rebalance")

    def holder(self, number: int) -> str | None:
        """Return the client id of the member that holds this partition, or None."""
        return next((member.client_id for member in self.members if number in member.partitions), None)


@dataclass(frozen=True)
class Snapshot:
    """What a Kafka has of one topic."""

    at: float  # when it was taken, in seconds since 1970
    topic_id: str | None = None  # a new id means a new topic of the same name (KIP-516); None means no topic
    logs: dict[int, LogOffsets] = field(default_factory=dict)  # by partition number
    groups: dict[str, Group] = field(default_factory=dict)  # by group id

    def group(self, name: str) -> Group:
        """Return a group. A group that does not exist has neither offsets nor members."""
        return self.groups.get(name, Group())
