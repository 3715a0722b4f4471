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
import sys
from collections.abc import Callable
from typing import NamedTuple

from evidence.judge import judge
from evidence.lines import Lost, Resuming
from machine.processes import now, on_ending
from picture.live import picture, terminal, typed
from running.scripts import printed_by
from story import moves
from story.account import CONSUMERS, PRODUCERS, SCRIPTS, Step
from story.command import run_command, stage_for, tell_account
from story.stage import ENDINGS, RUNNING, STARTING, STOPPING, TOPIC
from story.view import picture_of

TARGETS = dict(enumerate([*CONSUMERS, *PRODUCERS, "Kafka", "topic"], 1))  # by the number to press
LABELS = {name: f"{number} {name}" for number, name in TARGETS.items()}
INTRO = "All four scripts run. Press c to stop consumer1, wait until messages pile up, and start it again with s."
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
KILL = Key("kill -9", moves.kill, "Killed, without a chance to commit or to say goodbye. s starts it again.")
SUSPEND = Key("suspend", moves.suspend, "It sends no heartbeat now: after its session, its group goes on without it.")
GO_ON = Key(
    "go on (fg)", moves.go_on, "If its session is over, it joins its group anew, and resumes where that stands."
)
STOP = Key("Ctrl+C", moves.interrupt, "Its group's committed offset stays, and new messages wait in the log.")
STOP_PRODUCER = Key("Ctrl+C", moves.interrupt, "Each of its ticks that it has told is in the log.")
BEFORE_COMMIT = Key("kill before its commit", moves.kill_before_commit, "")
REWIND = Key("rewind its group", moves.rewind, "Its group starts over: s makes it read all that is still kept.")
STOP_KAFKA = Key("Ctrl+C", moves.stop_kafka, "The scripts wait, and go on when Kafka is back. s starts it again.")
KILL_KAFKA = Key("kill -9", moves.kill_kafka, "The scripts wait, and go on when Kafka is back. s starts it again.")
START_KAFKA = Key("start", moves.start_kafka, "Messages and committed offsets are on disk: it has them again.")
DELETE = Key("delete all messages", moves.delete_messages, "A consumer that has not read them all will report LOST.")
ADD = Key("add a partition", moves.add_partition, "The scripts notice it within 20 seconds or so.")


class Play:
    """What the person at the keys does to a stage."""

    def __init__(self, stage):
        self.stage, self.target, self.note = stage, CONSUMERS[0], INTRO
        self.asks = True  # whether to ask where a consumer will resume
        self.guess = None  # the digits of the answer while the question is open
        self._said = {}  # {consumer that has been started: the answer, or ""}: what comes of it is not told yet
        self._command = len(stage.commands)  # the number of the first command of the latest key

    def keys(self) -> dict[str, Key]:
        """Return the keys that make sense for the target now."""
        stage, target, away = self.stage, self.target, self.stage.away
        if target == "topic":
            more = {"a": ADD} if len(stage.seen.logs) < PARTITIONS else {}
            return {} if away else {"d": DELETE, **more}
        if target == "Kafka":
            is_down = stage.kafka_is in ENDINGS.values()
            return {"s": START_KAFKA} if is_down else {**({} if away else {"c": STOP_KAFKA}), "k": KILL_KAFKA}
        reads, state = target in CONSUMERS, stage.state(target)
        if state == "suspended":
            return {"f": GO_ON, "k": KILL}
        if state == STOPPING:
            return {"k": KILL}
        if state == RUNNING:
            ticks_come = any(stage.state(name) == RUNNING for name in PRODUCERS)
            more = {"x": BEFORE_COMMIT} if reads and ticks_come and not away else {}
            return {"c": STOP if reads else STOP_PRODUCER, "k": KILL, "z": SUSPEND, **more}
        return {} if away else {"s": START, **({"r": REWIND} if reads else {})}

    def must_wait(self, key) -> bool:
        """Tell whether a key has to wait until what is under way is over: it may make sense then."""
        is_under_way = {STOPPING, STARTING}.intersection([self.stage.kafka_is, self.stage.state(self.target)])
        return bool(is_under_way) and key.isalpha() and key not in {*self.keys(), "p", "q"}

    def press(self, key) -> None:
        """Do what a key stands for."""
        if self.guess is not None:
            return self._answer(key)
        self._command = len(self.stage.commands)
        if key == "q":
            self.stage.end_soon(0)
        elif key == "p":
            self.asks = not self.asks
            self.note = f"{'A' if self.asks else 'No'} question before a consumer starts again."
        elif key.isdigit() and int(key) in TARGETS:
            self.target, self.note = TARGETS[int(key)], ""
        elif chosen := self.keys().get(key):
            self._do(chosen)
        else:
            self.note = f"{key!r} stands for nothing that {self.target} can do now."
        return None

    def _do(self, key):
        stage, name, self.note = self.stage, self.target, key.note
        if key is START and name in CONSUMERS and stage.group(name).committed:
            if self.asks:
                self.guess = ""
            else:
                self._start("")
        elif key is BEFORE_COMMIT:
            self.note = "Waiting for the moment between a line and its commit."
            self.note = self._between(key.act(stage, name))
        else:
            key.act(stage, *[name] if name in SCRIPTS else [])

    def _between(self, message) -> str:
        if message is None:
            return "No such moment came: each commit was faster, or no message came."
        committed = self.stage.group(self.target).committed.get(message.partition, 0)
        return (
            f"Killed when it had printed offset {message.offset}, and its group's committed offset was {committed}. "
            "s starts it again: the message comes again."
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
        self._said[self.target] = said
        moves.start(self.stage, self.target)

    def see(self) -> None:
        """Tell where a consumer that was started again has resumed, when it has."""
        for name, said in list(self._said.items()):
            run = self.stage.scripts[name].printed()
            places = [place.offset for place in run.of(Resuming) if place.partition == 0]
            first = [message.offset for message in run.messages if message.partition == 0]
            if places and (first or not self.stage.lag(name)):
                del self._said[name]
                self.note = self._outcome(name, said, places[0], run.of(Lost), first)

    def _outcome(self, name, said, offset, lost, first) -> str:
        before = [run for run in printed_by(self.stage.started)[:-1] if run.name == name]
        again = any(message.place == (0, offset) for run in before for message in run.messages)
        guessed = f"You said {said}. " if said else ""
        why = "its group's committed offset, the next message to read"
        if lost:
            why = "the oldest message that is left. Kafka has deleted what its group wanted next: LOST"
        elif again:
            why += ". It prints that message again: printed before, but not committed, or rewound"
        return f"{guessed}{name} resumed at offset {offset}: {why}."

    def picture(self):
        """Return the picture, with the keys."""
        keys = "   ".join(f"{key} {each.label}" for key, each in self.keys().items()) or "nothing to do now"
        rows = [(f"{LABELS[self.target]}:   {keys}", "bold")]
        ask = "ask less" if self.asks else "ask"
        rows.append((f"1 2 consumers   3 4 producers   5 Kafka   6 topic   p {ask}   q quit", ""))
        note = self.note
        if self.guess is not None:
            rows = [("Enter: skip the question, or end the answer", "bold"), rows[1]]
            note = f"At which offset of partition 0 will {self.target} resume? {self.guess}_"
        texts = [*((command, "") for command in self.stage.commands[self._command :]), (note, "bold")]
        heading = f"Kafka at {self.stage.broker.bootstrap_servers}"
        return picture_of(self.stage, heading, texts, rows, LABELS)


def leave(stage) -> None:
    """Let the producers end, and the consumers read what is left."""
    if stage.away:
        stage.until("Kafka to settle", lambda: stage.kafka_is, lambda state: state not in (STOPPING, STARTING))
    if stage.away:
        moves.start_kafka(stage)
        stage.until("Kafka to start", lambda: stage.kafka_is, RUNNING)
    for name in list(stage.suspended):
        moves.go_on(stage, name)
    for name in PRODUCERS:
        moves.interrupt(stage, name)
    for name in CONSUMERS:
        if stage.state(name) != RUNNING:
            moves.start(stage, name)
    stage.until("the producers to end", lambda: all(stage.scripts[name].has_ended() for name in PRODUCERS))
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
                play.note = "The end: both consumers read what is left. Ctrl+C ends this at once."
                leave(stage)
        log = stage.kafka.log(TOPIC)
    runs = printed_by(stage.started)
    return tell_account(console, stage.steps, runs, judge(runs, log))


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    run_command("play.py", run)


if __name__ == "__main__":
    main()
