"""What is seen of the demonstration: its picture, live or filmed, and the table at its end."""

import json
import time

from rich.table import Table

from evidence.lines import MESSAGE, Lost, Placed
from sight.film import Film
from sight.lanes import ALARM, GroupView, Lane, legend
from sight.picture import Picture, Section
from story.account import CONSUMERS, PRODUCERS, run_of, sent_in
from story.stage import RUNNING

COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}
FILMED, STILL = 4, 2  # the last step on the film, and that at whose end it stands still for who asks for less motion


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
            self.live.update(picture_of(stage), refresh=True)
        if self.film and stage.number <= FILMED:
            self.film.take(picture_of(stage), time.monotonic(), stage.number == STILL)


def picture_of(stage) -> Picture:
    """Return the picture of the stage as it is now."""
    log = stage.seen.logs[0]
    written = {m.offset: COLOURS[name] for name in PRODUCERS for m in run_of(name, stage.parts).messages}
    return Picture(
        stage.heading,
        [Lane(f"{stage.topic}-0", log, [group_of(stage, n) for n in CONSUMERS], written)],
        [*([section_of(stage, name)] for name in CONSUMERS), [section_of(stage, name) for name in PRODUCERS]],
        texts=[(stage.sentence, "bold"), (stage.note, "")],
        state="Kafka is stopped" if stage.away else "",
        shares=[4, 4, 1],
        foot=legend({name: COLOURS[name] for name in PRODUCERS}, resumed=True),
    )


def group_of(stage, name) -> GroupView:
    """Return a consumer's group as Kafka has it, and where it says it resumed in this step."""
    group = stage.seen.groups.get(stage.groups[name])
    resumed = [placed.offset for placed in stage.now[name].run.of(Placed)]
    committed = group and group.committed.get(0)
    return GroupView(name, committed, style=COLOURS[name], resumed=resumed[-1] if resumed else None)


def section_of(stage, name) -> Section:
    """Return what a script has said in this step, and below it its latest messages."""
    state, style = stage.states[name], COLOURS[name]
    said = [(short(line.text), style) for line in stage.now[name].lines if not MESSAGE.fullmatch(line.text)]
    latest = [(short(line.text), style) for line in stage.lines(name)[-60:] if MESSAGE.fullmatch(line.text)]
    return Section(f"{name}: {state}", latest, style=style if state == RUNNING else ALARM, pinned=said)


def short(text: str) -> str:
    """Return a line without the script's name; a message by its symbol, price and offset, which fit any terminal."""
    found = MESSAGE.fullmatch(text)
    if not found:
        return text.partition("] ")[2]
    tick = json.loads(found["value"])
    return f"{found['verb']}: {tick['symbol']} {tick['price']} (offset {found['offset']})"


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
            str(sent_in([each for each in parts if each.step == part.step])) if first else "",
            str(len(part.run.messages)),
            f"{len(part.missing)}{' (LOST)' if part.run.of(Lost) else ''}",
            f"{len(part.repeated)}{f' ({part.why})' if part.repeated else ''}",
            str(part.end - part.committed),
            "" if part.wait is None else f"{part.wait:.1f} s",
            style=COLOURS[part.script],
        )
    return shown
