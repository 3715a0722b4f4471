"""The fixtures: a real Kafka, a topic in it for each test, and a way to start the scripts."""

import contextlib
import itertools
import os
import re
import shutil
import sys

import pytest

from real_kafka.brokers import SMALL, Broker, make_class_cache
from real_kafka.client import Kafka
from real_kafka.download import BrokerError
from real_kafka.files import ROOT
from running.scripts import Script

COUNTER = itertools.count(1)
LOOK_OFTEN = {"KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS": 500, "KAFKA_LOG_INITIAL_TASK_DELAY_MS": 500}  # not every 5 min


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionstart(session):
    """Start the broker that all tests share, in the process that starts the workers: they inherit SHARED_PORTS.

    Download Kafka first if it is not here yet: only once, and where its progress can be seen.
    """
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return (yield)
    broker = Broker(settings=SMALL | LOOK_OFTEN)
    session.config.add_cleanup(broker.close)
    os.environ["SHARED_PORTS"] = f"{broker.port} {broker.controller_port}"
    try:
        make_class_cache()
        broker.start(wait=False)
        result = yield
        broker.wait_until_ready()
    except BrokerError as error:
        raise pytest.UsageError(str(error)) from None
    return result


def pytest_runtest_setup(item):
    """Skip a test that needs Linux elsewhere: the marker's argument says why. Fail at once if a tool is missing."""
    for marker in item.iter_markers("linux"):
        if sys.platform != "linux":
            pytest.skip(f"needs Linux: {marker.args[0]}")
    needed = [tool for marker in item.iter_markers("needs") for tool in marker.args]
    if missing := [tool for tool in needed if not shutil.which(tool)]:
        pytest.fail(f"needs on the PATH: {', '.join(missing)}", pytrace=False)


@pytest.fixture(scope="session")
def shared_ports():
    """The ports on 127.0.0.1 of a broker that no test stops: the clients' port, and its controller's."""
    return tuple(map(int, os.environ["SHARED_PORTS"].split()))


@pytest.fixture
def kafka(bootstrap_servers):
    """The Kafka that the test's scripts connect to."""
    with contextlib.closing(Kafka(bootstrap_servers)) as kafka:
        yield kafka


@pytest.fixture
def topic(request):
    """A topic name that only this test uses; the scripts create the topic."""
    return re.sub(r"[^a-zA-Z0-9._-]", "-", request.node.name)[:200] + f"-{next(COUNTER)}"


@pytest.fixture
def bootstrap_servers(shared_ports):
    """Where `start` and `kafka` connect: to the shared broker, unless a module overrides this."""
    return f"127.0.0.1:{shared_ports[0]}"


@pytest.fixture
def start(topic, bootstrap_servers):
    """A function that starts a script on the test's topic: start("consumer1", KAFKA_GROUP_ID="g").

    `command` runs in the script's place. With judged_by=kafka, the judge compares where the consumer starts with what
    its group has committed just before: use it only if no other consumer reads the same partitions at that moment.
    By default, each consumer has a group of its own in each test. Scripts that still run when the test ends are killed.
    """
    started = []

    def run(name, *arguments, command=None, judged_by=None, **settings):
        servers = settings.pop("bootstrap_servers", bootstrap_servers)
        usual = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": f"{topic}-{name}", "SEND_INTERVAL_SECONDS": "0.02"}
        settings = usual | settings
        before = judged_by and judged_by.snapshot(settings["KAFKA_TOPIC"], [settings["KAFKA_GROUP_ID"]])
        started.append(Script(name, servers, *arguments, command=command, before=before, **settings))
        return started[-1]

    yield run
    for script in started:
        script.kill()


CHANGED = f"""
import functools, os, signal, sys, time
from types import SimpleNamespace
sys.path.insert(0, {str(ROOT)!r})
import %s as script
%s
script.main()
"""


@pytest.fixture
def start_changed(start):
    """A function that starts a changed script. The change is Python code that replaces names of the `script` module."""

    def run(name, change, **settings):
        return start(name, command=[sys.executable, "-c", CHANGED % (name, change)], **settings)

    return run
