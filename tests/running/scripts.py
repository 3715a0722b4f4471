"""Run the four scripts as a person does. Nothing here imports them: they are processes that print lines."""

import signal
import sys

from evidence.history import Run
from evidence.judge import assert_sound, missing
from evidence.lines import Message
from real_kafka.files import ROOT
from running.programs import Program


class Script(Program):
    """One of the four scripts, running; its name is "producer1", "producer2", "consumer1" or "consumer2".

    The arguments are the rest of its command line. A command, a list, runs in its place. The settings are as for
    `Program`. `before` is the Snapshot of Kafka just before the start, for the judge.
    """

    def __init__(self, name, bootstrap_servers, *arguments, command=None, before=None, **settings):
        command = command or [sys.executable, str(ROOT / f"{name}.py"), *arguments]
        super().__init__(name, command, KAFKA_BOOTSTRAP_SERVERS=bootstrap_servers, **settings)
        self.before = before
        self.group = settings.get("KAFKA_GROUP_ID", f"stock-group{name[-1]}") if name.startswith("consumer") else None

    def wait_for_messages(self, count, limit=60) -> list[Message]:
        """Return `messages` when there are at least `count`; fail as `until`."""
        return self.until(f"{count} messages", self.messages, lambda messages: len(messages) >= count, limit)

    def messages(self, since=0.0) -> list[Message]:
        """Return the messages that it says it sent or received; `since` as for `printed`."""
        return self.printed(since).messages

    def printed(self, since=0.0) -> Run:
        """Return what it has printed, for the judge; only lines read at `since` or later, in seconds of `now`."""
        lines = [line for line in list(self.output) if line.event and line.at >= since]
        has_open_tick = self.process.poll() == -signal.SIGKILL or "has not acknowledged this tick" in self.text()
        return Run(self.name, lines, self.group, None if since else self.before, has_open_tick)


def printed_by(scripts, since=0.0) -> list[Run]:
    """Return what each of these scripts has printed, as `Script.printed` does."""
    return [script.printed(since) for script in scripts]


def end_and_judge(scripts, kafka, topic, since=0.0, repeats=0) -> None:
    """Let the producers send 20 more each and end, let the consumers read everything and end, and judge all lines.

    Each consumer must have a group of its own, and no script may print an error. `since` is as for `Script.printed`,
    `repeats` as for `assert_sound`.
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
