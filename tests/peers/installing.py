"""Other clients of Kafka, each with its version, and the tools that install or build it, once, in tests/.kafka."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from real_kafka.download import kafka_jars
from real_kafka.files import CACHE, compose_version, whole_or_not_at_all

PROGRAMS = Path(__file__).parent / "programs"


def python(program, package=None) -> list:
    path = []
    if package:
        folder = _installed(package, [sys.executable, "-m", "pip", "install", "--quiet", "--target", ".", package])
        path = ["env", f"PYTHONPATH={folder}"]
    return [*path, sys.executable, PROGRAMS / program]


def node(program, package, *its_node) -> list:
    packages = (package, *its_node)
    modules = _installed(package, *(["npm", "install", "--no-audit", "--no-fund", each] for each in packages))
    modules /= "node_modules"
    _run(modules, ["node", "--version"])
    # Where a Node is among the packages, it is the one that runs.
    return ["env", f"NODE_PATH={modules}", f"PATH={modules / '.bin'}:{os.environ['PATH']}", "node", PROGRAMS / program]


def go(program, package) -> list:
    folder = _installed(package, ["go", "mod", "init", "other"], ["go", "get", package])
    _run(folder, ["go", "build", "-o", "consumer", PROGRAMS / program])
    return [folder / "consumer"]


def java(program) -> list:
    """Compile it against the client that comes with Kafka itself."""
    jars = kafka_jars(compose_version()) / "*"
    folder = _installed(f"java-client-{compose_version()}")
    _run(folder, ["javac", "-cp", jars, "-d", ".", PROGRAMS / f"{program}.java"])
    return ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{folder}:{jars}", program]


def _installed(package, *commands) -> Path:
    """Return a folder in which these commands have been run."""
    folder = CACHE / package.replace("/", "-")
    if not folder.exists():
        with whole_or_not_at_all(folder) as made:
            made.mkdir()
            for command in commands:
                _run(made, command)
    return folder


def _run(folder, command):
    subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)


# By a client's name and how it is used, which the table shows: what prepares it and returns its command. It raises
# OSError or SubprocessError where the tools are missing.
CLIENTS = {
    f"kafka-python {version('kafka-python')}, iterating": lambda: python("resume_kafka_python.py"),
    "kafka-python 2.3.3, iterating": lambda: python("resume_kafka_python.py", "kafka-python==2.3.3"),
    f"confluent-kafka {version('confluent-kafka')}, `poll()`": lambda: python("resume_confluent_kafka.py"),
    f"aiokafka {version('aiokafka')}, `async for`": lambda: python("resume_aiokafka.py"),
    f"Java {compose_version()}, `poll()`": lambda: java("ResumeJava"),
    "kafkajs 2.2.4, `eachMessage`": lambda: node("resume_kafkajs.js", "kafkajs@2.2.4"),
    "@platformatic/kafka 2.12.1, `for await`": lambda: node(
        "resume_platformatic_kafka.mjs", "@platformatic/kafka@2.12.1", "node@22.23.3"
    ),
    "franz-go 1.22.3, `PollFetches`": lambda: go("resume_franz_go.go", "github.com/twmb/franz-go/pkg/kgo@v1.22.3"),
    "sarama 1.61.1, `MarkMessage`": lambda: go("resume_sarama.go", "github.com/IBM/sarama@v1.61.1"),
    "kafka-go 0.4.51, `ReadMessage`": lambda: go("resume_kafka_go.go", "github.com/segmentio/kafka-go@v0.4.51"),
}
