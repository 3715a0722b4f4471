"""A partition's log as a lane, and each group's place on it. This only draws: rich, no Kafka."""

from dataclasses import dataclass, field

from rich.text import Text

from evidence.snapshot import LogOffsets

KEPT, PASSED, COMMITTED, LAG, RESUMED = "■", "━", "▲", "┄", "●"
DELETED = "\N{MULTIPLICATION SIGN}"
STEPS = [digit * 10**zeros for zeros in range(19) for digit in (1, 2, 5)]  # offsets in a column
NOTABLE_LAG = 10  # smaller lags come and go
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


@dataclass(frozen=True)
class Lane:
    """A partition's log with each group's committed offset: three rows, and one or two more for each group.

    The end is always shown, and each group's ▲ and ●. If one is further behind than there are columns, a column stands
    for more offsets, and the lane says for how many.

    Attributes:
        name: the partition's, as stock-market-0.
        log, groups: what to draw.
    """

    name: str
    log: LogOffsets
    groups: list[GroupView] = field(default_factory=list)

    def rows(self, width: int) -> list[Text]:
        """Draw it in rows of at most this width."""
        end = self.log.end
        labels = ("offset", *(visible(group.label) for group in self.groups))
        label = min(max(map(len, labels)), width // 3)
        words = len(f" committed {end}, lag {end}")  # as long as they can get, so that the lanes stand still
        columns = self._columns(max(10, width - label - 1 - words))
        filled = range(columns.start, end, columns.step)
        deleted = sum(min(offset + columns.step, end) <= self.log.first for offset in filled)
        kept = Text.assemble((DELETED * deleted, "red"), KEPT * (len(filled) - deleted))

        def row(name, line, word, style=""):
            line.truncate(len(columns), pad=True)
            start = f"{visible(name)[:label]:{label}} "
            return Text.assemble((start, style), line, word, no_wrap=True, overflow="crop")

        rows = [
            rule(self.name, width),
            row("offset", scale(columns, end), f" {KEPT} {columns.step} offsets" if columns.step > 1 else ""),
            row("log", kept, f" end of log {end}"),
        ]
        for group in self.groups:
            stands = Text(" nothing committed", group.style)
            if group.committed is not None:
                lag = self.log.lag(group.committed)
                stands = Text(f" committed {group.committed}, ", group.style)
                stands.append(f"lag {lag}", ALARM if lag >= NOTABLE_LAG else "")
            rows.append(row(group.label, self._track(group, columns), stands, group.style))
            if group.note:
                rows.append(row_of(" " * (label + 1) + group.note, "dim"))
        return rows

    def _columns(self, count: int) -> range:
        """Return the first offset of each column. A column has as few offsets as it takes to show all places."""
        end, places = self.log.end, {place for group in self.groups for place in (group.committed, group.resumed)}
        lowest = min(places - {None}, default=end)
        step = next(step for step in STEPS if end // step - count < lowest // step)
        low = max(0, end // step - count + 1) * step  # a multiple of the step, so that each offset keeps its column
        return range(low, low + count * step, step)

    def _track(self, group: GroupView, columns: range) -> Text:
        """Draw what a group has passed, where it reads on, and its lag."""
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


def scale(columns: range, end: int) -> Text:
    """Label every tenth column with its offset, up to the end of the log, if the whole number fits."""
    line = ""
    for place, offset in enumerate(columns):
        if offset <= end and offset // columns.step % 10 == 0 and place + len(str(offset)) <= len(columns):
            line = line.ljust(place) + str(offset)
    return Text(line)


def legend(resumed: bool) -> Text:
    """Explain the signs; the sign for resumed only if there is one."""
    parts = [f"{KEPT} kept  ", (f"{DELETED} ", "red"), f"deleted  {PASSED} passed  {COMMITTED} committed  "]
    parts += [f"{RESUMED} resumed  "] if resumed else []
    return Text.assemble(*parts, (f"{LAG} ", "red"), "lag", no_wrap=True, overflow="crop")
