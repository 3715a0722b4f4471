"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import contextlib
import secrets
import subprocess
import sys
import time

from kafka.admin import MemberToRemove
from kafka.errors import CoordinatorNotAvailableError

from evidence.judge import Run
from evidence.kafka_itself import Kafka
from evidence.lines import Line, Message
from evidence.scripts import Script
from evidence.snapshot import Group
from machine.waiting import Overdue, wait_until
from story.account import CONSUMERS, SCRIPTS

RUNNING = "running"


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    What its methods and attributes tell of Kafka is of one moment: that of the latest `look`. Whatever waits looks
    several times a second, and what stops a script looks when it has ended.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        bootstrap_servers: where Kafka listens.
        broker: the Broker there, running, for the demonstration alone; None if the Kafka is somebody else's: there
            it has a topic and groups of its own, which `close` deletes.
        pace: what the pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        tell: called with each line of the story.
        show: called with the stage at each look.

    Attributes:
        topic, groups: the topic's name; {consumer: its group}.
        states: {script: what it is doing, in words}.
        steps: the Steps so far; the last one, `step`, is being played.
        kafka: for what is done to Kafka; `seen` is the latest Snapshot of it, `away` tells why there is no later one.
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
        return self.seen.group(self.groups[name])

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
            self.seen = self.kafka.snapshot(self.topic, self.groups.values(), patience=30)
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

    def end_step(self):
        """Note where the groups stand, and tell it."""
        self.look()
        self.step.committed = {name: self.committed(name) for name in CONSUMERS}
        self.step.end = self.end
        lags = (f"{name} committed {self.committed(name)}, lag {self.lag(name)}" for name in CONSUMERS)
        self.tell(f"  The log ends at offset {self.end}; {'; '.join(lags)}.")

    # What is done with the scripts.

    def start(self, name) -> Script:
        """Start a script; the command stands among its lines, as in a terminal."""
        settings = {"KAFKA_TOPIC": self.topic, "SEND_INTERVAL_SECONDS": str(self._interval)}
        if name in CONSUMERS:
            settings["KAFKA_GROUP_ID"] = self.groups[name]
        command = Line(time.monotonic(), f"$ python {name}.py", None)
        self.step.lines[name].append(command)
        self.tell(f"    {command.text}")
        self._scripts[name] = Script(name, self.bootstrap_servers, **settings)
        self._taken[name], self.states[name] = 0, RUNNING
        return self._scripts[name]

    def restart(self, name) -> Run:
        """Start a consumer again and let it catch up with what is there now; return what it has printed then."""
        end, script = self.end, self.start(name)
        self._await_message(name, script.started)
        self.until_read(name, end)
        return script.run()

    def _await_message(self, name, since):
        """Wait for a script's first message since a moment; note how many seconds after it that came."""
        lines = self._scripts[name].output

        def arrived():
            return next((line.at for line in lines if line.at >= since and isinstance(line.event, Message)), None)

        self.step.waits[name] = self.until(f"{name} to go on", arrived) - since

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
        self.away = "Kafka is stopped: its log as last seen"
        self.broker.stop()

    def start_kafka(self) -> float:
        """Start Kafka again, wait until all scripts go on; return the seconds that Kafka took."""
        began, self.away = time.monotonic(), "Kafka starts: its log as last seen"
        self.broker.start(wait=False)
        self.until("Kafka to start", self.broker.is_ready)
        self.away, seconds = "", time.monotonic() - began
        for name in SCRIPTS:
            self._await_message(name, began)
        return seconds

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset."""
        command = f"kafka.admin -b {self.bootstrap_servers} groups reset-offsets -g {self.groups[name]}"
        command += f" -p {self.topic}:0 -s earliest"
        self.tell(f"    $ python -m {command}")
        subprocess.run([sys.executable, "-m", *command.split()], check=True, capture_output=True, timeout=60)
        self.look()

    # Waiting, and the end.

    def until(self, what, condition):
        """Return condition()'s first true value; look before each question.

        Raises:
            AssertionError: it is not true after a minute.
        """

        def asked():
            self.look()
            return condition()

        try:
            return wait_until(asked, every=0.2)
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
