"""Measure consumer1.py beside other clients' consumers, and print Markdown tables.

    python tests/benchmark.py                    about five minutes, on a broker of its own
    python tests/benchmark.py --short            less than two minutes: fewer messages, restarts and rounds
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
from local_kafka.processes import exit_on_ending
from peers.catalogue import PEERS, library
from peers.measuring import MOMENTS, RATE, Ticks, catch_up, restart_all
from peers.tables import catch_ups_table, restarts_table, starts_table

METHOD = (
    "Catching up: one consumer at a time, the median of the rounds. The others: all at the same time, each in a group "
    f"for each way of ending it, medians; {RATE} messages a second; ended {MOMENTS[0]} to {MOMENTS[1]} s after its "
    "first message, at moments that are the same for all. Output goes to a file."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less than two minutes")
    parser.add_argument("--messages", type=positive, metavar="N", help="how many they have missed")
    parser.add_argument("--restarts", type=positive, metavar="N", help="how often each is ended in each way")
    parser.add_argument("--only", action="append", choices=PEERS, metavar="NAME", help=", ".join(PEERS))
    options = parser.parse_args()
    exit_on_ending()
    rounds, restarts, messages = (1, 1, 100_000) if options.short else (3, 4, 300_000)
    restarts, messages = options.restarts or restarts, options.messages or messages
    try:
        print(benchmark(options.only or PEERS, rounds, restarts, messages))
    except (AssertionError, BrokerError, psutil.Error) as error:
        sys.exit(f"benchmark.py: {str(error).splitlines()[0]}")  # the others are what a peer printed


def positive(text) -> int:
    """Return a number of the command line.

    Raises:
        argparse.ArgumentTypeError: it is no whole number above 0.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def benchmark(keys, rounds, count, messages) -> str:
    """Measure the peers of these keys; return it as Markdown.

    Args:
        rounds: how often each catches up.
        count: how often each is ended and started again in each way, while messages arrive.
        messages: how many they have missed.
    """
    peers, settings = choose(keys)
    catch_ups = defaultdict(list)
    with Broker() as broker:
        missed, live = Ticks(broker.bootstrap_servers, "missed"), Ticks(broker.bootstrap_servers, "live")
        report(f"storing {messages:,} messages")
        missed.send(messages)
        for number in range(1, rounds + 1):
            for peer in peers:
                report(f"round {number} of {rounds}, {peer.name}: catching up with {messages:,} messages")
                catch_ups[peer].append(asyncio.run(catch_up(missed, peer)))
        restarts = asyncio.run(restart_all(live, peers, count, report))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    parts = [
        f"{compose_service()['image']}, {python}, {platform.system()}, {os.cpu_count()} CPUs.",
        starts_table(peers, restarts),
        restarts_table(peers, restarts, count),
        catch_ups_table(catch_ups, messages),
        "\n".join(settings),
        METHOD,
    ]
    return "\n\n".join(parts)


def choose(keys) -> tuple[list, list[str]]:
    """Return those of these peers that can run here, and for each its settings in words, or that it is left out."""
    peers, settings = [], []
    for peer in [PEERS[key] for key in PEERS if key in keys]:
        client = library(peer)
        if client:
            peers.append(peer)
            settings.append(f"- **{peer.name}** ({client}): {peer.settings}")
        else:
            reason = f"{peer.name}: left out, for it needs node, and npm to download it."
            report(reason)
            settings.append(f"- {reason}")
    if not peers:
        sys.exit("benchmark.py: nobody is left to be measured.")
    return peers, settings


def report(text) -> None:
    """Tell on stderr what is measured now: stdout is for the tables."""
    print(f"benchmark.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
