"""What Kafka has at one moment, as plain data: what the observer sees, and the happenings compare."""

from dataclasses import dataclass, field
from typing import NamedTuple


class LogLook(NamedTuple):
    """One partition: the oldest offset that is kept, and the offset that the next message gets."""

    first: int
    end: int


class Member(NamedTuple):
    """A member of a group.

    Attributes:
        member_id: what Kafka gave it when it joined; a script that is started again gets another.
        client_id: its name for itself; several members may have the same.
        instance: its group.instance.id if it is a static member (KIP-345), else None.
        partitions: the numbers of those of the topic's partitions that it holds.
    """

    member_id: str
    client_id: str
    instance: str | None = None
    partitions: frozenset[int] = frozenset()


@dataclass(frozen=True)
class GroupLook:
    """A group as it is now.

    Attributes:
        state: in Kafka's words: Stable, Empty, PreparingRebalance …
        committed: {partition number: committed offset}, without the partitions that have none.
    """

    state: str
    committed: dict[int, int] = field(default_factory=dict)
    members: tuple[Member, ...] = ()

    def holder(self, number: int) -> str | None:
        """Return the client id of the member that holds this partition."""
        return next((member.client_id for member in self.members if number in member.partitions), None)


@dataclass(frozen=True)
class Look:
    """One look at a topic and at the groups that read it.

    Attributes:
        at: when it was taken, in seconds since 1970: for what is said.
        moment: the same in seconds of the monotonic clock: for durations, which nobody sets back.
        topic_id: another one means another topic of the same name (KIP-516); None if it has none.
        logs: {partition number: LogLook}; empty if the topic does not exist.
        groups: {group id: GroupLook}.
    """

    at: float
    moment: float
    topic_id: str | None = None
    logs: dict[int, LogLook] = field(default_factory=dict)
    groups: dict[str, GroupLook] = field(default_factory=dict)
