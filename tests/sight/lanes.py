"""A partition's log as a lane, and on it where each group reads on. Drawing alone: rich, no Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.text import Text

from evidence.snapshot import PartitionLog

KEPT, PASSED, COMMITTED, LAG, RESUMED = "■", "━", "▲", "┄", "●"
DELETED = "\N{MULTIPLICATION SIGN}"
STEPS = [digit * 10**zeros for zeros in range(19) for digit in (1, 2, 5)]  # offsets in a column
NOTABLE_LAG = 10  # a lag below that comes and goes
ALARM = "bold red"


def visible(text: str) -> str:
    """Return a name from Kafka as one line of text that can't steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def row_of(text: str, style: str = "") -> Text:
    return Text(visible(text), style, no_wrap=True, overflow="ellipsis")


def rule(title: str, width: int, style: str = "bold") -> Text:
    """Return a title with a line through the rest of the row."""
    text = row_of(f"── {title} ", style)
    return text.append("─" * (width - text.cell_len))


@dataclass(frozen=True)
class GroupView:
    """One group on one partition.

    Attributes:
        label: what stands before its line: the group's name, or its consumer's.
        committed: the offset of the next message it wants; None if it has committed none.
        style: the colour of its line, as rich has it.
        resumed: the offset at which its consumer went on when started again; None: no mark.
        note: what stands below its line; "" for nothing.
    """

    label: str
    committed: int | None
    style: str = ""
    resumed: int | None = None
    note: str = ""

    def words(self, log: PartitionLog) -> Text:
        """Return where it stands, in words."""
        if self.committed is None:
            return Text(" nothing committed", self.style)
        lag = log.lag(self.committed)
        alarm = ALARM if lag >= NOTABLE_LAG else ""
        return Text(f" committed {self.committed}, ", self.style).append(f"lag {lag}", alarm)


@dataclass(frozen=True)
class Lane:
    """A partition's log and each group's committed offset on it: three rows, and one or two for each group.

    The end is always shown, and each group's ▲ and ●. If one is further behind than there are columns, a column stands
    for more offsets, and the lane says for how many.

    Attributes:
        name: the partition's, as stock-market-0.
        log, groups: what to draw.
        colours: {offset: style}, who has written it, where that is known.
    """

    name: str
    log: PartitionLog
    groups: list[GroupView] = field(default_factory=list)
    colours: Mapping[int, str] = field(default_factory=dict)

    def rows(self, width: int) -> list[Text]:
        """Return it drawn in rows of at most this width."""
        end = self.log.end
        widest = max(len(visible(name)) for name in ("offset", *(group.label for group in self.groups)))
        label = min(widest, width // 3)
        words = len(f" committed {end}, lag {end}")  # the most there can be: lanes stand still
        columns = self._columns(max(10, width - label - 1 - words))

        def row(name, line, word, style=""):
            shown = Text(visible(name), style)
            shown.truncate(label, overflow="ellipsis", pad=True)
            line.truncate(len(columns), pad=True)
            return Text.assemble(shown, " ", line, word, no_wrap=True, overflow="crop")

        rows = [
            rule(self.name, width),
            row("offset", scale(columns), f" {KEPT} {columns.step} offsets" if columns.step > 1 else ""),
            row("log", self._drawn(columns), f" end of log {end}"),
        ]
        for group in self.groups:
            rows.append(row(group.label, self._track(group, columns), group.words(self.log), group.style))
            if group.note:
                rows.append(row_of(" " * (label + 1) + group.note, "dim"))
        return rows

    def _columns(self, count: int) -> range:
        """Return the first offset in each column: in the finest steps that show all places of the groups."""
        end, places = self.log.end, {place for group in self.groups for place in (group.committed, group.resumed)}
        lowest = min(places - {None}, default=end)
        step = next(step for step in STEPS if end // step - count < lowest // step)
        low = max(0, end // step - count + 1) * step  # a multiple: columns keep their offsets
        return range(low, low + count * step, step)

    def _drawn(self, columns: range) -> Text:
        line = Text()
        for offset in range(columns.start, self.log.end, columns.step):
            if min(offset + columns.step, self.log.end) <= self.log.first:
                line.append(DELETED, "red")
            else:
                line.append(KEPT, self.colours.get(offset, ""))
        return line

    def _track(self, group: GroupView, columns: range) -> Text:
        """Draw what a group has read, where it reads on, and its lag."""
        line = Text(style=group.style)
        for offset in columns if group.committed is not None else ():
            after = offset + columns.step
            if after <= group.committed:
                line.append(RESUMED if group.resumed in range(offset, after) else PASSED)
            elif offset <= group.committed:
                line.append(COMMITTED)
            elif offset < self.log.end:
                line.append(LAG, ALARM)
        return line


def scale(columns: range) -> Text:
    """Return the offsets above the columns: every tenth, where there is room for all of it."""
    line = ""
    for place, offset in enumerate(columns):
        if offset // columns.step % 10 == 0 and place + len(str(offset)) <= len(columns):
            line = line.ljust(place) + str(offset)
    return Text(line)


def legend(writers: Mapping[str, str] | None = None, resumed: bool = False) -> Text:
    """Return what the signs mean; `writers`, {name: style}, tell whose the messages are."""
    parts = []
    for name, style in (writers or {"kept": ""}).items():
        parts += [(f"{KEPT} ", style), f"{name}  "]
    parts += [(f"{DELETED} ", "red"), f"deleted  {PASSED} passed  {COMMITTED} committed  "]
    parts += [f"{RESUMED} resumed  "] if resumed else []
    parts += [(f"{LAG} ", "red"), "lag"]
    return Text.assemble(*parts, no_wrap=True, overflow="crop")
