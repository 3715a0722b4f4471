"""The judge: what the scripts printed, held against the topic's log. Pure functions.

The words are those of Jepsen's Kafka workload. `judge` finds each anomaly, `assert_sound` fails with them, and
`missing` and `repeated` are the figures for people. Printing a message again after a kill -9 or a rewind is no
anomaly: `repeated` counts it, the caller says how often it may be.

A topic that is wiped begins a new log: judge each log by the lines printed while it was there.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from evidence.lines import Lost, Message, Placed, Received, Sent, Started, parse

MEANING = {
    "lost write": "acknowledged, but not in the log",
    "duplicate": "stored more often than sent",
    "unseen": "in the log, but never printed by its group",
    "phantom": "printed, but not in the log",
    "wrong value": "the log has another value there",
    "poll skip": "jumped over, without a line that says so",
    "nonmonotonic poll": "went back, without a line that says so",
    "producer order": "acknowledged after a higher offset",
    "false LOST": "reported as deleted, but not deleted",
    "unplaced": "printed before any line that says where it starts",
}


@dataclass(frozen=True)
class Run:
    """One run of a script, from its start to its end, or a part of one.

    Attributes:
        name: what anomalies call it, such as "consumer1" or "consumer1 in step 3".
        lines: what it printed on stdout, in order, without line ends.
        group: a consumer's group; None if it is a producer.
        killed: it had no time to end in order: its last line may be torn, and what a producer sent last may be
            stored without a line.
    """

    name: str
    lines: Iterable[str]
    group: str | None = None
    killed: bool = False

    @cached_property
    def events(self) -> list:
        """What its lines tell, in order, as `parse` returns it."""
        return [event for event in map(parse, self.lines) if event]

    def of(self, *kinds) -> list:
        """Return the events of these classes, such as Lost."""
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def messages(self) -> list[Message]:
        """The messages that it has sent or received, in the order of its lines."""
        return [event.message for event in self.of(Sent, Received)]


@dataclass(frozen=True)
class Log:
    """A topic's log, as it was when all runs had ended.

    Attributes:
        messages: what it has, as `Kafka.log` returns it.
        first: {partition: the log's first offset}; below it retention has deleted. 0 if not given.
        earlier: what the log was seen to have before retention deleted some of it, as far as known.
    """

    messages: Iterable[Message]
    first: dict[int, int] = field(default_factory=dict)
    earlier: Iterable[Message] = ()

    @cached_property
    def known(self) -> dict[tuple[int, int], Message]:
        """{place: message} of what it has or had: every reader has to print it, or to report it as LOST."""
        return {message.place: message for message in [*self.earlier, *self.messages]}

    def has_deleted(self, partition, offset) -> bool:
        return offset < self.first.get(partition, 0)


class Anomaly(NamedTuple):
    """What must not be. `kind` is a key of MEANING; `offsets` ascend."""

    kind: str
    who: str
    partition: int
    offsets: tuple[int, ...]

    def __str__(self):
        where = f"{self.who}, partition {self.partition}, {in_words(self.offsets)}"
        return f"{self.kind}: {where}: {MEANING[self.kind]}"


def judge(runs, log) -> list[Anomaly]:
    """Find each anomaly in what these runs printed about this log.

    Args:
        runs: a list of all runs of all scripts; those of a group in the order of their starts.
        log: the topic's Log. Each group owes all of it, from where the group began.
    """
    producers = [run for run in runs if run.group is None]
    deleted = [m for run in producers for m in run.messages if log.has_deleted(*m.place)]
    log = replace(log, earlier=[*deleted, *log.earlier])
    found = defaultdict(set)  # {(kind, who, partition): offsets}
    for run in runs:
        for kind, partition, offset in _faults(run, log):
            found[kind, run.name, partition].add(offset)
    for message in _duplicates(producers, log):
        found["duplicate", "producers", message.partition].add(message.offset)
    for group, members in _groups(runs).items():
        told = {(lost.partition, offset) for run in members for lost in run.of(Lost) for offset in lost.offsets}
        for message in missing(members, log):
            if message.place not in told:
                found["unseen", f"group {group}", message.partition].add(message.offset)
    return [Anomaly(*what, tuple(sorted(offsets))) for what, offsets in found.items()]


def assert_sound(runs, log, repeats=0) -> None:
    """Assert that there is no anomaly, and that no group printed over `repeats` messages again.

    Raises:
        AssertionError: one line for each anomaly.
    """
    found = [str(anomaly) for anomaly in judge(runs, log)]
    for group, members in _groups(runs).items():
        again = [message.offset for messages in repeated(members) for message in messages]
        if len(again) > repeats:
            found.append(f"{len(again)} repeated by group {group}, {repeats} allowed: {in_words(again)}")
    assert not found, "\n".join(found)


def missing(runs, log) -> list[Message]:
    """Return what the group of these runs owes and has not printed, reported as LOST or not, in the log's order."""
    printed = {message.place for run in runs for message in run.messages}
    partitions = {partition for partition, _ in log.known}
    begin = {partition: _begin(runs, log, partition) for partition in partitions}
    owed = sorted(log.known.values())
    return [m for m in owed if m.offset >= begin[m.partition] and m.place not in printed]


def repeated(runs) -> list[list[Message]]:
    """Return, for each of a group's runs, what it or an earlier run had printed already."""
    seen, found = set(), []
    for run in runs:
        found.append([])
        for message in run.messages:
            if message.place in seen:
                found[-1].append(message)
            seen.add(message.place)
    return found


def in_words(offsets) -> str:
    """Return offsets as text: "offsets 3 to 5, 9"."""
    offsets, parts = sorted(set(offsets)), []
    for _, streak in groupby(enumerate(offsets), lambda pair: pair[1] - pair[0]):
        numbers = [offset for _, offset in streak]
        parts.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}")
    return f"offset{'s' if len(offsets) > 1 else ''} {', '.join(parts)}"


def _groups(runs):
    """Return {group: its runs}."""
    groups = {run.group for run in runs} - {None}
    return {group: [run for run in runs if run.group == group] for group in sorted(groups)}


def _faults(run, log):
    """Yield (kind, partition, offset) of what is wrong with a run's lines, whatever others printed."""
    for message in run.messages:
        if message.place in log.known:
            if log.known[message.place] != message:
                yield "wrong value", *message.place
        elif not log.has_deleted(*message.place):
            yield "lost write" if run.group is None else "phantom", *message.place
    for lost in run.of(Lost):
        for offset in lost.offsets:
            if not log.has_deleted(lost.partition, offset):
                yield "false LOST", lost.partition, offset
    yield from _producer_order(run) if run.group is None else _jumps(run, log)


def _producer_order(run):
    last = {}
    for message in run.messages:
        if message.offset <= last.get(message.partition, -1):
            yield "producer order", *message.place
        last[message.partition] = message.offset


def _jumps(run, log):
    """Yield (kind, partition, offset) where a consumer does not go from each message to the next that the log has."""
    lowest = {}  # {partition: the lowest offset that may come next}
    for event in run.events:
        if isinstance(event, Started):
            lowest[event.partition] = _start(event, [run], log)
        elif isinstance(event, Placed):
            lowest[event.partition] = event.offset
        elif isinstance(event, Lost):
            lowest[event.partition] = event.last + 1
        elif isinstance(event, Received):
            partition, offset, _ = event.message
            if partition not in lowest:
                yield "unplaced", partition, offset
            elif offset < lowest[partition]:
                yield "nonmonotonic poll", partition, offset
            for passed in range(lowest.get(partition, offset), offset):
                if (partition, passed) in log.known:
                    yield "poll skip", partition, passed
            lowest[partition] = offset + 1


def _duplicates(producers, log):
    """Return what is stored without an acknowledgement of its own.

    A killed producer may leave one such tick. Without producers nobody knows what was sent.
    """
    sent = [message for run in producers for message in run.messages]
    places, values = {message.place for message in sent}, {message.value for message in sent}
    more = [message for message in log.messages if message.place not in places] if producers else []
    known = [message for message in more if message.value in values]
    in_flight = sum(run.killed for run in producers)
    return more if len(more) - len(known) > in_flight else known


def _start(started, runs, log):
    """Return the lowest offset that belongs to runs of a group that had no committed offset.

    At the latest, that is the first one printed. At the earliest it may not be above the log's first, which may have
    been lower when the group began.
    """
    first = [log.first.get(started.partition, 0)] if started.reset == "earliest" else []
    printed = [message.offset for run in runs for message in run.messages if message.partition == started.partition]
    return min([*first, *printed], default=0)


def _begin(runs, log, partition):
    """Return the offset from which on a group owes the log's messages; 0 if nobody was ever given the partition."""
    placed = [event.offset for run in runs for event in run.of(Placed) if event.partition == partition]
    started = [event for run in runs for event in run.of(Started) if event.partition == partition]
    return min([*placed, *(_start(event, runs, log) for event in started)], default=0)
