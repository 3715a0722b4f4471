"""The clients that are measured: consumer1.py and its peers, each as its own documentation writes a consumer."""

import subprocess
import sys
from pathlib import Path

from real_kafka.files import CACHE, ROOT

PROGRAMS = Path(__file__).parent / "programs"
KAFKAJS = "kafkajs@2.2.4"  # the Node originals use it
NODE_FOLDER = CACHE / KAFKAJS
# The keys are the names that --only takes and the tables show: the command that runs a client, and its settings.
COMMANDS = {
    "consumer1.py": [sys.executable, ROOT / "consumer1.py"],
    "kafka-python-console": [sys.executable, PROGRAMS / "kafka_python_console.py"],
    "confluent-kafka-poll": [sys.executable, PROGRAMS / "confluent_loops.py"],
    "confluent-kafka-batches": [sys.executable, PROGRAMS / "confluent_loops.py", "batches"],
    "aiokafka": [sys.executable, PROGRAMS / "aiokafka_loop.py"],
    "kafkajs": ["env", f"NODE_PATH={NODE_FOLDER / 'node_modules'}", "node", PROGRAMS / "kafkajs_loop.js"],
}
DEFAULTS = "a write for each line, automatic commits every 5 s, session timeout"
SETTINGS = {
    "consumer1.py": "static member, session timeout 7 s, commits what is printed, poll by poll; 100 lines a write",
    "kafka-python-console": f"`python -m kafka.consumer -C auto_offset_reset=earliest`: {DEFAULTS} 45 s",
    "confluent-kafka-poll": f"`auto.offset.reset=earliest`: {DEFAULTS} 45 s",
    "confluent-kafka-batches": "the same, with `consume(500, 0.1)` and a write for each batch",
    "aiokafka": f"`auto_offset_reset=earliest`: {DEFAULTS} 10 s",
    "kafkajs": (
        "as the Node originals: a write for each line, commits each batch, session timeout 30 s, no signal makes it "
        "leave its group"
    ),
}


def install_kafkajs() -> str:
    """Download kafkajs once; return its version and Node's. Without node or npm: OSError or SubprocessError."""
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if not (NODE_FOLDER / "package-lock.json").exists():  # npm writes it last
        install = ["npm", "install", "--prefix", NODE_FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", KAFKAJS]
        subprocess.run(install, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return f"{KAFKAJS.replace('@', ' ')}, Node {node}"
