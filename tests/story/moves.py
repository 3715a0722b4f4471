"""Everything that can be done on a stage. A move begins at once, and the stage's next looks show what comes of it."""

import signal
import subprocess
import sys
import time

from evidence.lines import Line, Message
from machine import processes
from machine.processes import now
from running.scripts import Script
from story.account import GROUPS
from story.stage import ENDINGS, RUNNING, STARTING, STOPPING, TOPIC, Stage


def start(stage: Stage, name: str) -> None:
    """Start a script. Its command stands above its lines, as in a terminal."""
    settings = {"SEND_INTERVAL_SECONDS": str(stage.interval)}
    script = Script(name, stage.broker.bootstrap_servers, before=stage.ask_kafka(), **settings)
    script.output.insert(0, Line(script.started, _noted(stage, f"python {name}.py")))
    stage.started.append(script)
    stage.stopping.discard(name)


def interrupt(stage: Stage, name: str) -> None:
    """Stop a script as Ctrl+C does."""
    _send(stage, name, signal.SIGINT, "INT")
    stage.stopping.add(name)


def kill(stage: Stage, name: str) -> None:
    """End a script at once."""
    _send(stage, name, signal.SIGKILL, "9")
    stage.suspended.discard(name)
    stage.scripts[name].wait()


def suspend(stage: Stage, name: str) -> None:
    """Suspend a script, as Ctrl+Z does."""
    _send(stage, name, signal.SIGSTOP, "STOP")
    stage.suspended.add(name)


def go_on(stage: Stage, name: str) -> None:
    """Let a suspended script go on, as fg does."""
    _send(stage, name, signal.SIGCONT, "CONT")
    stage.suspended.discard(name)


def kill_before_commit(stage: Stage, name: str, limit=30) -> Message | None:
    """Kill a consumer between a line and its commit: Kafka does not have the offset yet.

    Each line suspends it until Kafka has been asked. If the commit was faster, it goes on, until its next line.

    Returns:
        The message of that line; None if the commit was always faster, for `limit` seconds.
    """
    script, deadline = stage.scripts[name], now() + limit
    while now() < deadline and stage.state(name) == RUNNING:
        printed, script.next_line_gets = len(script.output), signal.SIGSTOP  # the commit follows within a millisecond
        stage.until("another line", lambda n=printed: len(script.output) > n or now() > deadline)
        time.sleep(0.2)  # a commit that is on its way gets to Kafka
        stage.look()
        message = next(reversed(script.messages()), None)
        if message and stage.group(name).committed.get(message.partition, 0) <= message.offset:
            kill(stage, name)
            return message
        script.send(signal.SIGCONT)
    return None


def stop_kafka(stage: Stage) -> None:
    """Stop Kafka in order."""
    _noted(stage, f"kill -TERM {stage.broker.process.pid}     (yours: docker compose stop, or Ctrl+C in its terminal)")
    stage.broker.process.terminate()
    stage.kafka_is = STOPPING


def kill_kafka(stage: Stage) -> None:
    """End Kafka at once."""
    _noted(stage, f"kill -9 {stage.broker.process.pid}")
    stage.broker.kill()
    stage.kafka_is = ENDINGS[-9]


def start_kafka(stage: Stage) -> None:
    """Start Kafka, with the data it had."""
    _noted(stage, "python tests/broker.py     (or docker compose start)")
    stage.broker.start(wait=False)
    stage.kafka_is = STARTING


def rewind(stage: Stage, name: str) -> None:
    """Set the group of a consumer that has ended back to the earliest offsets."""
    if stage.group(name).members:
        _kadm(stage, "groups", "remove-members", "-g", GROUPS[name], "-i", name)
    for number in stage.seen.logs:
        _kadm(stage, "groups", "reset-offsets", "-g", GROUPS[name], "-p", f"{TOPIC}:{number}", "-s", "earliest")


def delete_messages(stage: Stage, before=-1) -> None:
    """Delete the messages of each partition below this offset, as retention does; by default all."""
    for number in stage.seen.logs:
        _kadm(stage, "partitions", "delete-records", "-r", f"{TOPIC}:{number}:{before}")


def add_partition(stage: Stage) -> None:
    """Give the topic one more partition."""
    _kadm(stage, "partitions", "create", "-p", f"{TOPIC}:{len(stage.seen.logs) + 1}")


def _noted(stage, command) -> str:
    """Note a command; return it as a terminal shows it."""
    stage.commands.append(f"$ {command}")
    return stage.commands[-1]


def _send(stage, name, number, word):
    script = stage.scripts[name]
    script.output.append(Line(now(), _noted(stage, f"kill -{word} {script.process.pid}")))
    script.send(number)


def _kadm(stage, *arguments):
    """Run one of kafka-python's admin commands; raise subprocess.SubprocessError if Kafka refuses."""
    stage.tell("    " + _noted(stage, " ".join(["kadm", *arguments])))
    command = [sys.executable, "-m", "kafka.admin", "-b", stage.broker.bootstrap_servers, *arguments]
    with processes.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        stage.until("the admin command to end", process.poll, lambda status: status is not None)
        if process.returncode:
            raise subprocess.SubprocessError(f"{stage.commands[-1]}: {process.stderr.read().splitlines()[-1]}")
