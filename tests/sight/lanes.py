"""A partition's log as a lane, and on it where each group reads on. Drawing alone: rich, no Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

from sight.look import REBALANCING

KEPT, READ, COMMITTED, BEHIND, LAG, RESUMED = "■", "━", "▲", "◀", "┄", "●"
DELETED = "\N{MULTIPLICATION SIGN}"
ARROWS = {"grows": " ↑", "drains": " ↓"}
STEPS = (1, 2, 5, 10)  # offsets in a column
NOTABLE_LAG = 10  # a lag below that comes and goes
ALARM = "bold red"


def visible(text: str) -> str:
    """Return a name from Kafka as one line of text that can't steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def row_of(text: str, style: str = "") -> Text:
    return Text(visible(text), style, no_wrap=True, overflow="ellipsis")


def rule(title: str, width: int, style: str = "bold", state: str = "") -> Text:
    """Return a title with a line through the rest of the row; a state follows it in red."""
    text = row_of(f"── {title}", style).append(f": {visible(state)}" if state else "", ALARM)
    return text.append(" " + "─" * (width - text.cell_len - 1), style)


@dataclass(frozen=True)
class PartitionView:
    """One partition's log as it is now.

    Attributes:
        first: the oldest offset that is kept; what is below it, retention has deleted.
        end: the offset that the next message gets.
    """

    topic: str
    number: int
    first: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.number}"


@dataclass(frozen=True)
class GroupView:
    """One group on one partition.

    Attributes:
        label: what stands before its line: the group's name, or its consumer's.
        committed: the offset of the next message it wants; None if it has committed none.
        trend: of its lag: "grows", "drains", "stands", or "" if that is not known.
        holder: the client id of the member that holds the partition, or None.
        state: the group's, in Kafka's words (Stable, Empty, PreparingRebalance …); "": not known.
        style: the colour of its line, as rich has it.
        resumed: the offset at which its consumer went on when started again; None: no mark.
    """

    label: str
    committed: int | None
    trend: str = ""
    holder: str | None = None
    state: str = ""
    style: str = ""
    resumed: int | None = None

    def lag(self, end: int) -> int:
        """Return how many offsets it is behind the end of the log, the deleted ones among them."""
        return 0 if self.committed is None else max(0, end - self.committed)

    def words(self, end: int) -> Text:
        """Return where it stands, in words."""
        if self.committed is None:
            return Text(" nothing committed", self.style)
        lag = self.lag(end)
        alarm = ALARM if lag and (lag >= NOTABLE_LAG or self.trend == "grows") else ""
        text = Text(f" committed {self.committed}, ", self.style)
        return text.append(f"lag {lag}{ARROWS.get(self.trend, '')}", alarm)

    def note(self) -> str:
        """Return who holds the partition, and what the lag does; "" if neither holder nor state is known."""
        if self.holder is not None:
            who = f"held by {self.holder}"
        elif self.state == "Empty":
            who = "no member: its messages wait"
        elif self.state in REBALANCING:
            who = "the group is sharing out its partitions"
        else:
            who = "no member holds it" if self.state else ""
        return f"{who}; the lag {self.trend}" if who and self.trend else who


@dataclass(frozen=True)
class Window:
    """Which offsets a lane shows: `step` of them in a column, the end of the log among them."""

    columns: int
    step: int
    low: int
    end: int

    def column(self, offset: int) -> int:
        """Return the column of an offset; below 0 if it is further back than the window."""
        return (offset - self.low) // self.step

    def last_offsets(self) -> list[int]:
        """Return the last offset in each column that has a message."""
        return [min(start + self.step, self.end) - 1 for start in range(self.low, self.end, self.step)]

    def scale(self) -> str:
        """Return the offsets written above the columns: every tenth."""
        line = ""
        for column in range(-(self.low // self.step) % 10, self.columns, 10):
            line = line.ljust(column) + str(self.low + column * self.step)
        return line


@dataclass(frozen=True)
class Lane:
    """A partition's log and each group's committed offset on it: three rows, and one or two for each group.

    The end is always shown. If a group is further behind than there are columns, a column stands
    for 2, 5 or 10 offsets, and the lane says so; still further behind, it gets ◀.

    Attributes:
        partition, groups: what to draw.
        colours: {offset: style}, who has written it, where that is known.
    """

    partition: PartitionView
    groups: list[GroupView] = field(default_factory=list)
    colours: Mapping[int, str] = field(default_factory=dict)

    def rows(self, width: int, state: str = "") -> list[Text]:
        """Return it drawn in rows of at most this width.

        Args:
            state: said in place of the end of the log, which is then red, as when Kafka does not answer.
        """
        end, style = self.partition.end, ALARM if state else ""
        labels = [visible(name) for name in ("offset", *(group.label for group in self.groups))]
        label = min(max(map(cell_len, labels)), width // 3)
        words = max(len(f" {state}"), len(f" committed {end}, lag {end} ↑"))  # the most there can be: lanes stand still
        window = self._window(max(10, width - label - 1 - words))

        def row(name, line, word):
            line.truncate(window.columns, pad=True)
            shown = Text(visible(name), line.style)
            shown.truncate(label, overflow="ellipsis", pad=True)
            return Text.assemble(shown, " ", line, word, no_wrap=True, overflow="crop")

        rows = [
            rule(self.partition.name, width),
            row("offset", Text(window.scale()), f" {KEPT} {window.step} offsets" if window.step > 1 else ""),
            row("log", self._log(window, style), (f" {state or f'end of log {end}'}", style)),
        ]
        for group in self.groups:
            rows.append(row(group.label, self._track(group, window), group.words(end)))
            if group.note():
                rows.append(row_of(" " * (label + 1) + group.note(), "dim"))
        return rows

    def _window(self, columns: int) -> Window:
        """Return the finest window that shows what each group has committed, or the widest."""
        marks = [mark for group in self.groups for mark in (group.committed, group.resumed) if mark is not None]
        for step in STEPS:
            low = max(0, self.partition.end // step - columns + 1) * step  # a multiple: columns keep their offsets
            if low <= min(marks, default=low):
                break
        return Window(columns, step, low, self.partition.end)

    def _log(self, window: Window, style: str) -> Text:
        line = Text(style=style)
        for last in window.last_offsets():
            if last < self.partition.first:
                line.append(DELETED, "red")
            else:
                offsets = range(last - last % window.step, last + 1)
                line.append(KEPT, style or next((self.colours[o] for o in offsets if o in self.colours), ""))
        return line

    def _track(self, group: GroupView, window: Window) -> Text:
        """Draw what a group has read, where it reads on, and its lag, of which some may be deleted."""
        line = Text(style=group.style)
        if group.committed is None:
            return line
        at = min(window.column(group.committed), window.columns - 1)
        resumed = -1 if group.resumed is None else window.column(group.resumed)
        read = "".join(RESUMED if column == resumed else READ for column in range(at))
        line.append(read + COMMITTED if at >= 0 else BEHIND)
        for last in window.last_offsets()[max(at, 0) + 1 :]:
            line.append(DELETED if last < self.partition.first else LAG, ALARM)
        return line


def legend(writers: Mapping[str, str] | None = None, resumed: bool = False) -> Text:
    """Return what the signs mean; `writers`, {name: style}, tell whose the messages are."""
    parts = []
    for name, style in (writers or {"kept": ""}).items():
        parts += [(f"{KEPT} ", style), f"{name}  "]
    parts += [(f"{DELETED} ", "red"), f"deleted  {READ} read  {COMMITTED} committed  "]
    parts += [f"{RESUMED} resumed  "] if resumed else []
    parts += [(f"{LAG} ", "red"), "lag"]
    return Text.assemble(*parts, no_wrap=True, overflow="crop")


def as_table(lanes: list[Lane]) -> list[str]:
    """Return the state of all partitions and groups as a table's lines, for programs too."""
    rows = [("PARTITION", "FIRST", "END", "GROUP", "COMMITTED", "LAG", "MEMBER")]
    for lane in lanes:
        log = lane.partition
        for group in lane.groups or [GroupView("-", None)]:
            figures = ("-", "-") if group.committed is None else (group.committed, group.lag(log.end))
            rows.append((log.name, log.first, log.end, group.label, *figures, group.holder or "-"))
    shown = [[visible(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
