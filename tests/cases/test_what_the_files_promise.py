"""What the files promise: the pairs, what a script needs, what docker-compose.yml sets."""

import re
import subprocess
import sys

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from uv import find_uv_bin

from real_kafka.brokers import free_port
from real_kafka.files import ROOT, compose_service

METADATA = r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$"  # the pattern of PEP 723
PRODUCER_NAMES = [("Producer1", "Producer2"), ("producer1", "producer2"), ("Broker1", "Broker2")]
CONSUMER_NAMES = [("Consumer1", "Consumer2"), ("consumer1", "consumer2"), ("stock-group1", "stock-group2")]
# These have other values without Docker: addresses, a path, and what is for the JVM.
DIFFERENT = {"LISTENERS", "ADVERTISED_LISTENERS", "CONTROLLER_QUORUM_VOTERS", "LOG_DIRS", "HEAP_OPTS"}


def read(name) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def modules_of(name) -> set[str]:
    return set(re.findall(r"^\s*(?:import|from) (\w+)", read(name), re.MULTILINE))


@pytest.mark.parametrize(("kind", "names"), [("producer", PRODUCER_NAMES), ("consumer", CONSUMER_NAMES)])
def test_a_pair_differs_in_its_names_and_group_alone(kind, names):
    text = read(f"{kind}1.py")
    for mine, other in names:
        assert mine in text
        text = text.replace(mine, other)
    assert text == read(f"{kind}2.py")


def test_the_functions_that_the_readme_names_are_the_scripts():
    for name in re.findall(r"`(\w+)\(\)`", read("README.md")):
        assert re.search(rf"\b{name}\(", read("consumer1.py") + read("producer1.py")), name


@pytest.mark.parametrize("name", ["producer1.py", "consumer1.py"])
def test_a_script_stands_alone_and_needs_only_kafka_python(name):
    """For `uv run`, it has the same pin as requirements.txt."""
    assert modules_of(name) - set(sys.stdlib_module_names) == {"kafka"}
    [pin] = read("requirements.txt").split()
    [metadata] = re.finditer(METADATA, read(name))
    assert re.sub(r"(?m)^# ?", "", metadata["content"]).splitlines() == [
        'requires-python = ">=3.10,<3.15"',
        f'dependencies = ["{pin}"]',
    ]


def test_a_consumer_that_uv_runs_receives_a_message(start, kafka, topic, tmp_path):
    """Its only environment is the one that uv makes for it from what pip has downloaded."""
    kafka.send(topic, b"42")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "-r", str(ROOT / "requirements.txt")]
    subprocess.run([*pip, "-d", str(tmp_path)], check=True)
    options = ["--no-project", "--python", sys.executable, "--cache-dir", str(tmp_path / "cache")]
    options += ["--no-index", "--find-links", str(tmp_path)]
    command = [find_uv_bin(), "run", "--quiet", *options, str(ROOT / "consumer1.py")]
    consumer = start("consumer1", command=command, VIRTUAL_ENV="")
    assert consumer.wait_for_messages(1)[0].value == "42"
    consumer.interrupt()
    assert "Stopped." in consumer.text()


def test_the_healthcheck_fails_until_kafka_listens(bootstrap_servers):
    """Run the check itself, on this broker's port and on one where nobody listens."""
    kind, *command = compose_service()["healthcheck"]["test"]
    assert kind == "CMD"
    for port, status in ((bootstrap_servers.rpartition(":")[2], 0), (str(free_port()), 1)):
        check = [part.replace("9092", port) for part in command]
        assert subprocess.run(check, check=False, capture_output=True, timeout=30).returncode == status


NAMED_BY_THE_PAGES = {  # Kafka's defaults
    "offsets.retention.minutes": 7 * 24 * 60,
    "log.roll.hours": 7 * 24,  # segment.ms of a topic
    "log.segment.bytes": 2**30,
}


def test_the_broker_runs_with_the_compose_files_settings_and_the_defaults_that_the_pages_name(kafka):
    """KAFKA_LOG_RETENTION_HOURS is log.retention.hours, and so on."""
    resource = ConfigResource(ConfigResourceType.BROKER, "1")
    with kafka.admin() as admin:
        running = admin.describe_configs([resource], config_filter="all")["broker"]["1"]
    settings = {name.removeprefix("KAFKA_"): value for name, value in compose_service()["environment"].items()}
    same = {name.lower().replace("_", "."): settings[name] for name in settings.keys() - DIFFERENT}
    for name, value in {**same, **NAMED_BY_THE_PAGES}.items():
        assert running[name]["value"] == str(value)


# The folders, in the order of the page's table: each imports only from those above it.
FOLDERS = re.findall(r"^\| `(\w+)/`", read("tests/README.md"), re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_from_those_above_it(folder):
    others = {*FOLDERS[FOLDERS.index(folder) + 1 :], *(command.stem for command in ROOT.glob("tests/*.py"))}
    for file in ROOT.glob(f"tests/{folder}/*.py"):
        assert not others & modules_of(file), file


def test_the_page_on_the_tests_names_only_tests_that_exist():
    cases = "".join(map(read, ROOT.glob("tests/cases/test_*.py")))
    named = set(re.findall(r"`(test_\w+)`", read("tests/README.md")))
    assert named <= set(re.findall(r"^def (test_\w+)", cases, re.MULTILINE))
