"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from evidence.judge import Run, in_words, judge, missing, repeated
from evidence.lines import Line

PRODUCERS, CONSUMERS = ("producer1", "producer2"), ("consumer1", "consumer2")


@dataclass
class Part:
    """One script's part in one step.

    Attributes:
        step, title: of the step.
        script: the script's name.
        lines: what it printed meanwhile.
        committed, end: a consumer's committed offset and the log's end, when the step was over.
        wait: the seconds from a restart, of a consumer or of its Kafka, to its first message after it; else None.
        may_repeat, why: the offsets that the step lets it print again, once, and a word for the reason.
        missing: the offsets that it has passed here, and never printed. `account` finds them, and those that are
        repeated: it printed them here, and had printed them before.
    """

    step: int
    title: str
    script: str
    lines: list[Line] = field(default_factory=list)
    committed: int = 0
    end: int = 0
    wait: float | None = None
    may_repeat: range = range(0)
    why: str = ""
    missing: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    @property
    def run(self) -> Run:
        return run_of(self.script, [self])


def run_of(script, parts) -> Run:
    """Return all that a script printed in these Parts, as the judge takes it."""
    lines = [line.text for part in parts if part.script == script for line in part.lines]
    return Run(script, lines, script if script in CONSUMERS else None)


def account(parts, log) -> list[str]:
    """Find what is missing and repeated in each consumer's parts, and what should not have happened.

    Args:
        parts: the Parts of all scripts, in the order of the steps.
        log: the topic's Log, as it is at the end.

    Returns:
        The faults, as sentences without a full stop.
    """
    faults = [str(anomaly) for anomaly in judge([run_of(name, parts) for name in PRODUCERS + CONSUMERS], log)]
    for name in CONSUMERS:
        mine, passed = [part for part in parts if part.script == name], 0
        never = [message.offset for message in missing([run_of(name, mine)], log)]
        for part, again in zip(mine, repeated(part.run for part in mine), strict=True):
            part.missing = [offset for offset in never if passed <= offset < part.committed]
            part.repeated = [message.offset for message in again]
            passed = part.committed
            if more := Counter(part.repeated) - Counter(part.may_repeat):
                faults.append(f"{name} in step {part.step} repeated {in_words(more)}")
    return faults


def verdict(parts, faults) -> str:
    """Return what came out, in a sentence or two; `faults` are what `account` has found in these parts."""
    if faults:
        return f"Verdict: FAILED: {'; '.join(faults)}."
    sent, unread = sent_in(parts), sum(len(part.missing) for part in parts)
    but = f" but the {unread} deleted unread, which were reported as LOST" if unread else ""
    again = [f"{len(part.repeated)} that {part.script} read again ({part.why})" for part in parts if part.repeated]
    return (
        f"Verdict: no message went missing{but}. {sent} were sent and stored; each consumer received each once"
        f"{', except for ' if again else ''}{' and '.join(again)}."
    )


def sent_in(parts) -> int:
    """Return how many messages the producers sent in these parts."""
    return sum(len(run_of(name, parts).messages) for name in PRODUCERS)
