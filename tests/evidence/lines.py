"""The lines that the scripts print, read back: pure, and the only place that knows their wording.

`parse` makes an event of a line that tells where messages are, or that they are gone.
"""

import re
from typing import NamedTuple

MESSAGE = re.compile(
    r"\[\w+\] (?P<verb>Sent|Received): (?P<value>.*)"
    r" \(partition (?P<partition>\d+), offset (?P<offset>\d+)\)"
)


class Message(NamedTuple):
    """A message as a script's line shows it, or as Kafka has it."""

    partition: int
    offset: int
    value: str

    @property
    def place(self) -> tuple[int, int]:
        """Its partition and its offset there."""
        return self.partition, self.offset


class Line(NamedTuple):
    """A printed line and when it came, in seconds of time.monotonic()."""

    at: float
    text: str


class Sent(NamedTuple):
    """A producer has the acknowledgement of this message."""

    message: Message


class Received(NamedTuple):
    """A consumer has printed this message."""

    message: Message


class Started(NamedTuple):
    """A group without a committed offset starts at the "earliest" or the "latest" message."""

    partition: int
    reset: str


class Placed(NamedTuple):
    """A consumer goes on at this offset: its group's committed one, or one before, as when its log was made anew."""

    partition: int
    offset: int


class Lost(NamedTuple):
    """A consumer says that it passes over the offsets `first` to `last`, since Kafka has deleted what came next."""

    partition: int
    first: int
    last: int

    @property
    def offsets(self) -> range:
        return range(self.first, self.last + 1)


_PARTITION = r"partition (?P<partition>\d+)"
_EVENTS = (
    (Started, rf"No committed offset\. Starting {_PARTITION} at the (?P<reset>earliest|latest)\."),
    (Placed, rf"Resuming {_PARTITION} at offset (?P<offset>\d+): \d+ behind\."),
    (Placed, rf"Going back in {_PARTITION}, from offset \d+ to offset (?P<offset>\d+)\."),
    (Lost, rf"LOST: offsets (?P<first>\d+) to (?P<last>\d+) of {_PARTITION} are passed over: .*"),
)


def parse(text):
    """Return the event that a printed line tells of; None if it is torn, or of another kind."""
    if found := MESSAGE.fullmatch(text):
        message = Message(int(found["partition"]), int(found["offset"]), found["value"])
        return Sent(message) if found["verb"] == "Sent" else Received(message)
    for kind, pattern in _EVENTS:
        if found := re.fullmatch(r"\[\w+\] " + pattern, text):
            fields = found.groupdict().items()
            return kind(**{name: int(value) if value.isdecimal() else value for name, value in fields})
    return None
