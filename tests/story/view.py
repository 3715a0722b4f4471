"""What is seen of the demonstration: its picture, live or filmed, and the table at its end."""

import json

from rich.table import Table

from evidence.lines import MESSAGE, Lost, Placed
from sight.film import Film
from sight.lanes import ALARM, GroupView, Lane, legend
from sight.screen import Panel, Screen
from story.account import CONSUMERS, PRODUCERS, run_of, sent_in
from story.stage import RUNNING
from story.steps import STEPS

COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}


def picture_of(stage) -> Screen:
    """Return the picture of the stage as it is now."""
    log, step = stage.seen.logs[0], stage.step
    written = {m.offset: COLOURS[name] for name in PRODUCERS for m in run_of(name, stage.steps).messages}
    return Screen(
        f"Step {step.number} of {len(STEPS)}: {step.title}",
        [Lane(f"{stage.topic}-0", log, [group_of(stage, name) for name in CONSUMERS], written)],
        [*([section_of(stage, name)] for name in CONSUMERS), [section_of(stage, name) for name in PRODUCERS]],
        texts=[(step.sentence, "bold"), (step.note, "")],
        state="Kafka is stopped" if stage.away else "",
        shares=[4, 4, 1],
        foot=legend({name: COLOURS[name] for name in PRODUCERS}, resumed=True),
    )


def group_of(stage, name) -> GroupView:
    """Return a consumer's group as Kafka has it, and where it says it resumed in this step."""
    group = stage.seen.groups.get(stage.groups[name])
    resumed = [placed.offset for placed in run_of(name, [stage.step]).of(Placed)]
    committed = group and group.committed.get(0)
    return GroupView(name, committed, style=COLOURS[name], resumed=resumed[-1] if resumed else None)


def section_of(stage, name) -> Panel:
    """Return a script's latest lines, in the order in which they came; what it has said in this step stays."""
    state, style, lines = stage.states[name], COLOURS[name], run_of(name, stage.steps).lines
    begin = len(lines) - len(stage.step.lines[name])
    said = [number for number in range(begin, len(lines)) if not MESSAGE.fullmatch(lines[number])]
    shown = [(short(line), style) for line in lines]
    return Panel(f"{name}: {state}", shown, style if state == RUNNING else ALARM, said)


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


def table_of(steps) -> Table:
    """Return the account of these steps for people."""
    title = "What Kafka stored, compared with what each consumer printed"
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    shown.add_column("step")
    shown.add_column("consumer", no_wrap=True)
    for title in ("sent", "received", "missing", "repeated", "lag\nat end", "restart\nto first"):
        shown.add_column(title, justify="right", no_wrap=True)
    for step in steps:
        for name in CONSUMERS:
            first, run, again = name == CONSUMERS[0], run_of(name, [step]), step.repeated[name]
            shown.add_row(
                f"{step.number} {step.title}" if first else "",
                name,
                str(len(sent_in([step]))) if first else "",
                str(len(run.messages)),
                f"{len(step.missing[name])}{' (LOST)' if run.of(Lost) else ''}",
                f"{len(again)}{f' ({step.why})' if again else ''}",
                str(step.end - step.committed[name]),
                f"{step.waits[name]:.1f} s" if name in step.waits else "",
                style=COLOURS[name],
            )
    return shown
