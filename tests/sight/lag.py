"""One group's lag on one partition, from snapshot to snapshot: whether it keeps up, is stuck, or goes on.

What has come since the snapshot before is on its way, so it does not wait yet. Nothing is learned about a group, so
one that commits more rarely than every three seconds is told as stuck, and as caught up whenever it commits.
"""

from evidence.snapshot import Snapshot

PATIENCE = 3  # seconds that messages may wait, with nothing committed, without a word


class Lag:
    """How far a group is behind, and since when.

    Attributes:
        committed, now: the committed offset, and the lag.
        start: the committed offset at which it fell behind.
        deleted: how many offsets from there on had been deleted before they were committed.
        since: the last Snapshot at which nothing waited, or more was committed; whoever knows better sets it.
        base: the Snapshot from which on its change is counted; None while the group keeps up.
    """

    def __init__(self, snapshot: Snapshot, group: str, number: int):
        self._group, self._number = group, number
        self._take(snapshot)
        self.start, self.deleted = self.committed, 0
        self.since, self.base, self._stuck = snapshot, None, False
        if self.now and snapshot.groups[group].state == "Empty":
            self.base, self._stuck = snapshot, True

    def _take(self, snapshot: Snapshot) -> None:
        self._log, self.committed = snapshot.logs[self._number], snapshot.groups[self._group].committed[self._number]
        self.now = self._log.lag(self.committed)

    def change(self) -> int:
        """Return how many offsets the lag has grown since `base`, less than 0 where it has shrunk."""
        committed = self.base.groups[self._group].committed[self._number]
        return self.now - self.base.logs[self._number].lag(committed)

    def see(self, snapshot: Snapshot) -> str:
        """Take in a snapshot; return what has changed: "rewound", "stuck", "goes on", "caught up", or ""."""
        log, before = self._log, self.committed
        self._take(snapshot)
        self.deleted += max(0, min(log.first, self.committed) - before)
        waits = self.committed < log.end
        if not waits or self.committed != before:
            self.since = snapshot
        if self.committed < before:
            self._fall_behind(snapshot)
            return "rewound"
        if not self._stuck and snapshot.moment - self.since.moment > PATIENCE:
            self._fall_behind(self.since)
            return "stuck"
        if self.base and not waits and self.committed > self.start:
            self.base, self._stuck = None, False
            return "caught up"
        if self._stuck and self.committed > before:
            self.base, self._stuck = snapshot, False
            return "goes on"
        return ""

    def _fall_behind(self, since: Snapshot) -> None:
        self.start, self.deleted = self.committed, 0
        self.base, self._stuck = since, True
