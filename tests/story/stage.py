"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import subprocess
import sys

from evidence.history import Run
from evidence.lines import Line, Message
from evidence.snapshot import Group, LogOffsets
from machine.processes import now
from machine.waiting import wait_until
from real_kafka.client import Kafka
from running.scripts import Script
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
    """

    def __init__(self, broker, pace, tell, show):
        self.tell, self._show, self._broker = tell, show, broker
        self._pauses, self._interval = pace
        self.steps = []  # so far; the last one, `step`, is being played
        self.started = []  # all Scripts, in order; `scripts` are the latest by name
        self._told = {}  # {Script: how many of its lines are told}
        self.kafka = Kafka(broker.bootstrap_servers, timeout_ms=8000)
        self.kafka.create_topic(TOPIC)
        self.seen = self.kafka.snapshot(TOPIC, GROUPS.values())  # the latest Snapshot
        self.away = ""  # why there is no later one
        self._settled, self._uncommitted = 0.0, {}  # after Ctrl+Z: until when what may come again
        self._ended_by = None  # the exit status

    @property
    def step(self):
        return self.steps[-1]

    @property
    def scripts(self) -> dict[str, Script]:
        return {script.name: script for script in self.started}

    @property
    def offsets(self) -> LogOffsets:
        return self.seen.logs[0]

    def group(self, name) -> Group:
        return self.seen.group(GROUPS[name])

    def committed(self, name) -> int:
        return self.group(name).committed.get(0, 0)

    def lag(self, name) -> int:
        return self.offsets.lag(self.committed(name))

    def state(self, name) -> str:
        """Return what a script is doing, in words."""
        return STATES.get(self.scripts[name].process.poll(), "ended")

    def look(self):
        """See what Kafka has and what the scripts have printed, and show it; what is no message is told, too.

        A script that has ended by itself is an AssertionError, a signal for the demonstration a SystemExit.
        """
        if self._ended_by:
            raise SystemExit(self._ended_by)
        if not self.away:  # Kafka first: no offset is committed before its line is printed
            self.seen = self.kafka.snapshot(TOPIC, GROUPS.values(), patience=30)
        if now() < self._settled:
            self.step.may_repeat = {**self._uncommitted, **self.step.may_repeat}
        for script in self.started:
            new = script.output[self._told[script] :]
            self._told[script] += len(new)
            for line in new:
                if not isinstance(line.event, Message):
                    self.tell(f"    {line.text}")
            if script.process.poll() not in STATES:
                script.wait()
                raise AssertionError(f"{script.name} has ended: {script.text()[-200:]}")
        self._show(self)

    def say(self, note):
        """Tell what came of the step, and leave time to read it."""
        self.step.note = note
        self.tell(f"  {note}")
        self.pause(3 + len(note) / 40)

    def start(self, name) -> Script:
        """Start a script; the command stands above its lines, as in a terminal."""
        interval = str(self._interval)
        script = Script(name, self._broker.bootstrap_servers, before=self.seen, SEND_INTERVAL_SECONDS=interval)
        script.output.insert(0, Line(script.started, f"$ python {name}.py"))
        self._told[script] = 0
        self.started.append(script)
        return script

    def restart(self, name) -> tuple[Run, float]:
        """Start a consumer again, let it catch up; return what it prints, and the seconds until its first message."""
        end, script = self.offsets.end, self.start(name)
        self.until(f"{name} to go on", script.messages)
        first = next(line.at for line in script.output if isinstance(line.event, Message))
        self.until_read(name, end)
        return script.printed(), first - script.started

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
        for name, script in self.scripts.items():
            self.until(f"{name} to go on", lambda script=script: script.messages(since=began))

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset: all from there on may come again."""
        command = ["-m", "kafka.admin", "-b", self._broker.bootstrap_servers, "groups", "reset-offsets"]
        command += ["-g", GROUPS[name], "-p", f"{TOPIC}:0", "-s", "earliest"]
        self.tell(f"    $ python {' '.join(command)}")
        subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=60)
        self.look()
        self.step.may_repeat[name] = self.committed(name)

    def until(self, what, ask, wanted=bool):
        """Wait as `wait_until` does, with a look before each question."""

        def look_and_ask():
            self.look()
            return ask()

        wait_until(what, look_and_ask, wanted, every=0.2)

    def until_read(self, name, offset):
        """Wait until a consumer has committed this offset; raises as `until`."""
        self.until(f"{name} to commit offset {offset}", lambda: self.committed(name), lambda at: at >= offset)

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
