"""From one look at Kafka to the next, what has happened: a sentence each. Pure: no Kafka, no clock, no drawing.

What is told is what Kafka shows, and no reason that it does not show. It sees no consumer stop: for the
length of its session a stopped one looks like one that is slow. So a lag that grows is told as just that.
"""

import time
from typing import NamedTuple

from sight.lag import Lag
from sight.look import REBALANCING, GroupLook, Look

GATHER = 60  # seconds for which the groups' commits are gathered, each group's into one line


class Happening(NamedTuple):
    """A line of news.

    Attributes:
        at: when it was noticed, in seconds since 1970.
        text: one sentence.
        mood: "bad" (someone waits, or has lost something), "good" (that is over), "quiet" (as usual), or "".
    """

    at: float
    text: str
    mood: str = ""


def clock(at: float) -> str:
    """Return a time of day, as in 14:05:09."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Chronicle:
    """Tells what happens to a topic and the groups that read it.

    Attributes:
        last: the latest Look, or None before the first.
        away: whether Kafka does not answer.
    """

    def __init__(self, topic: str, servers: str):
        self.topic, self.servers = topic, servers
        self.last, self.away = None, False
        self._topic_id, self._news = None, []
        self._members = {}  # {group: its members when it last stood still}
        self._lags = {}  # {group: {partition number: Lag}}
        self._gathering_since = 0.0  # as Look.moment

    def trend(self, group: str, number: int) -> str:
        """Return what a group's lag does, as `Lag.trend` has it."""
        lag = self._lags.get(group, {}).get(number)
        return lag.trend(self.last) if lag else ""

    def no_answer(self, at: float, refusal: str = "") -> list[Happening]:
        """Return what there is to tell if Kafka has not answered for a while, or refuses with this error."""
        if self.away:
            return []
        self.away = True
        text = f"No Kafka answers at {self.servers}: waiting for it."
        if refusal:
            text = f"Kafka refuses to tell: {refusal}."
        elif self.last:
            text = "Kafka does not answer: waiting for it."
        return [Happening(at, text, "bad")]

    def see(self, look: Look) -> list[Happening]:
        """Take in a look; return what has happened since the one before."""
        self._news = []
        before, self.last = self.last, look
        if self.away:
            self.away = False
            self._tell(f"Kafka answers{' again' if before else ''}.", "good")
            for lag in (lag for lags in self._lags.values() for lag in lags.values()):
                lag.since = look  # while Kafka was away, nobody could read
        if not look.logs:
            if before is None:
                self._tell(f"Topic {self.topic} does not exist: waiting for it to be created.", "bad")
            elif before.logs:
                self._tell(f"Topic {self.topic} is gone: waiting for it to be created again.", "bad")
        elif not before or not before.logs or look.topic_id != before.topic_id:
            self._begin(before)
        else:
            self._compare(before)
        return self._news

    def _tell(self, text: str, mood: str = "") -> None:
        self._news.append(Happening(self.last.at, text, mood))

    def _names(self, numbers) -> str:
        """Return partitions with commas; of many, the first, the last, and how many there are."""
        names = [f"{self.topic}-{number}" for number in sorted(numbers)]
        return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]} ({count(len(names), 'partition')})"

    # The topic.

    def _begin(self, before: Look | None) -> None:
        """Tell of a topic that was not seen before, or begins anew: what was known of offsets is void."""
        if self._topic_id in (None, self.last.topic_id):
            kept = count(sum(log.end - log.first for log in self.last.logs.values()), "offset")
            self._tell(f"Topic {self.topic} is there: {count(len(self.last.logs), 'partition')}, {kept} kept.", "good")
        else:
            self._tell(f"The log was wiped: topic {self.topic} begins anew.", "bad")
        self._topic_id, self._gathering_since = self.last.topic_id, self.last.moment
        self._lags.clear()
        for name, group in self.last.groups.items():
            if before is None:
                self._members[name] = group.members  # they have not joined just now
            self._meet(name, group)

    def _compare(self, before: Look) -> None:
        now, then = len(self.last.logs), len(before.logs)
        if now > then:
            self._tell(f"Partitions were added to {self.topic}: {now} now, {then} before.")
        for number, log in self.last.logs.items():
            if number in before.logs and log.first > before.logs[number].first:
                self._tell_deleted(number, before.logs[number].first, log.first)
        for name, group in self.last.groups.items():
            if name in before.groups:
                self._see_members(name, group)
                self._see_offsets(name, group)
            else:
                self._meet(name, group)
        for name in before.groups.keys() - self.last.groups.keys():
            self._tell(f"Group {name} has nothing committed on {self.topic} any more, and no member.")
            del self._members[name]
        if self.last.moment > self._gathering_since + GATHER:
            self._gathering_since = self.last.moment
            for name in self.last.groups:
                self._tell_commits(name)

    def _tell_deleted(self, number: int, before: int, first: int) -> None:
        unread = []
        for name, group in self.last.groups.items():
            start = max(group.committed.get(number, first), before)
            if start < first:
                unread.append(f"{name} has not committed {start} to {first - 1}")
        what = f"Deleted up to offset {first - 1} of {self._names([number])}, by retention or by hand"
        self._tell(f"{what}: {'; '.join(unread) or 'no group had still to read it'}.", "bad" if unread else "")

    # The groups.

    def _meet(self, name: str, group: GroupLook) -> None:
        """Tell of a group that was not seen before, or not on this topic."""
        lags = self._lags[name] = {number: Lag(self.last, name, number) for number in group.committed}
        known = name in self._members
        self._see_members(name, group)
        if known or not group.members:
            lag = f"lag {sum(lag.now for lag in lags.values()):,} on {self._names(lags)}"
            members = ", ".join(sorted({member.client_id for member in group.members}))
            who = f"read by {members}" if members else "it has no member"
            self._tell(f"Group {name}: {lag if lags else 'nothing committed'}; {who}.")

    def _see_members(self, name: str, group: GroupLook) -> None:
        """Compare the members with those of the last time the group stood still."""
        if group.state in REBALANCING:
            return
        # A static member that is started again is the same one.
        before = {member.instance or member.member_id: member for member in self._members.get(name, ())}
        now = {member.instance or member.member_id: member for member in group.members}
        self._members[name] = group.members
        if before.keys() != now.keys():
            self._tell_commits(name)
        for place in before.keys() - now.keys():
            gone = before[place]
            # A static member does not leave when it is stopped.
            how = "The session of {} in {} is over" if gone.instance else "{} left {}, or its session is over"
            left_alone = gone.partitions if not group.members else ()
            nobody = f": nobody reads {self._names(left_alone)} for it" if left_alone else ""
            self._tell(f"{how.format(gone.client_id, name)}{nobody}.", "bad" if nobody else "")
        for place, member in now.items():
            held, known = self._names(member.partitions) or "no partition", before.get(place)
            if known is None or known.member_id != member.member_id:
                self._tell(f"{member.client_id} joined {name}{' again' if known else ''} and holds {held}.", "good")
            elif known.partitions != member.partitions:
                self._tell(f"{member.client_id} now holds {held} for {name}.")

    # Their committed offsets.

    def _see_offsets(self, name: str, group: GroupLook) -> None:
        lags = self._lags[name]
        gone, new = lags.keys() - group.committed.keys(), group.committed.keys() - lags.keys()
        if gone:
            self._tell(f"{name} has no committed offset on {self._names(gone)} any more.", "bad")
        for number in gone:
            del lags[number]
        for number in lags:
            self._see_lag(name, number)
        for number in new:
            lags[number] = Lag(self.last, name, number)
        if new:
            self._tell(f"{name} has committed for the first time on {self._names(new)}.")

    def _see_lag(self, name: str, number: int) -> None:
        lag, where = self._lags[name][number], self._names([number])
        before, start = lag.committed, lag.start
        change = lag.see(self.last)
        if change in ("rewound", "caught up"):
            lag.told = lag.committed  # the sentence tells it
        if change:
            self._tell_commits(name)
        if change == "rewound":
            self._tell(f"{name} is rewound on {where}: {before} → {lag.committed}.")
        elif change == "grows":
            nobody = self.last.groups[name].state == "Empty"
            reason = "it has no member" if nobody else "its consumer stopped, or is slower than the producers"
            self._tell(f"The lag of {name} on {where} grows since {clock(lag.since.at)}: {reason}.", "bad")
        elif change == "drains":
            self._tell(f"The lag of {name} on {where} drains: {lag.now:,} now, {lag.most:,} at most.", "good")
        elif change == "caught up":
            self._tell(f"{name} has caught up on {where}: committed {start} → {lag.committed}.", "good")

    def _tell_commits(self, name: str) -> None:
        """Tell what a group has committed since that was told before."""
        moved = {number: lag for number, lag in self._lags[name].items() if lag.committed != lag.told}
        if len(moved) == 1:
            (lag,) = moved.values()
            self._tell(f"{name} committed {lag.told} → {lag.committed} on {self._names(moved)}.", "quiet")
        elif moved:
            offsets = sum(lag.committed - lag.told for lag in moved.values())
            self._tell(f"{name} committed {count(offsets, 'offset')} on {self._names(moved)}.", "quiet")
        for lag in moved.values():
            lag.told = lag.committed
