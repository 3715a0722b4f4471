"""The lines that the scripts print, read back."""

import re
from typing import NamedTuple

MESSAGE = re.compile(
    r"\[\w+\] (?:Sent|Received): (?P<value>.*) \(partition (?P<partition>\d+), offset (?P<offset>\d+)\)"
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
