"""The stage: the four scripts as processes, their Kafka, and what can be seen of them."""

import contextlib
import math
import signal
from collections import Counter

from kafka.errors import KafkaError

from evidence.lines import Message
from evidence.snapshot import Group, LogOffsets, Snapshot
from machine.processes import now
from machine.waiting import wait_until
from real_kafka.client import Kafka
from running.scripts import Script
from story.account import CONSUMERS, GROUPS

TOPIC = "stock-market"
SESSION = 7  # seconds: the consumers' session_timeout_ms
RUNNING, SUSPENDED, STOPPING, STARTING = "running", "suspended", "stopping", "starting"
ENDINGS = {0: "stopped with Ctrl+C", -9: "killed with kill -9"}  # by exit status


class Stage:
    """Has the scripts and their Kafka, and keeps what the picture and the account need; `moves` change it.

    What it tells of Kafka is of one moment: that of the latest `look`. Whoever waits looks several times a second.

    Use it in the main thread alone: on Linux, scripts end with the thread that started them.

    Args:
        broker: a Broker that runs, for this stage alone.
        pace: what pauses for reading are multiplied by; the seconds from one of a producer's ticks to the next.
        tell: called with each command, and each line of a script that is no message.
        show: called with the stage at each look.

    Attributes:
        steps: those so far; the last one, `step`, is being played.
        started: all Scripts, in order; `scripts` are the latest by name.
        stopping, suspended: the names of the scripts that have been told to end, or are suspended.
        is_held: whether pauses for reading last until this is False again.
        commands: all so far, as a person would type them in a terminal.
        kafka_is: "running", "stopping", "starting", "stopped with Ctrl+C" or "killed with kill -9".
        seen: the latest Snapshot.
    """

    def __init__(self, broker, pace, tell, show):
        self.broker, self.tell, self._show = broker, tell, show
        (self._pauses, self.interval), self.is_held = pace, False
        self.steps, self.started, self.commands = [], [], []
        self.stopping, self.suspended = set(), set()
        self._told = Counter()  # how many of a Script's lines are told
        self._silent_since = {}  # {name of a script that has ended or is suspended: when that was seen}
        self.kafka, self.kafka_is = Kafka(broker.bootstrap_servers, timeout_ms=8000), RUNNING
        self.kafka.create_topic(TOPIC)
        self.ask_kafka()
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
        """Partition 0's."""
        return self.seen.logs[0]

    @property
    def away(self) -> str:
        """Why there are no new figures; "" if there are."""
        return "" if self.kafka_is == RUNNING else f"Kafka is {self.kafka_is}: its log as last seen"

    def group(self, name) -> Group:
        return self.seen.group(GROUPS[name])

    def committed(self, name) -> int:
        """Return the committed offset of a consumer's group in partition 0."""
        return self.group(name).committed.get(0, 0)

    def lag(self, name) -> int:
        """Return the lag of a consumer's group in all partitions."""
        return sum(log.lag(self.group(name).committed.get(number, 0)) for number, log in self.seen.logs.items())

    def state(self, name) -> str:
        """Return what a script is doing, in words; "" if there is none of this name."""
        if name not in self.scripts:
            return ""
        status = self.scripts[name].process.poll()
        if status is None:
            return SUSPENDED if name in self.suspended else STOPPING if name in self.stopping else RUNNING
        return ENDINGS.get(status, "ended with an error")

    def session(self, name) -> str:
        """Say how long the session of a silent consumer may last; "" for other scripts, or if unknown."""
        if self.away or name not in self._silent_since or name not in CONSUMERS:
            return ""
        left = SESSION - (now() - self._silent_since[name])
        if not self.group(name).members:
            return "its session is over"
        return f"its session lasts {left:.0f} s more at most" if left > 0 else ""

    def ended_by_itself(self) -> str:
        """Say which script has ended without being told to, and its last words; "" if none has."""
        for script in self.started:
            if script.process.poll() not in (None, *ENDINGS):
                script.wait()
                return f"{script.name} has ended: {script.text()[-200:]}"
        return ""

    def ask_kafka(self, patience=30) -> Snapshot:
        """Return what Kafka has now; raises as `Kafka.snapshot`."""
        self.seen = self.kafka.snapshot(TOPIC, GROUPS.values(), patience)
        return self.seen

    def look(self) -> None:
        """See what Kafka has and what the scripts have printed, and show it.

        Raises:
            SystemExit: a signal asks for the end.
            BrokerError: Kafka has ended while it was starting.
        """
        if self._ended_by is not None:
            raise SystemExit(self._ended_by)
        if self.kafka_is == STOPPING and self.broker.process.poll() is not None:
            self.broker.kill()
            self.kafka_is = ENDINGS[0]
        if self.kafka_is == STARTING and self.broker.is_ready():
            with contextlib.suppress(KafkaError):  # it may need some more time to load its groups
                self.ask_kafka(patience=0.5)
                self.kafka_is = RUNNING
                self._silent_since.clear()  # with Kafka, all sessions begin anew
        elif self.kafka_is == RUNNING:  # first: no offset is committed before its line is printed
            self.ask_kafka()
        if now() < self._settled:
            self.step.may_repeat = {**self._uncommitted, **self.step.may_repeat}
        self._tell_lines()
        for name in self.scripts:
            if self.state(name) in (RUNNING, STOPPING):
                self._silent_since.pop(name, None)
            else:
                self._silent_since.setdefault(name, now())
        self._show(self)

    def _tell_lines(self):
        for script in self.started:
            new = script.output[self._told[script] :]
            self._told[script] += len(new)
            for line in new:
                if not isinstance(line.event, Message):
                    self.tell(f"    {line.text}")

    def until(self, what, ask, wanted=bool, limit=60) -> None:
        """Wait as `wait_until` does, with a look before each question."""

        def look_and_ask():
            self.look()
            return ask()

        wait_until(what, look_and_ask, wanted, limit, every=0.2)

    def pause(self, seconds) -> None:
        """Leave time to read. The pause lasts for as long as it is held."""
        left, before = seconds * self._pauses, now()

        def is_over():
            nonlocal left, before
            left, before = left - (0 if self.is_held else now() - before), now()
            return left <= 0 and not self.is_held

        self.until("the time to read", is_over, limit=math.inf)

    def resumed(self) -> None:
        """Note that Ctrl+Z is over: as after an outage, what was not committed may come again."""
        for name in self.suspended:
            self.scripts[name].send(signal.SIGSTOP)
        self._settled, self._uncommitted = now() + 10, {name: self.committed(name) for name in CONSUMERS}

    def end_soon(self, status) -> None:
        """Have the next look raise SystemExit with this status, because a signal asks for the end."""
        self._ended_by = status

    def close(self) -> None:
        """End all scripts."""
        for script in self.scripts.values():
            script.kill()
        self.kafka.close()
