"""The silence from a consumer's restart to its first message."""

import signal
from typing import NamedTuple

from peers.side_by_side import until

ENDINGS = {"Ctrl+C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}
LIMIT = 120  # seconds, for a first message
PATIENCE = 2  # seconds, for a start, a stop and a restart: what takes longer goes on beside the others
TOPIC = "starts"


class Silence(NamedTuple):
    """The seconds from a process's start to its first message: nothing committed yet, and after an ending."""

    first: float
    restart: float


def restart(peer, ending, place, found):
    """Start a consumer, end it and start it again, each time with a message that it has missed: a story.

    It appends a Silence to the list `found`.
    """
    group, runs, seconds = place.new_group(), [], []
    stream = place.streams[TOPIC]
    try:
        for _ in range(2):
            stream.send(1)
            stream.flush()
            runs.append(place.start(peer, TOPIC, group))
            yield from until(runs[-1].first_printed, LIMIT)
            seconds.append(runs[-1].age())
            runs[-1].send(ENDINGS[ending])
            yield from until(runs[-1].ended, LIMIT)
    finally:
        for run in runs:
            run.kill()
    found.append(Silence(*seconds))


def measure(peers, rounds, place, stories, report) -> dict[tuple, list[Silence]]:
    """Measure all peers after all endings, one at a time, so many times; but what takes long once.

    Returns:
        {(peer's key, ending): its silences}. What takes long goes on in `stories`, and is not in there before its end.
    """
    found = {(peer.key, ending): [] for peer in peers for ending in ENDINGS}
    slow = set()
    for number in range(1, rounds + 1):
        for peer in peers:
            report(f"round {number} of {rounds}, {peer.name}: restarts after {', '.join(ENDINGS)}")
            for ending in ENDINGS:
                if (peer.key, ending) not in slow:
                    story = restart(peer, ending, place, found[peer.key, ending])
                    if not stories.tell(story, PATIENCE):
                        slow.add((peer.key, ending))
    return found
