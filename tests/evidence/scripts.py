"""The four scripts, run as a person runs them. Nothing here imports them: they are processes that print lines."""

import sys

from evidence.history import Run
from evidence.judge import assert_sound, missing
from evidence.lines import Message
from evidence.programs import Program
from local_kafka.files import ROOT


class Script(Program):
    """One of the four scripts, running.

    Args:
        name: "producer1", "producer2", "consumer1" or "consumer2".
        bootstrap_servers: its KAFKA_BOOTSTRAP_SERVERS.
        arguments: its command line.
        command: another program to run in its place, as a list.
        before: the Snapshot of Kafka before the start, for the judge.
        settings: as `Program` has them.

    Attributes:
        group: a consumer's group; None if it is none.
    """

    def __init__(self, name, bootstrap_servers, *arguments, command=None, before=None, **settings):
        command = command or [sys.executable, str(ROOT / f"{name}.py"), *arguments]
        super().__init__(name, command, KAFKA_BOOTSTRAP_SERVERS=bootstrap_servers, **settings)
        self.before = before
        self.group = settings.get("KAFKA_GROUP_ID", f"stock-group{name[-1]}") if name.startswith("consumer") else None

    def wait_for_messages(self, count, limit=60) -> list[Message]:
        """Return the messages it has sent or received when there are `count` of them; raises as `wait_until`."""
        self.wait_until(f"{count} messages", lambda: len(self.messages()), lambda number: number >= count, limit)
        return self.messages()

    def messages(self, since=0.0) -> list[Message]:
        """Return the messages it says it has sent or received, in the order of its lines; `since` as in `run`."""
        return self.run(since).messages

    def run(self, since=0.0) -> Run:
        """Return what it has printed, for the judge.

        Args:
            since: leave out what was printed before, in seconds of time.monotonic().
        """
        lines = [line for line in list(self.output) if line.event and line.at >= since]
        if not self.before or since:
            return Run(self.name, lines, self.group)
        ends = {partition: log.end for partition, log in self.before.logs.items()}
        return Run(self.name, lines, self.group, self.before.group(self.group).committed, ends)


def runs(scripts, since=0.0) -> list[Run]:
    """Return what these scripts have printed, for the judge; `since` as in `Script.run`."""
    return [script.run(since) for script in scripts]


def end_and_judge(scripts, kafka, topic, since=0.0, repeats=0) -> None:
    """Let the producers send some more and end, the consumers read to the end and end; judge what all have printed.

    Args:
        scripts: the running ones, producers and consumers, each consumer in a group of its own.
        kafka: the Kafka that has the topic.
        since: judge only what was printed from then on, in seconds of time.monotonic().
        repeats: as `assert_sound` has it.

    Raises:
        AssertionError: there is an anomaly, a script did not end cleanly, or printed an error.
    """
    producers = [script for script in scripts if script.group is None]
    consumers = [script for script in scripts if script.group is not None]
    for producer in producers:
        producer.wait_for_messages(len(producer.messages()) + 20)
        assert producer.interrupt() == 0, producer.text()
    log = kafka.whole_log(topic)
    for consumer in consumers:
        consumer.wait_until("all that was sent", lambda c=consumer: missing([c.run(since)], log), [])
        assert consumer.interrupt() == 0, consumer.text()
    assert_sound(runs(scripts, since), log, repeats)
    for script in scripts:
        assert not script.errors, script.text()
