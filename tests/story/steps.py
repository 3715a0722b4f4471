"""The story: each step does with the stage what its docstring says, and tells what came of it.

A step is a function with @step. What is missing afterwards is a fault in the account, but for what Kafka has deleted
and the consumer reports as LOST; so is what was repeated, but for what was not committed when the stage killed the
consumer, stopped Kafka or had rewound the group.
"""

from evidence.lines import Lost, Resuming
from machine.processes import now
from story.account import CONSUMERS, PRODUCERS, SCRIPTS, Step
from story.stage import TOPIC

STEPS = []  # (a few words for the table, the function), in order


def step(title):
    """Make a function the story's next step; its docstring is the sentence that people read."""
    return lambda act: STEPS.append((title, act))


def play(stage) -> None:
    """Play all steps."""
    for number, (title, act) in enumerate(STEPS, 1):
        began = now()
        if stage.steps:
            stage.step.ended = began
        stage.steps.append(Step(number, title, act.__doc__, began))
        stage.tell(f"\nStep {number} of {len(STEPS)}. {act.__doc__}")
        act(stage)
        stage.look()
        stage.step.lags = {name: stage.lag(name) for name in CONSUMERS}


@step("both producers, both consumers")
def all_run(stage):
    """Two producers write to one topic; two consumers read all of it, each in its own group."""
    for name in SCRIPTS:
        stage.start(name)
    for name in CONSUMERS:
        stage.until_read(name, 5)
    stage.say(
        "Kafka keeps every message in the topic's log under a number, its offset. "
        "A group's committed offset is where it reads on."
    )


@step("Ctrl+C on consumer1")
def stop_one(stage):
    """Ctrl+C stops consumer1: messages pile up behind it, while consumer2 goes on."""
    stage.interrupt("consumer1")
    stage.say(f"It stopped at offset {stage.committed('consumer1')}: that is its group's committed offset.")
    stage.until("messages behind consumer1", lambda: stage.lag("consumer1"), lambda lag: lag >= 10)
    stage.say(
        "Its committed offset stays, and what comes now waits in the log: the lag grows. "
        "consumer2's group has a committed offset of its own and is not held up."
    )


@step("consumer1 started again")
def start_it_again(stage):
    """consumer1 is started again: it resumes at its group's committed offset and catches up."""
    at = stage.committed("consumer1")
    run, seconds = stage.restart("consumer1")
    resumed = run.of(Resuming)[0]
    stage.say(
        f"Stopped at {at}, resumed at {resumed.offset}, first message {run.messages[0].offset}, {seconds:.1f} s after "
        f"the start: nothing is skipped, nothing comes twice. {resumed.behind} messages waited then; it has read them."
    )


@step("kill -9 and started again")
def kill_it(stage):
    """kill -9 ends consumer1 without a goodbye; started again, it goes on at once."""
    stage.kill("consumer1")
    stage.say(f"Killed: its group had committed offset {stage.committed('consumer1')} by then.")
    run, seconds = stage.restart("consumer1")
    stage.say(
        f"It resumed at {run.of(Resuming)[0].offset}; its first message came after {seconds:.1f} s. "
        "An offset is committed after printing, never before, so a crash skips nothing."
    )


@step("Kafka stopped and started")
def restart_kafka(stage):
    """Kafka itself is stopped and started: messages and offsets are still there."""
    stage.restart_kafka()
    stage.say(
        "Kafka is back. The log and the committed offsets are on disk, so each consumer went on where its group "
        "had been. What the producers could not send they kept, and sent it then."
    )


@step("group rewound to the start")
def rewind(stage):
    """consumer1's group is rewound to the earliest offset: it reads everything again."""
    stage.interrupt("consumer1")
    before = stage.committed("consumer1")
    stage.say(
        "Kafka refuses to move the group's offset until the session of the stopped consumer is over, seven seconds "
        "after its last sign of life, for it might come back: the demonstration waits for that."
    )
    stage.until("the end of consumer1's session", lambda: stage.group("consumer1").members, ())
    stage.rewind("consumer1")
    at = stage.committed("consumer1")
    stage.say(f"The rewind has set its committed offset from {before} to {at}, and changed nothing else.")
    run, _ = stage.restart("consumer1")
    again = sum(message.offset < before for message in run.messages)
    stage.say(
        f"It resumed at {run.of(Resuming)[0].offset}, and {again} of {before - at} messages came again: reading "
        "deletes nothing, a group only remembers a place."
    )


@step("unread messages deleted")
def delete_unread(stage):
    """consumer1 is stopped, and Kafka deletes unread messages, as retention does: that is reported, not hidden."""
    stage.interrupt("consumer1")
    at = stage.committed("consumer1")
    stage.until("messages behind consumer1", lambda: stage.lag("consumer1"), lambda lag: lag >= 12)
    last = at + stage.lag("consumer1") * 2 // 3 - 1
    stage.until_read("consumer2", last + 1)
    stage.kafka.delete_before(TOPIC, last + 1)
    stage.say(f"Kafka has deleted all up to offset {last}. consumer1 had not read {at} to {last}.")
    run, _ = stage.restart("consumer1")
    for lost in run.of(Lost):
        stage.say(f"consumer1 says so: LOST: offsets {lost.first} to {lost.last}.")
    for name in PRODUCERS:  # here all ends, when everything is read
        stage.interrupt(name)
    end = stage.offsets.end
    for name in CONSUMERS:
        stage.until_read(name, end)
        stage.interrupt(name)
