"""Measure what happens when other clients' consumers are stopped and started; print Markdown tables.

    PYTHONPATH=tests .venv/bin/python -m peers.other_clients [--only NAME] [--wait SECONDS]

Each client is a program in `programs/`, written as the client's documentation writes a consumer: with its default
settings, but for where a new group starts, and for transactions (read_committed). A program prints "partition offset"
for each message. With AFTER_FIVE=end it ends cleanly after the fifth message; with AFTER_FIVE=hang it goes on handling
it. Each experiment has a topic and a group of its own, so all wait at the same time. A client whose tools (node 22 and
npm, go, a JDK) are not here is left out.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

from machine.waiting import Overdue, wait_until
from real_kafka.brokers import Broker
from real_kafka.download import kafka_jars
from real_kafka.files import CACHE, compose_version, whole_or_not_at_all
from running.programs import Program

PROGRAMS = Path(__file__).parent / "programs"
MESSAGE = re.compile(r"(\d+) (\d+)")
TWINS = ("kafka-python", "confluent", "aiokafka", "@platformatic", "Java", "franz-go", "sarama")  # static membership


def installed(package, *commands) -> Path:
    """Return a folder in which these commands have been run, once."""
    folder = CACHE / package.replace("/", "-")
    if not folder.exists():
        with whole_or_not_at_all(folder) as made:
            made.mkdir()
            for command in commands:
                run(made, command)
    return folder


def run(folder, command) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)


def python(program, package=None) -> list:
    path = []
    if package:
        folder = installed(package, [sys.executable, "-m", "pip", "install", "--quiet", "--target", ".", package])
        path = ["env", f"PYTHONPATH={folder}"]
    return [*path, sys.executable, PROGRAMS / program]


def node(program, package, *its_node) -> list:
    folder = installed(package, *(["npm", "install", "--no-audit", "--no-fund", each] for each in (package, *its_node)))
    modules = folder / "node_modules"
    return ["env", f"NODE_PATH={modules}", f"PATH={modules / '.bin'}:{os.environ['PATH']}", "node", PROGRAMS / program]


def go(program, package) -> list:
    folder = installed(package, ["go", "mod", "init", "other"], ["go", "get", package])
    run(folder, ["go", "build", "-o", "consumer", PROGRAMS / program])
    return [folder / "consumer"]


def java(program) -> list:
    jars = kafka_jars(compose_version())
    folder = installed(f"java-client-{compose_version()}")
    run(folder, ["javac", "-cp", jars / "*", "-d", ".", PROGRAMS / f"{program}.java"])
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    return ["java", quiet, "-cp", f"{folder}:{jars / '*'}", program]


CLIENTS = {  # by what the tables call it: what returns its command
    f"kafka-python {version('kafka-python')}, iterating": lambda: python("resume_kafka_python.py"),
    "kafka-python 2.3.3, iterating": lambda: python("resume_kafka_python.py", "kafka-python==2.3.3"),
    f"confluent-kafka {version('confluent-kafka')}, `poll()`": lambda: python("resume_confluent_kafka.py"),
    f"aiokafka {version('aiokafka')}, `async for`": lambda: python("resume_aiokafka.py"),
    f"Java {compose_version()}, `poll()`": lambda: java("ResumeJava"),
    "kafkajs 2.2.4, `eachMessage`": lambda: node("resume_kafkajs.js", "kafkajs@2.2.4"),
    "@platformatic/kafka 2.12.1, `for await`": lambda: node(
        "resume_platformatic_kafka.mjs", "@platformatic/kafka@2.12.1", "node@22.23.3"
    ),
    "franz-go 1.22.3, `PollFetches`": lambda: go("resume_franz_go.go", "github.com/twmb/franz-go/pkg/kgo@v1.22.3"),
    "sarama 1.61.1, `MarkMessage`": lambda: go("resume_sarama.go", "github.com/IBM/sarama@v1.61.1"),
    "kafka-go 0.4.51, `ReadMessage`": lambda: go("resume_kafka_go.go", "github.com/segmentio/kafka-go@v0.4.51"),
}


class Trial:
    """One client in one experiment, with a topic and a group of its own."""

    def __init__(self, client, command, servers, admin, wait):
        self.client, self.command, self.servers, self.admin, self.wait = client, command, servers, admin, wait
        self.topic, self.group = str(uuid.uuid4()), str(uuid.uuid4())
        self.admin.create_topics([NewTopic(self.topic, 1)])[self.topic].result()

    def store(self, count, partition=0, transaction=False) -> None:
        settings = {"transactional.id": self.topic} if transaction else {}
        producer = Producer({"bootstrap.servers": self.servers, "log_level": 0, **settings})
        if transaction:
            producer.init_transactions()
            producer.begin_transaction()
        for number in range(count):
            producer.produce(self.topic, b"%d" % number, partition=partition)
        if transaction:
            producer.commit_transaction()
        assert not producer.flush(60)

    @contextlib.contextmanager
    def consumer(self, **settings):
        """Run the client's program; kill it at the end if it still runs."""
        settings |= {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "KAFKA_TOPIC": self.topic, "KAFKA_GROUP_ID": self.group}
        program = Program(self.client, self.command, **settings)
        try:
            yield program
        finally:
            program.kill()

    def committed(self) -> int | None:
        """Return the group's committed offset in partition 0."""
        asked = ConsumerGroupTopicPartitions(self.group, [TopicPartition(self.topic, 0)])
        [answer] = self.admin.list_consumer_group_offsets([asked])[self.group].result().topic_partitions
        return answer.offset if answer.offset >= 0 else None


def wait_for_messages(consumer, count, limit=120) -> None:
    consumer.until(f"{count} messages", lambda: len(messages(consumer)), lambda number: number >= count, limit)


def messages(consumer) -> list:
    """Return (partition, offset, when it was printed) for each message."""
    found = ((MESSAGE.fullmatch(line.text), line.at) for line in list(consumer.output))
    return [(int(match[1]), int(match[2]), at) for match, at in found if match]


def ended_cleanly(trial) -> str:
    trial.store(10)
    with trial.consumer(AFTER_FIVE="end") as consumer:
        wait_for_messages(consumer, 5)
        consumer.wait()
    return or_none(trial.committed())


def killed(trial) -> str:
    trial.store(10)
    with trial.consumer(AFTER_FIVE="hang") as consumer:
        wait_for_messages(consumer, 5)
        time.sleep(10)
    return or_none(trial.committed())


def or_none(offset) -> str:
    return "none" if offset is None else str(offset)


def silence(trial) -> str:
    trial.store(10)
    with trial.consumer() as consumer:
        wait_for_messages(consumer, 10)
        time.sleep(10)
    trial.store(1)
    with trial.consumer() as consumer:
        wait_for_messages(consumer, 1)
        return f"{messages(consumer)[0][2] - consumer.started:.1f} s"


def lag_behind_a_transaction(trial) -> str:
    trial.store(5, transaction=True)
    with trial.consumer() as consumer:
        wait_for_messages(consumer, 5)
        time.sleep(15)
        [end] = trial.admin.list_offsets({TopicPartition(trial.topic, 0): OffsetSpec.latest()}).values()
        read, committed = len(messages(consumer)), trial.committed()
        lag = str(end.result().offset - (committed or 0)) + ("" if committed else " (none committed)")
        return lag if read == 5 else f"{lag}, {read} read"


def beyond_the_end(trial) -> str:
    trial.store(50)
    place = ConsumerGroupTopicPartitions(trial.group, [TopicPartition(trial.topic, 0, 100)])
    trial.admin.alter_consumer_group_offsets([place])[trial.group].result()
    with trial.consumer() as consumer:
        try:
            wait_for_messages(consumer, 1, trial.wait)
        except AssertionError:
            return f"nothing in {trial.wait:.0f} s"
        return str(messages(consumer)[0][1])


def twins(trial) -> str:
    if not trial.client.startswith(TWINS):
        return ""
    trial.store(1)
    with trial.consumer(KAFKA_GROUP_INSTANCE_ID="twin") as first:
        wait_for_messages(first, 1)
        with trial.consumer(KAFKA_GROUP_INSTANCE_ID="twin") as second:
            for _ in range(30):
                time.sleep(1)
                trial.store(1)
            time.sleep(5)
            open("/tmp/twins." + trial.client.split()[0].replace("/", "-"), "w").write(
                first.text() + "\n=====\n" + second.text())
            return f"{fate(first)} / {fate(second)}"


def fate(consumer) -> str:
    """Tell what has become of one of the twins, between which 30 messages came."""
    read = {offset for _, offset, _ in messages(consumer)} - {0}
    told = ", told to be fenced" if re.search("fenced", consumer.text(), re.IGNORECASE) else ""
    if consumer.has_ended():
        return "ends" + told
    return ("reads on" if max(read, default=0) > 20 else "reads nothing more") + f" ({len(read)} of 30)" + told


def grown(trial) -> str:
    trial.store(1)
    with trial.consumer() as consumer:
        wait_for_messages(consumer, 1)
        trial.admin.create_partitions([NewPartitions(trial.topic, 2)])[trial.topic].result()
        began = time.monotonic()
        trial.store(1, partition=1)

        def seen():
            return [at for partition, offset, at in messages(consumer) if (partition, offset) == (1, 0)]

        try:
            return f"after {consumer.until('the new partition', seen, limit=trial.wait)[0] - began:.0f} s"
        except AssertionError:
            return f"not in {trial.wait:.0f} s"


EXPERIMENTS = {
    "five of ten handled, ended cleanly": ended_cleanly,
    "killed while it handles the fifth": killed,
    "silence after a kill": silence,
    "lag behind a transaction": lag_behind_a_transaction,
    "committed 100 of 50": beyond_the_end,
    "a second copy with its `group.instance.id`": twins,
    "added partition": grown,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", default="", help="the clients whose name begins so")
    parser.add_argument("--wait", metavar="SECONDS", type=float, default=60, help="for what may never come")
    parser.add_argument("--experiment", default="")
    options = parser.parse_args()
    commands = {}
    for client, prepare in CLIENTS.items():
        if client.startswith(options.only):
            try:
                commands[client] = prepare()
            except (OSError, subprocess.SubprocessError) as error:
                print(f"{client} is left out: {error}", getattr(error, "stderr", ""), file=sys.stderr)
    experiments = {t: e for t, e in EXPERIMENTS.items() if t.startswith(options.experiment)}
    with Broker() as broker, ThreadPoolExecutor(len(commands) * len(experiments)) as pool:
        admin, cells = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0}), {}
        for title, experiment in reversed(experiments.items()):  # what waits longest comes first
            for client, command in commands.items():
                trial = Trial(client, command, broker.bootstrap_servers, admin, options.wait)
                cells[client, title] = pool.submit(experiment, trial)
                time.sleep(0.5)
        print("| client | " + " | ".join(experiments) + " |\n| --- |" + " --- |" * len(experiments))
        for client in commands:
            print(f"| {client} | " + " | ".join(result(cells[client, title]) for title in experiments) + " |", flush=True)


def result(cell) -> str:
    try:
        return cell.result()
    except Exception as error:
        print(error, file=sys.stderr)
        return ""


if __name__ == "__main__":
    main()
