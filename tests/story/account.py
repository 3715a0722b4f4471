"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

import math
from dataclasses import dataclass, field

from evidence.judge import Run, in_words, judge, repeated
from evidence.lines import Line

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
        may_repeat: {consumer: the offset from which on it may print messages again}; without one, none.
        lags: {consumer: its group's lag when the step was over}.
    """

    number: int
    title: str
    sentence: str
    note: str = ""
    lines: dict[str, list[Line]] = field(default_factory=lambda: {name: [] for name in SCRIPTS})
    may_repeat: dict[str, int] = field(default_factory=dict)
    lags: dict[str, int] = field(default_factory=dict)


def run_of(name, steps) -> Run:
    """Return all that a script printed in these Steps, as the judge takes it."""
    events = [line.event for step in steps for line in step.lines[name] if line.event]
    return Run(name, events, GROUPS.get(name))


def sent_in(steps) -> int:
    """Return how many messages the producers sent in these Steps."""
    return sum(len(run_of(name, steps).messages) for name in PRODUCERS)


def repeated_in(steps, name) -> list[list[int]]:
    """Return, for each of all Steps, the offsets that a consumer printed there and had printed before."""
    return [[message.offset for message in again] for again in repeated(run_of(name, [step]) for step in steps)]


def account(steps, log) -> list[str]:
    """Find what should not have happened: a sentence for each fault, without a full stop.

    Args:
        steps: all Steps, in order.
        log: the topic's Log, as it is at the end.
    """
    faults = judge([run_of(name, steps) for name in SCRIPTS], log)
    for name in CONSUMERS:
        for step, again in zip(steps, repeated_in(steps, name), strict=True):
            if more := [offset for offset in again if offset < step.may_repeat.get(name, math.inf)]:
                faults.append(f"{name} in step {step.number} repeated {in_words(more)}")
    return faults


def verdict(steps, faults) -> str:
    """Return what came out, in two sentences; `faults` are what `account` has found in these steps."""
    if faults:
        return f"Verdict: FAILED: {'; '.join(faults)}."
    return (
        f"Verdict: no message went missing without a word. {sent_in(steps)} were sent and stored; each consumer "
        "received each of them once, but for those that the table counts as LOST or repeated."
    )
