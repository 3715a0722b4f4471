"""The picture: the whole screen, of the watch as of the demonstration. Drawing alone: rich, no Kafka."""

import itertools
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from sight.lanes import ALARM, Lane, legend, row_of, rule, visible

CONSOLE = Console()  # wrapping asks for one
BELOW = 8  # rows kept for the sections, however many lanes there are
TEXTS = 5  # rows kept for the texts, if there are any: the lanes stand still while they change


@dataclass(frozen=True)
class Section:
    """What has been said, below the lanes: the latest lines that fit; a long one goes on in the next row.

    Attributes:
        title: what stands in the line above, in `style`.
        lines: (text, style), styles as rich has them, the oldest first; it may hold more than there is room for.
        state: said in red after the title, as "stopped with Ctrl+C"; "" for nothing.
        indent: the first so many columns of a line stand by themselves, dim, as a time of day does.
        pinned: lines, as `lines` has them, that stay at the top of the section while `lines` roll by below,
            such as the sentence of a script and the message after it. `lines` keep one row at least.
    """

    title: str
    lines: list[tuple[str, str]]
    state: str = ""
    style: str = "bold"
    indent: int = 0
    pinned: list[tuple[str, str]] = field(default_factory=list)

    def rows(self, width: int, height: int) -> list[Text]:
        """Return exactly `height` rows, at least two: the title, and below it the lines."""
        rows = [rule(self.title, width, self.style, self.state)]
        rows += self._latest(self.pinned, width, height - 1 - bool(self.lines))
        rows += self._latest(self.lines, width, height - len(rows))
        return rows + [Text()] * (height - len(rows))

    def _latest(self, lines, width: int, height: int) -> list[Text]:
        """Return the last rows, at most `height` of them."""
        rows = []
        for text, style in lines[max(0, len(lines) - height) :]:
            before = visible(text[: self.indent])
            for part in wrap(text[self.indent :], style, width - self.indent):
                rows.append(Text.assemble((before, "dim"), part, no_wrap=True))
                before = " " * self.indent
        return rows[max(0, len(rows) - height) :]


def wrap(text: str, style: str, width: int) -> list[Text]:
    return list(Text(visible(text), style).wrap(CONSOLE, max(10, width)))


@dataclass(frozen=True)
class Picture:
    """The whole screen, as something that rich can draw: in a `Live`, on a `Console`, in a film.

    From top to bottom: the heading; the texts; the lanes; what the signs mean; the sections. It fits 80 columns and
    24 rows, and fills whatever it is given. Lanes for which there is no room are summed up in a row.

    Attributes:
        sections: rows of sections from top to bottom; those of one row stand side by side, equally wide.
        texts: (text, style), wrapped below the heading and never cut.
        state: why there are no new figures, as "Kafka does not answer": in red beside the heading and in each
            lane; "" while there are.
        shares: how the height is shared out among the rows of sections, a number for each; by default equally.
        foot: what stands below the lanes if all of them fit.
    """

    heading: str
    lanes: list[Lane]
    sections: list[list[Section]]
    texts: list[tuple[str, str]] = field(default_factory=list)
    state: str = ""
    shares: list[int] | None = None
    foot: Text = field(default_factory=legend)

    def __rich_console__(self, console, options):
        width, height = options.max_width, options.height or console.height
        rows = [row_of(self.heading, "bold").append(f"  {self.state}", ALARM)]
        rows += [row for text, style in self.texts for row in wrap(text, style, width)]
        if self.texts:
            rows += [Text()] * (1 + TEXTS - len(rows))
        rows += self._lanes(width, height - len(rows) - BELOW)
        rows += self._sections(width, height - len(rows))
        yield from rows[:height]

    def _lanes(self, width: int, height: int) -> list[Text]:
        """Return the lanes for which there is room, at least one, and the row below them."""
        drawn = [lane.rows(width, self.state) for lane in self.lanes]
        sums = itertools.accumulate(map(len, drawn))
        fitting = max(1, sum(total < height for total in sums))
        rows = [row for lane in drawn[:fitting] for row in lane]
        rest = self.lanes[fitting:]
        if not rest:
            return [*rows, self.foot]
        lag = sum(group.lag(lane.partition.end) for lane in rest for group in lane.groups)
        return [*rows, row_of(f"{len(rest)} more partitions: their lags come to {lag:,}", "dim")]

    def _sections(self, width: int, height: int) -> list[Text]:
        shares = self.shares or [1] * len(self.sections)
        lines = max(height - len(self.sections), 0)
        ends = [lines * total // sum(shares) for total in itertools.accumulate(shares)]
        rows = []
        for beside, start, end in zip(self.sections, [0, *ends], ends, strict=False):
            each = (width - 2 * (len(beside) - 1)) // len(beside)
            columns = [section.rows(each, 1 + end - start) for section in beside]
            rows += [side_by_side(parts, each) for parts in zip(*columns, strict=True)]
        return rows


def side_by_side(parts: tuple[Text, ...], width: int) -> Text:
    """Return texts as one row, each but the last as wide as this, with two columns between."""
    row = Text(no_wrap=True, overflow="crop")
    for part in parts[:-1]:
        part.truncate(width + 2, pad=True)
        row.append_text(part)
    return row.append_text(parts[-1])
