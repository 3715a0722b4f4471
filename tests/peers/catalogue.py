"""Who is measured: consumer1.py and its peers, each as its own documentation writes a consumer."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from local_kafka.files import CACHE, ROOT

PROGRAMS = Path(__file__).parent / "programs"
KAFKAJS = "kafkajs@2.2.4"  # what the Node originals use
NODE_PACKAGES = CACHE / KAFKAJS / "node_modules"
DEFAULTS = "automatic commits every 5 s, session timeout"


class Peer(NamedTuple):
    """A consumer to measure."""

    name: str  # in the tables
    library: str  # the package that is its client
    command: tuple[str, ...]  # what runs it
    settings: str  # what a reader must know of them, in half a sentence


def python(program, *arguments) -> tuple[str, ...]:
    return sys.executable, str(PROGRAMS / program), *arguments


PEERS = {
    "consumer1": Peer(
        "consumer1.py",
        "kafka-python",
        python(ROOT / "consumer1.py"),
        "static member, session timeout 7 s, commits what is printed, poll by poll",
    ),
    "console": Peer(
        "kafka-python's console consumer",
        "kafka-python",
        python("kafka_python_console.py"),
        f"`python -m kafka.consumer -C auto_offset_reset=earliest`: {DEFAULTS} 45 s",
    ),
    "confluent-poll": Peer(
        "confluent-kafka, poll",
        "confluent-kafka",
        python("confluent_loops.py"),
        f"`auto.offset.reset=earliest`: {DEFAULTS} 45 s",
    ),
    "confluent-batches": Peer(
        "confluent-kafka, batches of 500",
        "confluent-kafka",
        python("confluent_loops.py", "batches"),
        "the same, with `consume(500, 0.1)` and one print for a batch",
    ),
    "aiokafka": Peer(
        "aiokafka",
        "aiokafka",
        python("aiokafka_loop.py"),
        f"`auto_offset_reset=earliest`: {DEFAULTS} 10 s",
    ),
    "kafkajs": Peer(
        "kafkajs, as the Node originals",
        "kafkajs",
        ("node", str(PROGRAMS / "kafkajs_loop.js")),
        "commits after each batch, session timeout 30 s; it handles no signal, so it never leaves its group",
    ),
}


def library(peer) -> str | None:
    """Return the name and version of a peer's library, and of Node if that runs it; None if it can't be run here.

    kafkajs is downloaded, once.
    """
    if peer.library != "kafkajs":
        return f"{peer.library} {version(peer.library)}"
    folder = NODE_PACKAGES.parent
    install = ["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", KAFKAJS]
    try:
        node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
        if not (folder / "package-lock.json").exists():  # npm writes it last
            subprocess.run(install, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{KAFKAJS.replace('@', ' ')}, Node {node}"
