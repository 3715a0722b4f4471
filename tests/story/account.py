"""The account of a run: what Kafka stored, compared with what each consumer printed. Pure."""

from dataclasses import dataclass, field
from itertools import pairwise

from evidence.judge import Log, Run, in_words, judge, missing, repeated
from evidence.lines import Line, Lost, Received, Sent, parse

PRODUCERS, CONSUMERS = ("producer1", "producer2"), ("consumer1", "consumer2")
FOREVER = float("inf")


@dataclass(frozen=True)
class Repeats:
    """What a step lets a consumer print again.

    Attributes:
        offsets: those, and no others.
        why: a word for the table.
        all: each of them has to come again, as after a rewind; else they may.
    """

    offsets: range
    why: str
    all: bool = False


@dataclass
class Chapter:
    """What there is to know of a step that was played.

    Attributes:
        title: what the table calls it.
        began: in seconds of time.monotonic().
        end: the log's end when the step was over.
        committed: {consumer: its group's committed offset then}.
        restarts: {consumer: when it, or its Kafka, was started again}.
        repeats: {consumer: the Repeats that the step allows}.
        losses: {consumer: the offsets that Kafka deleted before it had read them}.
    """

    title: str
    began: float
    end: int = 0
    committed: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, float] = field(default_factory=dict)
    repeats: dict[str, Repeats] = field(default_factory=dict)
    losses: dict[str, range] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """One run of a script that is over: its printed lines, and whether it was killed."""

    lines: list[Line]
    killed: bool = False


@dataclass(frozen=True)
class Record:
    """All that the verdict is made of.

    Attributes:
        chapters: the steps in the order in which they were played.
        scripts: {name of a script: its runs, in order}.
        log: the topic's Log.
    """

    chapters: list[Chapter]
    scripts: dict[str, list[Past]]
    log: Log

    def lines(self, name) -> list[Line]:
        return [line for past in self.scripts[name] for line in past.lines]

    def by_chapter(self, name) -> list[list[Line]]:
        """Return, for each chapter, what a script printed while it lasted."""
        begins = [*(chapter.began for chapter in self.chapters), FOREVER]
        return [[line for line in self.lines(name) if begin <= line.at < end] for begin, end in pairwise(begins)]

    def runs(self, name) -> list[Run]:
        """Return a script's runs as the judge wants them."""
        group = name if name in CONSUMERS else None
        return [Run(name, [line.text for line in past.lines], group, past.killed) for past in self.scripts[name]]


@dataclass(frozen=True)
class Row:
    """What one consumer did in one step: `missing` and `repeated` are offsets, `wait` seconds."""

    step: int
    consumer: str
    sent: int
    received: int
    missing: list[int]
    repeated: list[int]
    lag: int
    wait: float | None


def account(record) -> list[Row]:
    """Compare, for each step and consumer, what was stored with what was printed.

    A message is missing from the step in which the committed offset passed it, though it was never
    printed. It is repeated in the step in which it was printed again.
    """
    sent = [0] * len(record.chapters)
    for name in PRODUCERS:
        for number, lines in enumerate(record.by_chapter(name)):
            sent[number] += len(events(lines, Sent))
    rows = [row for name in CONSUMERS for row in rows_of(record, name, sent)]
    return sorted(rows, key=lambda row: row.step)


def rows_of(record, name, sent) -> list[Row]:
    parts = record.by_chapter(name)
    again = repeated(Run(name, [line.text for line in lines], name) for lines in parts)
    left = [message.offset for message in missing(record.runs(name), record.log)]
    rows = []
    for number, (chapter, lines) in enumerate(zip(record.chapters, parts, strict=True)):
        passed = [offset for offset in left if offset < chapter.committed[name]]
        left = left[len(passed) :]
        rows.append(
            Row(
                step=number + 1,
                consumer=name,
                sent=sent[number],
                received=len(events(lines, Received)),
                missing=passed,
                repeated=sorted(message.offset for message in again[number]),
                lag=chapter.end - chapter.committed[name],
                wait=wait_for_first(lines, chapter.restarts.get(name)),
            )
        )
    return rows


def wait_for_first(lines, since) -> float | None:
    """Return the seconds from a restart to the first message after it."""
    if since is None:
        return None
    received = (line.at for line in lines if isinstance(parse(line.text), Received))
    return next((at - since for at in received if at >= since), None)


def events(lines, kind) -> list:
    """Return what these lines tell of one kind, such as Received."""
    return [event for event in (parse(line.text) for line in lines) if isinstance(event, kind)]


def faults(record, rows) -> list[str]:
    """Return what should not have happened, as sentences without a full stop."""
    runs = [run for name in record.scripts for run in record.runs(name)]
    found = [str(anomaly) for anomaly in judge(runs, record.log)]
    for row in rows:
        found += faults_of(record.chapters[row.step - 1], row)
    for row in rows[-len(CONSUMERS) :]:
        if row.lag:
            found.append(f"{row.consumer} ended {row.lag} offsets behind")
    for name in CONSUMERS:
        said = [offset for lost in events(record.lines(name), Lost) for offset in lost.offsets]
        if said != losses(record, name):
            found.append(
                f"deleted before {name} had read them were {words(losses(record, name))},"
                f" reported as LOST were {words(said)}"
            )
    return found


def faults_of(chapter, row) -> list[str]:
    where, found = f"{row.consumer} in step {row.step}", []
    lost = list(chapter.losses.get(row.consumer, ()))
    allowed = chapter.repeats.get(row.consumer, Repeats(range(0), ""))
    if row.missing != lost:
        found.append(f"{where} missed {words(row.missing)}, deleted were {words(lost)}")
    if more := [offset for offset in row.repeated if offset not in allowed.offsets]:
        found.append(f"{where} repeated {words(more)}")
    if allowed.all and row.repeated != list(allowed.offsets):
        again = len(set(row.repeated) & set(allowed.offsets))
        found.append(f"{where} read {again} of {len(allowed.offsets)} messages again")
    return found


def words(offsets) -> str:
    return in_words(offsets) if offsets else "none"


def losses(record, name) -> list[int]:
    """Return the offsets that were deleted before this consumer had read them."""
    return [offset for chapter in record.chapters for offset in chapter.losses.get(name, ())]


def verdict(record, rows, wrong) -> str:
    """Return what came out, in a sentence or two; `wrong` is what `faults` returned."""
    if wrong:
        return f"Verdict: FAILED: {'; '.join(wrong)}."
    lost = sum(len(losses(record, name)) for name in CONSUMERS)
    but = f" but the {lost} deleted unread, which were reported as LOST" if lost else ""
    sent = sum(row.sent for row in rows if row.consumer == CONSUMERS[0])
    return (
        f"Verdict: no message went missing{but}. {sent} were sent and stored; "
        f"each consumer received each once{exceptions(record, rows)}."
    )


def exceptions(record, rows) -> str:
    again = [
        f"{len(row.repeated)} that {row.consumer} read again"
        f" ({record.chapters[row.step - 1].repeats[row.consumer].why})"
        for row in rows
        if row.repeated
    ]
    return f", except for {' and '.join(again)}" if again else ""
