"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import contextlib
import secrets
import signal
import subprocess
import sys
import time

from kafka.admin import MemberToRemove
from kafka.errors import CoordinatorNotAvailableError, KafkaError

from evidence.judge import Log
from evidence.kafka_itself import Kafka, ask_again
from evidence.lines import MESSAGE, Line
from evidence.scripts import Script
from local_kafka.processes import on_ending
from local_kafka.waiting import Overdue, wait_until
from sight.look import GroupLook, Look
from sight.observer import Observer
from story.account import CONSUMERS, PRODUCERS, Part

RUNNING = "running"


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        bootstrap_servers: where Kafka listens.
        broker: the Broker there, running, for the demonstration alone; None if the Kafka is somebody else's: there
            it has a topic and groups of its own, which `close` deletes.
        pace: what the pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        display: has each line of the story told, and the stage shown several times a second.

    Attributes:
        topic, groups: the topic's name; {consumer: its group}.
        scripts: {name: its runs so far, as Script}.
        states: {name: what it is doing, in words}.
        number, heading, sentence, note: of the step that is played, and what is told of it now.
        parts: the Part of each script in each step so far; those of this step are {name: Part} in `now`.
        seen: the latest Look at Kafka.
        away: Kafka is stopped.
        ending: the number of the signal that ends the demonstration, or None.
    """

    def __init__(self, bootstrap_servers, broker, pace, display):
        self.bootstrap_servers, self.broker, self.display = bootstrap_servers, broker, display
        self.pauses, self.interval = pace
        suffix = "" if broker else f"-demo-{secrets.token_hex(4)}"
        self.topic = f"stock-market{suffix}"
        self.groups = {"consumer1": f"stock-group1{suffix}", "consumer2": f"stock-group2{suffix}"}
        self.scripts = {name: [] for name in (*PRODUCERS, *CONSUMERS)}
        self.states = dict.fromkeys(self.scripts, "not started")
        self.number, self.heading, self.sentence, self.note = 0, "", "", ""
        self.parts, self.now = [], {}
        self.kafka = Kafka(bootstrap_servers, timeout_ms=8000)
        self._observer = Observer(bootstrap_servers, self.topic, self.groups.values())
        self.seen, self.away, self.ending = None, False, None
        self._deleted = []

    # What is told, and what a step allows.

    def begin(self, step, number, count):
        """Begin a step, of so many: from now on all that happens belongs to it."""
        self.number, self.heading = number, f"Step {number} of {count}: {step.title}"
        self.sentence, self.note = step.sentence, ""
        self.now = {name: Part(number, step.title, name) for name in self.scripts}
        self.parts += self.now.values()
        self.display.tell(f"\nStep {number} of {count}. {step.sentence}")

    def say(self, note):
        self.take_lines()
        self.note = note
        self.display.tell(f"  {note}")

    def allow(self, name, at, why):
        """Let a consumer print again in this step what it has printed from an offset on; `why` is for the table."""
        end = self.scripts[name][-1].messages()[-1].offset + 1
        self.now[name].may_repeat, self.now[name].why = range(at, end), why

    def end_step(self):
        """Keep what each script has printed and where the groups stand, and tell it."""
        committed, end = {name: self.committed(name) for name in CONSUMERS}, self.end()  # so that no lag is negative
        self.take_lines()
        for name, at in committed.items():
            self.now[name].committed, self.now[name].end = at, end
        lags = (f"{name} committed {at}, lag {end - at}" for name, at in committed.items())
        self.display.tell(f"  The log ends at offset {end}; {'; '.join(lags)}.")

    # The scripts.

    def start(self, name) -> Script:
        settings = {"KAFKA_TOPIC": self.topic, "SEND_INTERVAL_SECONDS": str(self.interval)}
        if name in CONSUMERS:
            settings["KAFKA_GROUP_ID"] = self.groups[name]
        script = Script(name, self.bootstrap_servers, **settings)
        self.scripts[name].append(script)
        self.states[name] = RUNNING
        return script

    def restart(self, name) -> tuple[int, float]:
        """Start a consumer again, let it catch up; return its first message's offset, and after how many seconds."""
        end, script = self.end(), self.start(name)
        wait = self.first_message(name, script.started)
        self.until(f"{name} to catch up", lambda: self.committed(name) >= end)
        return script.messages()[0].offset, wait

    def first_message(self, name, since) -> float:
        """Wait for a consumer's first message since a moment; return how many seconds after it that came."""
        lines = self.scripts[name][-1].output

        def arrived():
            return next((line.at for line in lines if line.at >= since and MESSAGE.fullmatch(line.text)), None)

        self.now[name].wait = self.until(f"{name} to go on", arrived) - since
        return self.now[name].wait

    def interrupt(self, name):
        """Stop a script as Ctrl+C does."""
        self.states[name] = "stopped with Ctrl+C"
        self.scripts[name][-1].interrupt()

    def kill(self, name):
        """End a script as kill -9 does."""
        self.states[name] = "killed with kill -9"
        self.scripts[name][-1].kill()

    # Kafka.

    def ask(self) -> Look:
        """Return what Kafka has now; one that is starting is asked again, for half a minute."""
        self.seen = ask_again(self._observer.look, KafkaError, 30)
        return self.seen

    def group(self, name) -> GroupLook:
        return self.ask().groups.get(self.groups[name], GroupLook("Dead"))

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
            self.first_message(name, began)
        return seconds

    def rewind(self, name):
        """Set a consumer's group back to the earliest offset."""
        command = f"kafka.admin -b {self.bootstrap_servers} groups reset-offsets -g {self.groups[name]}"
        command += f" -p {self.topic}:0 -s earliest"
        self.display.tell(f"    $ python -m {command}")
        subprocess.run([sys.executable, "-m", *command.split()], check=True, capture_output=True, timeout=60)

    def delete_before(self, offset):
        """Delete what is below an offset, as retention does; the account still knows it."""
        self._deleted = self.kafka.log(self.topic)
        self.kafka.delete_before(self.topic, offset)

    # Waiting.

    def until(self, what, condition):
        """Return condition()'s first true value; meanwhile tell and show what happens.

        Raises:
            AssertionError: it is not true after a minute, or a script has ended by itself.
        """
        try:
            return wait_until(condition, every=0.2, pause=self.look)
        except Overdue:
            raise AssertionError(f"Waited a minute in vain for {what}.") from None

    def pause(self, seconds):
        """Leave time to read along."""
        end = time.monotonic() + seconds * self.pauses
        self.until("the time", lambda: time.monotonic() >= end)

    def look(self, seconds):
        """Take the scripts' lines, notice a script that has ended by itself, show what Kafka has; then sleep.

        Raises:
            SystemExit: a signal ends the demonstration.
        """
        if self.ending:
            raise SystemExit(128 + self.ending)
        self.take_lines()
        for name, runs in self.scripts.items():
            if self.states[name] == RUNNING and runs[-1].has_ended():
                raise AssertionError(f"{name} ended by itself: {runs[-1].text()[-200:]}")
        if not self.away:
            self.ask()
        self.display.show(self)
        time.sleep(seconds)

    def end_soon(self, number, _frame):
        """Have the next look end the demonstration, and no second signal disturb that; a signal's handler."""
        on_ending(signal.SIG_IGN)
        self.ending = number

    def take_lines(self):
        """Keep what the scripts have printed, and tell what is no message."""
        for name, part in self.now.items():
            printed = [line for script in self.scripts[name] for line in script.output]
            new = printed[len(self.lines(name)) :]
            part.lines += new
            for line in new:
                if not MESSAGE.fullmatch(line.text):
                    self.display.tell(f"    {line.text}")

    def lines(self, name) -> list[Line]:
        """Return what has been taken of a script's lines, in all its runs."""
        return [line for part in self.parts if part.script == name for line in part.lines]

    # The beginning and the end.

    def open(self):
        self.kafka.create_topic(self.topic)
        self.ask()

    def finish(self):
        """Stop the producers, let the consumers read to the end of the log, and stop them."""
        for name in PRODUCERS:
            self.interrupt(name)
        end = self.end()
        for name in CONSUMERS:
            self.until(f"{name} to read to the end", lambda name=name: self.committed(name) >= end)
            self.interrupt(name)

    def log(self) -> Log:
        """Return the topic's log, as the judge takes it."""
        return self.kafka.whole_log(self.topic, self._deleted)

    def close(self) -> None:
        """End what runs; leave nothing in a Kafka that is somebody else's."""
        for script in (script for runs in self.scripts.values() for script in runs):
            script.kill()
        if not self.broker:
            with self.kafka.admin() as admin, contextlib.suppress(CoordinatorNotAvailableError):  # it has had no group
                admin.delete_topics([self.topic])
                for name, group in self.groups.items():  # Kafka deletes none that has a member
                    admin.remove_group_members(group, [MemberToRemove(group_instance_id=name)])
                admin.delete_groups(list(self.groups.values()))
