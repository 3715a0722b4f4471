"""The measurement, one consumer at a time where they catch up, all at the same time where they wait; and its tables.

The tables are Markdown. What they take: catch_ups is {peer: what `catch_up` returned, for each round}; restarts is what
`restart_all` returned.
"""

import random
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from statistics import median
from typing import NamedTuple

import psutil

from peers.bench import ENDINGS, LIVE, MISSED, missing_and_repeated
from peers.catalogue import PEERS

RATE = 100  # messages a second
MOMENTS = (5, 10)  # seconds that a consumer runs before it is ended: automatic commits, every 5 s, have begun by then


class Restarts(NamedTuple):
    """How a consumer was started and ended in one way: seconds from each start to its first message, and messages."""

    first: float
    again: list[float]
    missing: int
    repeated: int


def catch_up(bench, peer) -> tuple[float, float, float]:
    """Run a consumer in a new group until it has printed all missed messages.

    The lines that the first look finds are taken off the rate's count: whoever prints more at once gains nothing.

    Returns:
        Messages a second, the largest resident memory seen, in MiB, and the seconds of processor time from its start to
        the last line, in the process and for it in the kernel.

    Raises:
        AssertionError: as `Bench.run`, or a message is missing or came twice.
    """
    count, looks = bench.stored[MISSED], []

    def all_printed(seconds, number, process_id):
        process = psutil.Process(process_id)
        cpu = process.cpu_times()
        looks.append((seconds, number, process.memory_info().rss / 2**20, cpu.user + cpu.system))
        return number == count - 1

    _, printed = bench.run(peer, bench.new_group(MISSED), "Ctrl+C", all_printed)
    assert sorted(printed) == list(range(count)), f"{peer.name} printed {len(printed)} lines for {count} messages"
    seconds, numbers, memory, cpu = zip(*looks, strict=True)
    return (numbers[-1] - numbers[0]) / (seconds[-1] or 1), max(memory), cpu[-1]


def restart_all(bench, peers, count, report) -> dict:
    """Start each consumer in each group, end it and start it again `count` times, all at once, while messages arrive.

    Returns:
        {(peer, ending): Restarts}. The random moments are the same for all peers.
    """
    futures = {}
    bench.send(LIVE, 1)
    with ThreadPoolExecutor(len(peers) * len(ENDINGS)) as pool, closing(bench):
        for ending in ENDINGS:
            chance = random.Random(ending)
            moments = [chance.uniform(*MOMENTS) for _ in range(count)]
            for peer in peers:
                begin_after = len(futures) / 2  # seconds: so that not all start at once
                futures[peer, ending] = pool.submit(restart_often, bench, peer, ending, moments, begin_after)
        left, begin, next_report = set(futures.values()), time.monotonic(), 0
        while left:
            seconds = time.monotonic() - begin
            if seconds >= next_report:
                report(f"restarting all while messages arrive: {len(left)} groups are left")
                next_report += 10
            bench.send(LIVE, 1 + int(seconds * RATE) - bench.stored[LIVE])
            done, left = wait(left, timeout=0.02)
            for future in done:
                future.result()  # to raise at once what it has raised
    return {key: future.result() for key, future in futures.items()}


def restart_often(bench, peer, ending, moments, begin_after) -> Restarts:
    """Start a consumer and end it, each of these numbers of seconds after its first message, in one new group."""
    bench.pause(begin_after)
    group = bench.new_group(LIVE)
    runs = [bench.run(peer, group, ending, lambda seconds, *_, end=end: seconds >= end) for end in moments]
    stored = bench.stored[LIVE]
    runs.append(bench.run(peer, group, "kill -9", lambda _, number, __: number >= stored))
    (first, *again), printed = zip(*runs, strict=True)
    return Restarts(first, again, *missing_and_repeated(stored, printed))


def starts_table(peers, restarts) -> str:
    """Return the medians of the seconds to the first message."""
    rows = []
    for peer in peers:
        each = [[restarts[peer, ending].first for ending in ENDINGS]]
        each += [restarts[peer, ending].again for ending in ENDINGS]
        rows.append([peer.name, *(f"{median(seconds):.2f}" for seconds in each)])
    return markdown(["Start to first message (s)", "first start", *(f"after {ending}" for ending in ENDINGS)], rows)


def restarts_table(peers, restarts, count) -> str:
    """Return the missing and the repeated messages; each consumer was ended `count` times in each way."""
    rows = []
    for peer in peers:
        each = [restarts[peer, ending] for ending in ENDINGS]
        rows.append([peer.name, *(f"{found.missing:,} / {found.repeated:,}" for found in each)])
    return markdown([f"Missing / repeated messages (restarts: {count})", *(f"by {ending}" for ending in ENDINGS)], rows)


def catch_ups_table(peers, catch_ups, count) -> str:
    """Return the medians of the catching up, and each rate's ratio to that of confluent-kafka's poll loop."""
    medians = {peer: [median(figures) for figures in zip(*catch_ups[peer], strict=True)] for peer in peers}
    poll = medians.get(PEERS["confluent-poll"], [0])[0]
    rows = []
    for peer, (rate, memory, cpu) in medians.items():
        ratio = f"{rate / poll:.2f}" if poll else "-"
        rows.append([peer.name, f"{rate:,.0f}", ratio, f"{memory:.0f}", f"{cpu:.2f}"])
    columns = ["messages/s", "ratio to confluent-kafka, poll", "peak memory (MiB)", "CPU time (s)"]
    return markdown([f"Catching up with {count:,} messages", *columns], rows)


def markdown(head, rows) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
