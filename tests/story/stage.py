"""The stage: the four scripts as processes, their Kafka, and what the steps do with them."""

import contextlib
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from evidence.judge import Log
from evidence.kafka_itself import Kafka, ask_again
from evidence.lines import MESSAGE, CaughtUp, Received
from evidence.scripts import Script
from local_kafka.waiting import Overdue, wait_until
from story.account import CONSUMERS, PRODUCERS, Chapter, Past, Record, events
from story.lookout import Lookout


@dataclass(frozen=True)
class Pace:
    """How fast the demonstration goes.

    Attributes:
        pauses: what the pauses for reading are multiplied by.
        interval: seconds from one of a producer's ticks to the next.
    """

    pauses: float
    interval: float


TO_READ_ALONG, FAST, FOR_A_FILM = Pace(1, 0.3), Pace(0.3, 0.1), Pace(0.5, 0.4)


class Stage:
    """Starts, stops and kills the scripts and their Kafka, and keeps what the account needs.

    Args:
        servers: where Kafka listens.
        broker: the Broker to stop and start, or None if the Kafka is not ours.
        pace: a Pace.
        tell: called with each line of the story.

    Attributes:
        scripts: {name: its runs so far, as Script}.
        states: {name: what it is doing, in words}.
        chapters: of the steps that were begun.
        sentence, note: what is told of the step now.
        away: Kafka is stopped.
    """

    def __init__(self, servers, broker, pace, tell):
        self.servers, self.broker, self.pace, self.tell = servers, broker, pace, tell
        self.kafka = Kafka(servers)
        unique = "" if broker else f"-demo-{uuid.uuid4().hex[:8]}"
        self.topic = f"stock-market{unique}"
        self.groups = {name: f"stock-group{name[-1]}{unique}" for name in CONSUMERS}
        self.lookout = Lookout(servers, self.topic, self.groups)
        self.scripts = {name: [] for name in (*PRODUCERS, *CONSUMERS)}
        self.states = dict.fromkeys(self.scripts, "not started")
        self.chapters, self.sentence, self.note = [], "", ""
        self.away = False
        self._killed, self._told, self._earlier = set(), Counter(), set()

    def open(self):
        self.kafka.create_topic(self.topic)
        self.lookout.start()

    # What is told.

    def begin(self, title, sentence):
        """Begin a step: from now on all that happens belongs to it."""
        self.chapters.append(Chapter(title, time.monotonic()))
        self.sentence, self.note = sentence, ""

    def say(self, note):
        self.note = note
        self.tell(f"  {note}")

    def end_step(self):
        """Keep where the groups stand, and tell it: the log's end last, so no lag is negative."""
        chapter = self.chapters[-1]
        chapter.committed = {name: self.committed(name) for name in CONSUMERS}
        chapter.end = self.end()
        lags = (f"{name} committed {at}, lag {chapter.end - at}" for name, at in chapter.committed.items())
        self.tell(f"  The log ends at offset {chapter.end}; {'; '.join(lags)}.")

    # What a step allows.

    def allow(self, name, repeats):
        """Let a consumer print messages again in this step: Repeats."""
        self.chapters[-1].repeats[name] = repeats

    def expect_loss(self, name, offsets):
        """Have a consumer lose these offsets in this step, and say so: a range."""
        self.chapters[-1].losses[name] = offsets

    # The scripts.

    def start(self, name):
        """Start a script; return it. From the main thread only: it ends with its starter."""
        settings = {"KAFKA_TOPIC": self.topic, "SEND_INTERVAL_SECONDS": str(self.pace.interval)}
        if name in CONSUMERS:
            settings["KAFKA_GROUP_ID"] = self.groups[name]
        self.scripts[name].append(Script(name, self.servers, **settings))
        self.states[name] = "running"
        return self.scripts[name][-1]

    def restart(self, name):
        """Start a consumer again and wait for its first message; return the script."""
        script = self.start(name)
        self.chapters[-1].restarts[name] = script.started
        self.until(f"{name}'s first message", script.messages, script=script)
        return script

    def wait_until_caught_up(self, script):
        """Return the seconds that a consumer says it took to catch up."""
        found = self.until(f"{script.name} to catch up", lambda: said(script, CaughtUp), script=script)
        return found[0].seconds

    def interrupt(self, name):
        """Stop a script as Ctrl+C does; return a consumer's committed offset."""
        self.states[name] = "stopped with Ctrl+C"
        script = self.scripts[name][-1]
        if status := script.interrupt():
            raise AssertionError(f"{name} ended with status {status} after Ctrl+C: {last_line(script)}")
        self.look()
        return self.committed(name) if name in CONSUMERS else None

    def kill(self, name):
        """End a script as kill -9 does; return the offsets that it printed and did not commit."""
        script = self.scripts[name][-1]
        script.kill()
        self._killed.add(script)
        self.states[name] = "killed with kill -9"
        return range(self.committed(name), script.messages()[-1].offset + 1)

    def lines(self, name) -> list:
        """Return what a script has printed so far, in all its runs."""
        return [line for script in list(self.scripts[name]) for line in list(script.output)]

    # Kafka.

    def committed(self, name) -> int:
        return self.ask(lambda: self.kafka.committed(self.groups[name], self.topic)).get(0, 0)

    def first(self) -> int:
        return self.ask(lambda: self.kafka.offsets(self.topic))[0][0]

    def end(self) -> int:
        return self.ask(lambda: self.kafka.offsets(self.topic))[0][1]

    def stop_kafka(self):
        self.broker.stop()
        self.away = True

    def start_kafka(self) -> float:
        """Start Kafka again, wait until all consumers go on; return the seconds Kafka took."""
        began = time.monotonic()
        self.broker.start()
        self.away, seconds = False, time.monotonic() - began
        for name in CONSUMERS:
            self.chapters[-1].restarts[name] = began
            self.until(f"{name} to go on", lambda name=name: self.has_received_since(name, began))
        return seconds

    def has_received_since(self, name, began):
        lines = [line for line in list(self.scripts[name][-1].output) if line.at >= began]
        return events(lines, Received)

    def wait_for_end_of_session(self, name):
        """Wait until Kafka has given up waiting for a consumer that was stopped."""
        group = self.groups[name]

        def is_over():
            return not self.ask(lambda: self.kafka.members(group))

        self.until(f"the end of {name}'s session", is_over, every=0.3)

    def rewind(self, name) -> int:
        """Set a consumer's group back to the earliest offset; return that."""
        arguments = ["-b", self.servers, "groups", "reset-offsets", "-g", self.groups[name]]
        arguments += ["-p", f"{self.topic}:0", "-s", "earliest"]
        self.tell(f"    $ python -m kafka.admin {' '.join(arguments)}")
        reset = subprocess.run(
            [sys.executable, "-m", "kafka.admin", *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            start_new_session=True,  # Ctrl+C is for us
        )
        if reset.returncode:
            reason = (reset.stderr.strip() or "no reason")[-200:]
            raise AssertionError(f"The group could not be rewound: {reason}")
        return self.committed(name)

    def delete_before(self, offset):
        """Delete what is below an offset, as retention does; the account still knows it."""
        self._earlier |= set(self.ask(lambda: self.kafka.log(self.topic)))
        self.kafka.delete_before(self.topic, offset)

    def ask(self, question, limit=30):
        """Return what question() gets from Kafka, which may still be starting."""
        return ask_again(question, KafkaError, limit)

    # Waiting.

    def until(self, what, condition, limit=60, script=None, every=0.05):
        """Return condition()'s first true value; meanwhile pass on what the scripts print.

        Raises:
            AssertionError: it is not true after `limit` seconds, or a script has ended by itself.
        """

        def look_and_pause(seconds):
            self.look()
            time.sleep(seconds)

        try:
            result = wait_until(condition, limit, every, look_and_pause)
        except Overdue:
            line = f"; its last line: {last_line(script)}" if script else ""
            raise AssertionError(f"Waited {limit} s in vain for {what}{line}.") from None
        self.look()
        return result

    def pause(self, seconds):
        """Leave time to read: so many seconds at the pace of someone who reads along."""
        end = time.monotonic() + seconds * self.pace.pauses
        self.until("the time", lambda: time.monotonic() >= end)

    def look(self):
        """Tell what the scripts have printed besides messages; notice one that has ended."""
        for script in [script for runs in self.scripts.values() for script in runs]:
            for line in script.output[self._told[script] :]:
                self._told[script] += 1
                if not MESSAGE.fullmatch(line.text):
                    self.tell(f"    {line.text}")
        for name, state in self.states.items():
            script = self.scripts[name][-1] if state == "running" else None
            if script and (status := script.process.poll()) is not None:
                raise AssertionError(f"{name} ended by itself, status {status}: {last_line(script)}")

    # The end.

    def finish(self):
        """Stop the producers, let the consumers read to the end of the log, and stop them."""
        for name in PRODUCERS:
            self.interrupt(name)
        end = self.end()
        for name in CONSUMERS:
            self.until(
                f"{name} to read to the end",
                lambda name=name: self.committed(name) >= end,
                every=0.1,
            )
            self.interrupt(name)

    def record(self) -> Record:
        """Return what the account needs, when all scripts have ended."""
        messages = self.ask(lambda: self.kafka.log(self.topic))
        scripts = {
            name: [Past(list(script.output), script in self._killed) for script in runs]
            for name, runs in self.scripts.items()
        }
        return Record(self.chapters, scripts, Log(messages, {0: self.first()}, self._earlier))

    def close(self) -> str | None:
        """End what runs. In a Kafka not ours, delete topic and groups; return what failed."""
        self.lookout.over.set()
        scripts = [script for runs in self.scripts.values() for script in runs]
        for script in scripts:
            script.process.kill()
        for script in scripts:
            script.wait(5)
        if self.broker:
            return None
        if self.lookout.is_alive():
            self.lookout.join(2)
        try:
            self.leave_no_trace()
        except KafkaError as error:
            kind = type(error).__name__
            return f"The topic {self.topic} or its groups may be left in Kafka: {kind}."
        return None

    def leave_no_trace(self):
        groups = list(self.groups.values())
        client = KafkaAdminClient(bootstrap_servers=self.servers, bootstrap_timeout_ms=3000)
        with contextlib.closing(client) as admin:
            with contextlib.suppress(UnknownTopicOrPartitionError):
                admin.delete_topics([self.topic])
            for group, told in admin.describe_groups(groups).items():
                members = [
                    MemberToRemove(member["member_id"], member["group_instance_id"]) for member in told["members"]
                ]
                if members:
                    admin.remove_group_members(group, members)
            admin.delete_groups(groups)


def said(script, kind) -> list:
    """Return what a script's lines tell of one kind, such as Placed."""
    return events(list(script.output), kind)


def last_line(script) -> str:
    return script.text().rpartition("\n")[2] or "it printed nothing"
