"""From one snapshot of Kafka to the next, what has happened: a sentence each. Pure: no Kafka, no clock, no drawing.

What is told is what Kafka shows, and no reason that it does not show. It sees no consumer stop: for the
length of its session a stopped one looks like one that is slow. So a group that commits nothing is told as that.
"""

import time
from collections.abc import Iterator

from kafka.errors import BrokerResponseError, KafkaError, RequestTimedOutError

from evidence.snapshot import Group, Member, Snapshot
from sight.lag import Lag

BAD, GOOD, PLAIN = "bold red", "green", ""  # someone waits or has lost something; that is over; styles as rich has them


def clock(at: float) -> str:
    """Return a time of day, as in 14:05:09."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def listed(names: list[str]) -> str:
    """Return them with commas; of many, the first and how many more there are."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"


def failing(error: KafkaError) -> str:
    """Return what Kafka does, in words that go on after its name."""
    name = type(error).__name__
    answers = isinstance(error, BrokerResponseError) and not isinstance(error, RequestTimedOutError)
    return f"answers with {name}" if answers else f"does not answer ({name})"


def readers_of(group: Group) -> dict[str, Member]:
    return {member.identity: member for member in group.members if member.reads}


class Chronicle:
    """Tells what happens to a topic and the groups that read it.

    Attributes:
        last: the latest Snapshot, or None before the first.
        away: why there are no figures, in words that go on after "Kafka"; "" while there are.
    """

    def __init__(self, topic: str, servers: str):
        self.topic, self.servers = topic, servers
        self.last, self.away = None, PLAIN
        self._topic_id = None
        self._readers = {}  # {group: {identity: member that reads the topic}} when its partitions were last shared out
        self._lags = {}  # {group: {partition number: Lag}}

    def note(self, name: str, number: int) -> str:
        """Return who holds a partition for a group, and what its lag does, as far as that is known."""
        group, lag = self.last.group(name), self._lags.get(name, {}).get(number)
        if holder := group.holder(number):
            held = f"held by {holder} while its session lasts"
        elif group.state.endswith("Rebalance"):
            held = "in a rebalance"
        else:
            held = {"Empty": "no member", "": ""}.get(group.state, "no member holds it")
        change = lag and lag.is_stuck() and f"lag {lag.grown():+,} since {clock(lag.since.at)}"
        return "; ".join(filter(None, (held, change)))

    def no_figures(self, at: float, error: KafkaError) -> list[tuple[str, str]]:
        """Return what there is to tell if Kafka has not answered for a while, or only with this error; as `see` does.

        Args:
            at: in seconds since 1970.
        """
        told, self.away = self.away, failing(error)
        return [] if told else [(f"{clock(at)}  Kafka at {self.servers} {self.away}: waiting for it.", BAD)]

    def see(self, snapshot: Snapshot) -> list[tuple[str, str]]:
        """Take in a snapshot; return what has happened since the one before: a line with its time, and its style."""
        before, self.last = self.last, snapshot
        return [(f"{clock(snapshot.at)}  {text}", style) for text, style in self._compare(before)]

    # What follows yields sentences and their styles.

    def _compare(self, before: Snapshot | None) -> Iterator[tuple[str, str]]:
        if self.away:
            self.away = ""
            yield f"Kafka answers{' again' if before else ''}.", GOOD
            for lags in self._lags.values():
                for lag in lags.values():
                    lag.since = self.last  # while Kafka was away, nobody could read
        if not self.last.logs:
            if before is None:
                yield f"Topic {self.topic} does not exist: waiting for it to be created.", BAD
            elif before.logs:
                yield f"Topic {self.topic} is gone: waiting for it to be created again.", BAD
        elif not before or not before.logs or self.last.topic_id != before.topic_id:
            yield from self._begin()
        else:
            yield from self._compare_logs(before)
            for name in {**self._readers, **self.last.groups}:
                yield from self._compare_members(name, self.last.group(name))
                yield from self._compare_offsets(name, self.last.group(name))

    # The topic.

    def _begin(self) -> Iterator[tuple[str, str]]:
        """Tell of a topic that was not seen before, or begins anew: what was known of offsets is void."""
        if self._topic_id in (None, self.last.topic_id):
            yield f"Topic {self.topic} is there.", GOOD
        else:
            yield f"The log was wiped: topic {self.topic} begins anew.", BAD
        self._topic_id, self._readers, self._lags = self.last.topic_id, {}, {}
        for name, group in self.last.groups.items():
            self._readers[name] = readers_of(group)
            self._lags[name] = {number: Lag(self.last, name, number) for number in group.committed}

    def _compare_logs(self, before: Snapshot) -> Iterator[tuple[str, str]]:
        now, then = len(self.last.logs), len(before.logs)
        if now > then:
            yield f"Partitions were added to {self.topic}: {now} now, {then} before.", PLAIN
        for number, log in self.last.logs.items():
            kept_before = before.logs.get(number, log).first
            for name, group in self.last.groups.items():
                start = max(group.committed.get(number, log.first), kept_before)
                if start < log.first:
                    what = f"offsets {start} to {log.first - 1} of {self.topic}-{number}"
                    yield f"Deleted: {what}, which {name} has not committed.", BAD

    def _names(self, numbers) -> str:
        return listed([f"{self.topic}-{number}" for number in sorted(numbers)])

    # A group.

    def _compare_members(self, name: str, group: Group) -> Iterator[tuple[str, str]]:
        """Tell which members came, went, or hold other partitions; nothing while the group shares these out."""
        if group.state.endswith("Rebalance"):
            return
        then, now = self._readers.get(name, {}), readers_of(group)
        self._readers[name] = now
        for gone in (member for identity, member in then.items() if identity not in now):
            if any(member.identity == gone.identity for member in group.members):
                how = f"{gone.client_id} reads another topic in {name} now"
            elif gone.instance:  # a static member does not leave when it is stopped
                how = f"The session of {gone.client_id} in {name} is over"
            else:
                how = f"{gone.client_id} left {name}, or its session is over"
            nobody = "" if now or not gone.partitions else f": nobody reads {self._names(gone.partitions)} for it"
            yield f"{how}{nobody}.", BAD if nobody else PLAIN
        for identity, member in now.items():
            held, known = self._names(member.partitions) or "no partition", then.get(identity)
            if known is None or known.member_id != member.member_id:
                yield f"{member.client_id} joined {name}{' again' if known else ''} and holds {held}.", GOOD
            elif known.partitions != member.partitions:
                yield f"{member.client_id} now holds {held} for {name}.", PLAIN

    def _compare_offsets(self, name: str, group: Group) -> Iterator[tuple[str, str]]:
        """Tell which committed offsets are gone or rewound, and what the lags do."""
        lags = self._lags.setdefault(name, {})
        if gone := lags.keys() - group.committed.keys():
            yield f"{name} has no committed offset on {self._names(gone)} any more.", BAD
        for number in gone:
            del lags[number]
        for number in group.committed:
            if number in lags:
                yield from self._lag(name, group, number)
            else:
                lags[number] = Lag(self.last, name, number)

    def _lag(self, name: str, group: Group, number: int) -> Iterator[tuple[str, str]]:
        lag, where = self._lags[name][number], f"{self.topic}-{number}"
        before, start = lag.committed, lag.start
        change = lag.see(self.last)
        if change == "rewound":
            yield f"{name} is rewound on {where}: {before} → {lag.committed}.", PLAIN
        elif change == "stuck":
            held = group.holder(number) or not group.state
            reason = "Its consumer stopped, is slow, or commits rarely" if held else "No member holds it"
            stands = f"since {clock(lag.since.at)}: committed {lag.committed}, lag {lag.now:,}"
            yield f"{name} commits nothing on {where} {stands}. {reason}.", BAD
        elif change == "caught up":
            deleted = f", {lag.deleted} of them deleted before that" if lag.deleted else ""
            yield f"{name} has caught up on {where}: committed {start} → {lag.committed}{deleted}.", GOOD
