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

    topic: str
    partition: int
    reset: str


class Placed(NamedTuple):
    """A consumer resumes at its group's committed offset.

    Attributes:
        offset: the committed offset: that of the next message.
        behind: how many offsets the log's end is ahead, None if that is not told.
    """

    topic: str
    partition: int
    offset: int
    behind: int | None


class WentBack(NamedTuple):
    """A consumer goes on at this offset, since the log ends before the one that it wanted."""

    topic: str
    partition: int
    offset: int


class Lost(NamedTuple):
    """A consumer says that it passes over the offsets `first` to `last`, since retention deleted what came next."""

    topic: str
    partition: int
    first: int
    last: int

    @property
    def offsets(self) -> range:
        return range(self.first, self.last + 1)


_LOG = r"(?P<topic>[\w.-]+)-(?P<partition>\d+)"
_PATTERNS = {
    Started: rf"No committed offset\. Starting {_LOG} at the (?P<reset>earliest|latest)",
    Placed: rf"Resuming {_LOG} at offset (?P<offset>\d+)(?:: (?P<behind>\d+) behind)?",
    WentBack: rf"{_LOG} ends before offset \d+ now\. Going on at offset (?P<offset>\d+)\.",
    Lost: rf"LOST: offsets (?P<first>\d+) to (?P<last>\d+) of {_LOG} are passed over: .*",
}
_EVENTS = {kind: re.compile(r"\[\w+\] " + pattern) for kind, pattern in _PATTERNS.items()}
_TEXTS = {"topic", "reset"}  # the other fields are numbers


def parse(text):
    """Return the event that a printed line tells of; None if it is torn, or of another kind."""
    if found := MESSAGE.fullmatch(text):
        message = Message(int(found["partition"]), int(found["offset"]), found["value"])
        return Sent(message) if found["verb"] == "Sent" else Received(message)
    for kind, pattern in _EVENTS.items():
        if found := pattern.fullmatch(text):
            return kind(**{name: _read(name, text) for name, text in found.groupdict().items()})
    return None


def _read(name, text):
    if text is None or name in _TEXTS:
        return text
    return int(text)
