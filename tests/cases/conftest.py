"""The fixtures: a real Kafka, a topic of the test's own in it, and a way to start the scripts."""

import itertools
import os
import re
import sys

import pytest

from evidence.kafka_itself import Kafka
from evidence.scripts import Script
from local_kafka.brokers import Broker, make_class_cache
from local_kafka.files import ROOT
from local_kafka.waiting import wait_until

COUNTER = itertools.count(1)
SHARED_PORTS = pytest.StashKey()  # of the shared broker: the clients' and the controller's


def pytest_configure(config):
    """Before the workers start that run the tests side by side, start the broker that all of them share.

    If Kafka is not here yet it is downloaded first: once, and with its progress seen.
    """
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        make_class_cache()
        broker = Broker()
        config.add_cleanup(broker.close)
        broker.start()
        config.stash[SHARED_PORTS] = (broker.port, broker.controller_port)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker that is about to start where the shared broker is."""
    node.workerinput["shared_ports"] = node.config.stash[SHARED_PORTS]


def pytest_runtest_setup(item):
    """Skip what this system cannot show; the marker's argument says why."""
    for name, here in (("linux", sys.platform == "linux"), ("posix", os.name == "posix")):
        for marker in item.iter_markers(name):
            if not here:
                pytest.skip(f"needs {name}: {marker.args[0]}")


@pytest.fixture(scope="session")
def shared_ports(request):
    """The ports of 127.0.0.1 on which a broker listens that no test stops: for clients, for itself (its controller)."""
    config = request.config
    return config.workerinput["shared_ports"] if hasattr(config, "workerinput") else config.stash[SHARED_PORTS]


@pytest.fixture
def kafka(bootstrap_servers):
    """The Kafka that the scripts of the test are started for."""
    return Kafka(bootstrap_servers)


@pytest.fixture
def topic(request):
    """A topic name that only this test uses; the scripts create the topic."""
    return re.sub(r"[^a-zA-Z0-9._-]", "-", request.node.name)[:200] + f"-{next(COUNTER)}"


@pytest.fixture
def bootstrap_servers(shared_ports):
    """The Kafka that `start` and `kafka` are for: the shared broker, unless a module says otherwise."""
    return f"127.0.0.1:{shared_ports[0]}"


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
            "SEND_INTERVAL_SECONDS": "0.02",
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
