"""What people see of a stage: the picture, and the table at the end."""

import json
from itertools import groupby
from types import MappingProxyType

from rich.table import Table

from evidence.lines import Lost, Message, Resuming
from picture.lanes import ALARM, GroupView, Lane
from picture.screen import Panel, Screen
from running.scripts import printed_by
from story.account import CONSUMERS, PRODUCERS, repeated_in
from story.stage import RUNNING, TOPIC

COLOURS = {"consumer1": "green", "consumer2": "magenta"}  # readable on black and on white


def picture_of(stage, heading, texts, keys, labels=MappingProxyType({})) -> Screen:
    """Return the picture of the stage as it is now: the groups as Kafka has them, and what the scripts have said.

    Args:
        heading, texts, keys: as `Screen` has them.
        labels: by script: what its panel calls it, if not by its name.
    """
    runs = printed_by(stage.started)
    resumed = {(run.name, event.partition): event.offset for run in runs for event in run.of(Resuming)}
    lanes = []
    for number, log in sorted(stage.seen.logs.items()):
        views = []
        for name in CONSUMERS:
            at = resumed.get((name, number), -1)
            offset = stage.group(name).committed.get(number)
            views.append(GroupView(name, offset, COLOURS[name], resumed=at if at >= log.first else None))
        lanes.append(Lane(f"{TOPIC}-{number}", log, views))
    panels = [panel(stage, COLOURS[name], 4, labels, name) for name in CONSUMERS]
    panels.append(panel(stage, "cyan", 1, labels, *PRODUCERS))
    return Screen(heading, lanes, panels, texts, stage.away, keys)


def panel(stage, style, share, labels, *names) -> Panel:
    """Return what these scripts have printed, below a line that says what they are doing."""
    lines = [line for script in stage.started if script.name in names for line in list(script.output)]
    lines.sort(key=lambda line: line.at)
    states = [f"{labels.get(name, name)}: {stage.state(name)}" for name in names]
    title = "; ".join([", ".join(states), *filter(None, map(stage.session, names))])
    all_run = all(stage.state(name) == RUNNING for name in names)
    texts = in_short(lines, len(names) > 1)
    return Panel(title, [(text, style) for text in texts], style if all_run else ALARM, share)


def in_short(lines, names=False) -> list[str]:
    """Return lines as texts, with the scripts' names if asked for. Of many messages, only the first and the last."""
    texts = []
    for are_messages, group in groupby(lines, lambda line: isinstance(line.event, Message)):
        row = list(group)
        if are_messages and len(row) > 3:  # the others are not read: there may be thousands
            texts += [short(row[0], names), f"… {len(row) - 2} more …", short(row[-1], names)]
        else:
            texts += [short(line, names) for line in row]
    return texts


def short(line, name=False) -> str:
    """Return a line, without the script's name if not asked for. Of a message, only what fits any terminal."""
    message = line.event
    text = line.said
    if isinstance(message, Message):
        tick = json.loads(message.value)
        place = f"(partition {message.partition}, offset {message.offset})"
        text = f"{message.kind}: {tick['symbol']} {tick['price']} {place}"
    return f"{line.text.removesuffix(line.said)}{text}" if name else text


def table_of(steps, told) -> Table:
    """Return the table of these steps and of what was printed in them, for people."""
    shown = Table("", box=None, padding=(0, 1, 0, 0))
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
