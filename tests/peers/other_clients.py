"""Measure what happens when other clients' consumers are stopped and started; print a Markdown table.

    PYTHONPATH=tests .venv/bin/python -m peers.other_clients [--only NAME] [--wait SECONDS]

Each client is a program in `programs/`, written as the client's documentation writes a consumer, with its default
settings but for two: a new group starts at the earliest message, and of transactions it reads what is committed. It
prints "partition offset" for each message. After the fifth it ends cleanly if AFTER_FIVE is "end", or stays in its
handler if that is "hang". Each experiment has a topic and a group of its own: all of them wait at the same time.
"""

import argparse
import contextlib
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions, OffsetSpec

from machine.waiting import Overdue, wait_until
from peers.installing import CLIENTS
from peers.trials import LIMIT, Trial, read
from real_kafka.brokers import Broker

WITHOUT_INSTANCE = ("kafkajs", "kafka-go")  # clients that have no static membership


def five_of_ten_ended_cleanly(trial):
    trial.store(10)
    with trial.consumer(5, AFTER_FIVE="end") as consumer:
        consumer.wait(LIMIT)
    return trial.committed()


def five_of_ten_killed(trial):
    trial.store(10)
    with trial.consumer(5, AFTER_FIVE="hang"):
        time.sleep(10)
    return trial.committed()


def silence_after_a_kill(trial):
    trial.store(10)
    with trial.consumer(10):
        time.sleep(10)
    trial.store(1)
    with trial.consumer(1) as consumer:
        return f"{min(read(consumer).values()) - consumer.started:.0f} s"


def lag_behind_a_transaction(trial):
    producer = Producer({**trial.settings, "transactional.id": trial.topic})
    producer.init_transactions()
    producer.begin_transaction()
    trial.store(5, producer=producer)
    producer.commit_transaction()
    with trial.consumer(5) as consumer:
        time.sleep(15)
        [end] = trial.admin.list_offsets({TopicPartition(trial.topic, 0): OffsetSpec.latest()}).values()
        marker = ", and reads the marker as a message" if (0, 5) in read(consumer) else ""
        return f"{end.result().offset - (trial.committed() or 0)}{marker}"


def committed_beyond_the_end(trial):
    trial.store(50)
    assert trial.committed(100) == 100
    with trial.consumer(0) as consumer:
        with contextlib.suppress(Overdue):
            return wait_until("a message", lambda: [offset for _, offset in read(consumer)], limit=trial.wait)[0]
        return "ends" if consumer.has_ended() else f"nothing in {trial.wait} s"


def second_copy(trial):
    if trial.client.startswith(WITHOUT_INSTANCE):
        return ""
    trial.store(1)
    instance = {"KAFKA_GROUP_INSTANCE_ID": "twin"}
    with trial.consumer(1, **instance) as first, trial.consumer(0, **instance) as second:
        for _ in range(60):
            time.sleep(1)
            trial.store(1)
        time.sleep(5)
        by_both = len(read(first).keys() & read(second).keys() - {(0, 0)})
        return f"{fate(first)} / {fate(second)}, {by_both} of 60 read by both"


def fate(consumer) -> str:
    """Tell what has become of one of two copies, among messages with the offsets 1 to 60."""
    why = re.search(r"(tatic consumer|FencedInstanceIdE)|UNKNOWN_MEMBER_ID|UnknownMemberIdE", consumer.text())
    told = "" if why is None else " (fenced)" if why[1] else " (unknown member)"
    goes_on = "reads on" if max(read(consumer), default=(0, 0)) > (0, 50) else "runs on without a message"
    return ("ends" if consumer.has_ended() else goes_on) + told


def added_partition(trial):
    trial.store(1)
    with trial.consumer(1) as consumer:
        trial.admin.create_partitions([NewPartitions(trial.topic, 2)])[trial.topic].result()
        added = time.monotonic()
        wait_until("the partition", lambda: len(trial.admin.list_topics(trial.topic).topics[trial.topic].partitions), 2)
        trial.store(1, partition=1, producer=Producer(trial.settings))  # one that knows it
        with contextlib.suppress(Overdue):
            wait_until("its message", lambda: (1, 0) in read(consumer), limit=trial.wait)
            return f"after {read(consumer)[1, 0] - added:.0f} s"
        return "ends" if consumer.has_ended() else f"not in {trial.wait} s"


TABLES = [  # by the columns' titles; what waits longest comes last here, and starts first
    {
        "five of ten, ended cleanly": five_of_ten_ended_cleanly,
        "five of ten, killed": five_of_ten_killed,
        "silence after a kill": silence_after_a_kill,
        "lag behind a transaction": lag_behind_a_transaction,
    },
    {
        "committed 100, the log ends at 50": committed_beyond_the_end,
        "the first / a second with its `group.instance.id`": second_copy,
        "an added partition is read": added_partition,
    },
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", default="", help="the clients whose name begins like this")
    parser.add_argument("--wait", metavar="SECONDS", type=int, default=60, help="how long, for what may never come")
    options = parser.parse_args()
    commands, cells = {}, {}
    for client, prepare in CLIENTS.items():
        try:
            commands |= {client: prepare()} if client.startswith(options.only) else {}
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{client} is left out: {error}", file=sys.stderr)
    if not commands:
        sys.exit("No client is left.")
    experiments = [experiment for table in TABLES for experiment in table.values()]
    with Broker() as broker, ThreadPoolExecutor(len(commands) * len(experiments)) as pool:
        for experiment in reversed(experiments):
            for client, command in commands.items():
                trial = Trial(client, command, broker.bootstrap_servers, options.wait)
                cells[client, experiment] = pool.submit(experiment, trial)
                time.sleep(0.5)  # so that not all start at once
        for table in TABLES:
            print(f"\n| client | {' | '.join(table)} |\n| --- |{' --- |' * len(table)}", flush=True)
            for client in commands:
                results = [result(cells[client, experiment]) for experiment in table.values()]
                print(f"| {client} | {' | '.join(results)} |", flush=True)


def result(cell) -> str:
    """Return what was measured, or nothing if it could not be."""
    try:
        return str(cell.result() if cell.result() is not None else "none")
    except Exception as error:
        print(str(error)[:1000], file=sys.stderr)
        return ""


if __name__ == "__main__":
    main()
