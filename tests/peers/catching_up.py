"""Catching up with many missed messages, one consumer at a time."""

import signal
import time
from typing import NamedTuple

from peers.side_by_side import until

LIMIT = 600  # seconds
TOPIC = "missed"


class CatchUp(NamedTuple):
    """A run through all missed messages.

    Attributes:
        rate: messages a second, between the first lines and the last.
        memory: the largest resident memory seen, in MiB.
        cpu: seconds of processor time, in the process and for it in the kernel, from its start to the last line.
    """

    rate: float
    memory: float
    cpu: float


def catch_up(peer, place, count) -> CatchUp:
    """Run a consumer in a new group until it has printed all messages of the topic.

    The lines that the first look finds are taken off the rate's count: whoever prints more at once gains nothing.

    Raises:
        AssertionError: it ended or was silent too long, or a message is missing or came twice.
    """
    run, memory = place.start(peer, TOPIC, place.new_group()), 0
    try:
        for _ in until(run.first_printed, LIMIT):
            time.sleep(0.002)
        first, already = time.monotonic(), run.last_number() + 1
        for _ in until(lambda: run.last_number() == count - 1, LIMIT):
            memory = max(memory, run.memory())
            time.sleep(0.005)
        last, cpu = time.monotonic(), run.cpu()
        memory = max(memory, run.memory())
        run.send(signal.SIGINT)
        for _ in until(run.ended, LIMIT):
            time.sleep(0.02)
    finally:
        run.kill()
    printed = run.numbers()
    assert sorted(printed) == list(range(count)), f"{peer.name} printed {len(printed)} lines for {count} messages"
    return CatchUp((count - already) / (last - first), memory, cpu)


def measure(peers, rounds, place, count, report) -> dict[str, list[CatchUp]]:
    """Return {peer's key: its runs}; the peers take turns."""
    found = {peer.key: [] for peer in peers}
    for number in range(1, rounds + 1):
        for peer in peers:
            report(f"round {number} of {rounds}, {peer.name}: catching up with {count:,} messages")
            found[peer.key].append(catch_up(peer, place, count))
    return found
