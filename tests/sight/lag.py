"""One group's lag on one partition, from snapshot to snapshot: whether it keeps up, is stuck, or has caught up.

What has come since the snapshot before is on its way, so it does not wait yet. Nothing is learned about a group, so
one that commits more rarely than every three seconds is told as stuck, and as caught up whenever it commits.
"""

from evidence.snapshot import Snapshot

PATIENCE = 3  # seconds that messages may wait, with nothing committed, without a word


class Lag:
    """How far a group is behind, and since when.

    Attributes:
        committed, now: the committed offset, and the lag.
        since: the last Snapshot at which nothing waited, or more was committed; whoever knows better sets it.
        start: the committed offset at which it fell behind; None while it keeps up.
        deleted: how many offsets from there on had been deleted before they were committed.
    """

    def __init__(self, snapshot: Snapshot, group: str, number: int):
        self._group, self._number, self.since = group, number, snapshot
        self._take(snapshot)
        self.deleted, empty = 0, snapshot.groups[group].state == "Empty"
        self.start = self.committed if self.now and empty else None

    def _take(self, snapshot: Snapshot) -> None:
        self._last, self._log = snapshot, snapshot.logs[self._number]
        self.committed = snapshot.groups[self._group].committed[self._number]
        self.now = self._log.lag(self.committed)

    def is_stuck(self) -> bool:
        return self._last.moment - self.since.moment > PATIENCE

    def grown(self) -> int:
        """Return by how many offsets it has grown since `since`."""
        return self.now - self.since.logs[self._number].lag(self.committed)

    def see(self, snapshot: Snapshot) -> str:
        """Take in a snapshot; return what has changed: "rewound", "stuck", "caught up", or ""."""
        log, before = self._log, self.committed
        self._take(snapshot)
        self.deleted += max(0, min(log.first, self.committed) - before)
        waits = self.committed < log.end
        if not waits or self.committed != before:
            self.since = snapshot
        if self.committed < before:
            self.start, self.deleted = self.committed, 0
            return "rewound"
        if self.start is None and self.is_stuck():
            self.start, self.deleted = self.committed, 0
            return "stuck"
        if self.start is not None and not waits and self.committed > self.start:
            self.start = None
            return "caught up"
        return ""
