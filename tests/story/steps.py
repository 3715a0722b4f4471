"""The demonstration: each step makes moves, as its docstring says, and tells what came of them.

A step is a generator with @step: it yields what to tell, and goes on when a person has had time to read it. What is
missing afterwards is a fault in the account, except for what Kafka has deleted and the consumer reports as LOST. So is
what was repeated, except for what was not committed when the step killed the consumer, stopped Kafka, or had rewound
the group.
"""

from evidence.history import Run
from evidence.lines import Lost, Message, Resuming
from machine.processes import now
from story import moves
from story.account import CONSUMERS, PRODUCERS, SCRIPTS, Step
from story.stage import ENDINGS, RUNNING

STEPS = []  # (a few words for the table, the function), in order


def step(title):
    """Make a function the next step of the story. Its docstring is the sentence that people read."""
    return lambda act: STEPS.append((title, act))


def play(stage) -> None:
    """Play all steps."""
    for number, (title, act) in enumerate(STEPS, 1):
        began = stage.step.ended if stage.steps else now()
        stage.steps.append(Step(number, title, act.__doc__, began))
        stage.tell(f"\nStep {number} of {len(STEPS)}. {act.__doc__}")
        for note in act(stage):
            stage.step.note = note
            stage.tell(f"  {note}")
            stage.pause(3 + len(note) / 30)
        stage.look()
        stage.step.ended = now()
        stage.step.lags = {name: stage.lag(name) for name in CONSUMERS}


def stop(stage, name) -> int:
    """Stop a script with Ctrl+C; return where its group reads on."""
    moves.interrupt(stage, name)
    stage.until(f"{name} to end", stage.scripts[name].has_ended)
    stage.look()
    return stage.committed(name) if name in CONSUMERS else 0


def restart(stage, name) -> tuple[Run, float]:
    """Start a consumer again, and let it catch up. Return what it prints, and the seconds until its first message."""
    end = stage.offsets.end
    moves.start(stage, name)
    script = stage.scripts[name]
    stage.until(f"{name} to go on", script.messages)
    first = next(line.at for line in script.output if isinstance(line.event, Message))
    until_read(stage, name, end)
    return script.printed(), first - script.started


def until_read(stage, name, offset) -> None:
    """Wait until a consumer's group has committed this offset."""
    stage.until(f"{name} to commit offset {offset}", lambda: stage.committed(name), lambda at: at >= offset)


def until_behind(stage, name, lag) -> None:
    stage.until(f"{lag} messages behind {name}", lambda: stage.lag(name), lambda now: now >= lag)


@step("both producers, both consumers")
def all_run(stage):
    """Two producers write to one topic; two consumers read all of it, each in its own group."""
    for name in SCRIPTS:
        moves.start(stage, name)
    for name in CONSUMERS:
        until_read(stage, name, 5)
    yield (
        "Kafka keeps every message in the topic's log under a number, its offset. "
        "A group's committed offset is the offset of the next message that it will read."
    )


@step("Ctrl+C on consumer1")
def stop_one(stage):
    """Ctrl+C stops consumer1. Messages pile up behind it, while consumer2 goes on."""
    at = stop(stage, "consumer1")
    yield f"It stopped at offset {at}: that is its group's committed offset."
    until_behind(stage, "consumer1", 10)
    yield (
        "Its committed offset stays, and new messages wait in the log: the lag grows. "
        "consumer2's group has a committed offset of its own, and is not held up."
    )


@step("consumer1 started again")
def start_it_again(stage):
    """consumer1 is started again: it resumes at its group's committed offset and catches up."""
    at = stage.committed("consumer1")
    run, seconds = restart(stage, "consumer1")
    resumed = run.of(Resuming)[0]
    yield (
        f"It stopped at {at} and resumed at {resumed.offset}. Its first message was {run.messages[0].offset}, "
        f"{seconds:.1f} s after the start. Nothing is skipped, nothing comes twice. {resumed.behind} had waited."
    )


@step("kill -9 and started again")
def kill_it(stage):
    """kill -9 ends consumer1 without a goodbye. Started again, it goes on at once."""
    moves.kill(stage, "consumer1")
    stage.look()
    at = stage.step.may_repeat["consumer1"] = stage.committed("consumer1")
    yield f"Killed. Its group's committed offset is {at}."
    run, seconds = restart(stage, "consumer1")
    yield (
        f"It resumed at {run.of(Resuming)[0].offset}; its first message came after {seconds:.1f} s. "
        "An offset is committed after printing, never before, so a crash skips nothing."
    )


@step("Kafka stopped and started")
def restart_kafka(stage):
    """Kafka itself is stopped and started again. Its messages and committed offsets are on disk."""
    stage.step.may_repeat = {name: stage.committed(name) for name in CONSUMERS}
    moves.stop_kafka(stage)
    stage.until("Kafka to stop", lambda: stage.kafka_is, ENDINGS[0])
    stage.pause(5)
    began = now()
    moves.start_kafka(stage)
    stage.until("Kafka to start", lambda: stage.kafka_is, RUNNING)
    for name, script in stage.scripts.items():
        stage.until(f"{name} to go on", lambda script=script: script.messages(since=began))
    yield (
        "Kafka is back, and each consumer went on where its group had been. "
        "The producers kept what they could not send, and sent it then."
    )


@step("group rewound to the start")
def rewind(stage):
    """consumer1's group is rewound to the earliest offset: it reads everything again."""
    before = stop(stage, "consumer1")
    yield (
        "Kafka moves no offset of a group that has a member, and a stopped consumer stays a member until its session "
        "is over. It could be waited for; here it is removed from its group."
    )
    moves.rewind(stage, "consumer1")
    stage.look()
    at = stage.step.may_repeat["consumer1"] = stage.committed("consumer1")
    yield f"The rewind has set its committed offset from {before} to {at}, and changed nothing else."
    run, _ = restart(stage, "consumer1")
    again = sum(message.offset < before for message in run.messages)
    yield (
        f"It resumed at {run.of(Resuming)[0].offset}, and {again} of {before - at} messages came again, because "
        "reading deletes nothing. A group only remembers its place."
    )


@step("unread messages deleted")
def delete_unread(stage):
    """consumer1 is stopped, and Kafka deletes unread messages, as retention does. consumer1 names them."""
    at = stop(stage, "consumer1")
    until_behind(stage, "consumer1", 12)
    last = at + stage.lag("consumer1") * 2 // 3 - 1
    until_read(stage, "consumer2", last + 1)
    moves.delete_messages(stage, last + 1)
    yield f"Kafka has deleted all up to offset {last}. consumer1 had not read {at} to {last}."
    run, _ = restart(stage, "consumer1")
    for lost in run.of(Lost):
        yield f"consumer1 says so: LOST: offsets {lost.first} to {lost.last}."
    for name in PRODUCERS:  # the end: the consumers read what is left
        stop(stage, name)
    end = stage.offsets.end
    for name in CONSUMERS:
        until_read(stage, name, end)
        stop(stage, name)
    yield "Both consumers have read everything that is left, and all four scripts are stopped."
