"""From one snapshot of Kafka to the next, what has happened: a sentence each. Pure: no Kafka, no clock, no drawing.

Only what Kafka shows is told, and no reason that it does not show. Kafka does not see a consumer stop: until its
session is over, a stopped consumer looks like a slow one. So all that is told is that its group commits nothing. That
is told of a group that commits less often than every three seconds, too, and whenever it commits, that it has caught
up.
"""

import time
from collections.abc import Iterator

from kafka.errors import AuthorizationError, KafkaError

from evidence.snapshot import Group, Member, Snapshot

BAD, GOOD, PLAIN = (
    "bold red",
    "green",
    "",
)  # rich styles: somebody waits or has lost something; that is over
PATIENCE = 3  # seconds that messages may wait, with nothing committed, without a word


def clock(at: float) -> str:
    """Return a time of day, as in 14:05:09."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def readers_of(group: Group) -> dict[str, Member]:
    return {member.identity: member for member in group.members if member.reads}


class Chronicle:
    """Tells what happens to a topic and the groups that read it.

    Attributes:
        away: what is waited for, as a sentence, while there are no figures; "" while there are.
    """

    def __init__(self, topic: str):
        self.topic = topic
        self._last, self.away = None, ""  # the latest Snapshot
        self._topic_id = None  # the latest that was there
        self._readers = {}  # {group: {identity: member that reads the topic}} when its partitions were last shared out
        self._ever = set()  # all (group, identity) that were among them
        self._since = {}  # {(group, partition number): the last Snapshot when nothing waited, or more was committed}
        self._unseen = set()  # of these (group, partition number), the commit may be older: nobody has seen it
        self._behind = set()  # of these (group, partition number) it was told that they are behind

    def note(self, name: str, number: int) -> str:
        """Return who holds a partition for a group, and what its lag does, as far as that is known now."""
        group, notes = self._last.group(name), []
        if self.away:
            return ""
        if holder := group.holder(number):
            notes.append(f"held by {holder}")
        elif group.tells_members:
            notes.append("no member holds it")
        if number in group.committed and self._is_stuck(name, number):
            since, committed = self._since[name, number], group.committed[number]
            grown = self._last.logs[number].lag(committed) - since.logs[number].lag(committed)
            notes.append(f"nothing committed for {self._last.at - since.at:.0f} s: lag {grown:+,}")
        return "; ".join(notes)

    def _is_stuck(self, name: str, number: int) -> bool:
        return self._last.at - self._since.get((name, number), self._last).at > PATIENCE

    def no_figures(self, at: float, error: KafkaError, reason: str = "") -> list[tuple[str, str]]:
        """Return, as `see` does, what there is to tell if Kafka, asked at this time, has no answer but this error."""
        what = "Kafka refuses to tell" if isinstance(error, AuthorizationError) else "Waiting for Kafka"
        told, self.away = self.away, f"{what} ({type(error).__name__})."
        return [] if told else [(f"{clock(at)}  {self.away} {reason}".rstrip(), BAD)]

    def see(self, snapshot: Snapshot) -> list[tuple[str, str]]:
        """Take in a snapshot; return what has happened since the one before: a line with its time, and its style."""
        before, self._last = self._last, snapshot
        return [(f"{clock(snapshot.at)}  {text}", style) for text, style in self._compare(before)]

    # What follows yields sentences and their styles.

    def _compare(self, before: Snapshot | None) -> Iterator[tuple[str, str]]:
        if self.away:
            self.away = ""
            yield "Kafka answers.", GOOD
            self._since = dict.fromkeys(self._since, self._last)  # while Kafka was away, nobody could read
            self._unseen = set(self._since)
        if not self._last.logs:
            if before is None or before.logs:
                yield f"Topic {self.topic} does not exist: waiting for it to be created.", BAD
        elif not before or not before.logs or self._last.topic_id != self._topic_id:
            if self._topic_id in (None, self._last.topic_id):
                yield f"Topic {self.topic} exists.", GOOD
            else:
                yield f"The log was wiped: topic {self.topic} begins anew.", BAD
            self._topic_id, self._since, self._behind = self._last.topic_id, {}, set()  # what was known is void
            self._readers = {name: readers_of(group) for name, group in self._last.groups.items()}
            self._ever = {(name, identity) for name, readers in self._readers.items() for identity in readers}
        else:
            for name in {**self._readers, **self._last.groups}:
                yield from self._compare_members(name, self._last.group(name))
                yield from self._compare_offsets(name, before)

    def _names(self, numbers) -> str:
        return ", ".join(f"{self.topic}-{number}" for number in sorted(numbers))

    def _compare_members(self, name: str, group: Group) -> Iterator[tuple[str, str]]:
        """Tell which members came, went, or hold other partitions; nothing while the group shares these out."""
        if not group.tells_members:
            return
        then, now = self._readers.get(name, {}), readers_of(group)
        self._readers[name] = now
        for gone in (member for identity, member in then.items() if identity not in now):
            if any(member.identity == gone.identity for member in group.members):
                how = f"{gone.client_id} reads another topic in group {name} now"
            else:
                how = f"{gone.client_id} is no longer a member of group {name}"
            nobody = "" if now or not gone.partitions else f": nobody reads {self._names(gone.partitions)} for it"
            yield f"{how}{nobody}.", BAD if nobody else PLAIN
        for identity, member in now.items():
            held, known = self._names(member.partitions) or "no partition", then.get(identity)
            if known is None or known.member_id != member.member_id:
                how = "is in group {} again" if (name, identity) in self._ever else "joined group {}"
                self._ever.add((name, identity))
                yield f"{member.client_id} {how.format(name)} and holds {held}.", GOOD
            elif known.partitions != member.partitions:
                yield f"{member.client_id} now holds {held} for group {name}.", PLAIN

    def _compare_offsets(self, name: str, before: Snapshot) -> Iterator[tuple[str, str]]:
        """Tell what was deleted uncommitted, and where a group is rewound, stands still, or has caught up."""
        for number, committed in self._last.group(name).committed.items():
            log, place, where = self._last.logs[number], (name, number), f"{self.topic}-{number}"
            log_before, then = before.logs.get(number, log), before.group(name).committed.get(number)
            unread = max(committed, log_before.first)
            if unread < log.first:
                yield (
                    f"Deleted: offsets {unread} to {log.first - 1} of {where}, which group {name} had still to read.",
                    BAD,
                )
            waits = committed < log_before.end  # what has come since is on its way
            if committed != then or not waits:
                self._since[place] = self._last
                self._unseen.discard(place)
            elif place not in self._since:
                self._since[place] = self._last
                self._unseen.add(place)
            if then is not None and committed < then:
                self._behind.add(place)
                yield f"Group {name} is rewound on {where}: {then} → {committed}.", PLAIN
            elif place in self._behind and not waits:
                self._behind.remove(place)
                yield f"Group {name} has caught up on {where}: committed {committed}.", GOOD
            elif place not in self._behind and self._is_stuck(name, number):
                self._behind.add(place)
                held = self._last.group(name).holder(number) or not self._last.group(name).tells_members
                reason = "Its consumer stopped, is slow, or commits rarely" if held else "No member holds it"
                since = self._since[place].at
                at = f"before {clock(since)}" if place in self._unseen else clock(since)
                stands = f"{at}: committed {committed}, lag now {log.lag(committed):,}"
                yield f"Group {name} has committed nothing on {where} since {stands}. {reason}.", BAD
