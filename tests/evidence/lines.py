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


class Placed(NamedTuple):
    """A consumer goes on at this offset.

    Attributes:
        offset: of the next message it will print, or the end of the log.
        behind: how many offsets the log's end is ahead.
        reset: None where it resumes at the committed offset, else "earliest" or "latest".
        committed: the committed offset, where the log is shorter than that now, else None.
    """

    topic: str
    partition: int
    offset: int
    behind: int
    reset: str | None
    committed: int | None


class Lost(NamedTuple):
    """A consumer says that retention deleted the offsets `first` to `last` before it read them."""

    topic: str
    partition: int
    first: int
    last: int

    @property
    def offsets(self) -> range:
        return range(self.first, self.last + 1)


class CaughtUp(NamedTuple):
    """A consumer has read up to where the log ended when it was placed: `messages` in `seconds`."""

    messages: int
    seconds: float


_LOG = r"(?P<topic>[\w.-]+)-(?P<partition>\d+)"
_PATTERNS = {
    Placed: r"(?:Resuming|(?:No committed offset"
    r"|The log is shorter than the committed offset (?P<committed>\d+))"
    r"\. Starting at the (?P<reset>earliest|latest):)"
    rf" {_LOG} at offset (?P<offset>\d+): (?P<behind>\d+) offsets? behind",
    Lost: r"LOST: retention deleted up to \d+ messages?,"
    rf" offsets (?P<first>\d+) to (?P<last>\d+) of {_LOG}",
    CaughtUp: r"Caught up: (?P<messages>\d+) messages? in (?P<seconds>[\d.]+) s",
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
    return float(text) if name == "seconds" else int(text)
