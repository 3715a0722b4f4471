"""The story: each step says what it is, does it with the stage, and tells what came of it.

A step is a function with @step. What it allows, it says itself: `stage.allow` what may be printed
again, `stage.expect_loss` what must be reported as LOST. All else is a fault in the account.
"""

from collections.abc import Callable
from dataclasses import dataclass

from evidence.lines import Lost, Placed
from story.account import CONSUMERS, Repeats
from story.stage import said

STEPS = []


@dataclass(frozen=True)
class Step:
    """One step of the story.

    Attributes:
        title: a few words, for the table.
        sentence: what happens now.
        act: does it, with the Stage, and tells what came of it.
        own_kafka: it stops Kafka: not one that is somebody else's.
        filmed: it is in the README's picture.
        still: the picture stands still at its end, for readers who ask for less motion.
    """

    title: str
    sentence: str
    act: Callable
    own_kafka: bool = False
    filmed: bool = False
    still: bool = False


def step(title, sentence, **more):
    """Make a function the story's next step."""

    def add(act):
        STEPS.append(Step(title, sentence, act, **more))
        return act

    return add


def play(stage, camera=None) -> None:
    """Play all steps; `camera`, if there is one, films those that belong into the picture."""
    stage.open()
    for number, now in enumerate(STEPS, 1):
        stage.begin(now.title, now.sentence)
        stage.tell(f"\nStep {number} of {len(STEPS)}. {now.sentence}")
        if camera:
            camera.rolls = now.filmed
        if now.own_kafka and not stage.broker:
            stage.say("Left out: this Kafka is not the demonstration's own to stop.")
            stage.pause(2)
        else:
            now.act(stage)
        if camera and now.still:
            camera.film.mark_still()
        if number == len(STEPS):
            stage.finish()
        stage.end_step()


@step(
    "both producers, both consumers",
    "Two producers write to one topic; two consumers read all of it, each in its own group.",
    filmed=True,
)
def all_run(stage):
    for name in stage.scripts:
        stage.start(name)
    for name in CONSUMERS:
        script = stage.scripts[name][-1]
        stage.until(f"{name}'s first messages", lambda script=script: len(script.messages()) >= 5)
    stage.say(
        "Kafka keeps every message in the topic's log under a number, its offset. "
        "A group's committed offset is where it reads on."
    )
    stage.pause(5)


@step(
    "Ctrl+C on consumer1",
    "Ctrl+C stops consumer1: messages pile up behind it, while consumer2 goes on.",
    filmed=True,
    still=True,
)
def stop_one(stage):
    at = stage.interrupt("consumer1")
    stage.say(f"It stopped at offset {at}: that is its group's committed offset.")
    stage.until("messages behind consumer1", lambda: stage.end() >= at + 10, every=0.1)
    stage.pause(3)
    stage.say(
        f"{stage.end() - at} messages wait in the log for consumer1; its committed offset stays "
        f"{at}. consumer2's group has its own and is not held up."
    )
    stage.pause(5)


@step(
    "consumer1 started again",
    "consumer1 is started again: it resumes at its group's committed offset and catches up.",
    filmed=True,
)
def start_it_again(stage):
    at = stage.committed("consumer1")
    stage.pause(2)
    script = stage.restart("consumer1")
    seconds = stage.wait_until_caught_up(script)
    first, behind = script.messages()[0].offset, said(script, Placed)[0].behind
    stage.say(
        f"Stopped at {at}, first message after the restart: {first}. Lag {behind} → 0 in "
        f"{seconds:.1f} s: nothing is skipped, nothing comes twice."
    )
    stage.pause(6)


@step(
    "kill -9 and started again",
    "kill -9 ends consumer1 without a goodbye; started again, it goes on at once.",
    filmed=True,
)
def kill_it(stage):
    in_flight = stage.kill("consumer1")
    stage.allow("consumer1", Repeats(in_flight, "in flight"))
    stage.say(f"Killed. Its committed offset is {in_flight.start}.")
    stage.pause(3)
    script = stage.restart("consumer1")
    stage.say(
        f"After {script.first_message_after():.1f} s it went on at {script.messages()[0].offset}: "
        "committed after printing, never before, so a crash skips nothing."
    )
    stage.pause(5)


@step(
    "Kafka stopped and started",
    "Kafka itself is stopped and started: messages and offsets are still there.",
    own_kafka=True,
)
def stop_kafka(stage):
    before = stage.end()
    stage.stop_kafka()
    stage.pause(3)
    seconds = stage.start_kafka()
    stage.say(
        f"Kafka was back after {seconds:.1f} s. The log ended at offset {before} before and at "
        f"{stage.end()} after: log and committed offsets are on disk. What the producers could "
        "not send they kept, and sent it now."
    )
    stage.pause(5)


@step(
    "group rewound to the start",
    "consumer1's group is rewound to the earliest offset: it reads everything again.",
)
def rewind(stage):
    before = stage.interrupt("consumer1")
    stage.say(
        "Kafka waits until the session of the stopped consumer is over, seven seconds, before "
        "it lets anyone move the group's offset: the consumer might come back."
    )
    stage.wait_for_end_of_session("consumer1")
    at = stage.rewind("consumer1")
    stage.allow("consumer1", Repeats(range(at, before), "rewound", all=True))
    stage.say(f"Its committed offset was {before} and is {at} now: that is all that has changed.")
    stage.pause(3)
    stage.wait_until_caught_up(stage.restart("consumer1"))
    stage.say(
        f"From {before} back to {at}, and all {before - at} messages came again: reading deletes "
        "nothing, a group only remembers a place."
    )
    stage.pause(5)


@step(
    "unread messages deleted",
    "consumer1 is stopped, and Kafka deletes unread messages, as retention does: that is reported, not hidden.",
)
def delete_unread(stage):
    at = stage.interrupt("consumer1")
    stage.until("messages behind consumer1", lambda: stage.end() >= at + 12, every=0.1)
    stage.pause(3)
    cutoff = at + (stage.end() - at) * 2 // 3
    stage.until("consumer2 to have read them", lambda: stage.committed("consumer2") >= cutoff, every=0.1)
    stage.delete_before(cutoff)
    stage.expect_loss("consumer1", range(at, cutoff))
    stage.say(f"Deleted: all below {cutoff}. consumer1 had not read {at} to {cutoff - 1}.")
    stage.pause(3)
    script = stage.restart("consumer1")
    stage.wait_until_caught_up(script)
    for lost in said(script, Lost):
        stage.say(f"consumer1 says so: LOST: offsets {lost.first} to {lost.last}.")
    stage.pause(5)
