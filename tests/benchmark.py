"""Measure consumer1.py beside other clients' consumers, and print Markdown tables.

    python tests/benchmark.py                    about five minutes, on a broker of its own
    python tests/benchmark.py --short            less than two minutes: one round, one restart
    python tests/benchmark.py --only consumer1 --only aiokafka

For each: the silence from a restart to the first message; messages missing and repeated while it is ended and started
again and messages arrive; and how fast it catches up. Each has the settings of its own documentation.
"""

# ruff: noqa: E402 - the first lines say what Windows and Ctrl+C get, before the rest is imported
import signal
import sys

if sys.platform == "win32":
    sys.exit("benchmark.py: it ends consumers with Unix signals, so it needs Linux or macOS.")
signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import asyncio
import os
import platform
from collections import defaultdict

import psutil

from local_kafka.brokers import Broker
from local_kafka.download import BrokerError
from local_kafka.files import compose_service
from machine.processes import on_ending
from peers.catalogue import PEERS, library
from peers.measuring import RATE, Ticks, catch_up, restart_all
from peers.tables import tables

MISSED = 300_000  # messages; of 100,000 confluent-kafka has fetched all before it prints the first one
# How often each catches up, and the seconds after its first message when each is ended: automatic commits, every 5 s,
# have begun by then.
FULL, SHORT = (3, (6, 7, 8, 9)), (1, (9,))
METHOD = (
    "Catching up: one consumer at a time, the median of the rounds. The others: all at the same time, each in a group "
    f"for each way of ending it, medians; {RATE} messages a second; ended 5 to 10 s after its first message, at "
    "moments that are the same for all. Output goes to a file."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less than two minutes")
    parser.add_argument("--only", action="append", choices=PEERS, metavar="NAME", help=", ".join(PEERS))
    options = parser.parse_args()
    on_ending(sys.exit)
    clients = {peer: library(peer) for key, peer in PEERS.items() if key in (options.only or PEERS)}
    peers = [peer for peer, client in clients.items() if client]
    if len(peers) < len(clients):
        report("kafkajs is left out, for it needs node, and npm to download it.")
    if not peers:
        sys.exit("benchmark.py: nobody is left to be measured.")
    try:
        with Broker() as broker:
            found = asyncio.run(measure(broker.bootstrap_servers, peers, *(SHORT if options.short else FULL)))
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGINT)
    except (AssertionError, BrokerError, psutil.Error) as error:
        sys.exit(f"benchmark.py: {str(error).splitlines()[0]}")  # the others are what a peer printed
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{compose_service()['image']}, {python}, {platform.system()}, {os.cpu_count()} CPUs."
    settings = [f"- **{peer.name}** ({clients[peer]}): {peer.settings}" for peer in peers]
    print("\n\n".join([machine, *found, "\n".join(settings), METHOD]))


async def measure(servers, peers, rounds, moments) -> list[str]:
    """Measure these peers, with figures as in FULL; return the tables.

    Raises:
        asyncio.CancelledError: a signal has ended it; all that it had started is gone.
    """
    task = asyncio.current_task()
    # It is cancelled where it waits: what is raised amid the start of a consumer would leave that one behind.
    on_ending(lambda *_: task.cancel())
    missed, live, catch_ups = Ticks(servers, "missed"), Ticks(servers, "live"), defaultdict(list)
    report(f"storing {MISSED:,} messages")
    missed.send(MISSED)
    for number in range(1, rounds + 1):
        for peer in peers:
            report(f"round {number} of {rounds}, {peer.name}: catching up with {MISSED:,} messages")
            catch_ups[peer].append(await catch_up(missed, peer))
    report("restarting all while messages arrive: a minute at most for each time")
    restarts = await restart_all(live, peers, moments)
    return tables(restarts, len(moments), catch_ups, MISSED)


def report(text) -> None:
    """Tell on stderr what is measured now: stdout is for the tables."""
    print(f"benchmark.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
