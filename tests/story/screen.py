"""The screen of the demonstration: step, log and scripts, and the table at its end. No Kafka.

It fits 80 columns and 24 rows, and grows. What a script says in a sentence is never cut: it stays
as long as its step, and wraps. Messages are shortened where there is no room for them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, Group
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from evidence.lines import MESSAGE, Line
from sight.picture import GroupView, Lane, PartitionView, legend
from story.account import CONSUMERS, PRODUCERS

COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}
WRITERS = {name: COLOURS[name] for name in PRODUCERS}
ALARM = "bold red"
VERBATIM = 106  # columns in which the longest message fits as the script prints it


@dataclass(frozen=True)
class ScriptView:
    """A script: what it does, in words, and its lines; sentences `since` then are kept in view."""

    name: str
    state: str
    lines: list[Line]
    since: float

    @property
    def style(self) -> str:
        return COLOURS[self.name]


@dataclass(frozen=True)
class View:
    """All that is to be seen now.

    Attributes:
        heading, sentence, note: of the step.
        partition, groups, colours: as a Lane takes them.
        away: Kafka is stopped.
        scripts: {name: ScriptView}.
    """

    heading: str
    sentence: str
    note: str
    partition: PartitionView
    groups: list[GroupView]
    colours: dict[int, str]
    away: bool
    scripts: dict[str, ScriptView]


@dataclass
class Screen:
    """The live picture of a View."""

    view: View

    def __rich_console__(self, console, options):
        width = options.max_width
        height = options.height or console.height
        above = [*self.step(console, width), *self.log(width)]
        lane = 2 + len(self.view.groups)  # rows
        free = max(4, height - (len(above) - 1 + lane) - 3)  # three headings
        for_producers = max(1, free // 5)
        for_first = (free - for_producers + 1) // 2
        heights = (for_first, free - for_producers - for_first)
        parts = [
            *above,
            *(row for n, h in zip(CONSUMERS, heights, strict=True) for row in self.script(n, width, h)),
            self.producers(width, for_producers),
        ]
        lines = console.render_lines(Group(*parts), options.update(height=None))
        for number, line in enumerate(lines[:height]):
            yield from line
            if number < min(len(lines), height) - 1:
                yield Segment.line()

    def step(self, console, width) -> list[Text]:
        """Return the step's heading, sentence and note: a few rows at least, to stand still."""
        said = Text(self.view.sentence, "bold").wrap(console, width)
        noted = Text(self.view.note).wrap(console, width)
        rows = [*said, *noted]
        room = 5 if width < 100 else 4
        return [heading(self.view.heading, width), *rows, *[Text()] * (room - len(rows))]

    def log(self, width) -> list:
        partition = self.view.partition
        state = "Kafka is stopped" if self.view.away else ""
        title = f"Kafka: topic {partition.topic}, partition {partition.number}"
        lane = Lane(partition, self.view.groups, self.view.colours, state)
        style = ALARM if self.view.away else ""
        return [heading(title, width, style), lane, legend(WRITERS, resumed=True)]

    def script(self, name, width, height) -> list[Text]:
        script = self.view.scripts[name]
        return [title_of(script, width), *latest(script, width, height)]

    def producers(self, width, height) -> Table:
        """Return the producers' lines, side by side."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        half = (width - 2) // 2
        columns = [self.script(name, half, height) for name in PRODUCERS]
        for _ in columns:
            grid.add_column(width=half, no_wrap=True)
        for row in zip(*columns, strict=True):
            grid.add_row(*row)
        return grid


def heading(title, width, style="") -> Text:
    text = Text(f"── {title} ", style or "bold")
    return text.append("─" * (width - len(text)))


def title_of(script, width) -> Text:
    quiet = script.state.startswith(("running", "not"))
    row = heading(script.name, width, script.style)
    row.plain = f"── {script.name}: {script.state} ".ljust(width, "─")[:width]
    if not quiet:
        row.stylize(ALARM, len(f"── {script.name}: "), len(f"── {script.name}: {script.state}"))
    return row


def latest(script, width, height) -> list[Text]:
    """Return the rows of a script: its sentences of this step, and its latest messages.

    A message that follows a sentence goes before the other ones. Where lines between two are left
    out, … says so.
    """
    rows, chosen = {}, set()
    for number in by_importance(script):
        rows[number] = in_rows(script.lines[number].text, width)
        if sum(len(rows[n]) for n in {*chosen, number}) <= height:
            chosen.add(number)
        elif chosen:
            break
    shown = []
    for number in sorted(chosen):
        texts = [Text(row, script.style, no_wrap=True, overflow="crop") for row in rows[number]]
        if number + 1 not in chosen and number != max(chosen):
            texts[-1].append(" …")
        shown += texts
    return [*shown, *[Text()] * (height - len(shown))][:height]


def by_importance(script) -> list[int]:
    """Return the numbers of a script's lines, the most important first."""
    lines = script.lines
    sentences = [
        number for number, line in enumerate(lines) if line.at >= script.since and not MESSAGE.fullmatch(line.text)
    ]
    last = len(lines) - 1
    firsts = [number + 1 for number in sentences if number < last]
    order = [last, *reversed(sentences), *firsts, *range(last - 1, max(-1, last - 60), -1)]
    return list(dict.fromkeys(number for number in order if number >= 0))


def in_rows(line, width) -> list[str]:
    """Return a line in rows of this width: a message shortened to one, a sentence wrapped."""
    text = line if width >= VERBATIM else line.partition("] ")[2] or line
    if len(text) <= width:
        return [text]
    if found := MESSAGE.fullmatch(line):
        return [shortened(found)[:width]]
    console = Console(width=width)
    return [str(row) for row in Text(text).wrap(console, width)]


def shortened(message) -> str:
    """Return a message as symbol, price and offset."""
    try:
        tick = json.loads(message["value"])
        value = f"{tick['symbol']} {tick['price']}"
    except (ValueError, TypeError, KeyError):
        value = message["value"][:20]
    return f"{message['verb']}: {value} (offset {message['offset']})"


def table(rows: Iterable, chapters, width) -> Table:
    """Return the account for people: a cell without a number to worry about stays short."""
    shown = Table(title="What Kafka stored, compared with what each consumer printed", title_justify="left")
    if width < 110:  # no room for lines
        shown.box, shown.padding = None, (0, 1, 0, 0)
    shown.add_column("step")
    shown.add_column("consumer", no_wrap=True)
    for title in ("sent", "received", "missing", "repeated", "lag\nat end", "restart\nto first"):
        shown.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        first = row.consumer == CONSUMERS[0]
        chapter = chapters[row.step - 1]
        allowed = chapter.repeats.get(row.consumer)
        why = f" ({allowed.why})" if allowed and row.repeated else ""
        lost = " (LOST)" if row.missing and row.consumer in chapter.losses else ""
        shown.add_row(
            f"{row.step} {chapter.title}" if first else "",
            row.consumer,
            str(row.sent) if first else "",
            str(row.received),
            f"{len(row.missing)}{lost}",
            f"{len(row.repeated)}{why}",
            str(row.lag),
            f"{row.wait:.1f} s" if row.wait is not None else "",
            style=COLOURS[row.consumer],
            end_section=not first,
        )
    return shown
