"""The judge: what the scripts printed, held against the topic's log. Pure functions.

The words are those of Jepsen's Kafka workload. `judge` finds each anomaly, `assert_sound` fails
with them, and `missing` and `repeated` are the figures for people. Printing a message again after
a kill -9 or a rewind is no anomaly: `repeated` counts it, the caller says how often it may be.

A topic that is wiped begins a new log: judge each log by the lines printed while it was there.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from evidence.lines import Lost, Message, Placed, Received, Sent, parse

MEANING = {
    "lost write": "acknowledged, but not in the log",
    "duplicate": "stored more often than sent",
    "unseen": "in the log, but never printed by a group that has caught up",
    "phantom": "printed, but not in the log",
    "wrong value": "the log has another value there",
    "poll skip": "jumped over, without a line that says so",
    "nonmonotonic poll": "went back, without a line that says so",
    "producer order": "acknowledged after a higher offset",
    "false LOST": "reported as deleted, but not deleted",
    "unplaced": "printed before any line that says where it starts",
}


class Run(NamedTuple):
    """One run of a script, from its start to its end, or a part of one.

    Attributes:
        name: what anomalies call it, such as "consumer1" or "consumer1 in step 3".
        lines: what it printed on stdout, in order, without line ends.
        group: a consumer's group; None if it is a producer.
        killed: it had no time to end in order: its last line may be torn, and what a producer sent
            last may be stored without a line.
    """

    name: str
    lines: Iterable[str]
    group: str | None = None
    killed: bool = False


class Log(NamedTuple):
    """A topic's log, as it was when all runs had ended.

    Attributes:
        messages: what it has, as `Kafka.log` returns it.
        first: {partition: the log's first offset}; below it retention has deleted. 0 if not given.
        earlier: what the log was seen to have at some time, in any order, as far as known. Below
            `first` a reader owes them, printed or reported as LOST; above it they were compacted
            away, and a reader may have printed them.
    """

    messages: Iterable[Message]
    first: Mapping[int, int] = {}
    earlier: Iterable[Message] = ()


class Anomaly(NamedTuple):
    """What must not be. `kind` is a key of MEANING; `offsets` ascend."""

    kind: str
    who: str
    partition: int
    offsets: tuple[int, ...]

    def __str__(self):
        where = f"{self.who}, partition {self.partition}, {in_words(self.offsets)}"
        return f"{self.kind}: {where}: {MEANING[self.kind]}"


def judge(runs, log, behind=()) -> list[Anomaly]:
    """Find each anomaly in what these runs printed about this log.

    Args:
        runs: all runs of all scripts; those of a group in the order of their starts.
        log: the topic's Log.
        behind: the groups that have not caught up. They owe what is below the furthest offset that
            they have come to; every other group owes all of the log.
    """
    stories = [_Story(run) for run in runs]
    producers = [story for story in stories if story.group is None]
    known = _Known(log, producers)
    found = [*_duplicates(producers, known)]
    for story in stories:
        found += _judge_consumer(story, known) if story.group else _judge_producer(story, known)
    for group, members in _groups(stories).items():
        found += _unseen(group, members, known, group in behind)
    return found


def assert_sound(runs, log, repeats=0, behind=()) -> None:
    """Assert that there is no anomaly, and that no group printed over `repeats` messages again.

    Raises:
        AssertionError: one line for each anomaly.
    """
    runs = list(runs)
    found = [str(anomaly) for anomaly in judge(runs, log, behind)]
    for group, members in _groups(runs).items():
        again = [message for messages in repeated(members) for message in messages]
        if len(again) > repeats:
            offsets = in_words([message.offset for message in again])
            found.append(f"{len(again)} repeated by group {group}, {repeats} allowed: {offsets}")
    assert not found, "\n".join(found)


def missing(runs, log) -> list[Message]:
    """Return what a group owes and has not printed, reported as LOST or not, in the log's order.

    Args:
        runs: the group's runs.
        log: the topic's Log.
    """
    members = [_Story(run) for run in runs]
    known = _Known(log, [])
    printed = {(m.partition, m.offset) for member in members for m in member.messages()}
    return [
        Message(partition, offset, known.values[partition, offset])
        for partition in known.owed
        for offset in known.owed[partition][bisect_left(known.owed[partition], _begin(members, known, partition)) :]
        if (partition, offset) not in printed
    ]


def repeated(runs) -> list[list[Message]]:
    """Return, for each of a group's runs, what it or an earlier run had printed already."""
    seen, found = set(), []
    for run in runs:
        again = []
        for message in _Story(run).messages():
            place = message.partition, message.offset
            if place in seen:
                again.append(message)
            seen.add(place)
        found.append(again)
    return found


def in_words(offsets) -> str:
    """Return offsets as text: "offsets 3 to 5, 9"."""
    offsets, parts = sorted(set(offsets)), []
    for _, run in groupby(enumerate(offsets), lambda pair: pair[1] - pair[0]):
        numbers = [offset for _, offset in run]
        parts.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}")
    return f"offset{'s' if len(offsets) > 1 else ''} {', '.join(parts)}"


class _Story:
    """A run with its lines read."""

    def __init__(self, run):
        self.name, self.group, self.killed = run.name, run.group, run.killed
        self.events = [event for event in map(parse, run.lines) if event]

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def messages(self):
        return [event.message for event in self.of((Sent, Received))]


class _Known:
    """All that is known about a log.

    Attributes:
        values: {(partition, offset): value} of each message that it has or had.
        stored: the places of those that it has.
        owed: {partition: ascending offsets that every reader has to see, or to report as LOST}.
        first: {partition: the log's first offset}.
    """

    def __init__(self, log, producers):
        self.first = log.first
        acknowledged = [m for p in producers for m in p.messages() if self.is_deleted(m)]
        messages = list(log.messages)
        self.values = {(m.partition, m.offset): m.value for m in [*acknowledged, *log.earlier, *messages]}
        self.stored = {(m.partition, m.offset) for m in messages}
        self.owed = defaultdict(list)
        for partition, offset in sorted(self.values):
            if (partition, offset) in self.stored or offset < self.first.get(partition, 0):
                self.owed[partition].append(offset)

    def is_deleted(self, message):
        return message.offset < self.first.get(message.partition, 0)

    def owed_between(self, partition, begin, end) -> tuple[int, ...]:
        offsets = self.owed.get(partition, [])
        return tuple(offsets[bisect_left(offsets, begin) : bisect_left(offsets, end)])


def _groups(runs):
    """Return {group: its runs}."""
    groups = defaultdict(list)
    for run in runs:
        if run.group:
            groups[run.group].append(run)
    return groups


def _anomalies(kind, who, messages):
    """Return one anomaly for each partition that these messages are in."""
    offsets = defaultdict(set)
    for message in messages:
        offsets[message.partition].add(message.offset)
    return [Anomaly(kind, who, partition, tuple(sorted(found))) for partition, found in offsets.items()]


def _judge_producer(story, known):
    sent, last, late = story.messages(), {}, []
    for message in sent:
        if message.offset <= last.get(message.partition, -1):
            late.append(message)
        last[message.partition] = message.offset
    gone = [m for m in sent if (m.partition, m.offset) not in known.values]
    return [
        *_anomalies("lost write", story.name, gone),
        *_anomalies("wrong value", story.name, _wrong(sent, known)),
        *_anomalies("producer order", story.name, late),
    ]


def _judge_consumer(story, known):
    received = story.messages()
    strange = [m for m in received if (m.partition, m.offset) not in known.values and not known.is_deleted(m)]
    return [
        *_anomalies("phantom", story.name, strange),
        *_anomalies("wrong value", story.name, _wrong(received, known)),
        *_false_lost(story, known),
        *_jumps(story, known),
    ]


def _wrong(messages, known):
    return [m for m in messages if known.values.get((m.partition, m.offset), m.value) != m.value]


def _duplicates(producers, known):
    """Find what is stored without an acknowledgement of its own.

    A killed producer may leave one such tick. Without producers nobody knows what was sent.
    """
    if not producers:
        return []
    sent = [message for producer in producers for message in producer.messages()]
    places, values = {(m.partition, m.offset) for m in sent}, Counter(m.value for m in sent)
    more = [Message(*place, known.values[place]) for place in sorted(known.stored - places)]
    spare = sum(producer.killed for producer in producers)
    unheard = [message for message in more if message.value not in values]
    if len(unheard) <= spare:
        more = [message for message in more if message.value in values]
    return _anomalies("duplicate", "producers", more)


def _false_lost(story, known):
    found = defaultdict(set)
    for lost in story.of(Lost):
        first = known.first.get(lost.partition, 0)
        found[lost.partition] |= set(range(max(first, lost.first), lost.last + 1))
    return [
        Anomaly("false LOST", story.name, partition, tuple(sorted(offsets)))
        for partition, offsets in found.items()
        if offsets
    ]


def _jumps(story, known):
    """Find where a run does not go from each message to the next that the log has."""
    found, after = [], {}  # after: {partition: the lowest offset that may come next}
    for event in story.events:
        if isinstance(event, Placed):
            after[event.partition] = event.offset
        elif isinstance(event, Lost):
            after[event.partition] = event.last + 1
        elif isinstance(event, Received):
            partition, offset, _ = event.message
            if partition not in after:
                found.append(Anomaly("unplaced", story.name, partition, (offset,)))
            elif offset < after[partition]:
                found.append(Anomaly("nonmonotonic poll", story.name, partition, (offset,)))
            elif skipped := known.owed_between(partition, after[partition], offset):
                found.append(Anomaly("poll skip", story.name, partition, skipped))
            after[partition] = offset + 1
    return found


def _begin(members, known, partition):
    """Return the offset from which on a group owes the log's messages."""
    placed = [event for member in members for event in member.of(Placed) if event.partition == partition]
    if not placed:
        return 0  # nobody was ever given the partition
    lost = [event.first for member in members for event in member.of(Lost) if event.partition == partition]
    begin = min([event.offset for event in placed] + lost)
    if any(event.reset == "earliest" for event in placed):
        return min(begin, known.first.get(partition, 0))
    return begin


def _unseen(group, members, known, behind):
    printed = {(m.partition, m.offset) for member in members for m in member.messages()}
    told = defaultdict(list)
    for member in members:
        for lost in member.of(Lost):
            told[lost.partition].append(lost.offsets)
    found = []
    for partition in sorted(known.owed):
        begin = _begin(members, known, partition)
        end = _furthest(members, partition) if behind else known.owed[partition][-1] + 1
        offsets = tuple(
            offset
            for offset in known.owed_between(partition, begin, end)
            if (partition, offset) not in printed and not any(offset in lost for lost in told[partition])
        )
        if offsets:
            found.append(Anomaly("unseen", f"group {group}", partition, offsets))
    return found


def _furthest(members, partition):
    """Return the offset up to which a group has come: nothing below it will be printed any more."""
    placed = [e.offset for member in members for e in member.of(Placed) if e.partition == partition]
    printed = [m.offset + 1 for member in members for m in member.messages() if m.partition == partition]
    return max([0, *placed, *printed])
