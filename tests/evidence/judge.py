"""The judge compares what the scripts printed with the topic's log. Its functions are pure.

It uses the words of Jepsen's Kafka workload. `judge` finds every anomaly, `assert_sound` fails if there is one, and
`missing` and `repeated` give people the figures. A message that is printed again after a "Resuming" line, as after a
kill -9, an error or a rewind, is no anomaly: `repeated` counts those, and the caller says how many there may be.

It believes no script. A consumer must start where its group had committed: at exactly that offset if Kafka was asked
just before; otherwise neither below what the group is known to have committed nor beyond the end of the log.

A topic that is wiped begins a new log. Judge each log by the lines that were printed while it existed.
"""

from collections import defaultdict
from dataclasses import replace
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
    "false going back": "reported as beyond the end of the log, but the log had it",
    "false place": "reported as the place where its group resumes, but it is not",
    "false lag": "reported with more messages behind it than the log has, or fewer than it had",
    "unplaced": "printed before any line that says where it starts",
}


def judge(runs, log) -> list[str]:
    """Find every anomaly in what these runs printed about this log: a sentence that begins with a key of MEANING.

    Pass all runs of all scripts, and those of a group in the order of their starts. A group owes the whole log from the
    offset that it had committed before its first run. If nobody asked Kafka for that, it counts as none.
    """
    producers = [run for run in runs if run.group is None]
    deleted = [m for run in producers for m in run.messages if log.has_deleted(*m.place)]
    log = replace(log, messages=[*deleted, *log.messages])
    found = defaultdict(set)  # {(kind, who, partition): offsets}
    for kind, who, partition, offset in _faults(runs, producers, log):
        found[kind, who, partition].add(offset)
    return [
        f"{kind}: {who}, partition {partition}, {in_words(offsets)}: {MEANING[kind]}"
        for (kind, who, partition), offsets in found.items()
    ]


def assert_sound(runs, log, repeats=0) -> None:
    """Assert that `judge` finds no anomaly, and that no group printed more than `repeats` messages again."""
    found = judge(runs, log)
    for group, members in _groups(runs).items():
        again = [message.offset for messages in repeated(members) for message in messages]
        if len(again) > repeats:
            found.append(f"{len(again)} repeated by group {group}, {repeats} allowed: {in_words(again)}")
    assert not found, "\n".join(found)


def missing(runs, log) -> list[Message]:
    """Return what the group of these runs owes and has not printed, even if it reported it as LOST, in log order."""
    printed = {message.place for run in runs for message in run.messages}
    committed, partitions = runs[0].committed or {}, {partition for partition, _ in log.known}
    begin = {partition: committed.get(partition, _start(runs, log, partition)) for partition in partitions}
    return [m for m in sorted(log.known.values()) if m.offset >= begin[m.partition] and m.place not in printed]


def repeated(runs) -> list[list[Message]]:
    """Return for each of a group's runs the messages that this run or an earlier one had already printed."""
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


# The following functions yield (kind, who, partition, offset) for each offset at which something is wrong.


def _faults(runs, producers, log):
    for run in runs:
        yield from _faults_of_lines(run, log)
    if producers:  # without them, nobody knows what was sent
        acknowledged = {message.place for run in producers for message in run.messages}
        more = [message for message in log.messages if message.place not in acknowledged]
        if len(more) > sum(run.has_open_tick for run in producers):
            yield from (("duplicate", "producers", *message.place) for message in more)
    for group, members in _groups(runs).items():
        lost = {(event.partition, n) for run in members for event in run.of(Lost) for n in event.offsets}
        yield from (("unseen", f"group {group}", *m.place) for m in missing(members, log) if m.place not in lost)
        yield from _faults_of_reading(members, log)


def _faults_of_lines(run, log):
    """Judge a run's lines by the log alone, whatever others printed."""
    last = {}  # {partition: the offset of the latest message}
    for message in run.messages:
        if message.place in log.known:
            if log.known[message.place] != message:
                yield "wrong value", run.name, *message.place
        elif not log.has_deleted(*message.place):
            yield "phantom" if run.group else "lost write", run.name, *message.place
        if run.group is None and message.offset <= last.get(message.partition, -1):
            yield "producer order", run.name, *message.place
        last[message.partition] = message.offset
    for lost in run.of(Lost):
        kept = [n for n in lost.offsets if not log.has_deleted(lost.partition, n)]
        yield from (("false LOST", run.name, lost.partition, n) for n in kept)


def _faults_of_reading(runs, log):
    """Judge a group's lines in the order in which they came."""
    readings = {}  # {partition: its _Reading}
    for step, run in sorted(((step, each) for each in runs for step in each.steps()), key=lambda pair: pair[0][0].at):
        partition = step[-1].event.partition
        if partition not in readings:
            readings[partition] = _Reading(partition, log, (runs[0].committed or {}).get(partition, -1))
        for kind, offset in readings[partition].faults([line.event for line in step], run):
            yield kind, run.name, partition, offset


class _Reading:
    """How far a group's runs have read in one partition, step by step. Its methods yield (kind, offset)."""

    def __init__(self, partition, log, committed):
        self.partition, self.log = partition, log
        self.committed = committed  # the group's latest committed offset, as far as known; -1 is none
        self.printed = 0  # the offset after everything that was printed
        self.expected = {}  # {id of a run: the offset that may come next}

    def faults(self, events, run):
        """Judge the next step, which may be any run's, and take it in."""
        last, had = events[-1], max(self.printed, run.log_before(self.partition).end)  # the log reached at least that
        if isinstance(last, Started | Resuming):
            yield from self._faults_of_start(events[0].begin, last, had, run)
        else:
            yield from self._faults_of_move(last, run)
        for event in events:
            if isinstance(event, WentBack):
                self.committed = min(self.committed, event.end)
                if event.begin <= had:
                    yield "false going back", event.begin
            elif isinstance(event, Message | Lost):
                self.printed = max(self.printed, event.end)
        self.expected[id(run)] = _start([run], self.log, self.partition) if last.end is None else last.end

    def _faults_of_start(self, told, place, had, run):
        """A run starts where Kafka had the group. If Kafka was not asked, the group has lost nothing it committed."""
        told, end = -1 if told is None else told, self.log.end_of(self.partition)
        if asked := run.committed is not None and id(run) not in self.expected:
            self.committed = run.committed.get(self.partition, -1)
        deleted = place.end is not None and place.end < run.log_before(self.partition).first  # nobody can read there
        possible = told == self.committed or (not asked and self.expected and self.committed <= told <= end)
        if possible and not deleted:
            self.committed = told
        else:
            yield "false place", max(told, 0)
        if isinstance(place, Resuming):
            least, most = (max(0, offset - place.offset) for offset in (had, end))
            if not least <= place.behind <= most:
                yield "false lag", place.offset

    def _faults_of_move(self, event, run):
        expected = self.expected.get(id(run))
        if expected is None:
            if run.committed is not None or not isinstance(event, WentBack):  # a part of a run may begin like this
                yield "unplaced", event.begin
        elif isinstance(event, WentBack):  # a log only grows
            yield "false going back", event.begin
        else:
            for n in range(expected, event.begin):  # it may pass the gaps that never had a message
                if (self.partition, n) in self.log.known or self.log.has_deleted(self.partition, n):
                    yield "poll skip", n
            kind = "false LOST" if isinstance(event, Lost) else "nonmonotonic poll"
            yield from ((kind, n) for n in event.offsets if n < expected)


def _start(runs, log, partition):
    """Return the lowest offset that belongs to a group's runs if it had none committed; 0 if no run says so.

    For a group that starts at the latest message, that is the first offset that it printed. For one that starts at the
    earliest, it is not above the log's first offset, which may have been lower when the group began.
    """
    resets = {event.reset for run in runs for event in run.of(Started) if event.partition == partition}
    told = [event.begin for run in runs for event in run.of(Message, Lost) if event.partition == partition]
    if "earliest" in resets:
        told.append(log.first.get(partition, 0))
    return min(told, default=0) if resets else 0
