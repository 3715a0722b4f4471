"""`python tests/broker.py`: a real Kafka for a machine with Python alone."""

import shutil
import signal
import socket
import sys

import pytest

from evidence.kafka_itself import Kafka
from evidence.programs import Program
from local_kafka.brokers import free_port
from local_kafka.files import CACHE, COMPOSE_FILE, ROOT, compose_version
from machine.processes import commands_with
from machine.waiting import wait_until

JARS = CACHE / f"kafka-{compose_version()}"


@pytest.fixture
def fresh_clone(tmp_path):
    """A checkout of its own with what broker.py needs, before its first start.

    Kafka reads its settings as Latin-1, and log.dirs as a list with commas: so the folder has odd letters.
    """
    folder = tmp_path / "größe a,b"
    for room in ("machine", "local_kafka"):
        shutil.copytree(ROOT / "tests" / room, folder / "tests" / room)
    shutil.copy(ROOT / "tests" / "broker.py", folder / "tests")
    shutil.copy(COMPOSE_FILE, folder)
    return folder


@pytest.fixture
def checkout(fresh_clone):
    """The same when Kafka is downloaded."""
    jars = cache(fresh_clone) / JARS.name
    jars.mkdir(parents=True)
    for file in JARS.glob("*.*"):
        (jars / file.name).symlink_to(file)
    return fresh_clone


def cache(checkout):
    return checkout / "tests" / CACHE.name


def data(checkout, port):
    """Return where broker.py keeps what Kafka writes."""
    return cache(checkout) / f"data-{compose_version()}-{port}"


def run_broker(checkout, *arguments, **settings):
    command = [sys.executable, str(checkout / "tests" / "broker.py"), *arguments]
    return Program("broker.py", command, **settings)


def kafka_runs(checkout):
    return any("kafka.Kafka" in command for command in commands_with(str(checkout)))


@pytest.mark.linux("kill -9 ends Kafka there alone")
def test_however_it_is_ended_its_messages_stay_until_told_to_start_fresh_and_no_process_does(checkout):
    """As on a machine with Python and nothing else, in the C locale, with settings that are the scripts'."""
    bare = {"PATH": "/nowhere", "LC_ALL": "C", "KAFKA_LOG_RETENTION_HOURS": "1", "KAFKA_TOPIC": "x"}
    port, kept = str(free_port()), []
    kafka = Kafka(f"127.0.0.1:{port}")
    for ending, *options in (["SIGINT"], ["SIGHUP"], ["SIGKILL"], ["SIGTERM", "--fresh"]):
        broker = run_broker(checkout, "--port", port, *options, **bare)
        ready = f"Kafka is ready on 127.0.0.1:{port}. Ctrl+C stops it; its messages stay for the next start."
        assert broker.wait_for("ready").text == ready
        kafka.send("ticks", ending.encode())
        kept = [ending] if options else [*kept, ending]
        assert [message.value for message in kafka.log("ticks")] == kept
        assert kafka_runs(checkout)
        broker.send(getattr(signal, ending))
        assert broker.wait() == (-signal.SIGKILL if ending == "SIGKILL" else 0)
        assert not broker.errors
        wait_until("Kafka to end", lambda: kafka_runs(checkout), False)
    [properties] = cache(checkout).glob("*/set-up-*/config/server.properties")
    assert "log.retention.hours=168" in properties.read_text().splitlines()
    assert "topic=x" not in properties.read_text()


@pytest.mark.linux("127.0.0.2 is this machine's without being set up")
def test_it_listens_on_127_0_0_1_alone(shared_ports):
    for address, expected in (("127.0.0.1", True), ("127.0.0.2", False)):
        for port in shared_ports:
            with socket.socket() as client:
                assert (client.connect_ex((address, port)) == 0) is expected


def test_a_port_in_use_is_one_clear_line_and_the_messages_of_who_uses_it_stay(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = data(checkout, port) / "data" / "message"
        message.parent.mkdir(parents=True)
        message.touch()
        broker = run_broker(checkout, "--port", port, "--fresh")
        assert broker.wait() == 1
    [error] = broker.errors
    assert f"Port {port} is in use" in error.text
    assert message.exists()


@pytest.mark.parametrize("argument", ["--port=65536", "--version=4.3"])
def test_an_argument_that_cannot_be_used_is_one_clear_line(checkout, argument):
    broker = run_broker(checkout, argument)
    assert broker.wait() == 1
    assert broker.errors[-1].text.startswith("broker.py: ")
    assert "Traceback" not in broker.text()


def test_no_network_for_the_first_download_is_one_clear_line_and_leaves_nothing(fresh_clone):
    nowhere = "http://127.0.0.1:1"
    broker = run_broker(fresh_clone, "--port", str(free_port()), HTTPS_PROXY=nowhere, https_proxy=nowhere)
    assert broker.wait() == 1
    downloading, failed = (line.text for line in broker.errors)
    assert downloading.startswith("Downloading Kafka from Maven Central, this once, about 46 MB: 0 bytes")
    assert "Maven Central must be reached" in failed
    assert list(cache(fresh_clone).iterdir()) == []
