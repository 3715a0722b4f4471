"""The picture: a partition's log as a lane, and on it where each group reads on.

Drawing alone: rich, no Kafka.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rich.cells import cell_len
from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from sight.look import REBALANCING

KEPT, READ, COMMITTED, BEHIND, LAG, RESUMED = "■", "━", "▲", "◀", "┄", "●"
DELETED = "\N{MULTIPLICATION SIGN}"
TRENDS = {"grows": " ↑", "shrinks": " ↓"}
STEPS = (1, 2, 5, 10)  # offsets in a column
ROOM_FOR_WORDS = 60  # columns beside the labels; with fewer, what the signs say is not said again
NEWS_HEIGHT = 8  # lines kept for what has happened, with their border
NOTABLE_LAG = 10  # a lag below that comes and goes


def visible(text: str) -> str:
    """Return a name from Kafka as one line of text that can't steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


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
        trend: of its lag: "grows", "shrinks", "stands", or "" if that is not known.
        holder: the client id of the member that holds the partition, or None.
        state: the group's, in Kafka's words (Stable, Empty, PreparingRebalance …); "": not known.
        style: the colour of its line, as rich has it.
        resumed: the offset at which its consumer went on when started again; None: no mark.
        aside: the scale need not show its committed offset.
    """

    label: str
    committed: int | None
    trend: str = ""
    holder: str | None = None
    state: str = ""
    style: str = ""
    resumed: int | None = None
    aside: bool = False

    def lag(self, end: int) -> int | None:
        """Return how many offsets it is behind the end of the log, the deleted ones among them."""
        return None if self.committed is None else max(0, end - self.committed)


@dataclass(frozen=True)
class Window:
    """Which offsets a lane shows: `step` of them in a column, the end of the log among them."""

    columns: int
    step: int
    low: int
    end: int

    @classmethod
    def of(cls, partition: PartitionView, groups, columns: int, steps=STEPS) -> "Window":
        """Return the finest one that shows each committed offset that any step can show."""
        windows = [cls.at(partition.end, columns, step) for step in steps]
        shown = (group for group in groups if not group.aside)
        marks = [offset for group in shown for offset in (group.committed, group.resumed)]
        offsets = [offset for offset in marks if offset is not None]
        furthest = min((o for o in offsets if o >= windows[-1].low), default=partition.end)
        return next(window for window in windows if window.low <= furthest)

    @classmethod
    def at(cls, end: int, columns: int, step: int) -> "Window":
        low = max(0, end // step - columns + 1) * step  # a multiple: columns keep their offsets
        return cls(columns, step, low, end)

    def column(self, offset: int) -> int:
        """Return the column of an offset; below 0 if it is further back than the window."""
        return (offset - self.low) // self.step

    @property
    def filled(self) -> int:
        """How many columns have a message."""
        return -((self.low - self.end) // self.step)

    def offsets(self, column: int) -> range:
        """Return the offsets of a column, without those that are not written yet."""
        start = self.low + column * self.step
        return range(start, min(start + self.step, self.end))

    def scale(self) -> str:
        """Return the offsets written above the columns: every tenth, or as far apart as they need."""
        apart = 10 * (1 + len(str(self.end)) // 9)
        line = ""
        for column in range(-(self.low // self.step) % apart, self.columns, apart):
            number = str(self.low + column * self.step)
            if column + len(number) <= self.columns:
                line = line.ljust(column) + number
        return line


@dataclass
class Lane:
    """A partition's log and each group's committed offset on it: two lines, and one for each group.

    The end is always shown. If a group is further behind than there are columns, a column stands
    for 2, 5 or 10 offsets, and the lane says so; still further behind, it gets ◀.

    Args:
        partition, groups: what to draw.
        colours: {offset: style}, who has written it, where that is known.
        state: said in place of the end of the log, which is then red, as when Kafka does not answer.
        label_width: of the column before the lanes; by default what `label_width` returns.
        steps: how many offsets a column may stand for: (1,) shows the end of the log alone.
        notes: a second line for each group: who holds the partition, and what the lag does.
    """

    partition: PartitionView
    groups: list[GroupView] = field(default_factory=list)
    colours: Mapping[int, str] = field(default_factory=dict)
    state: str = ""
    label_width: int | None = None
    steps: tuple[int, ...] = STEPS
    notes: bool = False

    def height(self, notes: bool) -> int:
        return 2 + len(self.groups) * (1 + notes)

    def __rich_console__(self, console, options):
        label = self.label_width or label_width(self.groups, options.max_width)
        words = self.words(short=options.max_width - label < ROOM_FOR_WORDS)
        columns = max(10, options.max_width - label - max(map(cell_len, words)))
        window = Window.of(self.partition, self.groups, columns, self.steps)
        scale_word = f" {KEPT} {window.step} offsets" if window.step > 1 else ""
        rows = [("offset", Text(window.scale()), Text(scale_word)), self.log(window, words[0])]
        rows += [
            (group.label, track(group, self.partition, window), self.coloured(group, word))
            for group, word in zip(self.groups, words[1:], strict=True)
        ]
        notes = [None, None, *self.groups] if self.notes else [None] * len(rows)
        for (name, line, word), group in zip(rows, notes, strict=True):
            line.truncate(columns, pad=True)
            whole = cell(name, label, line.style), line, word
            yield Text.assemble(*whole, no_wrap=True, overflow="crop")
            if group:
                yield Text(" " * label + note(group), "dim", no_wrap=True, overflow="ellipsis")

    def words(self, short: bool) -> list[str]:
        """Return what stands behind each line: the log's, then the groups'."""
        end = self.partition.end
        words = [f" {self.state}" if self.state else f" {'end' if short else 'end of log'} {end}"]
        words += [group_words(group, end, short) for group in self.groups]
        usual = group_words(GroupView("", end, "grows"), end + 100, short)
        return [
            words[0].ljust(len(usual)),
            *words[1:],
        ]  # the lanes' width stays while a lag changes

    def log(self, window: Window, word: str) -> tuple[str, Text, Text]:
        style = "bold red" if self.state else ""
        line = Text(style=style)
        for column in range(window.filled):
            offsets = window.offsets(column)
            if offsets[-1] < self.partition.first:
                line.append(DELETED, "red")
            else:
                known = (self.colours[offset] for offset in offsets if offset in self.colours)
                line.append(KEPT, style or next(known, ""))
        return "log", line, Text(word, style)

    def coloured(self, group: GroupView, word: str) -> Text:
        text = Text(word, group.style)
        lag = group.lag(self.partition.end)
        if lag and (lag >= NOTABLE_LAG or group.trend == "grows"):
            text.stylize("bold red", word.index("lag"))
        return text


def group_words(group: GroupView, end: int, short: bool) -> str:
    """Return where a group stands, in words; `short` leaves out what the ▲ says as well."""
    if group.committed is None:
        return " none" if short else " nothing committed"
    where = f" {group.committed}" if short else f" committed {group.committed}"
    if group.committed > end:
        return f"{where}: past the end"
    return f"{where}, lag {group.lag(end)}{TRENDS.get(group.trend, '')}"


def track(group: GroupView, partition: PartitionView, window: Window) -> Text:
    """Draw what a group has read, where it reads on, and its lag, of which some may be deleted."""
    line = Text(style=group.style)
    if group.committed is None:
        return line
    at = min(window.column(group.committed), window.columns - 1)
    resumed = -1 if group.resumed is None else window.column(group.resumed)
    read = "".join(RESUMED if column == resumed else READ for column in range(at))
    line.append(read + COMMITTED if at >= 0 else BEHIND)
    for column in range(max(at, 0) + 1, window.filled):
        unread_and_gone = window.offsets(column)[-1] < partition.first
        line.append(DELETED if unread_and_gone else LAG, "bold red")
    return line


def label_width(groups, width: int) -> int:
    """Return how wide the column before the lanes must be: a third of the width at most."""
    longest = max(itertools.chain([6], (cell_len(visible(group.label)) for group in groups)))
    return min(longest, width // 3) + 1


def cell(text: str, width: int, style: str = "") -> Text:
    """Return a name in a column: made visible, cut with … if too long, followed by a space."""
    shown = Text(visible(text), style)
    shown.truncate(width - 1, overflow="ellipsis", pad=True)
    return shown.append(" ")


def legend(writers: Mapping[str, str] | None = None, resumed: bool = False) -> Text:
    """Return what the signs mean; `writers`, {name: style}, tell whose the messages are."""
    parts = []
    for name, style in (writers or {"kept": ""}).items():
        parts += [(f"{KEPT} ", style), f"{name}  "]
    parts += [(f"{DELETED} ", "red"), f"deleted  {READ} read  "]
    parts.append(f"{COMMITTED} committed {'' if resumed else 'offset '} ")
    parts += [f"{RESUMED} resumed  "] if resumed else []
    parts += [(f"{LAG} ", "red"), "lag"]
    return Text.assemble(*parts, no_wrap=True, overflow="crop")


def note(group: GroupView) -> str:
    """Return who holds the partition for a group, and what its lag does, in words."""
    if group.holder is not None:
        who = f"held by {visible(group.holder)}"
    elif group.state in ("Empty", "Dead"):
        who = "no member: its messages wait" if group.committed is not None else "no member"
    elif group.state in REBALANCING:
        who = "the group is sharing out its partitions"
    else:
        who = "no member holds it" if group.state == "Stable" else ""
    lag = {"grows": "the lag grows", "shrinks": "the lag drains", "stands": "the lag stands"}
    return "; ".join(filter(None, (who, lag.get(group.trend))))


@dataclass
class Happenings:
    """The latest news that fit, each with its time; a long one goes on in the next line.

    Args:
        news: (time of day, sentence, style), the oldest first.
    """

    news: list[tuple[str, str, str]]

    def __rich_console__(self, console, options):
        height = options.height or len(self.news)
        lines = []
        for at, sentence, style in reversed(self.news):
            text = Text(visible(sentence), style)
            wrapped = text.wrap(console, max(10, options.max_width - len(at) - 2))
            starts = [f"{at}  ", *[" " * (len(at) + 2)] * (len(wrapped) - 1)]
            lines[:0] = [Text.assemble((s, "dim"), w) for s, w in zip(starts, wrapped, strict=True)]
            if len(lines) >= height:
                break
        yield from lines[-height:]


@dataclass
class Screen:
    """The whole picture of watch.py: the lanes that fit, then what has happened.

    Args:
        title: said at the top.
        state: why there are no new figures, as when Kafka does not answer, or "".
        lanes: all partitions' lanes, the ones that move most first.
        news: as for `Happenings`.
    """

    title: str
    state: str
    lanes: list[Lane]
    news: list[tuple[str, str, str]]

    def __rich_console__(self, console, options):
        height, width = options.height or console.height, options.max_width
        room = height - NEWS_HEIGHT - 3  # the title, and the border of the lanes
        shown, notes, size = self.fitting(room)
        rest = self.lanes[len(shown) :]
        shown = sorted(shown, key=lambda lane: lane.partition.number)
        label = label_width([group for lane in shown for group in lane.groups], width - 4)
        parts = [replace(lane, notes=notes, label_width=label, state=self.state) for lane in shown]
        body = Group(
            *(Group(Text(visible(lane.partition.name), "bold", no_wrap=True), lane) for lane in parts), self.foot(rest)
        )
        title = Text(visible(self.title), "bold", no_wrap=True, overflow="ellipsis")
        if self.state:
            title.append(f"  {self.state}", "bold red")
        lanes = Panel(body, height=size + 3 if shown else 3)
        news_height = max(3, height - 1 - (size + 3 if shown else 3))
        happenings = Panel(Happenings(self.news), title="what has happened", title_align="left")
        yield title
        yield from console.render(lanes, options.update(height=size + 3 if shown else 3))
        yield from console.render(happenings, options.update(height=news_height))

    def fitting(self, room: int) -> tuple[list[Lane], bool, int]:
        """Return the lanes for which there is room, whether their notes fit too, and their height."""
        for notes in (True, False):
            heights = [1 + lane.height(notes) for lane in self.lanes]
            if sum(heights) <= room:
                return self.lanes, notes, sum(heights)
        sums = list(itertools.accumulate(heights))
        number = max(1, sum(total <= room for total in sums))
        return self.lanes[:number], False, sums[number - 1] if sums else 0

    def foot(self, rest: list[Lane]) -> Text:
        """Return what the signs mean, or of the lanes without room what they come to."""
        if not rest:
            return legend()
        lags = [group.lag(lane.partition.end) or 0 for lane in rest for group in lane.groups]
        ends = f"their lags come to {sum(lags):,}"
        return Text(f"{len(rest)} more partitions, which move less: {ends}", "dim", no_wrap=True)


def table(lanes: list[Lane]) -> list[str]:
    """Return the state of all partitions and groups as a table's lines, for programs too."""
    rows = [("PARTITION", "FIRST", "END", "GROUP", "COMMITTED", "LAG", "MEMBER")]
    for lane in lanes:
        log = lane.partition
        for group in lane.groups or [GroupView("-", None)]:
            lag = group.lag(log.end)
            committed = "-" if lag is None else str(group.committed)
            lag_word = "-" if lag is None else str(lag)
            row = (log.name, str(log.first), str(log.end), group.label, committed, lag_word)
            rows.append((*row, group.holder or "-"))
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[column]) for row in shown) for column in range(len(rows[0]))]
    cells = ([c + " " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True)] for row in shown)
    return ["  ".join(row).rstrip() for row in cells]
