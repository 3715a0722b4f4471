"""Measure consumer1.py and other clients' consumers on a broker of their own, in eight minutes; print Markdown tables.

They show how long a consumer takes from a restart to its first message, how many messages are missing or repeated when
it is ended and restarted while messages arrive, and how fast it catches up, each with its documentation's settings.
"""

import signal
import sys

if sys.platform == "win32":
    sys.exit("benchmark.py: it ends consumers with Unix signals, so it needs Linux or macOS.")
signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports there is nothing to clean up

import argparse
import asyncio
import os
import platform
import subprocess
from importlib.metadata import version
from statistics import median

from machine.processes import on_ending
from peers.clients import COMMANDS, SETTINGS, install_kafkajs
from peers.measuring import ENDINGS, RATE, Ticks, catch_up, restart_all
from real_kafka.brokers import Broker
from real_kafka.download import BrokerError
from real_kafka.files import compose_service

MISSED = 300_000  # messages; of only 100,000, confluent-kafka would fetch all before it prints the first one
# How often each consumer catches up; how many seconds after its first message it is ended, late enough for automatic
# commits, which come every 5 s; the numbers of partitions.
FULL, SHORT = (3, (6, 7, 8, 9), (1, 100, 500)), (1, (9,), (500,))
METHOD = (
    "Catching up: one consumer at a time, the median of the rounds; output goes to a file. The others: all at the same "
    f"time, each in a group for each way of ending it, medians; {RATE} messages a second; ended 5 to 10 s after its "
    "first message, at moments that are the same for all. By partitions: ended with Ctrl+C, all at the same time."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="takes less than three minutes: one round, one restart")
    parser.add_argument("--only", action="append", choices=COMMANDS, help="measure only this one; can be repeated")
    options = parser.parse_args()
    on_ending(sys.exit)
    peers = [peer for peer in COMMANDS if peer in (options.only or COMMANDS)]
    versions = [compose_service()["image"], f"{platform.python_implementation()} {platform.python_version()}"]
    versions += [f"{library} {version(library)}" for library in ("kafka-python", "confluent-kafka", "aiokafka")]
    if "kafkajs" in peers:
        try:
            versions.append(install_kafkajs())
        except (OSError, subprocess.SubprocessError):
            print("kafkajs is left out: it needs node, and npm to download it.", file=sys.stderr)
            peers.remove("kafkajs")
    if not peers:
        sys.exit("benchmark.py: no consumer is left to measure.")
    try:
        with Broker() as broker:
            found = asyncio.run(measure(broker.bootstrap_servers, peers, *(SHORT if options.short else FULL)))
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGINT)
    except (AssertionError, BrokerError) as error:
        lines = str(error).splitlines()
        sys.exit(f"benchmark.py: {' … '.join(lines[:1] + lines[1:][-1:])}")  # the lines between are what a peer printed
    settings = "\n".join(f"- **{peer}**: {SETTINGS[peer]}" for peer in peers)
    machine = f"{', '.join(versions)}, {platform.system()}, {os.cpu_count()} CPUs."
    print(machine, *found, settings, METHOD, sep="\n\n")


async def measure(servers, peers, rounds, moments, partitions) -> list[str]:
    """Return the tables. A signal ends everything that was started, and raises asyncio.CancelledError."""
    # A task is cancelled where it waits. An exception during the start of a consumer would leave the consumer running.
    task = asyncio.current_task()
    on_ending(lambda _: task.cancel())
    missed, live, caught_up = Ticks(servers, "missed"), Ticks(servers, "live"), {peer: [] for peer in peers}
    missed.store(MISSED)
    for number in range(1, rounds + 1):
        for peer in peers:
            print(f"round {number} of {rounds}, {peer}: catching up with {MISSED:,} messages", file=sys.stderr)
            caught_up[peer].append(await catch_up(missed, peer))
    print("restarting all while messages arrive: a minute at most for each restart", file=sys.stderr)
    restarted, by_partitions = await restart_all(live, peers, moments), {}
    for number in partitions:
        print(f"restarting all with {number} partitions", file=sys.stderr)
        by_partitions[number] = await restart_all(Ticks(servers, f"of-{number}", number), peers, (1,), ("Ctrl+C",))
    return tables(caught_up, restarted, len(moments), by_partitions)


def tables(caught_up, restarted, restarts, by_partitions) -> list[str]:
    """Return four Markdown tables of {peer: results of `catch_up`}, the result of `restart_all`, how many restarts
    that was for each consumer, and {number of partitions: the result of `restart_all`}.
    """
    starts = [["Start to first message (s)", "first start", *(f"after {ending}" for ending in ENDINGS)]]
    verdicts = [[f"Missing / repeated messages (restarts: {restarts})", *(f"by {ending}" for ending in ENDINGS)]]
    yardsticks = [f"confluent-kafka-{loop}" for loop in ("poll", "batches")]
    columns = ["messages/s", *(f"ratio to {peer}" for peer in yardsticks), "peak memory (MiB)", "CPU time (s)"]
    rates = [[f"Catching up with {MISSED:,} messages", *columns]]
    partitions = [["Restart after Ctrl+C to first message (s), by partitions", *map(str, by_partitions)]]
    for peer, rounds in caught_up.items():
        first, again, counts = zip(*(restarted[peer, ending] for ending in ENDINGS), strict=True)
        starts.append([peer, *(f"{median(seconds):.2f}" for seconds in (first, *again))])
        verdicts.append([peer, *(f"{missing:,} / {repeated:,}" for missing, repeated in counts)])
        rate, memory, cpu = (median(figures) for figures in zip(*rounds, strict=True))
        others = [[rate for rate, _, _ in caught_up.get(other, [])] for other in yardsticks]
        ratios = [f"{rate / median(other):.2f}" if other else "-" for other in others]
        rates.append([peer, f"{rate:,.0f}", *ratios, f"{memory:.0f}", f"{cpu:.2f}"])
        partitions.append([peer, *(f"{found[peer, 'Ctrl+C'][1][0]:.2f}" for found in by_partitions.values())])
    return [table(*rows) for rows in (starts, verdicts, rates, partitions)]


def table(head, *rows) -> str:
    """Return a Markdown table. The first cell of a row is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
