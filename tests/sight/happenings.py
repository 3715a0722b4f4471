"""From one look at Kafka to the next, what has happened: a sentence each. Pure: no Kafka, no clock, no drawing.

What is told is what Kafka shows, and no reason that it does not show. It sees no consumer stop: for the
length of its session a stopped one looks like one that is slow. So a lag that grows is told as just that.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from evidence.snapshot import Group, Snapshot
from sight.lag import Lag

GATHER = 60  # seconds for which a group's commits are gathered into one line
NO_GROUP = Group("Dead")  # what a group is before it is there, and after


class Happening(NamedTuple):
    """A line of news.

    Attributes:
        at: when it was noticed, in seconds since 1970.
        text: one sentence.
        mood: "bad" (someone waits, or has lost something), "good" (that is over), "quiet" (as usual), or "".
    """

    at: float
    text: str
    mood: str


def clock(at: float) -> str:
    """Return a time of day, as in 14:05:09."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: list[str]) -> str:
    """Return them with commas; of many, the first and how many more there are."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"


class Chronicle:
    """Tells what happens to a topic and the groups that read it.

    Attributes:
        last: the latest Snapshot, or None before the first.
        away: whether Kafka does not answer.
    """

    def __init__(self, topic: str, servers: str):
        self.topic, self.servers = topic, servers
        self.last, self.away = None, False
        self._topic_id = None
        self._members = {}  # {group: its members} as they were when its partitions were last shared out
        self._lags = {}  # {group: {partition number: Lag}}
        self._gathering_since = 0.0  # as Snapshot.moment

    def trend(self, group: str, number: int) -> str:
        """Return what a group's lag does, as `Lag.trend` has it."""
        lag = self._lags.get(group, {}).get(number)
        return lag.trend(self.last) if lag else ""

    def no_answer(self, at: float, error: Exception) -> list[Happening]:
        """Return what there is to tell if Kafka has not answered for a while, but with this error."""
        told, self.away = self.away, True
        text = f"No answer from Kafka at {self.servers} ({type(error).__name__}): waiting for it."
        return [] if told else [Happening(at, text, "bad")]

    def see(self, look: Snapshot) -> list[Happening]:
        """Take in a look; return what has happened since the one before."""
        before, self.last = self.last, look
        return [Happening(look.at, text, mood) for text, mood in self._compare(before)]

    # What follows yields sentences and their moods.

    def _compare(self, before: Snapshot | None) -> Iterator[tuple[str, str]]:
        if self.away:
            self.away = False
            yield f"Kafka answers{' again' if before else ''}.", "good"
            for lags in self._lags.values():
                for lag in lags.values():
                    lag.since = self.last  # while Kafka was away, nobody could read
        if not self.last.logs:
            if before is None:
                yield f"Topic {self.topic} does not exist: waiting for it to be created.", "bad"
            elif before.logs:
                yield f"Topic {self.topic} is gone: waiting for it to be created again.", "bad"
        elif not before or not before.logs or self.last.topic_id != before.topic_id:
            yield from self._begin()
        else:
            yield from self._compare_logs(before)
            for name in {**self._members, **self.last.groups}:
                group = self.last.groups.get(name, NO_GROUP)
                yield from self._compare_members(name, group)
                yield from self._compare_offsets(name, group)
            if self.last.moment > self._gathering_since + GATHER:
                self._gathering_since = self.last.moment
                yield from self._commits()

    # The topic.

    def _begin(self) -> Iterator[tuple[str, str]]:
        """Tell of a topic that was not seen before, or begins anew: what was known of offsets is void."""
        if self._topic_id in (None, self.last.topic_id):
            kept = count(sum(log.end - log.first for log in self.last.logs.values()), "offset")
            yield f"Topic {self.topic} is there: {count(len(self.last.logs), 'partition')}, {kept} kept.", "good"
        else:
            yield f"The log was wiped: topic {self.topic} begins anew.", "bad"
        self._topic_id, self._gathering_since = self.last.topic_id, self.last.moment
        self._members, self._lags = {}, {}
        for name, group in self.last.groups.items():
            self._members[name] = group.members
            self._lags[name] = {number: Lag(self.last, name, number) for number in group.committed}
            lag, where = sum(lag.now for lag in self._lags[name].values()), self._names(group.committed)
            members = listed(sorted(member.client_id for member in group.members))
            yield f"Group {name}: lag {lag:,} on {where or 'no partition'}; read by {members or 'nobody'}.", ""

    def _compare_logs(self, before: Snapshot) -> Iterator[tuple[str, str]]:
        now, then = len(self.last.logs), len(before.logs)
        if now > then:
            yield f"Partitions were added to {self.topic}: {now} now, {then} before.", ""
        for number, log in self.last.logs.items():
            if number in before.logs and log.first > before.logs[number].first:
                yield self._deleted(number, before.logs[number].first, log.first)

    def _deleted(self, number: int, before: int, first: int) -> tuple[str, str]:
        unread = []
        for name, group in self.last.groups.items():
            start = max(group.committed.get(number, first), before)
            if start < first:
                unread.append(f"{name} has not committed {start} to {first - 1}")
        what = f"Deleted up to offset {first - 1} of {self.topic}-{number}, by retention or by hand"
        return f"{what}: {'; '.join(unread) or 'no group had still to read it'}.", "bad" if unread else ""

    def _names(self, numbers) -> str:
        return listed([f"{self.topic}-{number}" for number in sorted(numbers)])

    # A group.

    def _compare_members(self, name: str, group: Group) -> Iterator[tuple[str, str]]:
        """Tell which members came, went, or hold other partitions; nothing while the group shares these out."""
        if group.state.endswith("Rebalance"):
            return
        # A static member that is started again is the same one.
        then = {member.instance or member.member_id: member for member in self._members.get(name, ())}
        now = {member.instance or member.member_id: member for member in group.members}
        self._members[name] = group.members
        for gone in (member for place, member in then.items() if place not in now):
            # A static member does not leave when it is stopped.
            how = "The session of {} in {} is over" if gone.instance else "{} left {}, or its session is over"
            left_alone = gone.partitions if not now else ()
            nobody = f": nobody reads {self._names(left_alone)} for it" if left_alone else ""
            yield f"{how.format(gone.client_id, name)}{nobody}.", "bad" if nobody else ""
        for place, member in now.items():
            held, known = self._names(member.partitions) or "no partition", then.get(place)
            if known is None or known.member_id != member.member_id:
                yield f"{member.client_id} joined {name}{' again' if known else ''} and holds {held}.", "good"
            elif known.partitions != member.partitions:
                yield f"{member.client_id} now holds {held} for {name}.", ""

    def _compare_offsets(self, name: str, group: Group) -> Iterator[tuple[str, str]]:
        """Tell which committed offsets are new, gone or rewound, and what the lags do."""
        lags = self._lags.setdefault(name, {})
        gone, new = lags.keys() - group.committed.keys(), group.committed.keys() - lags.keys()
        for number in gone:
            del lags[number]
        for number in lags:
            yield from self._lag(name, number)
        lags.update((number, Lag(self.last, name, number)) for number in new)
        if gone:
            yield f"{name} has no committed offset on {self._names(gone)} any more.", "bad"
        if new:
            yield f"{name} has committed for the first time on {self._names(new)}.", ""

    def _lag(self, name: str, number: int) -> Iterator[tuple[str, str]]:
        lag, where = self._lags[name][number], f"{self.topic}-{number}"
        before, start = lag.committed, lag.start
        change = lag.see(self.last)
        if change == "rewound":
            yield f"{name} is rewound on {where}: {before} → {lag.committed}.", ""
        elif change == "grows":
            nobody = self.last.groups[name].state == "Empty"
            reason = "it has no member" if nobody else "its consumer stopped, or is slower than the producers"
            since = f"{clock(lag.since.at)}, committed {lag.committed}"
            yield f"The lag of {name} on {where} grows since {since}: {reason}.", "bad"
        elif change == "drains":
            yield f"The lag of {name} on {where} drains: committed {start} → {lag.committed}, lag {lag.now:,}.", "good"
        elif change == "caught up":
            yield f"{name} has caught up on {where}: committed {start} → {lag.committed}.", "good"
        if change:
            lag.told = lag.committed

    def _commits(self) -> Iterator[tuple[str, str]]:
        """Tell what each group has committed since that was told before."""
        for name, lags in self._lags.items():
            moves = []
            for number, lag in lags.items():
                if lag.committed != lag.told:
                    moves.append(f"{lag.told} → {lag.committed} on {self.topic}-{number}")
                    lag.told = lag.committed
            if moves:
                yield f"{name} committed {listed(moves)}.", "quiet"
