"""What the judge is given: the runs of the scripts, and the topic's log. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from evidence.lines import Line, Lost, Message, Resuming, Started, WentBack
from evidence.snapshot import LogOffsets


@dataclass(frozen=True)
class Run:
    """One run of a script, from its start to its end, or a part of one."""

    name: str  # what anomalies call it, such as "consumer1"
    lines: list[Line]  # those that tell of something, in order
    group: str | None = None  # None if it is a producer
    # What Kafka had for the group before the start, by partition; None if nobody has asked.
    committed: dict[int, int] | None = None
    logs: dict[int, LogOffsets] = field(default_factory=dict)  # what Kafka had of the topic then, by partition

    def of(self, *kinds) -> list:
        """Return the events of these classes, such as Lost."""
        return [line.event for line in self.lines if isinstance(line.event, kinds)]

    @property
    def messages(self) -> list[Message]:
        """The messages that it has sent or received, in the order of its lines."""
        return self.of(Message)

    def before(self, partition) -> LogOffsets:
        """Return what Kafka had of a partition before the start; as far as nobody has asked, nothing."""
        return self.logs.get(partition, LogOffsets(0, 0))

    def steps(self) -> list[list[Line]]:
        """Return the lines in order: a place together with the LOST or Going back that leads to it, others alone."""
        steps, place = [], {}  # {partition: the step of the place that comes next}
        for line in reversed(self.lines):
            event, following = line.event, place.pop(line.event.partition, None)
            if following and isinstance(event, Lost | WentBack) and event.end == following[0].event.begin:
                following.insert(0, line)
            else:
                steps.append(following := [line])
            if isinstance(following[-1].event, Started | Resuming):
                place[event.partition] = following
        return steps[::-1]


@dataclass(frozen=True)
class Log:
    """A topic's log, as it was when all runs had ended."""

    messages: Iterable[Message]  # what it has and, as far as known, what it had before retention deleted some of it
    first: dict[int, int] = field(default_factory=dict)  # by partition; below it retention has deleted
    end: dict[int, int] = field(default_factory=dict)  # by partition: the offset that the next message gets

    @cached_property
    def known(self) -> dict[tuple[int, int], Message]:
        """{place: message}: every reader has to print it, or to report it as LOST."""
        return {message.place: message for message in self.messages}

    def has_deleted(self, partition, offset) -> bool:
        return offset < self.first.get(partition, 0)

    def owed_in(self, partition, offsets) -> list[int]:
        """Return those of these offsets that a reader may not pass without a word: no gaps that never had a message."""
        return [n for n in offsets if (partition, n) in self.known or self.has_deleted(partition, n)]

    def end_of(self, partition) -> int:
        return self.end.get(partition, 1 + max((offset for p, offset in self.known if p == partition), default=-1))
