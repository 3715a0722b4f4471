"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import subprocess
import sys
import time
from collections import Counter

from kafka.errors import KafkaError

from evidence.judge import Log
from evidence.kafka_itself import Kafka, ask_again
from evidence.lines import Received, Sent, parse
from evidence.scripts import Script
from local_kafka.waiting import Overdue, wait_until
from sight.look import GroupLook, Look
from sight.observer import Observer
from story.account import CONSUMERS, PRODUCERS, Part

TOPIC, GROUPS = "stock-market", {"consumer1": "stock-group1", "consumer2": "stock-group2"}  # the scripts' defaults
SHOW_EVERY = 0.25  # seconds


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        broker: the Broker, running, for the demonstration alone.
        pace: what the pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        display: has each line of the story told, and the stage shown several times a second.

    Attributes:
        scripts: {name: its runs so far, as Script}.
        states: {name: what it is doing, in words}.
        step, number: the Step that is played; since when, in seconds of time.monotonic(), is `began`.
        heading, note: what is told of it now.
        parts: the Part of each script in each step so far; those of this step are {name: Part} in `now`.
        seen: the latest Look at Kafka.
        away: Kafka is stopped.
    """

    def __init__(self, broker, pace, display):
        self.broker, self.display = broker, display
        self.pauses, self.interval = pace
        self.scripts = {name: [] for name in (*PRODUCERS, *CONSUMERS)}
        self.states = dict.fromkeys(self.scripts, "not started")
        self.step, self.number, self.began, self.heading, self.note = None, 0, 0.0, "", ""
        self.parts, self.now = [], {}
        self.kafka = Kafka(broker.bootstrap_servers)
        self._observer = Observer(broker.bootstrap_servers, TOPIC, GROUPS.values())
        self.seen, self.away = None, False
        self._shown, self._deleted = 0.0, []
        self._told = Counter()  # of each script: how many of its lines are told

    def open(self):
        self.kafka.create_topic(TOPIC)
        self.ask()

    # What is told, and what a step allows.

    def begin(self, step, number, count):
        """Begin a step, of so many: from now on all that happens belongs to it."""
        self.step, self.number, self.began = step, number, time.monotonic()
        self.heading, self.note = f"Step {number} of {count}: {step.title}", ""
        self.now = {name: Part(number, step.title, name) for name in self.scripts}
        self.parts += self.now.values()
        self.display.tell(f"\nStep {number} of {count}. {step.sentence}")

    def say(self, note):
        self.look()
        self.note = note
        self.display.tell(f"  {note}")
        self.display.show(self)

    def allow(self, name, offsets, why):
        """Let a consumer print these offsets again in this step; `why` is a word for the table."""
        self.now[name].may_repeat, self.now[name].why = offsets, why

    def expect_loss(self, name, offsets):
        """Have a consumer lose these offsets in this step, and say so."""
        self.now[name].deleted = offsets

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
        script = Script(name, self.broker.bootstrap_servers, SEND_INTERVAL_SECONDS=str(self.interval))
        self.scripts[name].append(script)
        self.states[name] = "running"
        return script

    def restart(self, name) -> tuple[int, float]:
        """Start a consumer again; return its first offset, and after how many seconds it has no lag left."""
        end, script = self.end(), self.start(name)
        self.now[name].restarted = script.started

        def reached():
            lines = [line for line in list(script.output) if is_message(line)]
            return next((line.at for line in lines if parse(line.text).message.offset >= end - 1), None)

        seconds = self.until(f"{name} to catch up", reached) - script.started
        self.take_lines()
        return script.messages()[0].offset, seconds

    def interrupt(self, name) -> int:
        """Stop a script as Ctrl+C does; return a consumer's committed offset."""
        self.states[name] = "stopped with Ctrl+C"
        self.scripts[name][-1].interrupt()
        return self.committed(name)

    def kill(self, name) -> int:
        """End a consumer as kill -9 does; return its committed offset."""
        self.states[name] = "killed with kill -9"
        self.scripts[name][-1].kill()
        return self.committed(name)

    def printed_from(self, offset, name) -> range:
        """Return what a consumer's latest run has printed from this offset on."""
        return range(offset, self.scripts[name][-1].messages()[-1].offset + 1)

    def lines(self, name) -> list:
        """Return what a script has printed so far, in all its runs."""
        return [line for script in self.scripts[name] for line in list(script.output)]

    # Kafka.

    def ask(self) -> Look:
        """Return what Kafka has now; one that is starting is asked again, for half a minute."""
        self.seen = ask_again(self._observer.look, KafkaError, 30)
        return self.seen

    def group(self, name) -> GroupLook:
        return self.ask().groups.get(GROUPS.get(name), GroupLook("Dead"))

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
            self.now[name].restarted = began
            self.until(f"{name} to go on", lambda name=name: self.scripts[name][-1].messages(since=began))
        return seconds

    def rewind(self, name) -> int:
        """Set a consumer's group back to the earliest offset; return that."""
        command = f"kafka.admin -b {self.broker.bootstrap_servers} groups reset-offsets -g {GROUPS[name]}"
        command += f" -p {TOPIC}:0 -s earliest"
        self.display.tell(f"    $ python -m {command}")
        subprocess.run([sys.executable, "-m", *command.split()], check=True, capture_output=True, timeout=60)
        return self.committed(name)

    def delete_before(self, offset):
        """Delete what is below an offset, as retention does; the account still knows it."""
        self._deleted = self.kafka.log(TOPIC)
        self.kafka.delete_before(TOPIC, offset)

    # Waiting.

    def until(self, what, condition, limit=60):
        """Return condition()'s first true value; meanwhile tell and show what happens.

        Raises:
            AssertionError: it is not true after `limit` seconds, or a script has ended by itself.
        """

        def look_and_pause(seconds):
            self.look()
            time.sleep(seconds)

        try:
            return wait_until(condition, limit, every=0.1, pause=look_and_pause)
        except Overdue:
            raise AssertionError(f"Waited {limit} s in vain for {what}.") from None

    def pause(self, seconds):
        """Leave time to read along."""
        end = time.monotonic() + seconds * self.pauses
        self.until("the time", lambda: time.monotonic() >= end)

    def take_lines(self):
        """Keep what the scripts have printed, and tell what is no message."""
        for name, part in self.now.items():
            lines = self.lines(name)[self._told[name] :]
            self._told[name] += len(lines)
            part.lines += lines
            for line in lines:
                if not is_message(line):
                    self.display.tell(f"    {line.text}")

    def look(self):
        """Take the scripts' lines, notice a script that has ended by itself, show what Kafka has."""
        self.take_lines()
        for name, runs in self.scripts.items():
            if self.states[name] == "running" and runs[-1].has_ended():
                raise AssertionError(f"{name} ended by itself: {runs[-1].text()[-200:]}")
        if time.monotonic() > self._shown + SHOW_EVERY:
            if not self.away:
                self.ask()
            self.display.show(self)
            self._shown = time.monotonic()

    # The end.

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
        return self.kafka.whole_log(TOPIC, self._deleted)

    def close(self) -> None:
        """End what runs."""
        for script in (script for runs in self.scripts.values() for script in runs):
            script.kill()


def is_message(line) -> bool:
    return isinstance(parse(line.text), (Sent, Received))
