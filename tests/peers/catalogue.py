"""Who is measured: consumer1.py and its peers, each as its own documentation writes a consumer."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from local_kafka.files import CACHE, ROOT

PROGRAMS = Path(__file__).parent / "programs"
KAFKAJS = "kafkajs@2.2.4"  # what the Node originals use
NPM_LIMIT = 60  # seconds
DEFAULTS = "automatic commits every 5 s"


class Peer(NamedTuple):
    """A consumer to measure.

    Attributes:
        key: what --only takes.
        name: how the tables call it.
        version: of the client library and what runs it.
        settings: what a reader must know of them, in half a sentence.
        command: the program and its arguments.
        environment: variables that it needs beside the KAFKA_… ones.
    """

    key: str
    name: str
    version: str
    settings: str
    command: list
    environment: dict


class LeftOut(Exception):
    """A peer cannot be measured here; the message says why."""


def of_python(key, name, package, settings, program) -> Peer:
    return Peer(key, name, f"{package} {version(package)}", settings, [sys.executable, str(program)], {})


def kafkajs() -> Peer:
    """Return the Node original's client, downloaded if it is not here yet.

    Raises:
        LeftOut: node or npm is not here, or npm could not get it.
    """
    node = shutil.which("node")
    if not node:
        raise LeftOut("kafkajs is left out: there is no node here.")
    modules = CACHE / KAFKAJS
    if not modules.exists():
        download_kafkajs(modules)
    runtime = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return Peer(
        "kafkajs",
        "kafkajs, as the Node originals",
        f"{KAFKAJS.replace('@', ' ')}, Node {runtime}",
        "commits after each batch, session timeout 30 s; it handles no signal, so it never leaves its group",
        [node, str(PROGRAMS / "kafkajs_loop.js")],
        {"NODE_PATH": str(modules / "node_modules")},
    )


def download_kafkajs(target) -> None:
    """Have npm install kafkajs into a directory of its own.

    Raises:
        LeftOut: npm is not here, or could not get it. Nothing half done is left behind.
    """
    npm = shutil.which("npm")
    if not npm:
        raise LeftOut("kafkajs is left out: there is no npm here to install it.")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="download-") as scratch:
        command = [npm, "install", "--prefix", scratch, "--ignore-scripts", "--no-audit", "--no-fund", KAFKAJS]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=NPM_LIMIT, stdin=subprocess.DEVNULL)
            os.rename(scratch, target)
        except (OSError, subprocess.SubprocessError) as error:
            if not target.exists():  # else another process was faster
                raise LeftOut("kafkajs is left out: npm could not download it.") from error
        Path(scratch).mkdir(exist_ok=True)  # for the clean-up to find


PEERS = {
    "consumer1": lambda: of_python(
        "consumer1",
        "consumer1.py",
        "kafka-python",
        "static member, session timeout 7 s, commits by hand what is printed",
        ROOT / "consumer1.py",
    ),
    "console": lambda: of_python(
        "console",
        "kafka-python's console consumer",
        "kafka-python",
        f"`python -m kafka.consumer -C auto_offset_reset=earliest`: {DEFAULTS}, session timeout 45 s",
        PROGRAMS / "kafka_python_console.py",
    ),
    "confluent-poll": lambda: of_python(
        "confluent-poll",
        "confluent-kafka, poll",
        "confluent-kafka",
        f"`auto.offset.reset=earliest`: {DEFAULTS}, session timeout 45 s",
        PROGRAMS / "confluent_poll.py",
    ),
    "confluent-batches": lambda: of_python(
        "confluent-batches",
        "confluent-kafka, batches of 500",
        "confluent-kafka",
        "the same, with `consume(500, 0.1)` and one print for a batch",
        PROGRAMS / "confluent_batches.py",
    ),
    "aiokafka": lambda: of_python(
        "aiokafka",
        "aiokafka",
        "aiokafka",
        f"`auto_offset_reset=earliest`: {DEFAULTS}, session timeout 10 s",
        PROGRAMS / "aiokafka_loop.py",
    ),
    "kafkajs": kafkajs,
}


def peers(keys, report) -> tuple[list[Peer], list[str]]:
    """Return those of the peers that can be measured here, and why others are left out."""
    found, left_out = [], []
    for key in keys:
        try:
            found.append(PEERS[key]())
        except LeftOut as reason:
            report(str(reason))
            left_out.append(str(reason))
    return found, left_out
