"""See why no message goes missing: one minute, a real Kafka, and the four scripts stopped, killed and started again.

    python tests/demo.py                  on a terminal a live picture, otherwise (pipe, CI) the same story as plain lines
    python tests/demo.py --fast           the same with shorter pauses
    python tests/demo.py --picture FILE   also draw the live picture at the end of step 2, as SVG: tests/demo.svg is one

Nothing is simulated: each number is read from the scripts' lines or from Kafka. The Kafka is the demonstration's own,
with free ports and temporary data; it needs no Docker. At the end a table compares, for each step, what Kafka stored
with what each consumer printed. The exit status is 0 only if nothing was missing, and nothing repeated, that should
not be. Ctrl+C ends the demonstration, its scripts and its Kafka at once.
"""

import os
import signal
import sys

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
for number in SIGNALS:  # nothing runs yet that would have to be ended
    signal.signal(number, lambda number, _: os._exit(128 + number))

import argparse
import contextlib
import io
import logging
import re
import subprocess
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from shared.broker import Broker
from shared.download import BrokerError
from shared.judge import missing_and_repeated
from shared.kafka_itself import Kafka
from shared.lines import MESSAGE, Message
from shared.scripts import Script

PRODUCERS, CONSUMERS = ("producer1", "producer2"), ("consumer1", "consumer2")
COLOURS = {"producer1": "cyan", "producer2": "magenta", "consumer1": "green", "consumer2": "yellow"}
LOST = re.compile(r"LOST: retention deleted up to (\d+) messages, offsets (\d+) to (\d+) of ")
WHY = (
    "Why no message went missing: Kafka keeps a message in its log, read or not, until retention deletes it. The "
    "committed offset is where a consumer group reads on, and a consumer commits it only after it has printed the "
    "message. So a stop, a crash or an outage can make it read a message again, but never skip one."
)


class Stopped(BaseException):
    """Ctrl+C, SIGTERM or SIGHUP came: a BaseException, so that nothing on the way takes it for an error."""


def stop(number, _frame):
    ignore_signals()  # the end is under way: a second Ctrl+C must not leave half of it
    raise Stopped(number)


def ignore_signals():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@dataclass
class Step:
    """One step of the story, and what Kafka said when it was over."""

    title: str
    sentence: str
    began: float
    end: int = 0
    committed: dict = field(default_factory=dict)
    restarts: dict = field(default_factory=dict)  # consumer: when it, or its Kafka, was started again


class Watch(threading.Thread):
    """Asks Kafka twice a second for what the picture shows; keeps the last answer while Kafka is away."""

    def __init__(self, kafka, topic, groups):
        super().__init__(daemon=True)
        self.kafka, self.topic, self.groups = kafka, topic, groups
        self.first, self.end, self.committed = 0, 0, {}
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.3):
            with contextlib.suppress(Exception):  # a Kafka that is stopping or starting fails in many ways
                committed = {name: self.kafka.committed(group, self.topic) for name, group in self.groups.items()}
                self.first, self.end = self.kafka.offsets(self.topic)[0]
                self.committed = {name: offsets[0] for name, offsets in committed.items() if offsets}


class Demo:
    """The story: starts, stops and kills the scripts, and keeps what is needed to judge the run at the end.

    Args:
        servers: where Kafka listens.
        broker: the Broker to stop and start, or None if the Kafka is not ours.
        fast: shorter pauses, more messages a second.
        tell: called with each line of the story.
        picture: the file for the SVG, or None.
    """

    def __init__(self, servers, broker, fast, tell, picture=None):
        self.servers, self.broker, self.tell, self.picture = servers, broker, tell, picture
        self.kafka = Kafka(servers)
        self.pace, self.interval = (0.3, "0.1") if fast else (1, "0.3")
        unique = "" if broker else f"-demo-{uuid.uuid4().hex[:8]}"
        self.topic = f"stock-market{unique}"
        self.groups = {name: f"stock-group{name[-1]}{unique}" for name in CONSUMERS}
        self.watch = Watch(Kafka(servers, timeout_ms=2000), self.topic, self.groups)
        self.runs = {name: [] for name in (*PRODUCERS, *CONSUMERS)}
        self.state = dict.fromkeys(self.runs, "not started")
        self.told = Counter()
        self.steps, self.note, self.away = [], "", False
        self.rewound_at = self.killed_at = self.cutoff = 0
        self.deleted, self.stored = range(0), set()

    # What the steps are made of.

    def start(self, name):
        """Start a script; return it. From the main thread only: it ends with the thread that started it."""
        settings = {"KAFKA_TOPIC": self.topic, "SEND_INTERVAL_SECONDS": self.interval}
        if name in CONSUMERS:
            settings["KAFKA_GROUP_ID"] = self.groups[name]
        self.runs[name].append(Script(name, self.servers, **settings))
        self.state[name] = "running"
        return self.runs[name][-1]

    def restart(self, name):
        """Start a consumer again and wait for its first message; return the script."""
        script = self.start(name)
        self.steps[-1].restarts[name] = script.started
        self.until(f"{name}'s first message", script.messages, script=script)
        return script

    def interrupt(self, name):
        """Stop a script as Ctrl+C does."""
        self.state[name] = "stopped with Ctrl+C"
        if status := self.runs[name][-1].interrupt():
            raise AssertionError(f"{name} ended with status {status} after Ctrl+C: {last_line(self.runs[name][-1])}")
        self.look()

    def until(self, what, condition, limit=60, script=None):
        """Return condition()'s first true value; meanwhile pass on what the scripts print.

        Raises:
            AssertionError: it is not true after `limit` seconds, or a script has ended by itself.
        """
        deadline = time.monotonic() + limit
        while not (result := condition()):
            self.look()
            if time.monotonic() > deadline:
                said = f"; its last line: {last_line(script)}" if script else ""
                raise AssertionError(f"Waited {limit} s in vain for {what}{said}.")
            time.sleep(0.05)
        self.look()
        return result

    def pause(self, seconds):
        end = time.monotonic() + seconds * self.pace
        self.until("the time", lambda: time.monotonic() >= end)

    def look(self):
        """Tell what the scripts have printed besides their messages; notice one that has ended by itself."""
        for script in [script for runs in self.runs.values() for script in runs]:
            for line in script.output[self.told[script] :]:
                self.told[script] += 1
                if not MESSAGE.fullmatch(line.text):
                    self.tell(f"    {line.text}")
        for name, state in self.state.items():
            if state == "running" and (status := self.runs[name][-1].process.poll()) is not None:
                raise AssertionError(f"{name} ended by itself, status {status}: {last_line(self.runs[name][-1])}")

    def ask(self, question, limit=30):
        """Return what question() gets from Kafka, which may still be starting."""
        deadline = time.monotonic() + limit
        while True:
            try:
                return question()
            except KafkaError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def committed(self, name):
        return self.ask(lambda: self.kafka.committed(self.groups[name], self.topic)).get(0, 0)

    def offsets(self):
        return self.ask(lambda: self.kafka.offsets(self.topic))[0]

    def received_since(self, name, at):
        return sum(when >= at for when, _ in messages(self.runs[name]))

    def announce(self, title, sentence):
        self.close_step()
        self.steps.append(Step(title, sentence, time.monotonic()))
        self.note = ""
        self.tell(f"\nStep {len(self.steps)} of 7. {sentence}")

    def say(self, note):
        self.note = note
        self.tell(f"  {note}")

    def close_step(self):
        """Keep where the groups stand, and tell it: first the committed offsets, so that a lag is never negative."""
        if self.steps:
            step = self.steps[-1]
            step.committed = {name: self.committed(name) for name in CONSUMERS}
            step.end = self.offsets()[1]
            lags = (f"{name} committed {at}, lag {step.end - at}" for name, at in step.committed.items())
            self.tell(f"  The log ends at offset {step.end}; {'; '.join(lags)}.")

    # The story.

    def play(self):
        self.kafka.create_topic(self.topic)
        self.watch.start()
        for step in (self.all_run, self.stop_one, self.start_it_again, self.kill_it, self.stop_kafka, self.rewind):
            step()
        self.delete_unread()
        self.finish()

    def all_run(self):
        self.announce(
            "both producers, both consumers",
            f"Two producers write to the topic {self.topic}; two consumers read all of it, each in its own group.",
        )
        for name in self.runs:
            self.start(name)
        for name in CONSUMERS:
            self.until(f"{name}'s first messages", lambda name=name: len(self.runs[name][-1].messages()) >= 5)
        self.say(
            "Kafka keeps every message in the topic's log under a number, its offset. "
            "A group's committed offset is where it reads on."
        )
        self.pause(8)

    def stop_one(self):
        self.announce(
            "Ctrl+C on consumer1", "Ctrl+C stops consumer1: messages pile up behind it, while consumer2 goes on."
        )
        self.interrupt("consumer1")
        at = self.committed("consumer1")
        self.until("messages behind consumer1", lambda: self.offsets()[1] >= at + 10)
        self.pause(6)
        end = self.offsets()[1]
        self.say(
            f"{end - at} messages wait in the log for consumer1; its committed offset stays {at}. "
            "consumer2's group has its own and is not held up."
        )
        if self.picture:
            self.until("the picture's numbers", lambda: self.watch.end >= end)
            draw(self, self.picture)
        self.pause(3)

    def start_it_again(self):
        self.announce(
            "consumer1 started again",
            "consumer1 is started again: it resumes at its group's committed offset and catches up.",
        )
        at = self.committed("consumer1")
        script = self.restart("consumer1")
        line = self.until("consumer1 to catch up", lambda: find("Caught up: (.*)", script))
        self.say(
            f"It resumed at offset {script.messages()[0].offset}, the committed offset was {at}: caught up on {line[1]}."
        )
        self.pause(5)

    def kill_it(self):
        self.announce(
            "kill -9 and started again", "kill -9 ends consumer1 without a goodbye; started again, it goes on at once."
        )
        self.runs["consumer1"][-1].kill()
        self.state["consumer1"] = "killed with kill -9"
        self.killed_at = self.committed("consumer1")
        self.pause(2)
        script = self.restart("consumer1")
        self.say(
            f"After {script.first_message_after():.1f} s it went on at its committed offset, {self.killed_at}: committed "
            "after printing, never before, so a crash skips nothing."
        )
        self.pause(5)

    def stop_kafka(self):
        if not self.broker:
            self.announce("Kafka's stop, left out", "Left out: this Kafka is not the demonstration's own to stop.")
            self.pause(1)
            return
        self.announce(
            "Kafka stopped and started", "Kafka itself is stopped and started: messages and offsets are still there."
        )
        end = self.offsets()[1]
        self.broker.stop()
        self.away = True
        self.pause(4)
        began = time.monotonic()
        self.broker.start()
        self.away, ready = False, time.monotonic() - began
        now = self.offsets()[1]
        for name in CONSUMERS:
            self.steps[-1].restarts[name] = began
            self.until(f"{name} to go on", lambda name=name: self.received_since(name, began))
        self.say(
            f"Kafka was back after {ready:.1f} s. The log ended at offset {end} before and at {now} after: log and "
            "committed offsets are on disk. What the producers could not send they kept, and sent it now."
        )
        self.pause(5)

    def rewind(self):
        self.announce(
            "group rewound to the start",
            "consumer1's group is rewound to the earliest offset: it reads everything again.",
        )
        self.interrupt("consumer1")
        self.rewound_at = self.committed("consumer1")
        arguments = ["-b", self.servers, "groups", "reset-offsets", "-g", self.groups["consumer1"]]
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
            raise AssertionError(f"The group could not be rewound: {(reset.stderr.strip() or 'no reason')[-200:]}")
        at = self.committed("consumer1")
        self.say(f"Its committed offset was {self.rewound_at} and is {at} now: that is all the command has changed.")
        self.pause(3)
        script = self.restart("consumer1")
        self.until("consumer1 to catch up", lambda: find("Caught up", script))
        self.say(
            f"From {self.rewound_at} back to {at}, and all {self.rewound_at - at} messages came again: reading deletes "
            "nothing, a group only remembers a place."
        )
        self.pause(5)

    def delete_unread(self):
        self.announce(
            "unread messages deleted",
            "consumer1 is stopped, and Kafka deletes unread messages, as retention does: that is reported, not hidden.",
        )
        self.interrupt("consumer1")
        at = self.committed("consumer1")
        self.until("messages behind consumer1", lambda: self.offsets()[1] >= at + 12)
        self.pause(5)
        self.stored = set(self.ask(lambda: self.kafka.log(self.topic)))
        self.cutoff = at + (self.offsets()[1] - at) * 2 // 3
        self.until("consumer2 to have read them", lambda: self.committed("consumer2") >= self.cutoff)
        self.kafka.delete_before(self.topic, self.cutoff)
        self.deleted = range(at, self.cutoff)
        self.say(f"Deleted: all offsets below {self.cutoff}. consumer1 had not read {at} to {self.cutoff - 1}.")
        self.pause(3)
        script = self.restart("consumer1")
        self.until("consumer1 to catch up", lambda: find("Caught up", script))
        if lost := find(LOST, script):
            self.say(f"consumer1 says so: {lost[0]}{self.topic}-0.")
        self.pause(5)

    def finish(self):
        """Stop the producers, let the consumers read to the end of the log, and stop them."""
        for name in PRODUCERS:
            self.interrupt(name)
        end = self.offsets()[1]
        for name in CONSUMERS:
            self.until(f"{name} to read to the end", lambda name=name: self.committed(name) >= end)
            self.interrupt(name)
        self.close_step()
        self.stored |= set(self.ask(lambda: self.kafka.log(self.topic)))

    def end(self):
        """End what runs. In a Kafka that is not ours, delete the topic and the groups."""
        ignore_signals()
        self.watch.over.set()
        scripts = [script for runs in self.runs.values() for script in runs]
        for script in scripts:
            script.process.kill()
        for script in scripts:
            script.wait(5)
        if not self.broker:
            if self.watch.is_alive():
                self.watch.join(2)
            self.leave_no_trace()

    def leave_no_trace(self):
        groups = list(self.groups.values())
        try:
            with contextlib.closing(
                KafkaAdminClient(bootstrap_servers=self.servers, bootstrap_timeout_ms=3000)
            ) as admin:
                with contextlib.suppress(UnknownTopicOrPartitionError):
                    admin.delete_topics([self.topic])
                for group, told in admin.describe_groups(groups).items():
                    if members := [MemberToRemove(m["member_id"], m["group_instance_id"]) for m in told["members"]]:
                        admin.remove_group_members(group, members)
                admin.delete_groups(groups)
        except KafkaError as error:
            complain(f"The topic {self.topic} or its groups may be left in Kafka: {type(error).__name__}.")


def messages(runs) -> list[tuple[float, Message]]:
    """Return what the runs of a script have sent or received, each with the time when its line came."""
    found = ((line.at, MESSAGE.fullmatch(line.text)) for script in runs for line in list(script.output))
    return [(at, Message(int(m["partition"]), int(m["offset"]), m["value"])) for at, m in found if m]


def find(pattern, script):
    """Return the first match of the pattern in the script's lines, or None."""
    return next((m for line in list(script.output) if (m := re.search(pattern, line.text))), None)


def last_line(script) -> str:
    return script.text().rpartition("\n")[2] or "it printed nothing"


# The account.


@dataclass
class Account:
    """What one consumer did in one step: a row of the table. `missing` and `repeated` are offsets."""

    step: int
    consumer: str
    sent: int
    received: int
    missing: list
    repeated: list
    lag: int
    wait: float | None


def account(demo) -> list[Account]:
    """Compare, for each step and consumer, what the topic's log had with what the consumer printed.

    A message is missing from the step in which the committed offset passed it, though it was never printed. It is
    repeated in the step in which it was printed again.
    """
    begins = [step.began for step in demo.steps] + [float("inf")]
    sent = [at for name in PRODUCERS for at, _ in messages(demo.runs[name])]
    rows = []
    for name in CONSUMERS:
        received = messages(demo.runs[name])
        missing = {m.offset for m in missing_and_repeated(sorted(demo.stored), [m for _, m in received])[0]}
        seen = set()
        for number, step in enumerate(demo.steps):
            mine = [(at, m) for at, m in received if begins[number] <= at < begins[number + 1]]
            again = [m.offset for _, m in mine if m in seen or seen.add(m)]
            passed = sorted(o for o in missing if o < step.committed[name])
            missing -= set(passed)
            wait = next((at for at, _ in mine if at >= step.restarts.get(name, float("inf"))), None)
            rows.append(
                Account(
                    number + 1,
                    name,
                    sum(begins[number] <= at < begins[number + 1] for at in sent),
                    len(mine),
                    passed,
                    again,
                    step.end - step.committed[name],
                    wait and wait - step.restarts[name],
                )
            )
    return sorted(rows, key=lambda row: row.step)


def faults(demo, rows) -> list[str]:
    """Return what should not have happened, as sentences without a full stop."""
    found = []
    sent = [m for name in PRODUCERS for _, m in messages(demo.runs[name])]
    if lost := missing_and_repeated(sent, demo.stored)[0]:
        found.append(f"{len(lost)} acknowledged messages are not in Kafka's log")
    if extra := missing_and_repeated(demo.stored, sent)[0]:
        found.append(f"{len(extra)} messages in Kafka's log were stored without, or twice for, an acknowledgement")
    for row in rows:
        where = f"{row.consumer} in step {row.step}"
        if row.missing != expected_missing(demo, row):
            found.append(f"{where} missed offsets {row.missing or 'none, though messages were deleted'}")
        if unexpected := unexpected_repeats(demo, row):
            found.append(f"{where} repeated offsets {unexpected}")
        if (row.step, row.consumer) == (6, "consumer1") and len(row.repeated) != demo.rewound_at:
            found.append(f"{where} read {len(row.repeated)} of {demo.rewound_at} messages again")
        if row.step == len(demo.steps) and row.lag:
            found.append(f"{row.consumer} ended {row.lag} messages behind")
    for name in CONSUMERS:
        strange = {m for _, m in messages(demo.runs[name])} - demo.stored
        if strange:
            found.append(f"{name} printed {len(strange)} messages that Kafka does not have")
    if reported(demo) != demo.deleted:
        found.append(f"deleted unread was {demo.deleted}, reported as LOST was {reported(demo)}")
    return found


def expected_missing(demo, row) -> list[int]:
    """Only what Kafka deleted before consumer1 had read it."""
    return list(demo.deleted) if (row.step, row.consumer) == (7, "consumer1") else []


def unexpected_repeats(demo, row) -> list[int]:
    """After kill -9 the batch that was printed but not committed may come again; after the rewind what was read before."""
    if row.consumer == "consumer1" and row.step == 4:
        return [offset for offset in row.repeated if offset < demo.killed_at]
    if row.consumer == "consumer1" and row.step == 6:
        return [offset for offset in row.repeated if offset >= demo.rewound_at]
    return row.repeated


def reported(demo) -> range:
    """Return the offsets that consumer1 has reported as LOST."""
    lost = find(LOST, demo.runs["consumer1"][-1])
    return (
        range(int(lost[2]), int(lost[3]) + 1) if lost and int(lost[1]) == int(lost[3]) + 1 - int(lost[2]) else range(0)
    )


def table(demo, rows, width) -> Table:
    """Return the account for people: a cell without a number to worry about stays short."""
    shown = Table(title="What Kafka stored, compared with what each consumer printed", title_justify="left")
    if width < 110:  # no room for lines
        shown.box, shown.padding = None, (0, 1, 0, 0)
    shown.add_column("step")
    shown.add_column("consumer", no_wrap=True)
    for heading in ("sent", "received", "missing", "repeated", "lag\nat end", "restart\nto first"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        first = row.consumer == CONSUMERS[0]
        missing = f"{len(row.missing)} (LOST)" if row.missing == list(reported(demo)) != [] else len(row.missing)
        why = {4: " (in flight)", 6: " (rewound)"}.get(row.step, "") if row.repeated else ""
        shown.add_row(
            f"{row.step} {demo.steps[row.step - 1].title}" if first else "",
            row.consumer,
            str(row.sent) if first else "",
            str(row.received),
            str(missing),
            f"{len(row.repeated)}{why}",
            str(row.lag),
            f"{row.wait:.1f} s" if row.wait is not None else "",
            style=COLOURS[row.consumer],
            end_section=not first,
        )
    return shown


def verdict(demo, rows, wrong) -> str:
    if wrong:
        return f"Verdict: FAILED: {'; '.join(wrong)}."
    again = f"{demo.rewound_at} that it read again when rewound"
    if crash := sum(len(row.repeated) for row in rows if row.step == 4):
        again += f" and {crash} after kill -9"
    return (
        f"Verdict: no message went missing but the {len(demo.deleted)} deleted unread, which consumer1 reported as LOST. "
        f"{len(demo.stored)} were sent and stored; consumer2 received each once, consumer1 too, except for {again}."
    )


# The picture.


class Lane:
    """The topic's log, an offset a column, and where each group's committed offset stands on it."""

    def __init__(self, demo):
        self.demo = demo

    def __rich_console__(self, console, options):
        demo, watch = self.demo, self.demo.watch
        label, right = 11, 27
        width = max(10, options.max_width - label - right)
        low = max(0, watch.end - width + 1)
        state = "Kafka is stopped" if demo.away else f" end of log {watch.end}"
        scale = "".join(f"{o:<10}" for o in range(-(-low // 10) * 10, low + width - 6, 10))
        yield Text(f"{'offset':<{label}}{' ' * (-low % 10)}{scale}"[: label + width])
        colours = {m.offset: COLOURS[name] for name in PRODUCERS for _, m in messages(demo.runs[name])}
        log = Text(f"{'log':<{label}}", style="bold red" if demo.away else "")
        for offset in range(low, watch.end):
            log.append(
                "×" if offset < watch.first else "■", "red" if offset < watch.first else colours.get(offset, "dim")
            )
        log.append(" " * (label + width - len(log)) + state)
        yield log
        for name in CONSUMERS:
            yield self.group(name, low, width, label)
        yield Text.assemble(
            ("■ ", "cyan"), "producer1's  ", ("■ ", "magenta"), "producer2's  ", ("× ", "red"), "deleted  ━ read  ",
            "▲ committed offset  ", ("┄ ", "red"), "lag", no_wrap=True, overflow="crop",
        )  # fmt: skip

    def group(self, name, low, width, label) -> Text:
        watch = self.demo.watch
        line = Text(f"{name:<{label}}", style=COLOURS[name])
        at = watch.committed.get(name)
        if at is None:
            return line
        line.append("━" * (at - low) + "▲" if at >= low else "◀")
        line.append("┄" * (low + min(width, watch.end - low) - max(low, at) - 1), "bold red")
        line.append(" " * (label + width - len(line)) + f" committed {at}, ")
        lag = max(0, watch.end - at)
        line.append(f"lag {lag}", "bold red" if lag > 9 else "")
        return line


class Tail:
    """The latest lines of a script; one too long loses its middle, since its offset stands at its end."""

    def __init__(self, runs):
        self.runs = runs

    def __rich_console__(self, console, options):
        lines = [line.text for script in self.runs for line in list(script.output)]
        for text in lines[-(options.height or 3) :]:
            if len(text) > options.max_width:
                half = options.max_width // 2
                text = f"{text[: half - 1]}…{text[half - options.max_width :]}"
            yield Text(text, no_wrap=True, overflow="crop")


def picture(demo, console):
    """Return the live picture: the current step, the log, and what the four scripts print."""
    step = Text()
    if demo.steps:
        step = Group(Text(demo.steps[-1].sentence, "bold"), Text(demo.note))
    panels = []
    for name, runs in demo.runs.items():
        title = Text(f"{name}: {demo.state[name]}", "bold red" if demo.state[name][:4] in ("stop", "kill") else "")
        panels.append(
            Panel(Tail(runs), title=title, title_align="left", border_style=COLOURS[name], style=COLOURS[name])
        )
    scripts = Layout()
    if console.height >= 36:
        scripts.split_column(*map(Layout, panels))
    else:
        scripts.split_row(Layout(name="producers"), Layout(name="consumers"))
        scripts["producers"].split_column(*map(Layout, panels[:2]))
        scripts["consumers"].split_column(*map(Layout, panels[2:]))
    whole = Layout()
    whole.split_column(
        Layout(Panel(step, title=f"Step {len(demo.steps)} of 7", title_align="left"), size=6),
        Layout(Panel(Lane(demo), title=f"Kafka: topic {demo.topic}, partition 0", title_align="left"), size=7),
        scripts,
    )
    return whole


def draw(demo, file) -> None:
    """Write the live picture, as it is now, as an SVG that loads nothing from elsewhere."""
    console = Console(
        record=True, width=120, height=36, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(picture(demo, console))
    svg = console.export_svg(title="consumer1 is stopped, its messages wait")
    Path(file).write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), "utf-8")


# The command.


def start_broker(console, live, stack) -> Broker:
    """Start a Kafka of our own, with progress; it is gone when the stack is unwound."""
    bar = Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True, disable=not live)
    task = bar.add_task("Starting Kafka", total=None)
    told = []

    def progress(done, total):
        text = f"Downloading Kafka, this once: {done // 1_000_000} of about {total // 1_000_000} MB"
        bar.update(task, description=text, completed=done, total=total)
        if not live and (not told or done - told[-1] > total / 4):
            told.append(done)
            print(text, flush=True)

    if not live:
        print("Starting Kafka.", flush=True)
    with bar:
        return stack.enter_context(Broker(progress=progress))


def run(options, console, live) -> int:
    """Play the story and give the account; return the exit status."""
    with contextlib.ExitStack() as stack:
        stack.callback(ignore_signals)
        broker = None
        if options.bootstrap_servers:
            KafkaAdminClient(bootstrap_servers=options.bootstrap_servers, bootstrap_timeout_ms=8000).close()
        else:
            broker = start_broker(console, live, stack)
        servers = options.bootstrap_servers or broker.bootstrap_servers
        tell = (lambda _: None) if live else (lambda line: print(line, flush=True))
        demo = Demo(servers, broker, options.fast, tell, options.picture)
        stack.callback(demo.end)
        with contextlib.ExitStack() as screen:
            if live:
                shown = {"console": console, "screen": True, "refresh_per_second": 5}
                screen.enter_context(Live(get_renderable=lambda: picture(demo, console), **shown))
            demo.play()
        rows = account(demo)
        wrong = faults(demo, rows)
        for part in ("", table(demo, rows, console.width), "", WHY, "", verdict(demo, rows, wrong)):
            console.print(part, highlight=False, soft_wrap=not live and isinstance(part, str))
    return 1 if wrong else 0


def address(text) -> str:
    if not re.fullmatch(r"[^\s/,]+:\d{1,5}(,[^\s/,]+:\d{1,5})*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write host:port, as in localhost:9092")
    return text


def picture_file(text) -> str:
    if not Path(text).absolute().parent.is_dir() or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} can't be written: name a file in a directory that exists")
    return text


def complain(line) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"demo.py: {line}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="shorter pauses: for tests, not for reading along")
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        type=address,
        help="use a Kafka that runs already: with a topic and groups of the demonstration's own, deleted afterwards; "
        "step 5, which stops Kafka, is left out",
    )
    parser.add_argument(
        "--picture", metavar="FILE", type=picture_file, help="write the picture of step 2 there, as SVG"
    )
    options = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # for a terminal that lacks a letter
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # its warnings during the outage are no news
    tempfile.gettempdir()  # it writes a file to find out: not later, where Ctrl+C could leave that behind
    live = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    console = Console() if live else Console(force_terminal=False, color_system=None, width=120)
    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        return run(options, console, live)
    except Stopped as stopped:
        complain("Stopped. Its scripts and its Kafka are gone.")
        return 128 + stopped.args[0]
    except BrokenPipeError:  # the reader is gone, as in `| head`
        return 1
    except (BrokerError, AssertionError, OSError, subprocess.TimeoutExpired) as error:
        complain(" / ".join(str(error).splitlines()))
    except KafkaError as error:
        complain(f"Kafka at {options.bootstrap_servers or 'the demonstration'} fails: {type(error).__name__}.")
    return 1


if __name__ == "__main__":
    status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)  # not a second later: threads that still ask Kafka are not waited for
