"""The judge: what the scripts printed, held against the topic's log. Pure functions.

The words are those of Jepsen's Kafka workload. `judge` finds each anomaly, `assert_sound` fails with them, and
`missing` and `repeated` are the figures for people. Printing a message again after a "Resuming" line, as after a
kill -9, an error or a rewind, is no anomaly: `repeated` counts it, the caller says how often it may be.

A topic that is wiped begins a new log: judge each log by the lines printed while it was there.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from evidence.lines import Lost, Message, Resuming, Started, WentBack

MEANING = {
    "lost write": "acknowledged, but not in the log",
    "duplicate": "stored more often than sent",
    "unseen": "in the log, but never printed by its group",
    "phantom": "printed, but not in the log",
    "wrong value": "the log has another value there",
    "poll skip": "jumped over, without a line that says so",
    "nonmonotonic poll": "went back, without a line that says so",
    "producer order": "acknowledged after a higher offset",
    "false LOST": "reported as deleted unread, but not deleted, or read",
    "false place": "told as the place where its group goes on, which it is not",
    "false lag": "told to be further behind than the log goes on",
    "unplaced": "printed before any line that says where it starts",
}


@dataclass(frozen=True)
class Run:
    """One run of a script, from its start to its end, or a part of one.

    Attributes:
        name: what anomalies call it, such as "consumer1" or "consumer1 in step 3".
        events: what the lines that it printed tell, in order, as `read` makes it of them.
        group: a consumer's group; None if it is a producer.
    """

    name: str
    events: list
    group: str | None = None

    def of(self, *kinds) -> list:
        """Return the events of these classes, such as Lost."""
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def messages(self) -> list[Message]:
        """The messages that it has sent or received, in the order of its lines."""
        return self.of(Message)


@dataclass(frozen=True)
class Log:
    """A topic's log, as it was when all runs had ended.

    Attributes:
        messages: what it has and, as far as known, what it had before retention deleted some of it.
        first: {partition: the log's first offset}; below it retention has deleted. 0 if not given.
        end: {partition: the offset that the next message gets}. After the last one, if not given.
    """

    messages: Iterable[Message]
    first: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)

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


def judge(runs, log, begin=None) -> list[str]:
    """Find each anomaly in what these runs printed about this log: a sentence that begins with a key of MEANING.

    Args:
        runs: a list of all runs of all scripts; those of a group in the order of their starts.
        log: the topic's Log. Each group owes all of it, from where the group began.
        begin: {group: {partition: the offset that it had committed before the first of these runs}}. What is not named
            had none committed.
    """
    producers = [run for run in runs if run.group is None]
    deleted = [m for run in producers for m in run.messages if log.has_deleted(*m.place)]
    log = replace(log, messages=[*deleted, *log.messages])
    found = defaultdict(set)  # {(kind, who, partition): offsets}
    for run in runs:
        for kind, partition, offset in _faults(run, log):
            found[kind, run.name, partition].add(offset)
    for message in _duplicates(producers, log):
        found["duplicate", "producers", message.partition].add(message.offset)
    for group, members in _groups(runs).items():
        for kind, partition, offset in _faults_of_group(members, log, (begin or {}).get(group, {})):
            found[kind, f"group {group}", partition].add(offset)
    return [
        f"{kind}: {who}, partition {partition}, {in_words(offsets)}: {MEANING[kind]}"
        for (kind, who, partition), offsets in found.items()
    ]


def assert_sound(runs, log, repeats=0, begin=None) -> None:
    """Assert that there is no anomaly, and that no group printed over `repeats` messages again.

    Args:
        runs, log, begin: as `judge` has them.

    Raises:
        AssertionError: one line for each anomaly.
    """
    found = judge(runs, log, begin)
    for group, members in _groups(runs).items():
        again = [message.offset for messages in repeated(members) for message in messages]
        if len(again) > repeats:
            found.append(f"{len(again)} repeated by group {group}, {repeats} allowed: {in_words(again)}")
    assert not found, "\n".join(found)


def missing(runs, log, committed=None) -> list[Message]:
    """Return what the group of these runs owes and has not printed, reported as LOST or not, in the log's order.

    Args:
        committed: {partition: the offset that the group had committed before}; where it had none, it is not named.
    """
    printed = {message.place for run in runs for message in run.messages}
    begin = {partition: _start(runs, log, partition) for partition, _ in log.known} | (committed or {})
    return [m for m in sorted(log.known.values()) if m.offset >= begin[m.partition] and m.place not in printed]


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
    yield from _producer_order(run) if run.group is None else _jumps(run, log)


def _faults_of_group(runs, log, committed):
    """Yield (kind, partition, offset) of what is wrong with the lines of all runs of a group, taken together."""
    told = {(lost.partition, offset) for run in runs for lost in run.of(Lost) for offset in lost.offsets}
    for message in missing(runs, log, committed):
        if message.place not in told:
            yield "unseen", *message.place
    places = defaultdict(set)  # {partition: the offsets at which they resumed, and None for a start without one}
    for place in [event for run in runs for event in run.of(Started, Resuming)]:
        places[place.partition].add(place.offset if isinstance(place, Resuming) else None)
    for partition, offsets in places.items():
        if committed.get(partition) not in offsets:
            yield "false place", partition, min(offsets - {None}, default=0)


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
        partition = event.partition
        if isinstance(event, Message | Lost):
            lost, offsets = isinstance(event, Lost), event.offsets
            if partition not in lowest:
                yield "unplaced", partition, offsets[0]
            expected = lowest.get(partition, offsets[0])
            for offset in log.owed_in(partition, range(expected, offsets[0])):
                yield "poll skip", partition, offset
            for offset in offsets:
                if offset < expected or (lost and not log.has_deleted(partition, offset)):
                    yield "false LOST" if lost else "nonmonotonic poll", partition, offset
            lowest[partition] = offsets[-1] + 1
        elif isinstance(event, Resuming):
            lowest[partition] = event.offset
            if event.behind > max(0, log.end_of(partition) - event.offset):
                yield "false lag", partition, event.offset
        else:
            lowest[partition] = event.offset if isinstance(event, WentBack) else _start([run], log, partition)


def _duplicates(producers, log):
    """Return what is stored without an acknowledgement of its own. Without producers nobody knows what was sent."""
    sent = {message.place for run in producers for message in run.messages}
    return [message for message in log.messages if message.place not in sent] if producers else []


def _start(runs, log, partition):
    """Return the lowest offset that belongs to runs of a group that had none committed; 0 if none of them says so.

    At the latest, that is the first one printed. At the earliest it may not be above the log's first, which may have
    been lower when the group began.
    """
    resets = {event.reset for run in runs for event in run.of(Started) if event.partition == partition}
    told = [event.offsets[0] for run in runs for event in run.of(Message, Lost) if event.partition == partition]
    if "earliest" in resets:
        told.append(log.first.get(partition, 0))
    return min(told, default=0) if resets else 0
