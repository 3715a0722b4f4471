"""Where the project's files are, and what docker-compose.yml says."""

import contextlib
import os
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
CACHE = ROOT / "tests" / ".kafka"  # ignored by git: Kafka's jars, and the data of `python tests/broker.py`


def compose_service() -> dict:
    """Return the `kafka` service of docker-compose.yml."""
    return yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]["kafka"]


def compose_version() -> str:
    """Return the version of Kafka that docker-compose.yml names, such as "4.3.1"."""
    return compose_service()["image"].rpartition(":")[2]


@contextlib.contextmanager
def whole_or_not_at_all(path):
    """Yield where to make a file or folder. If all goes well, it becomes `path`. Beside it is room for scratch files.

    Nothing unfinished is left behind. If two processes make the same path, the first one's stays.
    """
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="unfinished-") as scratch:
        made = Path(scratch) / path.name
        yield made
        with contextlib.suppress(OSError):  # another process was faster
            os.replace(made, path)
