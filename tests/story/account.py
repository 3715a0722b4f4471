"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from evidence.judge import Run, in_words, judge, repeated
from evidence.lines import Line, Lost, Resuming

PRODUCERS, CONSUMERS = ("producer1", "producer2"), ("consumer1", "consumer2")
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
        waits: {consumer: the seconds from a restart, its own or its Kafka's, to its first message after it}.
        committed, end: {consumer: its committed offset} and the log's end, when the step was over.
        repeated: {consumer: the offsets that it printed here and had printed before}: what `account` finds.
    """

    number: int
    title: str
    sentence: str
    note: str = ""
    lines: dict[str, list[Line]] = field(default_factory=lambda: {name: [] for name in SCRIPTS})
    may_repeat: dict[str, int] = field(default_factory=dict)
    why: str = ""
    waits: dict[str, float] = field(default_factory=dict)
    committed: dict[str, int] = field(default_factory=dict)
    end: int = 0
    repeated: dict[str, list[int]] = field(default_factory=dict)


def run_of(name, steps) -> Run:
    """Return all that a script printed in these Steps, as the judge takes it."""
    events = [line.event for step in steps for line in step.lines[name] if line.event]
    return Run(name, events, name if name in CONSUMERS else None)


def sent_in(steps) -> list:
    """Return the messages that the producers sent in these Steps."""
    return [message for name in PRODUCERS for message in run_of(name, steps).messages]


def lost_in(steps, name) -> int:
    """Return how many offsets a consumer has reported as LOST in these Steps."""
    return sum(len(lost.offsets) for lost in run_of(name, steps).of(Lost))


def account(steps, log) -> list[str]:
    """Find what is repeated in each step, and what should not have happened.

    Args:
        steps: all Steps, in order.
        log: the topic's Log, as it is at the end.

    Returns:
        The faults, as sentences without a full stop.
    """
    faults = judge([run_of(name, steps) for name in SCRIPTS], log)
    for name in CONSUMERS:
        for step, again in zip(steps, repeated(run_of(name, [step]) for step in steps), strict=True):
            step.repeated[name] = [message.offset for message in again]
            resumes = len(run_of(name, [step]).of(Resuming))
            allowed = dict.fromkeys(range(step.may_repeat.get(name, step.end), step.end), resumes)
            if more := Counter(step.repeated[name]) - Counter(allowed):
                faults.append(f"{name} in step {step.number} repeated {in_words(more)}")
    return faults


def verdict(steps, faults) -> str:
    """Return what came out, in a sentence or two; `faults` are what `account` has found in these steps."""
    if faults:
        return f"Verdict: FAILED: {'; '.join(faults)}."
    unread = sum(lost_in(steps, name) for name in CONSUMERS)
    but = f" but the {unread} deleted unread, which were reported as LOST" if unread else ""
    counts = [(len(step.repeated[name]), name, step.why) for step in steps for name in CONSUMERS]
    again = [f"{count} that {name} read again ({why})" for count, name, why in counts if count]
    return (
        f"Verdict: no message went missing{but}. {len(sent_in(steps))} were sent and stored; each consumer received "
        f"each once{', except for ' if again else ''}{' and '.join(again)}."
    )
