"""The lines that the scripts print, read back: pure, and the only place that knows their wording.

A line that tells where messages are, or that they are gone, is made into an event, once, when it comes.
"""

import re
from typing import NamedTuple


class Message(NamedTuple):
    """A message: sent or received, as a script's line shows it, or as Kafka has it."""

    partition: int
    offset: int
    value: str

    @property
    def place(self) -> tuple[int, int]:
        """Its partition and its offset there."""
        return self.partition, self.offset

    @property
    def offsets(self) -> range:
        return range(self.offset, self.offset + 1)


class Started(NamedTuple):
    """A group without a committed offset starts at the "earliest" or the "latest" message."""

    partition: int
    reset: str


class Resuming(NamedTuple):
    """A consumer goes on at its group's committed offset; so many messages wait from there on."""

    partition: int
    offset: int
    behind: int


class WentBack(NamedTuple):
    """A consumer goes on at this offset, before its group's committed one, as when the log was made anew."""

    partition: int
    offset: int


class Lost(NamedTuple):
    """A consumer says that Kafka has deleted the offsets `first` to `last` before it had read them."""

    partition: int
    first: int
    last: int

    @property
    def offsets(self) -> range:
        return range(self.first, self.last + 1)


class Line(NamedTuple):
    """A printed line, when it came, in seconds of time.monotonic(), and the event that it tells of, or None."""

    at: float
    text: str
    event: Message | Started | Resuming | WentBack | Lost | None


_PARTITION = r"partition (?P<partition>\d+)"
_EVENTS = (
    (Message, rf"(?:Sent|Received): (?P<value>.*) \({_PARTITION}, offset (?P<offset>\d+)\)"),
    (Started, rf"No committed offset\. Starting {_PARTITION} at the (?P<reset>earliest|latest)\."),
    (Resuming, rf"Resuming {_PARTITION} at offset (?P<offset>\d+): (?P<behind>\d+) behind\."),
    (WentBack, rf"Going back in {_PARTITION}, from offset \d+ to offset (?P<offset>\d+)\."),
    (Lost, rf"LOST: offsets (?P<first>\d+) to (?P<last>\d+) of {_PARTITION}\. Kafka has deleted them\."),
)


def read(text, at=0.0) -> Line:
    """Return a line; without an event if it is torn, or of another kind."""
    for kind, pattern in _EVENTS:
        if found := re.fullmatch(r"\[\w+\] " + pattern, text):
            fields = {name: kind.__annotations__[name](word) for name, word in found.groupdict().items()}
            return Line(at, text, kind(**fields))
    return Line(at, text, None)
