"""The whole screen of the watch, the demonstration and play.py. This only draws: rich, no Kafka."""

import itertools
import textwrap
from dataclasses import dataclass, field

from rich.console import Group
from rich.layout import Layout
from rich.text import Text

from picture.lanes import ALARM, Lane, legend, row_of, rule, visible

BELOW = 8  # rows that are kept for the panels, however many lanes there are; in a low window, a third of it
TEXTS = 5  # rows that are kept for the texts, if there are any, so that the lanes stand still


def wrap(text: str, style: str, width: int, indent: str = "") -> list[Text]:
    """Return a text as rows. All but the first begin with the indent."""
    parts = textwrap.wrap(visible(text), width, subsequent_indent=indent, break_on_hyphens=False)
    return [Text(part, style, no_wrap=True) for part in parts]


@dataclass(frozen=True)
class Panel:
    """Lines below the lanes: the latest ones that fit.

    Attributes:
        title: what stands in the line above, in `style`.
        lines: (text, style), styles as rich has them, the oldest first; it may hold more than there is room for.
        share: of the height, beside the other panels' shares.
    """

    title: str
    lines: list[tuple[str, str]]
    style: str = "bold"
    share: int = 1

    def __rich_console__(self, console, options):
        width, height = options.max_width, options.height - 1
        yield rule(self.title, width, self.style)
        yield from [row for line in self.lines[-height:] for row in wrap(*line, width, "  ")][-height:]


@dataclass(frozen=True)
class Screen:
    """The whole screen, as something that rich can draw: in a `Live`, on a `Console`, in a film.

    From top to bottom: the heading; the texts; the lanes; what the signs mean; the panels; the keys. It fits 80 columns
    and 24 rows, and fills whatever it is given. A taller window shows lanes for which there is no room. In a lower one
    the first lane comes before the texts, of which the last rows stay.

    Attributes:
        texts: (text, style), wrapped below the heading.
        state: why there are no new figures: in red beside the heading; "" while there are.
        keys: what can be pressed: (text, style), each a row at the bottom.
    """

    heading: str
    lanes: list[Lane]
    panels: list[Panel]
    texts: list[tuple[str, str]] = field(default_factory=list)
    state: str = ""
    keys: list[tuple[str, str]] = field(default_factory=list)

    def __rich_console__(self, console, options):
        width, height = options.max_width, (options.height or console.height) - len(self.keys)
        above = height - max(2 * len(self.panels), min(BELOW, height // 3))
        lanes = [lane.rows(width) for lane in self.lanes]
        room = max(1, above - 1 - len(lanes[0] if lanes else []))
        texts = [row for text, style in self.texts for row in wrap(text, style, width)][-room:]
        spare = above - 2 - sum(map(len, lanes))  # beside the heading and the signs
        texts += [Text()] * (min(TEXTS, spare) - len(texts)) if self.texts else []
        rows = [row_of(self.heading, "bold").append(f"  {self.state}", ALARM), *texts, *itertools.chain(*lanes)]
        shown = len(rows)
        rows.append(legend(any(group.resumed is not None for lane in self.lanes for group in lane.groups)))
        rows[above:] = []
        if len(rows) < shown:
            rows[-1] = row_of("… more in a taller window", ALARM)
        below = [Layout(panel, ratio=panel.share, minimum_size=2) for panel in self.panels]
        layout = Layout()
        below += [Layout(row_of(text or " ", style), size=1) for text, style in self.keys]  # an empty one is a frame
        layout.split_column(Layout(Group(*rows), size=len(rows)), *below)
        yield layout
