"""Read back the lines that the scripts print. Pure, and the only place that knows their wording.

When a line says where messages are, or that they are gone, it becomes an event. Each event has a `begin`, the offset at
which the reader stood before it, and an `end`, the offset at which it goes on.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, order=True)
class Message:
    """A message, from Kafka or from a script's line; the line also gives its `kind`, "Sent" or "Received"."""

    partition: int
    offset: int
    value: str
    kind: str = field(default="", compare=False)

    place = property(lambda self: (self.partition, self.offset))
    begin = property(lambda self: self.offset)
    end = property(lambda self: self.offset + 1)
    offsets = property(lambda self: range(self.begin, self.end))


class Started(NamedTuple):
    """A group without a committed offset starts at the "earliest" or the "latest" message."""

    partition: int
    reset: str
    begin = end = None


class Resuming(NamedTuple):
    """A consumer resumes at its group's committed offset, where `behind` messages are waiting."""

    partition: int
    offset: int
    behind: int

    begin = end = property(lambda self: self.offset)


class WentBack(NamedTuple):
    """A consumer goes on at offset `end` instead of `begin`, for example because the log was made anew."""

    partition: int
    begin: int
    end: int


class Lost(NamedTuple):
    """A consumer says that Kafka deleted the offsets `first` to `last` before the consumer read them."""

    partition: int
    first: int
    last: int

    begin = property(lambda self: self.first)
    end = property(lambda self: self.last + 1)
    offsets = property(lambda self: range(self.begin, self.end))


class Line(NamedTuple):
    """A printed line, the time at which it was read, in seconds of time.monotonic(), and its event, or None."""

    at: float
    text: str
    event: Message | Started | Resuming | WentBack | Lost | None = None

    @property
    def said(self) -> str:
        """The text without the script's name."""
        return re.sub(r"^\[\w+\] ", "", self.text)


_PARTITION = r"partition (?P<partition>\d+)"
_EVENTS = {
    Message: rf"(?P<kind>Sent|Received): (?P<value>.*) \({_PARTITION}, offset (?P<offset>\d+)\)",
    Started: rf"No committed offset\. Starting {_PARTITION} at the (?P<reset>earliest|latest) offset\.",
    Resuming: rf"Resuming {_PARTITION} at offset (?P<offset>\d+): (?P<behind>\d+) behind\.",
    WentBack: rf"Going back in {_PARTITION}, from offset (?P<begin>\d+) to offset (?P<end>\d+)\.",
    Lost: rf"LOST: offsets (?P<first>\d+) to (?P<last>\d+) of {_PARTITION}\. Kafka has deleted them\.",
}


def line_of(text, at=0.0) -> Line:
    """Return the line with its event. A line that is cut short, or that says something else, has none."""
    for kind, pattern in _EVENTS.items():
        if found := re.fullmatch(r"\[\w+\] " + pattern, text):
            fields = {name: kind.__annotations__[name](word) for name, word in found.groupdict().items()}
            return Line(at, text, kind(**fields))
    return Line(at, text)
