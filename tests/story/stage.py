"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import contextlib
import secrets
import subprocess
import sys
import time

from kafka.admin import MemberToRemove
from kafka.errors import CoordinatorNotAvailableError

from evidence.kafka_itself import Kafka
from evidence.lines import Message
from evidence.scripts import Script
from evidence.snapshot import Group, Snapshot
from machine.waiting import Overdue, wait_until
from story.account import CONSUMERS, SCRIPTS

RUNNING = "running"


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        bootstrap_servers: where Kafka listens.
        broker: the Broker there, running, for the demonstration alone; None if the Kafka is somebody else's: there
            it has a topic and groups of its own, which `close` deletes.
        pace: what the pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        tell: called with each line of the story.
        show: called with the stage, several times a second.

    Attributes:
        topic, groups: the topic's name; {consumer: its group}.
        states: {script: what it is doing, in words}.
        steps: the Steps so far; the last one, `step`, is being played.
        kafka: the Kafka; `seen` is the latest Snapshot of it, `away` tells that it is stopped.
    """

    def __init__(self, bootstrap_servers, broker, pace, tell, show):
        self.bootstrap_servers, self.broker, self.tell, self._show = bootstrap_servers, broker, tell, show
        self._pauses, self._interval = pace
        suffix = "" if broker else f"-demo-{secrets.token_hex(4)}"
        self.topic = f"stock-market{suffix}"
        self.groups = {"consumer1": f"stock-group1{suffix}", "consumer2": f"stock-group2{suffix}"}
        self.states = dict.fromkeys(SCRIPTS, "not started")
        self.steps = []
        self.kafka = Kafka(bootstrap_servers, timeout_ms=8000)
        self.seen, self.away = None, False
        self._scripts, self._taken = {}, {}  # {name: the latest Script}, {name: how many of its lines are taken}
        self._ended_by = None  # the exit status

    # What is told.

    @property
    def step(self):
        return self.steps[-1]

    def say(self, note):
        """Tell what came of the step, and leave time to read it."""
        self._take_lines()
        self.step.note = note
        self.tell(f"  {note}")
        self.pause(3 + len(note) / 40)

    def end_step(self):
        """Note where the groups stand, and tell it."""
        step, look = self.step, self.ask()
        step.committed = {name: look.groups[group].committed.get(0, 0) for name, group in self.groups.items()}
        step.end = look.logs[0].end
        self._take_lines()
        lags = (f"{name} committed {at}, lag {look.logs[0].lag(at)}" for name, at in step.committed.items())
        self.tell(f"  The log ends at offset {step.end}; {'; '.join(lags)}.")

    def _take_lines(self):
        """Keep what the scripts have printed, and tell what is no message."""
        for name, script in self._scripts.items():
            new = script.output[self._taken[name] :]
            self._taken[name] += len(new)
            self.step.lines[name] += new
            for line in new:
                if not isinstance(line.event, Message):
                    self.tell(f"    {line.text}")

    # The scripts.

    def start(self, name) -> Script:
        self._take_lines()  # of its run before
        settings = {"KAFKA_TOPIC": self.topic, "SEND_INTERVAL_SECONDS": str(self._interval)}
        if name in CONSUMERS:
            settings["KAFKA_GROUP_ID"] = self.groups[name]
        self._scripts[name] = Script(name, self.bootstrap_servers, **settings)
        self._taken[name] = 0
        self.states[name] = RUNNING
        return self._scripts[name]

    def restart(self, name) -> Script:
        """Start a consumer again and let it catch up; return its new run."""
        end, script = self.end(), self.start(name)
        self._await_first_message(name, script.started)
        self.until_read(name, end)
        return script

    def _await_first_message(self, name, since):
        """Wait for a consumer's first message since a moment; note how many seconds after it that came."""
        lines = self._scripts[name].output

        def arrived():
            return next((line.at for line in lines if line.at >= since and isinstance(line.event, Message)), None)

        self.step.waits[name] = self.until(f"{name} to go on", arrived) - since

    def interrupt(self, name):
        """Stop a script as Ctrl+C does."""
        self.states[name] = "stopped with Ctrl+C"
        self._scripts[name].interrupt()

    def kill(self, name):
        """End a script as kill -9 does."""
        self.states[name] = "killed with kill -9"
        self._scripts[name].kill()

    # Kafka.

    def ask(self) -> Snapshot:
        """Return what Kafka has now; one that is starting is asked again, for half a minute."""
        self.seen = self.kafka.snapshot(self.topic, self.groups.values(), patience=30)
        return self.seen

    def group(self, name) -> Group:
        return self.ask().group(self.groups[name])

    def committed(self, name) -> int:
        return self.group(name).committed.get(0, 0)

    def end(self) -> int:
        return self.ask().logs[0].end

    def stop_kafka(self):
        self.away = True
        self.broker.stop()

    def start_kafka(self) -> float:
        """Start Kafka again, wait until all consumers go on; return the seconds that Kafka took."""
        began = time.monotonic()
        self.broker.start(wait=False)
        self.until("Kafka to start", self.broker.is_ready)
        self.away, seconds = False, time.monotonic() - began
        for name in CONSUMERS:
            self._await_first_message(name, began)
        return seconds

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset."""
        command = f"kafka.admin -b {self.bootstrap_servers} groups reset-offsets -g {self.groups[name]}"
        command += f" -p {self.topic}:0 -s earliest"
        self.tell(f"    $ python -m {command}")
        subprocess.run([sys.executable, "-m", *command.split()], check=True, capture_output=True, timeout=60)

    # Waiting, and the end.

    def until(self, what, condition):
        """Return condition()'s first true value; meanwhile tell and show what happens.

        Raises:
            AssertionError: it is not true after a minute, or a script has ended by itself.
        """
        try:
            return wait_until(condition, every=0.2, pause=self._look)
        except Overdue:
            raise AssertionError(f"Waited a minute in vain for {what}.") from None

    def until_read(self, name, offset):
        """Wait until a consumer has committed this offset; raises as `until`."""
        self.until(f"{name} to read up to offset {offset}", lambda: self.committed(name) >= offset)

    def pause(self, seconds):
        """Leave time to read along."""
        end = time.monotonic() + seconds * self._pauses
        self.until("the time", lambda: time.monotonic() >= end)

    def _look(self, seconds):
        """Take the scripts' lines, notice a script that has ended by itself, show what Kafka has; then sleep.

        Raises:
            SystemExit: a signal ends the demonstration.
        """
        if self._ended_by:
            raise SystemExit(self._ended_by)
        self._take_lines()
        for name, script in self._scripts.items():
            if self.states[name] == RUNNING and script.has_ended():
                raise AssertionError(f"{name} ended by itself: {script.text()[-200:]}")
        if not self.away:
            self.ask()
        self._show(self)
        time.sleep(seconds)

    def end_soon(self, status):
        """Have the next look end the demonstration, since a signal asks for it."""
        self._ended_by = status

    def close(self) -> None:
        """End what runs; leave nothing in a Kafka that is somebody else's."""
        for script in self._scripts.values():
            script.kill()
        self.kafka.close()
        if not self.broker:
            with self.kafka.admin() as admin, contextlib.suppress(CoordinatorNotAvailableError):  # it has had no group
                admin.delete_topics([self.topic])
                for name, group in self.groups.items():  # Kafka deletes none that has a member
                    admin.remove_group_members(group, [MemberToRemove(group_instance_id=name)])
                admin.delete_groups(list(self.groups.values()))
