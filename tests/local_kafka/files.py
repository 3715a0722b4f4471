"""Where the project's files are, and what docker-compose.yml says."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
CACHE = ROOT / "tests" / ".kafka"  # git-ignored: Kafka's jars, and the data of `python tests/broker.py`


def compose_service() -> dict:
    """Return the `kafka` service of docker-compose.yml, as YAML has it."""
    return yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]["kafka"]


def compose_version() -> str:
    """Return the version of Kafka that docker-compose.yml names, as "4.3.1"."""
    return compose_service()["image"].rpartition(":")[2]
