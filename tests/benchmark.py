"""Measure consumer1.py beside two loops on confluent-kafka that print the same lines, and print a Markdown table.

    python tests/benchmark.py                      on a broker of its own; takes about three minutes
    python tests/benchmark.py --messages 1000000   catch up with more missed messages

All run as a person starts them, in turn, on the same broker and the same messages, each with its own settings: the
loops have confluent-kafka's defaults. Each figure is the median of three runs; a wait above 10 s is measured once.
"""

import argparse
import itertools
import os
import platform
import resource
import signal
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from confluent_kafka import Producer

from shared.broker import Broker
from shared.download import BrokerError
from shared.files import ROOT, compose_service
from shared.kafka_itself import Kafka
from shared.scripts import Script
from shared.waiting import wait_until

ROUNDS = 3
TICK = b'{"symbol":"AAPL","price":"969.94","broker":"Broker1"}'
RECEIVED = b"[Consumer1] Received: "
NUMBER = itertools.count(1)  # so that each run has a new group

# Two loops on confluent-kafka. The usual one takes a message, prints it and flushes; the other takes up to BATCH at once.
# Both commit what is printed, every so many messages and when there is no more. They import nothing else.
CONFLUENT_LOOP = """
import os, signal
from confluent_kafka import Consumer

stopping = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stopping.append(True))
consumer = Consumer({
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "group.id": os.environ["KAFKA_GROUP_ID"],
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
})
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
batch, uncommitted = int(os.environ["BATCH"]), 0
while not stopping:
    message = consumer.poll(0.001 if uncommitted else 0.2)
    messages = [] if message is None else [message, *(consumer.consume(batch - 1, 0) if batch > 1 else [])]
    lines = [f"[Consumer1] Received: {m.value().decode()} (partition {m.partition()}, offset {m.offset()})"
             for m in messages if not m.error()]
    if lines:
        print("\\n".join(lines), flush=True)
    uncommitted += len(lines)
    if uncommitted >= 500 or (uncommitted and not lines):
        consumer.commit(asynchronous=True)
        uncommitted = 0
consumer.close()
"""
COMMANDS = {
    "consumer1.py": [sys.executable, str(ROOT / "consumer1.py")],
    "confluent-kafka, poll": ["env", "BATCH=1", sys.executable, "-c", CONFLUENT_LOOP],
    "confluent-kafka, batches of 500": ["env", "BATCH=500", sys.executable, "-c", CONFLUENT_LOOP],
}


class Starts(NamedTuple):
    """The seconds from a process's start to its first message; None where it was not measured again."""

    cold: float
    interrupted: float
    killed: float | None


class CatchUp(NamedTuple):
    """A run through all missed messages.

    Attributes:
        rate: messages a second, between the first lines and the last.
        seconds: from the process's start to the last line.
        memory: the peak of the resident memory, in MiB.
        cpu: seconds of processor time, in the process and for it in the kernel, from its start to its end.
    """

    rate: float
    seconds: float
    memory: float
    cpu: float


def fill(servers, topic, count) -> None:
    """Store `count` ticks in a topic."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "queue.buffering.max.messages": 0})
    for number in range(count):
        producer.produce(topic, TICK)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def first_message(run) -> float:
    """Return the seconds from the process's start to its first message."""
    run.wait_for_messages(1, limit=120)
    return run.first_message_after()


def measure_starts(command, kafka, topic, with_kill) -> Starts:
    """Start a consumer three times in a group of its own, each time with a message that it has missed."""
    group, servers = f"starts-{next(NUMBER)}", kafka.bootstrap_servers[0]
    runs, seconds = [], []
    try:
        for end in ("interrupt", "kill", "interrupt") if with_kill else ("interrupt", "interrupt"):
            kafka.send(topic, TICK)
            runs.append(Script("consumer1", servers, command=command, KAFKA_TOPIC=topic, KAFKA_GROUP_ID=group))
            seconds.append(first_message(runs[-1]))
            stored = kafka.offsets(topic)[0][1]
            wait_until(lambda: kafka.committed(group, topic).get(0) == stored)  # noqa: B023 - it is called here alone
            getattr(runs[-1], end)()
    finally:
        for run in runs:
            run.kill()
    return Starts(*seconds, *() if with_kill else (None,))


def peak_memory(process) -> float:
    """Return the peak of a running process's resident memory, in MiB (proc(5): VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu_of_children() -> float:
    """Return the processor time of all our child processes that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tail(path) -> bytes:
    """Return the last 1000 bytes of a file."""
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1000))
        return file.read()


def measure_catch_up(command, servers, topic, count, path) -> CatchUp:
    """Run a consumer in a new group until it has printed all messages of the topic, to the file `path`.

    The lines that the first look finds are taken off the rate's count: whoever prints more at once gains nothing.

    Raises:
        AssertionError: it ended or was silent too long, or a message is missing or came twice.
    """
    path.write_bytes(b"")
    cpu = cpu_of_children()
    to_file = ["sh", "-c", 'exec "$0" "$@" >"$OUTPUT"', *command]  # a file is never slower than the consumer
    settings = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": f"catch-up-{next(NUMBER)}", "OUTPUT": str(path)}
    run = Script("consumer1", servers, command=to_file, **settings)
    try:
        wait_until(lambda: RECEIVED in path.read_bytes() or run.process.poll() is not None, every=0.002)
        first, already = time.monotonic(), path.read_bytes().count(RECEIVED)
        wanted = b" offset %d)\n" % (count - 1)
        wait_until(lambda: wanted in tail(path) or run.process.poll() is not None, limit=600, every=0.002)
        last = time.monotonic()
        assert run.process.poll() is None, f"it ended: {run.text()}"
        memory = peak_memory(run.process)
        run.interrupt()
    finally:
        run.kill()
    printed = path.read_bytes().count(RECEIVED)
    assert printed == count, f"{printed} lines for {count} messages"
    return CatchUp((count - already) / (last - first), last - run.started, memory, cpu_of_children() - cpu)


def measure(servers, count) -> tuple[dict, dict]:
    """Return {name of the consumer: its median Starts} and {name of the consumer: its median CatchUp}."""
    kafka = Kafka(servers)
    for topic in ("missed", "starts"):
        kafka.create_topic(topic)
    report(f"storing {count:,} messages")
    fill(servers, "missed", count)
    starts, catch_ups = {name: [] for name in COMMANDS}, {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as directory:
        for number, (name, command) in itertools.product(range(1, ROUNDS + 1), COMMANDS.items()):
            report(f"round {number} of {ROUNDS}, {name}: catching up")
            output = Path(directory) / "output"
            catch_ups[name].append(measure_catch_up(command, servers, "missed", count, output))
            report(f"round {number} of {ROUNDS}, {name}: starting")
            with_kill = not starts[name] or starts[name][0].killed < 10
            starts[name].append(measure_starts(command, kafka, "starts", with_kill))
    return medians(starts), medians(catch_ups)


def medians(results) -> dict:
    """Return {name: the tuple of each field's median} for {name: list of tuples}; a None does not count."""
    return {
        name: type(runs[0])(*(median(v for v in values if v is not None) for values in zip(*runs, strict=True)))
        for name, runs in results.items()
    }


def report(text) -> None:
    """Tell on stderr what is measured now: stdout is for the table."""
    print(f"benchmark.py: {text}", file=sys.stderr, flush=True)


def table(starts, catch_ups, count) -> str:
    """Return the Markdown table; its last column says how many times better consumer1.py is (below 1: worse)."""
    rows = [
        ("Start to first message, nothing committed yet (s)", [s.cold for s in starts.values()], ".2f", False),
        ("Start to first message, after Ctrl+C (s)", [s.interrupted for s in starts.values()], ".2f", False),
        ("Start to first message, after kill -9 (s)", [s.killed for s in starts.values()], ".2f", False),
        (f"Catching up with {count:,} messages (messages/s)", [c.rate for c in catch_ups.values()], ",.0f", True),
        (f"Start to the last of {count:,} messages (s)", [c.seconds for c in catch_ups.values()], ".2f", False),
        ("Catching up: peak memory (MiB)", [c.memory for c in catch_ups.values()], ".0f", False),
        ("Catching up: CPU time (s)", [c.cpu for c in catch_ups.values()], ".2f", False),
    ]
    lines = [f"| | {' | '.join(starts)} | times better than poll |", "|---|---:|---:|---:|---:|"]
    for title, values, form, more_is_better in rows:
        ratio = values[0] / values[1] if more_is_better else values[1] / values[0]
        lines.append(f"| {title} | {' | '.join(f'{value:{form}}' for value in values)} | {ratio:.2f} |")
    return "\n".join(lines)


def versions() -> str:
    """Return what was measured, and on what, as one line."""
    clients = ", ".join(f"{name} {version(name)}" for name in ("kafka-python", "confluent-kafka"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{clients}, {python}, {compose_service()['image']}, {os.cpu_count()} CPUs, {platform.system()}"


def positive(text) -> int:
    """Return a command line's number.

    Raises:
        argparse.ArgumentTypeError: it is no whole number above 0.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def leave(*_) -> None:
    """End in order on the first Ctrl+C or SIGTERM; a second one must not leave half of what runs."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    help_text = "how many messages the consumers have missed (default: 300000)"
    parser.add_argument("--messages", type=positive, default=300_000, metavar="N", help=help_text)
    count = parser.parse_args().messages
    if sys.platform != "linux":
        sys.exit("benchmark.py: it reads a process's peak memory from /proc, so it needs Linux.")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        with Broker() as broker:
            starts, catch_ups = measure(broker.bootstrap_servers, count)
    except (AssertionError, BrokerError) as error:
        sys.exit(f"benchmark.py: {error}")
    print(f"{versions()}\n\n{table(starts, catch_ups, count)}")


if __name__ == "__main__":
    main()
