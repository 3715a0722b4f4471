"""Messages missing and repeated over many restarts, while messages arrive."""

import random
from typing import NamedTuple

from evidence.judge import Log, Run, missing, repeated
from evidence.lines import Message
from peers.side_by_side import after, pause, until
from peers.silence import ENDINGS, LIMIT
from peers.ticks import tick

RATE = 100  # messages a second
RUNS = (5, 10)  # seconds that a consumer runs before it is ended: automatic commits, every 5 s, have begun by then
GROUPS = 3  # that each peer is ended in at the same time, so that a dozen waits of 45 s take three minutes
TOPIC = "live"


class Verdict(NamedTuple):
    """What came of some restarts, in messages.

    Attributes:
        missing: never printed.
        repeated: printed again, each time counted.
    """

    restarts: int
    missing: int
    repeated: int


def judge(stored, runs) -> tuple[int, int]:
    """Hold what a group printed against the ticks 0 to `stored` - 1; return how many are missing and how many repeated.

    Args:
        stored: how many ticks the topic has that the group owes.
        runs: for each of the group's runs, the numbers that it printed.
    """
    log = Log([Message(0, number, tick(number).decode()) for number in range(stored)])
    # In the words of consumer1.py, which the judge reads.
    told = [Run("run", [line(number) for number in run if number < stored], "group") for run in runs]
    return len(missing(told, log)), sum(len(again) for again in repeated(told))


def line(number) -> str:
    return f"[Consumer1] Received: {tick(number).decode()} (partition 0, offset {number})"


def restart_often(peer, ending, moments, place, verdicts):
    """Start a consumer and end it, at each of these moments, while ticks arrive: a story.

    Each moment is a number of seconds after the first message. All happens in one new group. The
    story appends a Verdict to the list `verdicts`.
    """
    group, runs, run = place.new_group(), [], None
    try:
        for moment in moments:
            run = place.start(peer, TOPIC, group)
            yield from until(run.first_printed, LIMIT)
            yield from pause(moment)
            run.send(ENDINGS[ending])
            yield from until(run.ended, LIMIT)
            runs.append(run.numbers())
        stored = place.streams[TOPIC].sent
        run = place.start(peer, TOPIC, group)
        yield from until(lambda: run.last_number() >= stored, LIMIT)
        run.kill()
        verdicts.append(Verdict(len(moments), *judge(stored, [*runs, run.numbers()])))
    finally:
        if run:
            run.kill()


def stories(peers, count, place) -> tuple[dict, list]:
    """Return {(peer's key, ending): a list for the Verdicts} and the stories that fill it.

    Each peer is ended `count` times in each way, in GROUPS groups at the same time. The random
    moments are the same for all peers.
    """
    verdicts = {(peer.key, ending): [] for ending in ENDINGS for peer in peers}
    told = []
    for ending in reversed(ENDINGS):  # what waits longest begins first
        chance = random.Random(ending)
        moments = [chance.uniform(*RUNS) for _ in range(count)]
        for number in range(min(GROUPS, count)):
            for peer in peers:
                found = verdicts[peer.key, ending]
                story = restart_often(peer, ending, moments[number::GROUPS], place, found)
                told.append(after(len(told) * 0.05, story))  # so that not all start at once
    return verdicts, told


def total(verdicts) -> Verdict:
    """Return the sum of some verdicts."""
    return Verdict(*(sum(field) for field in zip(*verdicts, strict=True)))
