"""What a Kafka has at one moment, as plain data: a topic's logs, and the groups that read it."""

from dataclasses import dataclass, field
from typing import NamedTuple


class LogOffsets(NamedTuple):
    """One partition: the oldest offset that is kept, and the offset that the next message gets."""

    first: int
    end: int

    def lag(self, committed: int) -> int:
        """Return how many offsets lie between a committed one and the end, the deleted ones among them."""
        return max(0, self.end - committed)


class Member(NamedTuple):
    """A member of a group."""

    member_id: str  # what Kafka gave it when it joined; a script that is started again gets another
    client_id: str  # its name for itself; several members may have the same
    instance: str | None = None  # its group.instance.id if it is a static member (KIP-345)
    partitions: frozenset[int] = frozenset()  # the numbers of those of the topic's partitions that it holds
    reads: bool = True  # whether it has subscribed to the topic; its group may have several

    @property
    def identity(self) -> str:
        """What stays the same: for a static member its instance, also when it is started again."""
        return self.instance or self.member_id


@dataclass(frozen=True)
class Group:
    """A group as it is now."""

    # In Kafka's words: Stable, Empty …; "" if it does not tell, nor the members, as of a group of KIP-848's protocol.
    state: str = "Dead"
    committed: dict[int, int] = field(default_factory=dict)  # by partition number, without those that have none
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
    """What a Kafka has of one topic."""

    at: float  # when it was taken, in seconds since 1970
    topic_id: str | None = None  # another one is another topic of the same name (KIP-516); None if there is none
    logs: dict[int, LogOffsets] = field(default_factory=dict)  # by partition number
    groups: dict[str, Group] = field(default_factory=dict)  # by group id

    def group(self, name: str) -> Group:
        """Return a group; one that is not there has neither offsets nor members."""
        return self.groups.get(name, Group())
