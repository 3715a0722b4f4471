"""The judge: what the scripts printed, held against the topic's log. Pure functions.

The words are those of Jepsen's Kafka workload. `judge` finds each anomaly, `assert_sound` fails with them, and
`missing` and `repeated` are the figures for people. Printing a message again after a "Resuming" line, as after a
kill -9, an error or a rewind, is no anomaly: `repeated` counts it, the caller says how often it may be.

No script is believed. A consumer must start where its group had committed: at just that offset, if Kafka was asked
before; if not, neither below what the group is known to have committed nor beyond the end of the log.

A topic that is wiped begins a new log: judge each log by the lines printed while it was there.
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
    "false going back": "told as beyond the end of the log, which had it",
    "false place": "told as the place where its group goes on, which it is not",
    "false lag": "told with more messages behind it than the log has, or fewer than it had",
    "unplaced": "printed before any line that says where it starts",
}


def judge(runs, log) -> list[str]:
    """Find each anomaly in what these runs printed about this log: a sentence that begins with a key of MEANING.

    These are all runs of all scripts, those of a group in the order of their starts. A group owes all of the log from
    what it had committed before its first run: nothing, if nobody asked Kafka for that.
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
        lost = {(event.partition, n) for run in members for event in run.of(Lost) for n in event.offsets}
        for partition, offset in {message.place for message in missing(members, log)} - lost:
            found["unseen", f"group {group}", partition].add(offset)
        for kind, run, partition, offset in _faults_of_reading(members, log):
            found[kind, run.name, partition].add(offset)
    return [
        f"{kind}: {who}, partition {partition}, {in_words(offsets)}: {MEANING[kind]}"
        for (kind, who, partition), offsets in found.items()
    ]


def assert_sound(runs, log, repeats=0) -> None:
    """Assert that `judge` finds no anomaly, and that no group printed over `repeats` messages again."""
    found = judge(runs, log)
    for group, members in _groups(runs).items():
        again = [message.offset for messages in repeated(members) for message in messages]
        if len(again) > repeats:
            found.append(f"{len(again)} repeated by group {group}, {repeats} allowed: {in_words(again)}")
    assert not found, "\n".join(found)


def missing(runs, log) -> list[Message]:
    """Return what the group of these runs owes and has not printed, reported as LOST or not, in the log's order."""
    printed = {message.place for run in runs for message in run.messages}
    begin = {partition: _begin(runs, log, partition) for partition, _ in log.known}
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


def _duplicates(producers, log):
    """Return what is stored without an acknowledgement of its own. Without producers nobody knows what was sent."""
    sent = {message.place for run in producers for message in run.messages}
    return [message for message in log.messages if message.place not in sent] if producers else []


def _faults(run, log):
    """Yield (kind, partition, offset) of what is wrong with a run's lines, whatever others printed."""
    for message in run.messages:
        if message.place in log.known:
            if log.known[message.place] != message:
                yield "wrong value", *message.place
        elif not log.has_deleted(*message.place):
            yield "lost write" if run.group is None else "phantom", *message.place
    for lost in run.of(Lost):
        yield from (("false LOST", lost.partition, n) for n in lost.offsets if not log.has_deleted(lost.partition, n))
    if run.group is None:
        yield from _producer_order(run)


def _producer_order(run):
    last = {}
    for message in run.messages:
        if message.offset <= last.get(message.partition, -1):
            yield "producer order", *message.place
        last[message.partition] = message.offset


def _faults_of_reading(runs, log):
    """Yield (kind, run, partition, offset) of what is wrong with a group's lines, in the order in which they came."""
    readings = {}  # {partition: its _Reading}
    for step, run in sorted(((step, each) for each in runs for step in each.steps()), key=lambda pair: pair[0][0].at):
        partition = step[-1].event.partition
        reading = readings.setdefault(partition, _Reading(partition, log, (runs[0].committed or {}).get(partition, -1)))
        for kind, offset in reading.faults([line.event for line in step], run):
            yield kind, run, partition, offset


class _Reading:
    """How far a group's runs have come in one partition, step by step."""

    def __init__(self, partition, log, known):
        self.partition, self.log = partition, log
        self.known = known  # what the group had committed last, as far as known; -1 is nothing
        self.printed = 0  # the offset after all that was printed
        self.expected = {}  # {id of a run: the offset that may come next}

    def faults(self, events, run):
        """Yield (kind, offset) of what is wrong with the next step, which may be of any of the runs."""
        last, had = events[-1], max(self.printed, run.before(self.partition).end)  # the log went on to there at least
        if isinstance(last, Started | Resuming):
            yield from self._faults_of_start(events[0].begin, last, had, run)
        else:
            yield from self._faults_of_move(last, run)
        for event in events:
            if isinstance(event, WentBack):
                self.known = min(self.known, event.end)
                if event.begin <= had:
                    yield "false going back", event.begin
            elif isinstance(event, Message | Lost):
                self.printed = max(self.printed, event.end)
        self.expected[id(run)] = _start([run], self.log, self.partition) if last.end is None else last.end

    def _faults_of_start(self, told, place, had, run):
        """A start is where Kafka had it. If Kafka was not asked, the group has committed no less than before."""
        told, end = -1 if told is None else told, self.log.end_of(self.partition)
        if asked := run.committed is not None and id(run) not in self.expected:
            self.known = run.committed.get(self.partition, -1)
        deleted = place.end is not None and place.end < run.before(self.partition).first  # so it can't be read there
        if deleted or (told != self.known and (asked or not self.expected or not self.known <= told <= end)):
            yield "false place", max(told, 0)
        else:
            self.known = told
        if isinstance(place, Resuming):
            least, most = (max(0, offset - place.offset) for offset in (had, end))
            if not least <= place.behind <= most:
                yield "false lag", place.offset

    def _faults_of_move(self, event, run):
        expected = self.expected.get(id(run))
        if expected is None:
            if run.committed is not None or not isinstance(event, WentBack):  # a part of a run may begin so
                yield "unplaced", event.begin
        elif isinstance(event, WentBack):  # a log only grows
            yield "false going back", event.begin
        else:
            yield from (("poll skip", n) for n in self.log.owed_in(self.partition, range(expected, event.begin)))
            kind = "false LOST" if isinstance(event, Lost) else "nonmonotonic poll"
            yield from ((kind, n) for n in event.offsets if n < expected)


def _begin(runs, log, partition):
    """Return the lowest offset that these runs of a group owe."""
    return (runs[0].committed or {}).get(partition, _start(runs, log, partition)) if runs else 0


def _start(runs, log, partition):
    """Return the lowest offset that belongs to runs of a group that had none committed; 0 if none of them says so.

    At the latest, that is the first one printed. At the earliest it may not be above the log's first, which may have
    been lower when the group began.
    """
    resets = {event.reset for run in runs for event in run.of(Started) if event.partition == partition}
    told = [event.begin for run in runs for event in run.of(Message, Lost) if event.partition == partition]
    if "earliest" in resets:
        told.append(log.first.get(partition, 0))
    return min(told, default=0) if resets else 0
