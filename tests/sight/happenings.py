"""From look to look at Kafka, what has happened: a sentence each. Pure: no Kafka, no clock, no drawing.

What is told is what Kafka shows, and no reason that it does not show. It sees no consumer stop: for the
length of its session a stopped one looks like one that is slow. So a lag that grows is told as just that.

A lag by itself is no news: messages are on their way all the time. What counts is how long the oldest unread
message has waited, which is the same at one message a second and at a thousand.
"""

import time
from collections import deque
from dataclasses import dataclass

from sight.look import REBALANCING, GroupLook, LogLook, Look, Member

CAUGHT_UP = 1.5  # seconds that the oldest unread message may have waited: it is on its way
BEHIND = 3  # seconds after which it is not, for a group that commits soon after reading
BEHIND_AT_FIRST = 6  # the same while it is not known how often a group commits; automatic commits: every 5 s
TREND = 3  # seconds back with which a lag is compared
GATHER = 60  # seconds for which commits are gathered into one line
NOTABLE = 10  # offsets that a lag must have changed by to be said to drain, or to grow again
LONGEST_HABIT = 60  # seconds that a group may make a habit of before it commits
GRACE = 10  # seconds after an outage in which a consumer may still be on its way back
FORGOTTEN = 120  # seconds after which a group without a member is no longer what a person looks at
LONGEST_STEP = 2  # seconds: more between two looks was an outage, in which no message waits for its reader


@dataclass(frozen=True)
class Happening:
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


@dataclass(frozen=True)
class Moment:
    """A moment in both times: as people tell it, and in seconds of watching, in which outages don't count."""

    at: float
    lived: float


class Growth:
    """When a partition's log has grown: a look's exactness, for the last few hundred times."""

    def __init__(self, now: Moment, end: int):
        self.first = now
        self.steps = deque([(now, end)], maxlen=600)

    def see(self, now: Moment, end: int) -> None:
        if end > self.steps[-1][1]:
            self.steps.append((now, end))

    def written(self, offset: int) -> Moment:
        """Return when this offset was first seen, or the oldest moment that is remembered."""
        return next((moment for moment, end in self.steps if end > offset), self.steps[-1][0])

    def grown_after(self, moment: Moment) -> Moment | None:
        return next((step for step, _ in self.steps if step.lived > moment.lived), None)


@dataclass(frozen=True)
class Reader:
    """Who reads a partition for a group: a member's id, or None; and until when it is given time to come back."""

    member_id: str | None
    grace: float


class Progress:
    """One group on one partition: whether it keeps up, is behind, or drains its lag.

    Attributes:
        state: "keeps up", "behind" or "drains".
        trend: of the lag: "grows", "shrinks", "stands", or "" while the group keeps up.
    """

    def __init__(self, now: Moment, committed: int, end: int, behind: bool):
        self.committed, self.lag = committed, max(0, end - committed)
        self.state, self.trend = "behind" if behind else "keeps up", ""
        self.moved = now
        self.start, self.worst, self.best = committed, self.lag, self.lag
        self.patience, self.reader = BEHIND_AT_FIRST, None
        self.waits, self.lags = deque(maxlen=5), deque([(now.lived, self.lag)])

    def see(self, now: Moment, unread: LogLook, growth: Growth, reader: "Reader") -> str:
        """Take in a look, with the log from the committed offset on.

        Returns:
            What has changed: "rewound", "grows", "grows again", "drains", "caught up", or "".
        """
        before, waited, committed = self.committed, self.waited(now, growth), unread.first
        self.committed, self.lag = committed, max(0, unread.end - committed)
        if committed < before:
            self.fall_behind(committed)
            return "rewound"
        if committed > before:
            self.moved = now
            if self.waited(now, growth) < CAUGHT_UP:
                self.learn(waited, reader)
        self.compare(now, growth)
        return self.keep_up(now, growth, reader) if self.state == "keeps up" else self.go_on(now, growth)

    def learn(self, waited: float, reader: "Reader") -> None:
        """Learn how long a group lets messages wait that it does read: some commit every minute.

        What waited for a consumer that had to be started again, or is too slow, says nothing about that.
        """
        if self.state == "keeps up" or (reader.member_id and reader == self.reader):
            self.waits.append(min(waited, LONGEST_HABIT))
            self.patience = max(BEHIND, 1.5 * max(self.waits) + 1)

    def waited(self, now: Moment, growth: Growth) -> float:
        """Return for how long its oldest unread message has waited, in seconds."""
        return now.lived - growth.written(self.committed).lived if self.lag else 0.0

    def fall_behind(self, start: int) -> None:
        self.state, self.start, self.worst, self.best = "behind", start, self.lag, self.lag

    def compare(self, now: Moment, growth: Growth) -> None:
        """Find the trend: against the lag of a few seconds ago, so that it doesn't flicker."""
        self.lags.append((now.lived, self.lag))
        while len(self.lags) > 1 and self.lags[1][0] <= now.lived - TREND:
            self.lags.popleft()
        was, now_is = self.lags[0][1], self.lag
        if self.state == "keeps up" and self.waited(now, growth) < CAUGHT_UP:
            self.trend = ""
        else:
            self.trend = "grows" if now_is > was else "shrinks" if now_is < was else "stands"

    def keep_up(self, now: Moment, growth: Growth, reader: "Reader") -> str:
        first = growth.written(self.committed)
        more = growth.grown_after(first)  # one message alone is no growth, nor is a transaction's end
        if now.lived < reader.grace or not more or now.lived - more.lived < CAUGHT_UP:
            return ""
        if self.waited(now, growth) < self.patience:
            return ""
        self.fall_behind(self.committed)
        self.reader = reader
        return "grows"

    def go_on(self, now: Moment, growth: Growth) -> str:
        if self.waited(now, growth) < CAUGHT_UP:
            self.state, self.trend = "keeps up", ""
            return "caught up" if self.committed > self.start else ""
        return self.turn()

    def turn(self) -> str:
        """Tell a lag that begins to drain, or to grow again, from one that goes up and down."""
        self.worst, self.best = max(self.worst, self.lag), min(self.best, self.lag)
        if self.state == "behind" and self.lag <= self.worst - max(NOTABLE, self.worst // 10):
            self.state, self.best = "drains", self.lag
            return "drains"
        if self.state == "drains" and self.lag >= self.best + max(NOTABLE, self.best // 10):
            self.state, self.worst = "behind", self.lag
            return "grows again"
        return ""


class Commits:
    """A group's commits, gathered until there is other news of it or a minute is over."""

    def __init__(self):
        self.since, self.moved = 0.0, {}

    def see(self, at: float, number: int, before: int, committed: int) -> None:
        if not self.moved:
            self.since = at
        self.moved[number] = self.moved.get(number, (before,))[0], committed

    def sentence(self, group: str, topic: str) -> str:
        """Return what they come to, and forget them; "" if there are none."""
        moved, self.moved = self.moved, {}
        if len(moved) == 1:
            ((number, (before, committed)),) = moved.items()
            return f"{group} committed {before} → {committed} on {topic}-{number}."
        offsets = sum(committed - before for before, committed in moved.values())
        return f"{group} committed {count(offsets, 'offset')} on {len(moved)} partitions." if moved else ""


class Story:
    """Tells what happens to a topic and the groups that read it.

    Attributes:
        last: the latest Look, or None before the first.
        away: whether Kafka does not answer.
        stirred: {partition number: when it, or a group's offset on it, last changed}.
    """

    def __init__(self, topic: str, servers: str):
        self.topic, self.servers = topic, servers
        self.last, self.away = None, False
        self.stirred = {}
        self._lived, self._grace = 0.0, 0.0
        self._topic_id, self._news = None, []
        self._growth, self._progress, self._commits = {}, {}, {}
        self._members, self._deleted = {}, {}

    def trend(self, group: str, number: int) -> str:
        progress = self._progress.get((group, number))
        return progress.trend if progress else ""

    def member(self, group: str, number: int) -> Member | None:
        """Return who held the partition when the group last stood still."""
        return next((m for m in self._members.get(group, ()) if number in m.partitions), None)

    def forgotten(self, group: str, number: int) -> bool:
        """Return whether nobody holds the partition and nothing was read for so long that nobody waits for it."""
        progress = self._progress.get((group, number))
        idle = progress and self._lived - progress.moved.lived > FORGOTTEN
        return bool(idle) and self.last.groups[group].members == ()

    # What Kafka says, or not.

    def silence(self, at: float) -> list[Happening]:
        """Kafka has not answered for some time."""
        if self.away:
            return []
        self.away = True
        if self.last is None:
            return [Happening(at, f"No Kafka answers at {self.servers}: waiting for it.", "bad")]
        return [Happening(at, "Kafka does not answer: waiting for it.", "bad")]

    def refusal(self, at: float, reason: str) -> list[Happening]:
        """Kafka answers, but not with what was asked, as when it allows no look at the topic."""
        if self.away:
            return []
        self.away = True
        return [Happening(at, f"Kafka refuses to tell: {reason}.", "bad")]

    def see(self, look: Look) -> list[Happening]:
        """Take in a look; return what has happened since the one before."""
        self._news = []
        before, self.last = self.last, look
        self._lived += min(look.at - before.at, LONGEST_STEP) if before else 0
        if self.away:
            self.away, self._grace = False, self._lived + GRACE
            self._tell(f"Kafka answers{' again' if before else ''}.", "good")
        if before is None:
            self._begin(look)
        elif not self._topic_changed(before, look) and look.logs:
            for number, log in look.logs.items():
                self._see_log(number, log, before)
            self._see_groups(before, look)
        return self._news

    def _tell(self, text: str, mood: str = "") -> None:
        self._news.append(Happening(self.last.at, text, mood))

    def _moment(self) -> Moment:
        return Moment(self.last.at, self._lived)

    # The topic.

    def _begin(self, look: Look) -> None:
        """Tell how things stand at the first look."""
        self._topic_id = look.topic_id
        if not look.logs:
            self._tell(f"Topic {self.topic} does not exist: waiting for it to be created.", "bad")
            return
        kept = sum(log.end - log.first for log in look.logs.values())
        partitions = count(len(look.logs), "partition")
        self._tell(f"Topic {self.topic}: {partitions}, {count(kept, 'offset')} kept.")
        for name, group in look.groups.items():
            self._meet(name, group, look)
            self._tell(self._where(name, group, look))
        self._start_logs(look)

    def _start_logs(self, look: Look) -> None:
        for number, log in look.logs.items():
            self._growth[number] = Growth(self._moment(), log.end)
            self._deleted[number] = log.first, look.at

    def _topic_changed(self, before: Look, look: Look) -> bool:
        """Tell of a topic that came, went or begins anew; return whether there is nothing else to compare."""
        if before.logs and not look.logs:
            self._tell(f"Topic {self.topic} is gone: waiting for it to be created again.", "bad")
            self._forget()
            return True
        if not look.logs:
            return True
        anew = self._topic_id is not None and look.topic_id != self._topic_id
        self._topic_id = look.topic_id
        if anew:
            self._tell(f"The log was wiped: topic {self.topic} begins anew.", "bad")
        elif not before.logs:
            self._tell(f"Topic {self.topic} is there: {count(len(look.logs), 'partition')}.", "good")
        if anew or not before.logs:
            self._forget()
            self._start_logs(look)
            for name, group in look.groups.items():
                self._greet(name, group, look)
            return True
        if len(look.logs) > len(before.logs):
            now, then = len(look.logs), len(before.logs)
            self._tell(f"Partitions were added to {self.topic}: {now} now, {then} before.")
        return False

    def _forget(self) -> None:
        for known in (self._growth, self._progress, self._commits, self._deleted, self._members):
            known.clear()

    def _see_log(self, number: int, log: LogLook, look_before: Look) -> None:
        before = look_before.logs.get(number)
        name = f"{self.topic}-{number}"
        if before is None:  # an added partition: all of it is new
            self._growth[number] = Growth(self._moment(), 0)
            self._deleted[number] = log.first, self.last.at
        elif log.end < before.end:
            self._tell(
                f"The log of {name} is shorter now: it ended at {before.end}, and ends at {log.end}.",
                "bad",
            )
            self._growth[number] = Growth(self._moment(), log.end)
        elif log != before:
            self.stirred[number] = self.last.at
        self._growth[number].see(self._moment(), log.end)
        self._see_deletion(number, log)

    def _see_deletion(self, number: int, log: LogLook) -> None:
        """Tell what was deleted at once if a group has not read it, else gathered."""
        told, at = self._deleted[number]
        if log.first <= told:
            return
        unread = []
        for name, group in self.last.groups.items():
            committed = group.committed.get(number, log.first)
            if committed < log.first:
                start, end = max(committed, told), log.first - 1
                offsets = f"offset {start}" if start == end else f"{start} to {end}"
                read = "committed" if self._reads(name, number) else "read"
                unread.append(f"{name} has not {read} {offsets}")
        if not unread and self.last.at < at + GATHER and told > 0:
            return
        self._deleted[number] = log.first, self.last.at
        what = f"Deleted up to offset {log.first - 1} of {self.topic}-{number}, by retention or by hand"
        if unread:
            self._tell(f"{what}: {'; '.join(unread)}.", "bad")
        else:
            self._tell(f"{what}{': every group had read it' if self.last.groups else ''}.")

    def _reads(self, group: str, number: int) -> bool:
        """Return whether a group keeps up: then what it has not committed it may well have read."""
        progress = self._progress.get((group, number))
        return bool(progress and progress.state == "keeps up" and self._members.get(group))

    # The groups.

    def _see_groups(self, before: Look, look: Look) -> None:
        for name, group in look.groups.items():
            if name not in before.groups and not self._known(name):
                self._greet(name, group, look)
                continue
            self._see_members(name, group)
            for number in look.logs:
                self._see_committed(name, number, group)
            commits = self._commits.setdefault(name, Commits())
            if commits.moved and look.at >= commits.since + GATHER:
                self._tell_commits(name)
        for name in before.groups.keys() - look.groups.keys():
            self._tell(f"Group {name} has nothing committed on {self.topic} any more, and no member.")
            self._drop(name)

    def _known(self, name: str) -> bool:
        return name in self._members

    def _drop(self, name: str) -> None:
        self._members.pop(name, None)
        self._commits.pop(name, None)
        for key in [key for key in self._progress if key[0] == name]:
            del self._progress[key]

    def _meet(self, name: str, group: GroupLook, look: Look) -> None:
        """Take in a group as it stands, without news of it."""
        self._members[name] = group.members or ()
        for number, committed in group.committed.items():
            if number in look.logs:
                self._progress[name, number] = self._new_progress(group, committed, look.logs[number])

    def _new_progress(self, group: GroupLook, committed: int, log: LogLook) -> Progress:
        waits = group.members == () and committed < log.end
        return Progress(self._moment(), committed, log.end, behind=waits)

    def _greet(self, name: str, group: GroupLook, look: Look) -> None:
        """Tell of a group that was not there before."""
        self._meet(name, group, look)
        if group.state in REBALANCING:
            self._members[name] = ()  # they are told when they have their partitions
        for member in self._members[name]:
            self._tell(f"{member.client_id} joined {name}{self._holding(member, name)}.", "good")
        if not group.members:
            self._tell(self._where(name, group, look))

    def _where(self, name: str, group: GroupLook, look: Look) -> str:
        """Return where a group stands, in a sentence."""
        committed = {number: at for number, at in group.committed.items() if number in look.logs}
        lag = sum(max(0, look.logs[number].end - at) for number, at in committed.items())
        where = "nothing committed"
        if len(look.logs) == 1 and committed:
            where = f"committed {next(iter(committed.values()))}, lag {lag}"
        elif committed:
            where = f"lag {lag} on {count(len(committed), 'partition')}"
        return f"Group {name}: {where}; {self._who(group)}."

    def _who(self, group: GroupLook) -> str:
        if group.members is None:
            return "who its members are Kafka does not tell"
        if not group.members:
            return "it has no member"
        names = sorted({member.client_id for member in group.members})
        return f"{count(len(group.members), 'member')}: {shortened(names)}"

    def _holding(self, member: Member, group: str) -> str:
        if member.partitions:
            return f" and holds {self._names(member.partitions)}"
        others = any(m.partitions for m in self.last.groups[group].members or ())
        return ": the other members hold all partitions" if others else ""

    def _names(self, numbers) -> str:
        return shortened([f"{self.topic}-{number}" for number in sorted(numbers)], "partitions")

    def _see_members(self, name: str, group: GroupLook) -> None:
        """Compare the members with those of the last time the group stood still."""
        if group.members is None or group.state in REBALANCING:
            return
        before = {member.place: member for member in self._members.get(name, ())}
        now = {member.place: member for member in group.members}
        self._members[name] = group.members
        for place, member in before.items():
            if place not in now:
                self._tell_gone(name, member, group)
        for place, member in now.items():
            self._tell_present(name, before.get(place), member)

    def _tell_gone(self, name: str, member: Member, group: GroupLook) -> None:
        self._tell_commits(name)
        who = member.client_id
        gone = f"{who} left {name}, or its session is over"
        if member.instance is not None:  # a static member does not leave when it is stopped
            gone = f"The session of {who} in {name} is over"
        waits = ""
        if not group.members and member.partitions:
            waits = f": nobody reads {self._names(member.partitions)} for it"
        self._tell(f"{gone}{waits}.", "bad" if waits else "")

    def _tell_present(self, name: str, before: Member | None, member: Member) -> None:
        who = member.client_id
        if before is None:
            self._tell_commits(name)
            self._tell(f"{who} joined {name}{self._holding(member, name)}.", "good")
        elif before.member_id != member.member_id:
            self._tell_commits(name)
            self._tell(f"{who} joined {name} again{self._holding(member, name)}.", "good")
        elif before.partitions != member.partitions:
            held = self._names(member.partitions) if member.partitions else "no partition"
            self._tell(f"{who} now holds {held} for {name}.")

    # The committed offsets.

    def _see_committed(self, name: str, number: int, group: GroupLook) -> None:
        committed, log = group.committed.get(number), self.last.logs[number]
        progress = self._progress.get((name, number))
        where = f"{self.topic}-{number}"
        if committed is None:
            if progress:
                self._tell(f"{name} has no committed offset on {where} any more.", "bad")
                del self._progress[name, number]
            return
        if progress is None:
            self._tell(f"{name} begins on {where}: its first committed offset is {committed}.")
            self._progress[name, number] = self._new_progress(group, committed, log)
            self.stirred[number] = self.last.at
            return
        self._see_progress(name, number, group, progress)

    def _see_progress(self, name: str, number: int, group: GroupLook, progress: Progress) -> None:
        before, committed = progress.committed, group.committed[number]
        start = progress.start
        holder = group.holder(number)
        reader = Reader(holder and holder.member_id, self._grace)
        end, growth = self.last.logs[number].end, self._growth[number]
        change = progress.see(self._moment(), LogLook(committed, end), growth, reader)
        if committed != before:
            self.stirred[number] = self.last.at
        if committed > before and change != "caught up":
            self._commits.setdefault(name, Commits()).see(self.last.at, number, before, committed)
        if change == "caught up":
            self._commits.get(name, Commits()).moved.pop(number, None)  # its line says it
        if change:
            self._tell_commits(name)
            self._tell(*self._sentence(change, name, number, (before, start)))

    def _tell_commits(self, name: str) -> None:
        if sentence := self._commits.get(name, Commits()).sentence(name, self.topic):
            self._tell(sentence, "quiet")

    def _sentence(self, change, name, number, offsets) -> tuple[str, str]:
        """Return the sentence for a change of a group's progress, and its mood.

        `offsets` are its committed offset before, and the one at which it fell behind.
        """
        (before, start), alone = offsets, self.last.groups[name].members == ()
        progress, where = self._progress[name, number], f"{self.topic}-{number}"
        if change == "rewound":
            return f"{name} is rewound on {where}: {before} → {progress.committed}.", ""
        if change == "drains":
            return (
                f"The lag of {name} on {where} drains: {progress.lag:,} now, {progress.worst:,} at most.",
                "good",
            )
        if change == "grows again":
            return f"The lag of {name} on {where} grows again: {progress.lag:,}.", "bad"
        if change == "caught up":
            moved = f"committed {start} → {progress.committed}"
            if alone:
                return f"{name} is at the end of {where}, though it has no member: {moved}.", ""
            return f"{name} has caught up on {where}: {moved}.", "good"
        since = self._growth[number].written(progress.committed)
        reason = "its consumer stopped, or is slower than the producers"
        if alone:
            reason = "it has no member"
        elif progress.moved.lived > since.lived:
            reason = "it is read, but slower than it is written"
        when = "" if since == self._growth[number].first else f" since {clock(since.at)}"
        return f"The lag of {name} on {where} grows{when}: {reason}.", "bad"


def shortened(names: list[str], noun: str = "") -> str:
    """Return names with commas; of many, the first and how many there are."""
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]} … {names[-1]} ({len(names)}{f' {noun}' if noun else ''})"
