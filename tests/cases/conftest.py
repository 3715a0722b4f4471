"""The fixtures: a real Kafka, a topic of the test's own in it, and a way to start the scripts."""

import itertools
import os
import re
import sys

import pytest

from shared.broker import Broker, cluster
from shared.download import kafka_jars
from shared.files import ROOT
from shared.kafka_itself import Kafka
from shared.scripts import Script
from shared.waiting import wait_until

COUNTER = itertools.count(1)
FORGET_THE_KILLED_SOON = {"KAFKA_BROKER_SESSION_TIMEOUT_MS": 2000, "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": 500}  # not 9 s


def pytest_configure(config):
    """Download Kafka before the workers start that run the tests side by side: once, and with its progress seen."""
    if not hasattr(config, "workerinput"):
        kafka_jars()


def pytest_runtest_setup(item):
    """Skip what this system cannot show; the marker's argument says why."""
    for name, here in (("linux", sys.platform == "linux"), ("posix", os.name == "posix")):
        for marker in item.iter_markers(name):
            if not here:
                pytest.skip(f"needs {name}: {marker.args[0]}")


@pytest.fixture(scope="session")
def shared_broker():
    """A broker that no test stops."""
    with Broker() as broker:
        yield broker


@pytest.fixture
def kafka(bootstrap_servers):
    """The Kafka that the scripts of the test are started for."""
    return Kafka(bootstrap_servers)


@pytest.fixture
def own_broker():
    """A broker of the test's own, to stop, kill and wipe; `bootstrap_servers` must say that it is used."""
    with Broker(settings=FORGET_THE_KILLED_SOON) as broker:
        yield broker


@pytest.fixture
def three_brokers():
    """A cluster of three brokers that keep three copies of everything."""
    with cluster(3, FORGET_THE_KILLED_SOON) as brokers:
        yield brokers


@pytest.fixture
def topic(request):
    """A topic name that only this test uses; the scripts create the topic."""
    return re.sub(r"[^a-zA-Z0-9._-]", "-", request.node.name)[:200] + f"-{next(COUNTER)}"


@pytest.fixture
def bootstrap_servers(shared_broker):
    """The Kafka that `start` and `kafka` are for: the shared broker, unless a module says otherwise."""
    return shared_broker.bootstrap_servers


@pytest.fixture
def start(topic, bootstrap_servers):
    """A function that starts a script on the test's topic: start("consumer1", KAFKA_GROUP_ID="g").

    With redirect="| head -n 3" it is started by a shell that does this with its output; `command` is run instead.

    Each consumer's default group is the test's own. Scripts that still run when the test ends are killed.
    """
    started = []

    def run(name, *arguments, redirect=None, command=None, **settings):
        servers = settings.pop("bootstrap_servers", bootstrap_servers)
        settings = {
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP_ID": f"{topic}-{name}",
            "SEND_INTERVAL_SECONDS": "0.01",
            **settings,
        }
        if redirect:
            command = ["bash", "-o", "pipefail", "-c", f'"{sys.executable}" "{ROOT / name}.py" {redirect}']
        started.append(Script(name, servers, *arguments, command=command, **settings))
        return started[-1]

    yield run
    for script in started:
        script.kill()


@pytest.fixture
def reader_and_waiter(start, kafka, topic):
    """Both consumers in one group of a topic with one partition: the one that reads, the one that waits."""
    kafka.create_topic(topic)
    consumers = [start(name, KAFKA_GROUP_ID=topic) for name in ("consumer1", "consumer2")]
    for consumer in consumers:
        consumer.wait_for("at offset 0|Waiting: the other members")
    wait_until(lambda: any("Waiting" in consumer.text() for consumer in consumers))
    return sorted(consumers, key=lambda consumer: "Waiting" in consumer.text())
