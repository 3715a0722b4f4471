"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import subprocess
import sys

from evidence.judge import Run
from evidence.kafka_itself import Kafka
from evidence.lines import Line, Message
from evidence.scripts import Script
from evidence.snapshot import Group, PartitionLog
from machine.processes import now
from machine.waiting import Overdue, wait_until
from story.account import CONSUMERS, GROUPS

TOPIC = "stock-market"
STATES = {None: "running", 0: "stopped with Ctrl+C", -9: "killed with kill -9"}  # by a script's exit status


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
        scripts: {name: the latest Script}.
        steps: the Steps so far; the last one, `step`, is being played.
        kafka: for what is done to Kafka; `seen` is the latest Snapshot of it, `away` tells why there is no later one.
    """

    def __init__(self, broker, pace, tell, show):
        self.tell, self._show, self._broker = tell, show, broker
        self._pauses, self._interval = pace
        self.steps, self.scripts = [], {}
        self._taken = {}  # {name: how many of the latest Script's lines are taken}
        self.kafka = Kafka(broker.bootstrap_servers, timeout_ms=8000)
        self.kafka.create_topic(TOPIC)
        self.seen, self.away = self.kafka.snapshot(TOPIC, GROUPS.values()), ""
        self._settled, self._uncommitted = 0.0, {}  # after Ctrl+Z: until when what may come again
        self._ended_by = None  # the exit status

    @property
    def step(self):
        return self.steps[-1]

    @property
    def log(self) -> PartitionLog:
        return self.seen.logs[0]

    def group(self, name) -> Group:
        return self.seen.group(GROUPS[name])

    def committed(self, name) -> int:
        return self.group(name).committed.get(0, 0)

    def lag(self, name) -> int:
        return self.log.lag(self.committed(name))

    def state(self, name) -> str:
        """Return what a script is doing, in words."""
        return STATES.get(self.scripts[name].process.poll(), "ended")

    def look(self):
        """See what Kafka has and what the scripts have printed, and show it; what is no message is told, too.

        Raises:
            SystemExit: a signal ends the demonstration.
            AssertionError: a script has ended by itself, or with an error.
        """
        if self._ended_by:
            raise SystemExit(self._ended_by)
        if not self.away:  # Kafka first: no offset is committed before its line is printed
            self.seen = self.kafka.snapshot(TOPIC, GROUPS.values(), patience=30)
        if now() < self._settled:
            self.step.may_repeat = {**self._uncommitted, **self.step.may_repeat}
        for name, script in self.scripts.items():
            new = script.output[self._taken[name] :]
            self._taken[name] += len(new)
            self.step.lines[name] += new
            for line in new:
                if not isinstance(line.event, Message):
                    self.tell(f"    {line.text}")
            if script.process.poll() not in STATES:
                script.wait()
                raise AssertionError(f"{name} has ended: {script.text()[-200:]}")
        self._show(self)

    def say(self, note):
        """Tell what came of the step, and leave time to read it."""
        self.step.note = note
        self.tell(f"  {note}")
        self.pause(3 + len(note) / 40)

    def start(self, name) -> Script:
        """Start a script; the command stands among its lines, as in a terminal."""
        command = Line(now(), f"$ python {name}.py", None)
        self.step.lines[name].append(command)
        self.tell(f"    {command.text}")
        script = Script(name, self._broker.bootstrap_servers, SEND_INTERVAL_SECONDS=str(self._interval))
        self.scripts[name], self._taken[name] = script, 0
        return script

    def restart(self, name) -> tuple[Run, float]:
        """Start a consumer again, let it catch up; return what it prints, and the seconds until its first message."""
        end, script = self.log.end, self.start(name)
        self.until(f"{name} to go on", script.messages)
        first = next(line.at for line in script.output if isinstance(line.event, Message))
        self.until_read(name, end)
        return script.run(), first - script.started

    def interrupt(self, name):
        """Stop a script as Ctrl+C does."""
        self.scripts[name].interrupt()
        self.look()

    def kill(self, name):
        """End a consumer as kill -9 does: what it has not committed may come again."""
        self.scripts[name].kill()
        self.look()
        self.step.may_repeat[name] = self.committed(name)

    def restart_kafka(self):
        """Stop Kafka, start it again, and wait until all scripts go on: what was not committed may come again."""
        self.step.may_repeat = {name: self.committed(name) for name in CONSUMERS}
        self.away = "Kafka is away: its log as last seen"
        self._broker.stop()
        self.pause(5)
        self.away = "Kafka starts again: its log as last seen"
        began = now()
        self._broker.start(wait=False)
        self.until("Kafka to start", self._broker.is_ready)
        self.away = ""
        self.until("all to go on", lambda: all(script.messages(since=began) for script in self.scripts.values()))

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset: all from there on may come again."""
        command = ["-m", "kafka.admin", "-b", self._broker.bootstrap_servers, "groups", "reset-offsets"]
        command += ["-g", GROUPS[name], "-p", f"{TOPIC}:0", "-s", "earliest"]
        self.tell(f"    $ python {' '.join(command)}")
        subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=60)
        self.look()
        self.step.may_repeat[name] = self.committed(name)

    def until(self, what, condition):
        """Wait until condition() is true, with a look before each question; raise AssertionError after a minute."""

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
        end = now() + seconds * self._pauses
        self.until("the time", lambda: now() >= end)

    def resumed(self):
        """We and all that runs go on after Ctrl+Z: what was not committed may come again now, as after an outage."""
        self._settled, self._uncommitted = now() + 10, {name: self.committed(name) for name in CONSUMERS}

    def end_soon(self, status):
        """Have the next look end the demonstration, since a signal asks for it."""
        self._ended_by = status

    def close(self) -> None:
        """End what runs."""
        for script in self.scripts.values():
            script.kill()
        self.kafka.close()
