"""What is seen of the demonstration: its picture, live or filmed, and the table at its end."""

import json
from itertools import groupby

from rich.table import Table

from evidence.lines import Lost, Message, Resuming
from picture.lanes import ALARM, GroupView, Lane
from picture.screen import Panel, Screen
from running.scripts import printed_by
from story.account import CONSUMERS, PRODUCERS, repeated_in
from story.stage import TOPIC
from story.steps import STEPS

COLOURS = {"consumer1": "green", "consumer2": "magenta"}  # to be read on black and on white


def picture_of(stage) -> Screen:
    """Return the picture of the stage as it is now: the groups as Kafka has them, with what the scripts have said."""
    step, views = stage.step, []
    for name in CONSUMERS:
        resumed = [event.offset for event in step.part_of(printed_by(stage.started), name).of(Resuming)]
        committed = stage.group(name).committed.get(0)
        views.append(GroupView(name, committed, COLOURS[name], resumed=resumed[-1] if resumed else None))
    return Screen(
        f"Step {step.number} of {len(STEPS)}: {step.title}",
        [Lane(f"{TOPIC}-0", stage.offsets, views)],
        [*(panel(stage, COLOURS[name], 4, name) for name in CONSUMERS), panel(stage, "cyan", 1, *PRODUCERS)],
        texts=[(step.sentence, "bold"), (step.note, "")],
        state=stage.away,
    )


def panel(stage, style, share, *names) -> Panel:
    """Return what these scripts have printed, and in the line above it what they are doing."""
    lines = [line for script in stage.started if script.name in names for line in list(script.output)]
    lines.sort(key=lambda line: line.at)
    title = ", ".join(f"{name}: {stage.state(name)}" for name in names)
    all_run = all(stage.state(name) == "running" for name in names)
    return Panel(title, [(text, style) for text in in_short(lines)], style if all_run else ALARM, share)


def in_short(lines) -> list[str]:
    """Return lines in the order in which they came; of many messages in a row the first and the last."""
    texts = []
    for are_messages, group in groupby(lines, lambda line: isinstance(line.event, Message)):
        row = [short(line) for line in group]
        if are_messages and len(row) > 3:
            row[1:-1] = [f"… {len(row) - 2} more …"]
        texts += row
    return texts


def short(line) -> str:
    """Return a line without the script's name; a message by its symbol, price and offset, which fit any terminal."""
    message = line.event
    if not isinstance(message, Message):
        return line.said
    tick = json.loads(message.value)
    return f"{message.kind}: {tick['symbol']} {tick['price']} (offset {message.offset})"


def table_of(steps, told) -> Table:
    """Return the account of these steps, and of all Runs in them, for people."""
    title = "What Kafka stored, compared with what each consumer printed"
    shown = Table("step", title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in ("sent", "consumer", "received", "LOST", "repeated", "lag\nat end"):
        shown.add_column(head, justify="right", no_wrap=True)
    repeats = {name: repeated_in(steps, told, name) for name in CONSUMERS}
    for place, step in enumerate(steps):
        once = [f"{step.number} {step.title}", str(len(step.part_of(told, *PRODUCERS).messages))]
        for name in CONSUMERS:
            run = step.part_of(told, name)
            lost = sum(len(lost.offsets) for lost in run.of(Lost))
            figures = (len(run.messages), lost, len(repeats[name][place]), step.lags[name])
            shown.add_row(*once, name, *map(str, figures), style=COLOURS[name])
            once = ["", ""]
    return shown
