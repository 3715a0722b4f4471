"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import functools
import subprocess
import sys
import time

from evidence.judge import Run
from evidence.kafka_itself import Kafka
from evidence.lines import Line, Message
from evidence.scripts import Script
from evidence.snapshot import Group
from machine.waiting import Overdue, wait_until
from story.account import GROUPS, SCRIPTS

TOPIC, RUNNING = "stock-market", "running"


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    What its methods and attributes tell of Kafka is of one moment: that of the latest `look`. Whatever waits looks
    several times a second, and what stops a script looks when it has ended.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        broker: a Broker, running, for the demonstration alone.
        pace: what the pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        tell: called with each line of the story.
        show: called with the stage at each look.

    Attributes:
        states: {script: what it is doing, in words}.
        steps: the Steps so far; the last one, `step`, is being played.
        kafka: for what is done to Kafka; `seen` is the latest Snapshot of it, `away` tells why there is no later one.
    """

    def __init__(self, broker, pace, tell, show):
        self.tell, self._show, self._broker = tell, show, broker
        self._pauses, self._interval = pace
        self.states = dict.fromkeys(SCRIPTS, "not started")
        self.steps = []
        self.kafka = Kafka(broker.bootstrap_servers, timeout_ms=8000)
        self.kafka.create_topic(TOPIC)
        self.seen, self.away = None, ""
        self._scripts, self._taken = {}, {}  # {name: the latest Script}, {name: how many of its lines are taken}
        self._ended_by = None  # the exit status

    # What there is to see.

    @property
    def step(self):
        return self.steps[-1]

    @property
    def end(self) -> int:
        """The offset that the log's next message gets."""
        return self.seen.logs[0].end

    def group(self, name) -> Group:
        return self.seen.group(GROUPS[name])

    def committed(self, name) -> int:
        return self.group(name).committed.get(0, 0)

    def lag(self, name) -> int:
        return self.seen.logs[0].lag(self.committed(name))

    def look(self):
        """See what Kafka has and what the scripts have printed, and show it.

        Raises:
            SystemExit: a signal ends the demonstration.
            AssertionError: a script has ended by itself.
        """
        if self._ended_by:
            raise SystemExit(self._ended_by)
        if not self.away:  # Kafka first: no offset is committed before its line is printed
            self.seen = self.kafka.snapshot(TOPIC, GROUPS.values(), patience=30)
        for name, script in self._scripts.items():
            has_ended = script.has_ended()  # asked first: then all its lines are taken
            self._take_lines(name)
            if has_ended and self.states[name] == RUNNING:
                raise AssertionError(f"{name} ended by itself: {script.text()[-200:]}")
        self._show(self)

    def _take_lines(self, name):
        """Keep what a script has printed, and tell what is no message."""
        new = self._scripts[name].output[self._taken[name] :]
        self._taken[name] += len(new)
        self.step.lines[name] += new
        for line in new:
            if not isinstance(line.event, Message):
                self.tell(f"    {line.text}")

    # What is told.

    def say(self, note):
        """Tell what came of the step, and leave time to read it."""
        self.step.note = note
        self.tell(f"  {note}")
        self.pause(3 + len(note) / 40)

    # What is done with the scripts.

    def start(self, name) -> Script:
        """Start a script; the command stands among its lines, as in a terminal."""
        command = Line(time.monotonic(), f"$ python {name}.py", None)
        self.step.lines[name].append(command)
        self.tell(f"    {command.text}")
        servers, interval = self._broker.bootstrap_servers, str(self._interval)
        self._scripts[name] = Script(name, servers, SEND_INTERVAL_SECONDS=interval)
        self._taken[name], self.states[name] = 0, RUNNING
        return self._scripts[name]

    def restart(self, name) -> tuple[Run, float]:
        """Start a consumer again and let it catch up with what is there now.

        Returns:
            What it has printed then, and the seconds from its start to its first message.
        """
        end, script = self.end, self.start(name)
        self.until(f"{name} to go on", script.messages)
        first = next(line.at for line in script.output if isinstance(line.event, Message))
        self.until_read(name, end)
        return script.run(), first - script.started

    def interrupt(self, name):
        """Stop a script as Ctrl+C does."""
        self._scripts[name].interrupt()
        self.states[name] = "stopped with Ctrl+C"
        self.look()

    def kill(self, name):
        """End a script as kill -9 does."""
        self._scripts[name].kill()
        self.states[name] = "killed with kill -9"
        self.look()

    # What is done with Kafka.

    def stop_kafka(self):
        self.away = "Kafka is away: its log as last seen"
        self._broker.stop()

    def start_kafka(self):
        """Start Kafka again, and wait until all scripts go on."""
        began = time.monotonic()
        self._broker.start(wait=False)
        self.until("Kafka to start", self._broker.is_ready)
        self.away = ""
        for name, script in self._scripts.items():
            self.until(f"{name} to go on", functools.partial(script.messages, since=began))

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset."""
        command = ["-m", "kafka.admin", "-b", self._broker.bootstrap_servers, "groups", "reset-offsets"]
        command += ["-g", GROUPS[name], "-p", f"{TOPIC}:0", "-s", "earliest"]
        self.tell(f"    $ python {' '.join(command)}")
        subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=60)
        self.look()

    # Waiting, and the end.

    def until(self, what, condition):
        """Wait until condition() is true; look before each question.

        Raises:
            AssertionError: it is not true after a minute.
        """

        def asked():
            self.look()
            return condition()

        try:
            wait_until(asked, every=0.2)
        except Overdue:
            raise AssertionError(f"Waited a minute in vain for {what}.") from None

    def until_read(self, name, offset):
        """Wait until a consumer has committed this offset; raises as `until`."""
        self.until(f"{name} to read up to offset {offset}", lambda: self.committed(name) >= offset)

    def pause(self, seconds):
        """Leave time to read along."""
        end = time.monotonic() + seconds * self._pauses
        self.until("the time", lambda: time.monotonic() >= end)

    def end_soon(self, status):
        """Have the next look end the demonstration, since a signal asks for it."""
        self._ended_by = status

    def close(self) -> None:
        """End what runs."""
        for script in self._scripts.values():
            script.kill()
        self.kafka.close()
