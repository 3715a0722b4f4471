"""One group's lag on one partition, from look to look: whether it grows, drains, or is caught up.

What has come since the look before is on its way, so it does not wait yet. Nothing is learned about a group, so
one that commits more rarely than every three seconds is told to lag, and to have caught up whenever it commits.
"""

from evidence.snapshot import Snapshot

PATIENCE = 3  # seconds that messages may wait, with nothing committed, without a word


class Lag:
    """How far a group is behind, and what that does.

    Attributes:
        committed: the committed offset.
        now: how many offsets are not committed.
        since: the last Snapshot at which nothing waited, or more was committed.
        start: the committed offset at which it fell behind.
        told: the committed offset that was told last; whoever tells sets it.
    """

    def __init__(self, look: Snapshot, group: str, number: int):
        self._group, self._number = group, number
        self._take(look)
        self.start = self.told = self.committed
        self.since, self._grown = look, look.moment
        self._state = "behind" if self.now and look.groups[group].state == "Empty" else "keeps up"

    def _take(self, look: Snapshot) -> None:
        log = look.logs[self._number]
        self.committed, self._end = look.groups[self._group].committed[self._number], log.end
        self.now = log.lag(self.committed)

    def see(self, look: Snapshot) -> str:
        """Take in a look; return what has changed: "rewound", "grows", "drains", "caught up", or ""."""
        committed_before, end_before, lag_before = self.committed, self._end, self.now
        self._take(look)
        if self._end > end_before:
            self._grown = look.moment
        waits = self.committed < end_before
        if not waits or self.committed != committed_before:
            self.since = look
        if self.committed < committed_before:
            self._state, self.start = "behind", self.committed
            return "rewound"
        if self._state != "behind" and look.moment - self.since.moment > PATIENCE:
            self._state, self.start = "behind", self.committed
            return "grows"
        if self._state != "keeps up" and not waits and self.committed > self.start:
            self._state = "keeps up"
            return "caught up"
        if self._state == "behind" and self.now < lag_before:
            self._state = "drains"
            return "drains"
        return ""

    def trend(self, look: Snapshot) -> str:
        """Return what it does: "drains", "grows", "stands", or "" while the group keeps up."""
        if self._state == "behind":
            return "grows" if look.moment - self._grown < PATIENCE else "stands"
        return "drains" if self._state == "drains" else ""
