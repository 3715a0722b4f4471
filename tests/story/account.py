"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from evidence.judge import Run, in_words, judge, missing, repeated
from evidence.lines import Line, Lost, Received, Sent, parse

PRODUCERS, CONSUMERS = ("producer1", "producer2"), ("consumer1", "consumer2")


@dataclass
class Part:
    """One script's part in one step.

    Attributes:
        step, title: of the step.
        script: the script's name.
        lines: what it printed meanwhile.
        committed, end: a consumer's committed offset and the log's end, when the step was over.
        restarted: when a consumer, or its Kafka, was started again, in seconds of time.monotonic(); else None.
        may_repeat, why: the offsets that the step lets it print again, once, and a word for the reason.
        deleted: the offsets that Kafka deleted before it had read them: it has to report them as LOST.
        missing: the offsets that it has passed here, and never printed. `account` finds them, and those that are
        repeated: it printed them, and had printed them before.
    """

    step: int
    title: str
    script: str
    lines: list[Line] = field(default_factory=list)
    committed: int = 0
    end: int = 0
    restarted: float | None = None
    may_repeat: range = range(0)
    why: str = ""
    deleted: range = range(0)
    missing: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    def events(self, kind) -> list:
        """Return what its lines tell of one kind, such as Received."""
        return [event for event in (parse(line.text) for line in self.lines) if isinstance(event, kind)]

    @property
    def lost(self) -> list[int]:
        """The offsets that it reported as LOST."""
        return [offset for lost in self.events(Lost) for offset in lost.offsets]

    @property
    def wait(self) -> float | None:
        """The seconds from a restart to the first message after it."""
        since = [line for line in self.lines if self.restarted and line.at >= self.restarted]
        return next((line.at - self.restarted for line in since if isinstance(parse(line.text), Received)), None)


def run_of(script, parts) -> Run:
    """Return all that a script printed in these Parts, as the judge takes it."""
    lines = [line.text for part in parts if part.script == script for line in part.lines]
    return Run(script, lines, script if script in CONSUMERS else None)


def account(parts, log) -> list[Part]:
    """Compare what was stored with what was printed.

    Args:
        parts: the Parts of all scripts, in the order of the steps.
        log: the topic's Log, as it is at the end.

    Returns:
        The consumers' parts, with what is missing and repeated.
    """
    for name in CONSUMERS:
        mine, passed = [part for part in parts if part.script == name], 0
        never = [message.offset for message in missing([run_of(name, mine)], log)]
        for part, again in zip(mine, repeated(run_of(name, [part]) for part in mine), strict=True):
            part.missing = [offset for offset in never if passed <= offset < part.committed]
            part.repeated = sorted(message.offset for message in again)
            passed = part.committed
    return [part for part in parts if part.script in CONSUMERS]


def sent_in(step, parts) -> int:
    """Return how many messages the producers sent in a step."""
    return sum(len(part.events(Sent)) for part in parts if part.step == step)


def faults(parts, log) -> list[str]:
    """Return what should not have happened, as sentences without a full stop; for arguments see `account`."""
    found = [str(anomaly) for anomaly in judge([run_of(name, parts) for name in PRODUCERS + CONSUMERS], log)]
    for part in account(parts, log):
        who = f"{part.script} in step {part.step}"
        if more := Counter(part.repeated) - Counter(part.may_repeat):
            found.append(f"{who} repeated {in_words(more)}")
        if part.lost != list(part.deleted):
            said, unread = (in_words(offsets) if offsets else "none" for offsets in (part.lost, part.deleted))
            found.append(f"{who} reported as LOST {said}, deleted unread were {unread}")
    return found


def verdict(parts, wrong) -> str:
    """Return what came out, in a sentence or two; `wrong` is what `faults` returned of these parts."""
    if wrong:
        return f"Verdict: FAILED: {'; '.join(wrong)}."
    lost, sent = sum(len(part.lost) for part in parts), sum(len(part.events(Sent)) for part in parts)
    but = f" but the {lost} deleted unread, which were reported as LOST" if lost else ""
    again = [f"{len(part.repeated)} that {part.script} read again ({part.why})" for part in parts if part.repeated]
    return (
        f"Verdict: no message went missing{but}. {sent} were sent and stored; each consumer received each once"
        f"{', except for ' if again else ''}{' and '.join(again)}."
    )
