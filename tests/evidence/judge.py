"""The judge: what the scripts printed, held against the topic's log. Pure functions.

The words are those of Jepsen's Kafka workload. `judge` finds each anomaly, `assert_sound` fails with them, and
`missing` and `repeated` are the figures for people. Printing a message again after a "Resuming" line, as after a
kill -9, an error or a rewind, is no anomaly: `repeated` counts it, the caller says how often it may be.

No script is believed. Where a consumer says it goes on, its group must have committed: just that offset, if Kafka was
asked before the run; if not, one that the group had reached, and none below what it is known to have committed.

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

    Args:
        runs: a list of all runs of all scripts; those of a group in the order of their starts.
        log: the topic's Log. Each group owes all of it, from what it had committed before its first run. If nobody has
            asked Kafka for that, it is taken to have had nothing committed.
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
        for message in _unseen(members, log):
            found["unseen", f"group {group}", message.partition].add(message.offset)
        for kind, run, partition, offset in _false_starts(members, log):
            found[kind, run.name, partition].add(offset)
    return [
        f"{kind}: {who}, partition {partition}, {in_words(offsets)}: {MEANING[kind]}"
        for (kind, who, partition), offsets in found.items()
    ]


def assert_sound(runs, log, repeats=0) -> None:
    """Assert that there is no anomaly, and that no group printed over `repeats` messages again.

    Args:
        runs, log: as `judge` has them.

    Raises:
        AssertionError: one line for each anomaly.
    """
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


def _unseen(runs, log):
    lost = {(event.partition, offset) for run in runs for event in run.of(Lost) for offset in _range(event)}
    return [message for message in missing(runs, log) if message.place not in lost]


def _range(event):
    return range(event.begin, event.end)


def _faults(run, log):
    """Yield (kind, partition, offset) of what is wrong with a run's lines, whatever others printed."""
    for message in run.messages:
        if message.place in log.known:
            if log.known[message.place] != message:
                yield "wrong value", *message.place
        elif not log.has_deleted(*message.place):
            yield "lost write" if run.group is None else "phantom", *message.place
    for lost in run.of(Lost):
        yield from (("false LOST", lost.partition, n) for n in _range(lost) if not log.has_deleted(lost.partition, n))
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
    for step in run.steps:
        event, partition = step[-1].event, step[-1].event.partition
        expected = lowest.get(partition)
        lowest[partition] = _start([run], log, partition) if event.end is None else event.end
        if isinstance(event, Started | Resuming):
            continue
        if expected is None:
            if run.before or not isinstance(event, WentBack):  # of a part of a run, the place may be in another part
                yield "unplaced", partition, event.begin
        elif isinstance(event, WentBack):  # a log only grows
            yield "false going back", partition, event.begin
        else:
            yield from (("poll skip", partition, n) for n in log.owed_in(partition, range(expected, event.begin)))
            kind = "false LOST" if isinstance(event, Lost) else "nonmonotonic poll"
            yield from ((kind, partition, n) for n in _range(event) if n < expected)


def _false_starts(runs, log):
    """Yield (kind, run, partition, offset) where a run says that it starts, and Kafka had it otherwise."""
    steps = [(run, step) for run in runs for step in run.steps]
    told = defaultdict(list)  # {partition: (run, events) in the order in which the lines came}
    for run, step in sorted(steps, key=lambda pair: pair[1][0].at):
        told[step[0].event.partition].append((run, [line.event for line in step]))
    for partition, steps in told.items():
        known = runs[0].committed.get(partition, -1)
        yield from ((kind, run, partition, n) for kind, run, n in _false_starts_in(partition, steps, log, known))


def _false_starts_in(partition, steps, log, known):
    """Yield (kind, run, offset), as `_false_starts` does.

    Args:
        known: what the group had committed last, as far as known; -1 is nothing.
    """
    printed, started = 0, set()
    for run, events in steps:
        place, had = events[-1], max(printed, run.end_before(partition))  # the log went on to there at least
        if isinstance(place, Started | Resuming):
            told = -1 if events[0].begin is None else events[0].begin
            asked = run.before and id(run) not in started
            known = run.committed.get(partition, -1) if asked else known
            if told != known and (asked or not started or not known <= told <= log.end_of(partition)):
                yield "false place", run, max(told, 0)
            else:
                known = told
            started.add(id(run))
        if isinstance(place, Resuming):
            at, last = place.offset, place.offset + place.behind
            if not max(at, had) <= last <= max(at, log.end_of(partition)):
                yield "false lag", run, at
        for event in events:
            if isinstance(event, WentBack):
                known = min(known, event.end)
                if event.begin <= had:
                    yield "false going back", run, event.begin
            elif isinstance(event, Message | Lost):
                printed = max(printed, event.end)


def _begin(runs, log, partition):
    """Return the lowest offset that these runs of a group owe."""
    return runs[0].committed.get(partition, _start(runs, log, partition)) if runs else 0


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
