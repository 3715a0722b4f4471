"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

import math
from collections import Counter
from dataclasses import dataclass, field

from evidence.judge import Run, in_words, judge, repeated
from evidence.lines import Line, Lost, Resuming

GROUPS = {"consumer1": "stock-group1", "consumer2": "stock-group2"}
PRODUCERS, CONSUMERS = ("producer1", "producer2"), tuple(GROUPS)
SCRIPTS = PRODUCERS + CONSUMERS


@dataclass
class Step:
    """A step of the story as it is played, or was.

    Attributes:
        number, title, sentence: what people are told of it.
        note: what came of it, as last told.
        lines: {script: the Lines that it has printed meanwhile, and the commands that started it}.
        may_repeat, why: {consumer: the offset from which on the step lets it print messages again, once each time it
            resumes}; a word for the reason.
        lags: {consumer: its group's lag when the step was over}.
    """

    number: int
    title: str
    sentence: str
    note: str = ""
    lines: dict[str, list[Line]] = field(default_factory=lambda: {name: [] for name in SCRIPTS})
    may_repeat: dict[str, int] = field(default_factory=dict)
    why: str = ""
    lags: dict[str, int] = field(default_factory=dict)


def run_of(name, steps) -> Run:
    """Return all that a script printed in these Steps, as the judge takes it."""
    events = [line.event for step in steps for line in step.lines[name] if line.event]
    return Run(name, events, GROUPS.get(name))


def sent_in(steps) -> int:
    """Return how many messages the producers sent in these Steps."""
    return sum(len(run_of(name, steps).messages) for name in PRODUCERS)


def lost_in(steps, name) -> int:
    """Return how many offsets a consumer has reported as LOST in these Steps."""
    return sum(len(lost.offsets) for lost in run_of(name, steps).of(Lost))


def repeated_in(steps, name) -> list[list[int]]:
    """Return, for each of all Steps, the offsets that a consumer printed there and had printed before."""
    return [[message.offset for message in again] for again in repeated(run_of(name, [step]) for step in steps)]


def account(steps, log) -> list[str]:
    """Find what should not have happened.

    Args:
        steps: all Steps, in order.
        log: the topic's Log, as it is at the end.

    Returns:
        The faults, as sentences without a full stop.
    """
    faults = judge([run_of(name, steps) for name in SCRIPTS], log)
    for name in CONSUMERS:
        for step, again in zip(steps, repeated_in(steps, name), strict=True):
            lowest, resumes = step.may_repeat.get(name, math.inf), len(run_of(name, [step]).of(Resuming))
            if more := [offset for offset, times in Counter(again).items() if offset < lowest or times > resumes]:
                faults.append(f"{name} in step {step.number} repeated {in_words(more)}")
    return faults


def verdict(steps, faults) -> str:
    """Return what came out, in a sentence or two; `faults` are what `account` has found in these steps."""
    if faults:
        return f"Verdict: FAILED: {'; '.join(faults)}."
    lost = [f"{lost_in(steps, name)} that {name} reported as LOST" for name in CONSUMERS if lost_in(steps, name)]
    but = f" but {' and '.join(lost)}" if lost else ""
    repeats = {name: repeated_in(steps, name) for name in CONSUMERS}
    again = [
        f"{len(repeats[name][place])} that {name} read again ({step.why})"
        for place, step in enumerate(steps)
        for name in CONSUMERS
        if repeats[name][place]
    ]
    each = "each of the others" if lost else "each"
    return (
        f"Verdict: no message went missing{but}. {sent_in(steps)} were sent and stored; each consumer received "
        f"{each} once{', except for ' if again else ''}{' and '.join(again)}."
    )
