"""Drive it yourself: a real Kafka, the four scripts, and a key for each thing that can happen to them.

    python tests/play.py     in a terminal

It starts a Kafka of its own, with a free port and temporary data, both producers and both consumers. The picture shows
what Kafka stores and what the scripts print; the last two rows show the keys. Each key shows the command that it stands
for, as you would type it in a terminal of your own (kadm is defined in tests/EXPERIMENTS.md). Before a consumer starts
again, you are asked where it will resume. At the end (q or Ctrl+C) both consumers read what is left, and a table
compares what Kafka stored with what each of them printed.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the rest is imported there is nothing to end

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from evidence.judge import judge
from evidence.lines import Lost, Message, Resuming
from machine.processes import now, on_ending
from picture.live import picture, terminal, typed
from running.scripts import printed_by
from story import moves
from story.account import CONSUMERS, PRODUCERS, SCRIPTS, Step
from story.command import run_command, stage_for, tell_account
from story.stage import ENDINGS, RUNNING, STARTING, STOPPING, SUSPENDED, TOPIC
from story.view import picture_of

TARGETS = dict(enumerate([*CONSUMERS, *PRODUCERS, "Kafka", "topic"], 1))  # by the number to press
LABELS = {name: f"{number} {name}" for number, name in TARGETS.items()}
INTRO = "All four scripts run. Press c to stop consumer1, let messages pile up, and press s to start it again."
A_PRODUCERS = "Kafka has stored what the producer printed, each message once."
KADM = "(tests/EXPERIMENTS.md says what kadm is.)"
ALWAYS = "q quit   p questions: {}   1 2 consumers   3 4 producers   5 Kafka   6 topic"
PARTITIONS = 3  # for more of them the picture has no room


class Key(NamedTuple):
    """What a key does.

    Attributes:
        label: what the row of keys says.
        act: a move, called with the stage and, for a script, its name.
        note: what to know of it.
    """

    label: str
    act: Callable
    note: str


START = Key("start", moves.start, "")
STOP = Key("Ctrl+C", moves.interrupt, "Its group's committed offset stays, and what comes now waits in the log.")
KILL = Key("kill -9", moves.kill, "It had no chance to commit. Its group's committed offset stays.")
SUSPEND = Key("suspend", moves.suspend, "It sends no heartbeats now. When its session is over, it is out of its group.")
GO_ON = Key("go on (fg)", moves.go_on, "If its session is over, it joins its group again, as it does when it starts.")
BEFORE_COMMIT = Key("kill before its commit", moves.kill_before_commit, "")
REWIND = Key("rewind its group", moves.rewind, f"When it starts, it reads all messages that are left. {KADM}")
STOP_KAFKA = Key("Ctrl+C", moves.stop_kafka, "The scripts wait, and go on when Kafka is back. s starts it again.")
KILL_KAFKA = Key("kill -9", moves.kill_kafka, STOP_KAFKA.note)
START_KAFKA = Key("start", moves.start_kafka, "Messages and committed offsets are on disk, so Kafka still has them.")
DELETE = Key("delete all messages", moves.delete_messages, f"A consumer whose group wants one will say LOST. {KADM}")
ADD = Key("add a partition", moves.add_partition, f"The scripts notice it within 30 seconds. {KADM}")


class Play:
    """What the person at the keys does to a stage."""

    def __init__(self, stage):
        self.stage, self.target, self.note = stage, CONSUMERS[0], INTRO
        self.asks = True  # whether to ask where a consumer will resume
        self.guess = None  # the digits of the answer while the question is open
        self._said = {}  # {consumer that has been started: the answer, or ""}: what comes of it is not told yet
        self._rewound = set()  # consumers whose groups were rewound since they last ran
        self._command = len(stage.commands)  # the number of the first command of the latest key
        self.is_over = False

    def keys(self) -> dict[str, Key]:
        """Return the keys that make sense for the target now."""
        stage, target = self.stage, self.target
        is_up, state = not stage.away, stage.state(target)
        if target == "topic":
            return {"d": DELETE, **({"a": ADD} if len(stage.seen.logs) < PARTITIONS else {})} if is_up else {}
        if target == "Kafka":
            is_down = stage.kafka_is in ENDINGS.values()
            return {"s": START_KAFKA} if is_down else {**({"c": STOP_KAFKA} if is_up else {}), "k": KILL_KAFKA}
        if state == RUNNING:
            found = {"c": STOP, "k": KILL, "z": SUSPEND}
            if is_up and target in CONSUMERS and any(stage.state(name) == RUNNING for name in PRODUCERS):
                found["x"] = BEFORE_COMMIT
        elif state in (STOPPING, SUSPENDED):
            found = {"k": KILL} if state == STOPPING else {"f": GO_ON, "k": KILL}
        else:
            found = {"s": START, **({"r": REWIND} if target in CONSUMERS else {})} if is_up else {}
        return found if target in CONSUMERS else {k: each._replace(note=A_PRODUCERS) for k, each in found.items()}

    def must_wait(self, key) -> bool:
        """Tell whether a key has to wait until what is under way is over: it may make sense then."""
        is_under_way = {STOPPING, STARTING}.intersection([self.stage.kafka_is, self.stage.state(self.target)])
        return bool(is_under_way) and key.isalpha() and key not in {*self.keys(), "p", "q"}

    def press(self, key) -> None:
        """Do what a key stands for."""
        if self.guess is not None:
            return self._answer(key)
        if key == "q":
            self.stage.end_soon(0)
        elif key == "p":
            self.asks = not self.asks
            self.note = f"Questions are {'on' if self.asks else 'off'}."
        elif key.isdigit() and int(key) in TARGETS:
            self.target, self.note, self._command = TARGETS[int(key)], "", len(self.stage.commands)
        elif chosen := self.keys().get(key):
            self._command = len(self.stage.commands)
            self._do(chosen)
        elif key.isprintable():
            self.note = f"{key} does nothing now."
        return None

    def _do(self, key):
        """Make the move of a key. If Kafka refuses it, the note says so."""
        stage, name, self.note = self.stage, self.target, "One moment."
        if key is START and name in CONSUMERS and stage.group(name).committed:
            if self.asks:
                self.guess = ""
            else:
                self._start("")
        elif key is BEFORE_COMMIT:
            self.note = "Waiting for a message that is printed and not yet committed."
            self.note = self._between(key.act(stage, name))
        else:
            try:
                key.act(stage, *[name] if name in SCRIPTS else [])
            except subprocess.SubprocessError as error:
                self.note = f"Kafka refuses: {error}"
                return
            self.note = key.note
            if key is REWIND:
                self._rewound.add(name)

    def _between(self, message) -> str:
        if message is None:
            return "No such moment came: every commit was faster."
        committed = self.stage.group(self.target).committed.get(message.partition, 0)
        return (
            f"Killed after it had printed offset {message.offset} of partition {message.partition}, before it could "
            f"commit that: committed is {committed}. s makes it print the message again (at least once)."
        )

    def _answer(self, key):
        """Take a key of the answer. Enter ends it; a letter leaves it, and does what it stands for."""
        if key.isdigit():
            self.guess += key
        elif key in "\x7f\b":
            self.guess = self.guess[:-1]
        else:
            said, self.guess = self.guess, None
            self._start(said)
            if key not in "\r\n":
                self.press(key)

    def _start(self, said):
        self.note, self._said[self.target] = "", said
        moves.start(self.stage, self.target)

    def see(self) -> None:
        """Tell where a consumer that was started again has resumed, when it has."""
        for name, said in list(self._said.items()):
            run = self.stage.scripts[name].printed()
            of_partition_0 = [event for event in run.of(Lost, Resuming, Message) if event.partition == 0]
            places = [event for event in of_partition_0 if isinstance(event, Resuming)]
            if places and (of_partition_0[-1] is not places[-1] or not self.stage.lag(name)):
                del self._said[name]
                self.note = self._outcome(name, said, places[0].offset, isinstance(of_partition_0[0], Lost))

    def _outcome(self, name, said, offset, lost) -> str:
        before = [run for run in printed_by(self.stage.started)[:-1] if run.name == name]
        why = "its group's committed offset, the next message to read"
        if lost:
            why = "the oldest message that is left. Kafka has deleted those before it, and it reports them as LOST"
        elif name in self._rewound:
            why += ". The group was rewound, so it reads again"
        elif any(message.place == (0, offset) for run in before for message in run.messages):
            why += ". It had printed that message, but not committed it, so it prints it again"
        self._rewound.discard(name)
        return f"{f'You said {said}. ' if said else ''}{name} resumed at offset {offset}: {why}."

    def picture(self):
        """Return the picture, with the keys."""
        keys = "   ".join(f"{key} {each.label}" for key, each in self.keys().items()) or "nothing before Kafka is back"
        rows, note = [f"{LABELS[self.target]}:   {keys}", ALWAYS.format("on" if self.asks else "off")], self.note
        if self.guess is not None:
            rows = ["Type a number, and press Enter. Enter alone skips the question.", ""]
            note = f"At which offset of partition 0 will {self.target} resume? {self.guess}_"
        if self.is_over:
            rows = ["Ctrl+C: end at once, without the account", ""]
        commands = [(command, "") for command in self.stage.commands[self._command :][-3:]]
        labels = {**LABELS, self.target: f"▶ {LABELS[self.target]}"}
        heading, rows = f"Kafka at {self.stage.broker.bootstrap_servers}", [(rows[0], "bold"), (rows[1], "")]
        return picture_of(self.stage, heading, [*commands, (note, "bold")], rows, labels)


def leave(stage) -> None:
    """Let the producers end, and the consumers read what is left."""
    stage.until("Kafka to settle", lambda: stage.kafka_is, lambda state: state not in (STOPPING, STARTING))
    if stage.away:
        moves.start_kafka(stage)
        stage.until("Kafka to start", lambda: stage.kafka_is, RUNNING)
    for name in list(stage.suspended):
        moves.go_on(stage, name)
    for name in PRODUCERS:
        if stage.state(name) == RUNNING:
            moves.interrupt(stage, name)
    for name in SCRIPTS:
        stage.until(f"{name} to end or to go on", lambda name=name: stage.state(name) != STOPPING)
        if name in CONSUMERS and stage.state(name) != RUNNING:
            moves.start(stage, name)
    for name in CONSUMERS:
        stage.until(f"{name} to read what is left", lambda name=name: stage.lag(name), 0)
        moves.interrupt(stage, name)
        stage.until(f"{name} to end", stage.scripts[name].has_ended)
    stage.step.lags = {name: stage.lag(name) for name in CONSUMERS}


def run() -> int | str:
    """Play until q or a signal; then give the account; return what sys.exit takes."""
    console = terminal()
    if not console or not sys.stdin.isatty():
        return "play.py: This needs a terminal that can show a picture. tests/demo.py also runs without."
    play, shown, keys = None, None, ""

    def show(_):
        if shown:
            play.see()
            shown.update(play.picture())

    with stage_for((1, 0.5), lambda line: None, show) as stage:
        stage.steps.append(Step(1, "your run", "", now()))
        for name in SCRIPTS:
            moves.start(stage, name)
        play = Play(stage)
        with picture(console, stage.resumed) as shown:
            try:
                while True:
                    stage.look()
                    keys += typed(0.2)
                    while keys and not play.must_wait(keys[0]):
                        play.press(keys[0])
                        keys = keys[1:]
            except SystemExit as end:
                if end.code not in (0, 128 + signal.SIGINT):
                    raise
                stage.end_soon(None)
                on_ending(sys.exit)  # a second Ctrl+C ends it without the account
                play.guess, play.note, play.is_over = None, "The end: both consumers read what is left.", True
                leave(stage)
        log = stage.kafka.log(TOPIC)
    runs = printed_by(stage.started)
    return tell_account(console, stage.steps, runs, judge(runs, log))


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    run_command("play.py", run)


if __name__ == "__main__":
    main()
