"""What the judge gets: the runs of the scripts, and the topic's log. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from evidence.lines import Line, Lost, Message, Resuming, Started, WentBack
from evidence.snapshot import LogOffsets, Snapshot


@dataclass(frozen=True)
class Run:
    """One run of a script, from its start to its end, or a part of one."""

    name: str  # what anomalies call it, such as "consumer1"
    lines: list[Line]  # the lines that have an event, in order
    group: str | None = None  # None for a producer
    before: Snapshot | None = None  # what Kafka had just before the start; None if nobody asked
    has_open_tick: bool = False  # a producer that ended amid a tick: Kafka may have one more than it says

    def of(self, *kinds) -> list:
        """Return the events of these classes, such as Lost."""
        return [line.event for line in self.lines if isinstance(line.event, kinds)]

    @property
    def messages(self) -> list[Message]:
        """The messages that it sent or received, in the order of its lines."""
        return self.of(Message)

    @property
    def committed(self) -> dict[int, int] | None:
        """What the group had committed before the start, by partition; None if nobody asked."""
        return self.before and self.before.group(self.group).committed

    def log_before(self, partition) -> LogOffsets:
        """Return what Kafka had of a partition before the start: nothing, if nobody asked."""
        return (self.before.logs if self.before else {}).get(partition, LogOffsets(0, 0))

    def steps(self) -> list[list[Line]]:
        """Return the lines in order. A start comes with the LOST or Going back that leads to it, other lines alone."""
        steps, starts = [], {}  # {partition: the step of the start that comes next}
        for line in reversed(self.lines):
            event, start = line.event, starts.pop(line.event.partition, None)
            if start and isinstance(event, Lost | WentBack) and event.end == start[0].event.begin:
                start.insert(0, line)
            else:
                steps.append(start := [line])
            if isinstance(start[-1].event, Started | Resuming):
                starts[event.partition] = start
        return steps[::-1]


@dataclass(frozen=True)
class Log:
    """A topic's log as it was when all runs had ended."""

    messages: Iterable[Message]  # what it has and, where known, what it had before retention deleted some of it
    first: dict[int, int] = field(default_factory=dict)  # by partition: retention has deleted what is below
    end: dict[int, int] = field(default_factory=dict)  # by partition: the offset that the next message gets

    @cached_property
    def known(self) -> dict[tuple[int, int], Message]:
        """The messages by their place. Every reader must print each of them, or report it as LOST."""
        return {message.place: message for message in self.messages}

    def has_deleted(self, partition, offset) -> bool:
        return offset < self.first.get(partition, 0)

    def end_of(self, partition) -> int:
        return self.end.get(partition, 1 + max((offset for p, offset in self.known if p == partition), default=-1))
