"""The fixtures: a real Kafka, a topic of the test's own in it, and a way to start the scripts."""

import contextlib
import itertools
import os
import re
import shutil
import sys

import pytest

from real_kafka.brokers import Broker, make_class_cache
from real_kafka.client import Kafka
from real_kafka.download import BrokerError
from real_kafka.files import ROOT
from running.scripts import Script

COUNTER = itertools.count(1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionstart(session):
    """Start the broker that all tests share, beside the workers that run them: these inherit SHARED_PORTS.

    If Kafka is not here yet it is downloaded first: once, and with its progress seen.
    """
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return (yield)
    broker = Broker()
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
    """Skip what this system cannot show; the marker's argument says why. Fail at once where a tool is missing."""
    for marker in item.iter_markers("linux"):
        if sys.platform != "linux":
            pytest.skip(f"needs Linux: {marker.args[0]}")
    needed = [tool for marker in item.iter_markers("needs") for tool in marker.args]
    if missing := [tool for tool in needed if not shutil.which(tool)]:
        pytest.fail(f"needs on the PATH: {', '.join(missing)}", pytrace=False)


@pytest.fixture(scope="session")
def shared_ports():
    """The ports of 127.0.0.1 on which a broker listens that no test stops: for clients, for itself (its controller)."""
    return tuple(map(int, os.environ["SHARED_PORTS"].split()))


@pytest.fixture
def kafka(bootstrap_servers):
    """The Kafka that the scripts of the test are started for."""
    with contextlib.closing(Kafka(bootstrap_servers)) as kafka:
        yield kafka


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
    With judged_by=kafka, the judge holds the consumer's start to what this Kafka has of its group just before. It is
    for a consumer whose partitions no other one reads at that moment.
    Each consumer's default group is the test's own. Scripts that still run when the test ends are killed.
    """
    started = []

    def run(name, *arguments, redirect=None, command=None, judged_by=None, **settings):
        servers = settings.pop("bootstrap_servers", bootstrap_servers)
        usual = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": f"{topic}-{name}", "SEND_INTERVAL_SECONDS": "0.02"}
        settings = usual | settings
        if redirect:
            command = ["bash", "-o", "pipefail", "-c", f'"{sys.executable}" "{ROOT / name}.py" {redirect}']
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
    """A function that starts a script with a change: Python that replaces some of the `script` module's names."""

    def run(name, change, **settings):
        return start(name, command=[sys.executable, "-c", CHANGED % (name, change)], **settings)

    return run
