"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

import math
from dataclasses import dataclass, field

from evidence.history import Run
from evidence.judge import in_words, judge, repeated

GROUPS = {"consumer1": "stock-group1", "consumer2": "stock-group2"}
PRODUCERS, CONSUMERS = ("producer1", "producer2"), tuple(GROUPS)
SCRIPTS = PRODUCERS + CONSUMERS


@dataclass
class Step:
    """A step of the story, while it is played and afterwards."""

    number: int
    title: str
    sentence: str
    began: float  # in seconds of `now`
    ended: float = math.inf
    note: str = ""  # the latest sentence about what came of it
    may_repeat: dict[str, int] = field(default_factory=dict)  # by consumer: it may print from this offset on again
    lags: dict[str, int] = field(default_factory=dict)  # by consumer: the lag of its group at the end of the step

    def part_of(self, runs, *names) -> Run:
        """Return what the scripts with these names printed during this step, as one Run."""
        lines = [line for run in runs if run.name in names for line in run.lines]
        return Run(names[0], [line for line in lines if self.began <= line.at < self.ended], GROUPS.get(names[0]))


def repeated_in(steps, runs, name) -> list[list[int]]:
    """Return, for each Step, the offsets that a consumer printed there and had printed before."""
    return [[message.offset for message in again] for again in repeated(step.part_of(runs, name) for step in steps)]


def account(steps, runs, log) -> list[str]:
    """Find what should not have happened: a sentence for each fault, without a full stop."""
    faults = judge(runs, log)
    for name in CONSUMERS:
        for step, again in zip(steps, repeated_in(steps, runs, name), strict=True):
            if more := [offset for offset in again if offset < step.may_repeat.get(name, math.inf)]:
                faults.append(f"{name} in step {step.number} repeated {in_words(more)}")
    return faults


def verdict(runs, faults) -> str:
    """Sum up in two sentences. `faults` is what `account` found in these runs."""
    if faults:
        return f"Verdict: FAILED: {'; '.join(faults)}."
    sent = sum(len(run.messages) for run in runs if run.group is None)
    return (
        f"Verdict: no message went missing unreported. {sent} were sent and stored; each consumer "
        "received each of them exactly once, except for those that the table counts as LOST or repeated."
    )
