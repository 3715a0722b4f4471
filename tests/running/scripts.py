"""The four scripts, run as a person runs them. Nothing here imports them: they are processes that print lines."""

import sys

from evidence.history import Run
from evidence.judge import assert_sound, missing
from evidence.lines import Message
from real_kafka.files import ROOT
from running.programs import Program


class Script(Program):
    """One of the four scripts, running.

    Args:
        name: "producer1", "producer2", "consumer1" or "consumer2".
        arguments: its command line.
        command: another program to run in its place, as a list.
        before: the Snapshot of Kafka before the start, for the judge.
        settings: as `Program` has them.
    """

    def __init__(self, name, bootstrap_servers, *arguments, command=None, before=None, **settings):
        command = command or [sys.executable, str(ROOT / f"{name}.py"), *arguments]
        super().__init__(name, command, KAFKA_BOOTSTRAP_SERVERS=bootstrap_servers, **settings)
        self.before = before
        self.group = settings.get("KAFKA_GROUP_ID", f"stock-group{name[-1]}") if name.startswith("consumer") else None

    def wait_for_messages(self, count, limit=60) -> list[Message]:
        """Return `messages` when there are `count` of them; raises as `wait_until`."""
        self.until(f"{count} messages", lambda: len(self.messages()), lambda number: number >= count, limit)
        return self.messages()

    def messages(self, since=0.0) -> list[Message]:
        """Return the messages that it says it has sent or received; `since` as in `run`."""
        return self.printed(since).messages

    def printed(self, since=0.0) -> Run:
        """Return what it has printed, for the judge; only what was printed `since`, in seconds of time.monotonic()."""
        lines = [line for line in list(self.output) if line.event and line.at >= since]
        if not self.before or since:
            return Run(self.name, lines, self.group)
        return Run(self.name, lines, self.group, self.before.group(self.group).committed, self.before.logs)


def printed_by(scripts, since=0.0) -> list[Run]:
    """Return what each of these scripts has printed, as `Script.run` does."""
    return [script.printed(since) for script in scripts]


def end_and_judge(scripts, kafka, topic, since=0.0, repeats=0) -> None:
    """Let the producers send some more and end, the consumers read to the end and end; judge what all have printed.

    Each consumer has a group of its own. No script may print an error. `since` is as in `Script.run`, `repeats` as in
    `assert_sound`.
    """
    producers = [script for script in scripts if script.group is None]
    consumers = [script for script in scripts if script.group is not None]
    for producer in producers:
        producer.wait_for_messages(len(producer.messages()) + 20)
        assert producer.interrupt() == 0, producer.text()
    log = kafka.log(topic)
    for consumer in consumers:
        consumer.until("all that was sent", lambda c=consumer: missing([c.printed(since)], log), [])
        assert consumer.interrupt() == 0, consumer.text()
    assert_sound(printed_by(scripts, since), log, repeats)
    for script in scripts:
        assert not script.errors, script.text()
