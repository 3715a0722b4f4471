"""What a Kafka has at one moment, as plain data: a topic's logs, and the groups that read it."""

from dataclasses import dataclass, field
from typing import NamedTuple


class PartitionLog(NamedTuple):
    """One partition: the oldest offset that is kept, and the offset that the next message gets."""

    first: int
    end: int

    def lag(self, committed: int) -> int:
        """Return how many offsets lie between a committed one and the end, the deleted ones among them."""
        return max(0, self.end - committed)


class Member(NamedTuple):
    """A member of a group.

    Attributes:
        member_id: what Kafka gave it when it joined; a script that is started again gets another.
        client_id: its name for itself; several members may have the same.
        instance: its group.instance.id if it is a static member (KIP-345), else None.
        partitions: the numbers of those of the topic's partitions that it holds.
        reads: whether it has subscribed to the topic; its group may have several.
    """

    member_id: str
    client_id: str
    instance: str | None = None
    partitions: frozenset[int] = frozenset()
    reads: bool = True

    @property
    def identity(self) -> str:
        """What stays the same: for a static member its instance, also when it is started again."""
        return self.instance or self.member_id


@dataclass(frozen=True)
class Group:
    """A group as it is now.

    Attributes:
        state: in Kafka's words: Stable, Empty, PreparingRebalance …; "" if Kafka does not tell, as of a group of the
            protocol of KIP-848, whose members it does not tell either.
        committed: {partition number: committed offset}, without the partitions that have none.
    """

    state: str = "Dead"
    committed: dict[int, int] = field(default_factory=dict)
    members: tuple[Member, ...] = ()

    @property
    def tells_members(self) -> bool:
        """Whether Kafka says who its members are and what they hold: not while these share the partitions out."""
        return self.state != "" and not self.state.endswith("Rebalance")

    def holder(self, number: int) -> str | None:
        """Return the client id of the member that holds this partition."""
        return next((member.client_id for member in self.members if number in member.partitions), None)


@dataclass(frozen=True)
class Snapshot:
    """What a Kafka has of one topic.

    Attributes:
        at: when it was taken, in seconds since 1970.
        topic_id: another one means another topic of the same name (KIP-516); None if the topic does not exist.
        logs: {partition number: PartitionLog}; empty if the topic does not exist.
        groups: {group id: Group}.
    """

    at: float
    topic_id: str | None = None
    logs: dict[int, PartitionLog] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def group(self, name: str) -> Group:
        """Return a group; one that is not there has neither offsets nor members."""
        return self.groups.get(name, Group())
