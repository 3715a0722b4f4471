"""What is seen of the demonstration: its picture, live or filmed, and the table at its end."""

import json
from itertools import groupby

from rich.table import Table

from evidence.lines import Message, Resuming
from sight.film import Film
from sight.lanes import ALARM, GroupView, Lane, legend
from sight.screen import Panel, Screen
from story.account import CONSUMERS, GROUPS, PRODUCERS, lost_in, repeated_in, run_of, sent_in
from story.stage import RUNNING, TOPIC
from story.steps import STEPS

COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}


def picture_of(stage) -> Screen:
    """Return the picture of the stage as it is now."""
    log, step = stage.seen.logs[0], stage.step
    written = {m.offset: COLOURS[name] for name in PRODUCERS for m in run_of(name, stage.steps).messages}
    return Screen(
        f"Step {step.number} of {len(STEPS)}: {step.title}",
        [Lane(f"{TOPIC}-0", log, [group_of(stage, name) for name in CONSUMERS], written)],
        [*([panel_of(stage, name)] for name in CONSUMERS), [panel_of(stage, name) for name in PRODUCERS]],
        texts=[(step.sentence, "bold"), (step.note, "")],
        state=stage.away,
        shares=[4, 4, 1],
        foot=legend({name: COLOURS[name] for name in PRODUCERS}, resumed=True),
    )


def group_of(stage, name) -> GroupView:
    """Return a consumer's group as Kafka has it, and where it says it resumed in this step."""
    group = stage.seen.groups.get(GROUPS[name])
    resumed = [placed.offset for placed in run_of(name, [stage.step]).of(Resuming)]
    committed = group and group.committed.get(0)
    return GroupView(name, committed, style=COLOURS[name], resumed=resumed[-1] if resumed else None)


def panel_of(stage, name) -> Panel:
    """Return what a script has printed, and in the line above it what it is doing."""
    state, style = stage.states[name], COLOURS[name]
    lines = [line for step in stage.steps for line in step.lines[name]]
    said = [(text, style) for text in in_short(lines)]
    return Panel(f"{name}: {state}", said, style=style if state == RUNNING else ALARM)


def in_short(lines) -> list[str]:
    """Return lines in the order in which they came; of many messages in a row the first and the last."""
    texts = []
    for are_messages, group in groupby(lines, lambda line: isinstance(line.event, Message)):
        row = list(group)
        if are_messages and len(row) > 3:
            texts += [short(row[0]), f"… {len(row) - 2} more …", short(row[-1])]
        else:
            texts += map(short, row)
    return texts


def short(line) -> str:
    """Return a line without the script's name; a message by its symbol, price and offset, which fit any terminal."""
    text = line.text.partition("] ")[2] or line.text
    if not isinstance(line.event, Message):
        return text
    verb, tick = text.partition(":")[0], json.loads(line.event.value)
    return f"{verb}: {tick['symbol']} {tick['price']} (offset {line.event.offset})"


def svg_of(film: Film) -> str:
    return film.svg(
        title="consumer1 is stopped; started again, it resumes at its committed offset",
        description="The topic's log as a row of messages, and on it the committed offset of each group: both "
        "consumers read along; consumer1 is stopped, and its lag grows; started again, it goes on where it had "
        "stopped and catches up; killed and started again, it does so too. Filmed from a real run of tests/demo.py.",
    )


def table_of(steps) -> Table:
    """Return the account of these steps for people."""
    title = "What Kafka stored, compared with what each consumer printed"
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    shown.add_column("step")
    shown.add_column("consumer", no_wrap=True)
    for title in ("sent", "received", "LOST", "repeated", "lag\nat end"):
        shown.add_column(title, justify="right", no_wrap=True)
    repeats = {name: repeated_in(steps, name) for name in CONSUMERS}
    for place, step in enumerate(steps):
        for name in CONSUMERS:
            first, again = name == CONSUMERS[0], len(repeats[name][place])
            shown.add_row(
                f"{step.number} {step.title}" if first else "",
                name,
                str(sent_in([step])) if first else "",
                str(len(run_of(name, [step]).messages)),
                str(lost_in([step], name)),
                f"{again} ({step.why})" if again else "0",
                str(step.lags[name]),
                style=COLOURS[name],
            )
    return shown
