"""The lines that the scripts print, read back: pure, and the only place that knows their wording.

A line that tells where messages are, or that they are gone, is made into an event, once, when it comes. Each event has
a `begin`, the offset where the reader was before it, and an `end`, the offset where it goes on after it.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, order=True)
class Message:
    """A message: as a script's line shows it, which says that it was "Sent" or "Received", or as Kafka has it."""

    partition: int
    offset: int
    value: str
    kind: str = field(default="", compare=False)

    @property
    def place(self) -> tuple[int, int]:
        """Its partition and its offset there."""
        return self.partition, self.offset

    begin = property(lambda self: self.offset)
    end = property(lambda self: self.offset + 1)
    offsets = property(lambda self: range(self.begin, self.end))


class Started(NamedTuple):
    """A group without a committed offset starts at the "earliest" or the "latest" message."""

    partition: int
    reset: str
    begin = end = None


class Resuming(NamedTuple):
    """A consumer goes on at its group's committed offset; so many messages wait from there on."""

    partition: int
    offset: int
    behind: int

    begin = end = property(lambda self: self.offset)


class WentBack(NamedTuple):
    """A consumer does not go on at the first offset but at the second, as when the log was made anew."""

    partition: int
    begin: int
    end: int


class Lost(NamedTuple):
    """A consumer says that Kafka has deleted the offsets `first` to `last` before it had read them."""

    partition: int
    first: int
    last: int

    begin = property(lambda self: self.first)
    end = property(lambda self: self.last + 1)
    offsets = property(lambda self: range(self.begin, self.end))


class Line(NamedTuple):
    """A printed line, when it came, in seconds of time.monotonic(), and the event that it tells of, or None."""

    at: float
    text: str
    event: Message | Started | Resuming | WentBack | Lost | None = None

    @property
    def said(self) -> str:
        """The text without the script's name."""
        return re.sub(r"^\[\w+\] ", "", self.text)


_PARTITION = r"partition (?P<partition>\d+)"
_EVENTS = (
    (Message, rf"(?P<kind>Sent|Received): (?P<value>.*) \({_PARTITION}, offset (?P<offset>\d+)\)"),
    (Started, rf"No committed offset\. Starting {_PARTITION} at the (?P<reset>earliest|latest) offset\."),
    (Resuming, rf"Resuming {_PARTITION} at offset (?P<offset>\d+): (?P<behind>\d+) behind\."),
    (WentBack, rf"Going back in {_PARTITION}, from offset (?P<begin>\d+) to offset (?P<end>\d+)\."),
    (Lost, rf"LOST: offsets (?P<first>\d+) to (?P<last>\d+) of {_PARTITION}\. Kafka has deleted them\."),
)


def line_of(text, at=0.0) -> Line:
    """Return a line; without an event if it is torn, or of another kind."""
    for kind, pattern in _EVENTS:
        if found := re.fullmatch(r"\[\w+\] " + pattern, text):
            fields = {name: kind.__annotations__[name](word) for name, word in found.groupdict().items()}
            return Line(at, text, kind(**fields))
    return Line(at, text)
