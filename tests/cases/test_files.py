"""What the files promise about themselves: the pairs, the default address, the compose file, the top level."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml
from kafka.admin import ConfigResource, ConfigResourceType

from local_kafka.brokers import free_port
from local_kafka.files import ROOT, compose_service


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("producer1.py", "producer2.py", [("Broker1", "Broker2"), ("producer1", "producer2")]),
        (
            "consumer1.py",
            "consumer2.py",
            [("Consumer1", "Consumer2"), ("consumer1", "consumer2"), ("stock-group1", "stock-group2")],
        ),
    ],
)
def test_a_pair_differs_in_its_names_and_group_alone(first, second, names):
    text = (ROOT / first).read_text(encoding="utf-8")
    for mine, other in names:
        assert mine in text
        text = text.replace(mine, other)
    assert text == (ROOT / second).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["producer1.py", "consumer1.py"])
def test_the_default_address_is_the_one_that_kafka_listens_on(name):
    """`localhost` would be tried as ::1 first on Windows, two seconds each time."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert '"KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")' in text
    assert "localhost" not in text


@pytest.mark.parametrize("name", ["producer1.py", "consumer1.py"])
def test_a_script_stands_alone_and_needs_kafka_python_only(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    modules = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert modules - set(sys.stdlib_module_names) == {"kafka"}


def test_the_top_level_holds_what_it_should():
    """In a downloaded archive there is no git to ask."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        top = {line.split("/")[0] for line in listed.splitlines()}
    else:
        top = {path.name for path in ROOT.iterdir()} - {"__pycache__"}
    scripts = {"producer1.py", "producer2.py", "consumer1.py", "consumer2.py"}
    others = {"docker-compose.yml", "requirements.txt", "README.md", "tests"}
    assert {name for name in top if not name.startswith(".")} == scripts | others


def test_the_compose_file_publishes_the_port_to_this_machine_alone_and_keeps_the_log():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    service = compose_service()
    assert "version" not in compose
    assert re.fullmatch(r"apache/kafka:\d+\.\d+\.\d+", service["image"])
    assert service["ports"] == ["127.0.0.1:9092:9092"]
    assert service["volumes"] == [f"kafka-data:{service['environment']['KAFKA_LOG_DIRS']}"]
    assert "kafka-data" in compose["volumes"]
    assert service["environment"]["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:9092"


def test_the_healthcheck_fails_until_kafka_listens(shared_ports):
    """The check itself, as in the container, on this broker's port and on one where nobody listens."""
    kind, *command = compose_service()["healthcheck"]["test"]
    assert kind == "CMD"
    for port, status in ((shared_ports[0], 0), (free_port(), 1)):
        check = [part.replace("9092", str(port)) for part in command]
        assert subprocess.run(check, check=False, capture_output=True, timeout=30).returncode == status


def test_the_broker_runs_with_the_compose_files_settings(kafka):
    """KAFKA_LOG_RETENTION_HOURS is log.retention.hours and so on; only addresses and paths differ without Docker."""
    resource = ConfigResource(ConfigResourceType.BROKER, "1")
    with kafka.admin() as admin:
        running = admin.describe_configs([resource], config_filter="all")["broker"]["1"]
    differ = {"KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_CONTROLLER_QUORUM_VOTERS", "KAFKA_LOG_DIRS"}
    differ.add("KAFKA_HEAP_OPTS")  # for the JVM
    for name, value in compose_service()["environment"].items():
        if name not in differ:
            assert running[name.removeprefix("KAFKA_").lower().replace("_", ".")]["value"] == str(value)
