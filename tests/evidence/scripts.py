"""Running the scripts as a person does.

Nothing here imports the scripts: a `Script` is a process with an environment, whose printed lines are read back.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

from evidence.judge import Run, assert_sound, missing
from evidence.lines import Line, Message
from local_kafka.files import ROOT
from local_kafka.processes import catches, die_with_parent
from local_kafka.waiting import Overdue, wait_until


class Script:
    """One of the four scripts, running.

    Args:
        name: "producer1", "producer2", "consumer1" or "consumer2".
        bootstrap_servers: its KAFKA_BOOTSTRAP_SERVERS.
        arguments: its command line.
        command: another program to run instead, as a list.
        settings: more of its environment. Of our own environment it gets nothing that names Kafka or Python.

    Attributes:
        process: the subprocess.Popen.
        group: a consumer's group; None if it is none.
        started: when it was started, in seconds of time.monotonic().
        output, errors: what it has printed so far, as lists of Line.
    """

    def __init__(self, name, bootstrap_servers, *arguments, command=None, **settings):
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("KAFKA_", "PYTHON", "SEND_"))
        }
        self.name = name
        self.group = settings.get("KAFKA_GROUP_ID", "") if name.startswith("consumer") else None
        self.output, self.errors = [], []
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command or [sys.executable, str(ROOT / f"{name}.py"), *arguments],
            env={**inherited, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl+C in our terminal is for us; we pass on what it should get
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it only calls prctl
        )
        self._readers = [
            threading.Thread(target=_read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def wait_until(self, condition, limit=60):
        """Return condition()'s first true value.

        Raises:
            AssertionError: it is not true after `limit` seconds, or the script has ended; it shows what was printed.
        """

        def asked():
            has_ended = self.has_ended()  # asked first: its last lines may be what is waited for
            result = condition()
            if has_ended and not result:
                self._fail(f"ended with {self.process.returncode}")
            return result

        try:
            return wait_until(asked, limit, every=0.05)
        except Overdue:
            self._fail(f"waited {limit} s")

    def _fail(self, why):
        raise AssertionError(f"{self.name}: {why}, but it printed only\n{self.text()}") from None

    def has_ended(self) -> bool:
        """Tell whether it has ended and all its lines are read."""
        return self.process.poll() is not None and not any(r.is_alive() for r in self._readers)

    def wait_for(self, pattern, limit=60) -> Line:
        """Return the first line of the output that the regular expression is found in; raises as `wait_until`."""
        return self.wait_until(
            lambda: next((line for line in self.output if re.search(pattern, line.text)), None), limit
        )

    def wait_for_messages(self, count, limit=60) -> list[Message]:
        """Return the messages it has sent or received when there are `count` of them; raises as `wait_until`."""
        self.wait_until(lambda: len(self.messages()) >= count, limit)
        return self.messages()

    def messages(self, since=0.0) -> list[Message]:
        """Return the messages it says it has sent or received, in the order of its lines; `since` as in `run`."""
        return self.run(since).messages

    def run(self, since=0.0) -> Run:
        """Return what it has printed, for the judge.

        Args:
            since: leave out what was printed before, in seconds of time.monotonic().
        """
        lines = [line.text for line in list(self.output) if line.at >= since]
        return Run(self.name, lines, self.group, killed=self.process.poll() == -signal.SIGKILL)

    def text(self) -> str:
        return "\n".join(line.text for line in [*self.output, *self.errors])

    def send(self, number) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait_until_it_handles_signals(self) -> None:
        """Return when the script has set what Ctrl+C and SIGTERM do: before that, they end it at once. Linux alone."""
        wait_until(lambda: catches(self.process.pid, signal.SIGTERM), every=0.001)

    def wait(self, limit=60) -> int:
        """Return its exit status when it has ended and all its lines are read.

        Raises:
            AssertionError: it runs on after `limit` seconds.
        """
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {limit} s:\n{self.text()}") from None
        for reader in self._readers:
            reader.join(limit)
        return status

    def interrupt(self, limit=60) -> int:
        """Stop it as Ctrl+C does; return its exit status."""
        self.send(signal.SIGINT)
        return self.wait(limit)

    def kill(self) -> int:
        """Kill it, and what it has started, as kill -9 does; return its exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait()


def _read(stream, lines):
    with stream:
        for line in stream:
            lines.append(Line(time.monotonic(), line.decode("utf-8", "backslashreplace").rstrip("\r\n")))


def runs(scripts, since=0.0) -> list[Run]:
    """Return what these scripts have printed, for the judge; each start of one has a name of its own."""
    starts, found = Counter(), []
    for script in scripts:
        starts[script.name] += 1
        number = f" (start {starts[script.name]})" if starts[script.name] > 1 else ""
        found.append(replace(script.run(since), name=script.name + number))
    return found


def end_and_judge(scripts, kafka, topic, since=0.0, repeats=0) -> None:
    """Let the producers send some more and end, the consumers read to the end and end; judge what all have printed.

    Args:
        scripts: the running ones, producers and consumers, each consumer in a group of its own.
        kafka: the Kafka that has the topic.
        since: judge only what was printed from then on, in seconds of time.monotonic().
        repeats: how many messages each group may have printed again.

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
        consumer.wait_until(lambda consumer=consumer: not missing([consumer.run(since)], log))
        assert consumer.interrupt() == 0, consumer.text()
    assert_sound(runs(scripts, since), log, repeats)
    for script in scripts:
        assert not script.errors, script.text()
