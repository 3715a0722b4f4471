"""What is seen of the demonstration: its picture, live or filmed, and the table at its end."""

import json
import time

from rich.table import Table

from evidence.lines import Placed, Received, parse
from sight.film import Film
from sight.lanes import ALARM, GroupView, Lane, legend
from sight.picture import Picture, Section
from story.account import CONSUMERS, PRODUCERS, sent_in
from story.stage import GROUPS, TOPIC, is_message

COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}
FILMED, STILL = 4, 2  # the last step on the film, and that at whose end it stands still for who asks for less motion
WRITERS = {name: COLOURS[name] for name in PRODUCERS}


class Display:
    """Tells and shows the story while it is played: as a picture on a terminal, or as lines; and on a film.

    Args:
        live: a rich Live on a terminal, or None.
        film: a Film to take of the first steps, or None.
    """

    def __init__(self, live, film):
        self.live, self.film = live, film

    def tell(self, line) -> None:
        if not self.live:  # else the picture tells it
            print(line, flush=True)

    def show(self, stage) -> None:
        """Show the stage as it is now."""
        if self.live:
            self.live.update(picture_of(stage, self.live.console.width), refresh=True)
        if self.film and stage.number <= FILMED and len(stage.seen.groups) == len(CONSUMERS):
            self.film.take(picture_of(stage, self.film.width), time.monotonic(), stage.number == STILL)


def picture_of(stage, width: int) -> Picture:
    """Return the picture of the stage as it is now, for a screen of this width."""
    log = stage.seen.logs[0]
    writers = {m.offset: COLOURS[name] for name in PRODUCERS for run in stage.scripts[name] for m in run.messages()}
    half = (width - 2) // 2
    return Picture(
        stage.heading,
        [Lane(f"{TOPIC}-0", log, [group_of(stage, n) for n in CONSUMERS], writers)],
        [*([section_of(stage, name, width)] for name in CONSUMERS), [section_of(stage, n, half) for n in PRODUCERS]],
        texts=[(stage.step.sentence, "bold"), (stage.note, "")],
        state="Kafka is stopped" if stage.away else "",
        shares=[4, 4, 1],
        foot=legend(WRITERS, resumed=True),
    )


def group_of(stage, name) -> GroupView:
    """Return a consumer's group as Kafka has it, and where it says it resumed in this step."""
    group = stage.seen.groups.get(GROUPS[name])
    resumed = [placed.offset for placed in stage.now[name].events(Placed)]
    committed = group and group.committed.get(0)
    return GroupView(name, committed, style=COLOURS[name], resumed=resumed[-1] if resumed else None)


def section_of(stage, name, width: int) -> Section:
    return section(name, stage.states[name], stage.lines(name), stage.began, width)


def section(name, state, lines, began: float, width: int) -> Section:
    """Return a script's latest lines; what it has said since its step began stays above the messages after it."""
    last = max((number for number, line in enumerate(lines) if is_message(line)), default=0)
    said = [line for line in lines[:last] if line.at >= began and not is_message(line)]
    pinned, latest = (
        [(short(line, width), COLOURS[name]) for line in some]
        for some in (said, [line for line in lines[-60:] if line not in said])
    )
    style = COLOURS[name] if state == "running" else ALARM
    return Section(f"{name}: {state}", latest, style, pinned)


def short(line, width: int) -> str:
    """Return a line without the script's name; a message for which there is no room by symbol, price and offset."""
    said = line.text.partition("] ")[2] or line.text
    if len(said) <= width or not is_message(line):
        return said
    event = parse(line.text)
    tick = json.loads(event.message.value)
    return f"{type(event).__name__}: {tick['symbol']} {tick['price']} (offset {event.message.offset})"


def svg_of(film: Film) -> str:
    return film.svg(
        title="consumer1 is stopped; started again, it resumes at its committed offset",
        description="The topic's log as a row of messages, and on it the committed offset of each group: both "
        "consumers read along; consumer1 is stopped, and its lag grows; started again, it goes on where it had "
        "stopped and catches up; killed and started again, it does so too. Filmed from a real run of tests/demo.py.",
    )


def table_of(parts) -> Table:
    """Return the account for people."""
    title = "What Kafka stored, compared with what each consumer printed"
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    shown.add_column("step")
    shown.add_column("consumer", no_wrap=True)
    for title in ("sent", "received", "missing", "repeated", "lag\nat end", "restart\nto first"):
        shown.add_column(title, justify="right", no_wrap=True)
    for part in (part for part in parts if part.script in CONSUMERS):
        first = part.script == CONSUMERS[0]
        shown.add_row(
            f"{part.step} {part.title}" if first else "",
            part.script,
            str(sent_in(part.step, parts)) if first else "",
            str(len(part.events(Received))),
            f"{len(part.missing)}{' (LOST)' if part.lost else ''}",
            f"{len(part.repeated)}{f' ({part.why})' if part.repeated else ''}",
            str(part.end - part.committed),
            "" if part.wait is None else f"{part.wait:.1f} s",
            style=COLOURS[part.script],
        )
    return shown
