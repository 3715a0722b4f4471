"""`uv run consumer1.py` needs no environment: each script names what it needs, as PEP 723 says."""

import re
import subprocess
import sys

import pytest
from uv import find_uv_bin

from evidence.scripts import Script
from local_kafka.files import ROOT

SCRIPTS = ["producer1", "producer2", "consumer1", "consumer2"]
METADATA = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"  # as PEP 723 has it


def metadata(text):
    """Return the TOML text of a script's inline metadata."""
    blocks = [found["content"] for found in re.finditer(METADATA, text) if found["type"] == "script"]
    assert len(blocks) == 1
    return re.sub(r"(?m)^# ?", "", blocks[0])


@pytest.fixture
def uv_run(tmp_path):
    """The start of a `uv run` command: this Python, an empty cache, nothing of this environment."""
    options = ["--no-project", "--python", sys.executable, "--cache-dir", str(tmp_path / "cache")]
    return [find_uv_bin(), "run", "--quiet", *options]


def as_pip_is_set_up():
    """Return what has uv reach PyPI as pip does here, by an index and a certificate of one's own."""
    found = {"UV_PYTHON_DOWNLOADS": "never"}
    for setting, variable in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        for section in ("global", "install", ":env:"):
            command = [sys.executable, "-m", "pip", "config", "get", f"{section}.{setting}"]
            value = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
            if value:
                found[variable] = value
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_names_the_pin_of_the_requirements(name):
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    lines = metadata((ROOT / f"{name}.py").read_text(encoding="utf-8")).splitlines()
    assert lines == ['requires-python = ">=3.10"', f'dependencies = ["{pins[0]}"]']
    assert len(pins) == 1


def test_a_consumer_that_uv_runs_receives_a_message(bootstrap_servers, kafka, topic, uv_run):
    """It has no environment but the one that uv makes for it, from an empty cache."""
    kafka.send(topic, b"42")
    command = [*uv_run, str(ROOT / "consumer1.py")]
    settings = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic, **as_pip_is_set_up(), "VIRTUAL_ENV": ""}
    consumer = Script("consumer1", bootstrap_servers, command=command, **settings)
    try:
        assert consumer.wait_for_messages(1, limit=180)[0].value == "42"
        consumer.interrupt()
        assert "Stopped." in consumer.text()
    finally:
        consumer.kill()
