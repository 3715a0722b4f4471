"""The whole measurement: one broker, one peer after another where time is taken, all at once where they wait."""

import os
import platform
import tempfile
import time
from typing import NamedTuple

from evidence.kafka_itself import Kafka
from local_kafka.brokers import Broker
from local_kafka.files import compose_service
from peers import catching_up, restarts, silence, tables
from peers.catalogue import peers as those_here
from peers.running import Place
from peers.side_by_side import Stories


class Plan(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: of which the median is taken.
        restarts: how often each peer is ended in each way.
        messages: to catch up with.
    """

    rounds: int
    restarts: int
    messages: int


TOPICS = (catching_up.TOPIC, silence.TOPIC, restarts.TOPIC)
FULL = Plan(rounds=3, restarts=12, messages=300_000)
SHORT = Plan(rounds=1, restarts=3, messages=100_000)


def measure(plan, keys, report) -> str:
    """Measure these peers; return it as Markdown.

    Raises:
        AssertionError: a peer ended by itself, or was silent too long.
        BrokerError: as `Broker.start`.
    """
    peers, left_out = those_here(keys, report)
    with (
        Broker() as broker,
        tempfile.TemporaryDirectory(prefix="benchmark-") as directory,
        Stories() as stories,
    ):
        make_topics(broker.bootstrap_servers)
        place = Place(broker.bootstrap_servers, directory, TOPICS)
        report(f"storing {plan.messages:,} messages")
        place.streams[catching_up.TOPIC].send(plan.messages)
        place.streams[catching_up.TOPIC].flush()
        catch_ups = catching_up.measure(peers, plan.rounds, place, plan.messages, report)
        silences = silence.measure(peers, plan.rounds, place, stories, report)
        verdicts, chains = restarts.stories(peers, plan.restarts, place)
        stories.tell_all(chains, Meanwhile(place.streams[restarts.TOPIC], report))
    return "\n\n".join(
        [
            where(),
            tables.silences(peers, silences),
            tables.verdicts(peers, verdicts),
            tables.catch_ups(peers, catch_ups, plan.messages),
            tables.settings(peers, left_out),
            tables.method(plan.rounds, restarts.GROUPS, restarts.RATE, restarts.RUNS),
        ]
    )


def make_topics(servers) -> None:
    """Make the topics, and have Kafka ready for groups."""
    kafka = Kafka(servers)
    for topic in TOPICS:
        kafka.create_topic(topic)
    kafka.committed("nobody", silence.TOPIC)  # the first question makes Kafka's topic for groups


class Meanwhile:
    """While the consumers are ended and wait: messages arrive, and every ten seconds progress is reported."""

    def __init__(self, stream, report):
        self._stream = stream
        self._report = report
        self._next = 0

    def __call__(self, left) -> None:
        self._stream.send_due(restarts.RATE)
        if time.monotonic() > self._next:
            self._next = time.monotonic() + 10
            self._report(f"restarting all while messages arrive: {left} groups are left")


def where() -> str:
    """Return what it was measured on, as one line."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{compose_service()['image']}, {python}, {platform.system()}, {os.cpu_count()} CPUs."
