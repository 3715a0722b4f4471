"""A real Apache Kafka on 127.0.0.1 with the settings of docker-compose.yml, for the commands and the tests."""

import contextlib
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from machine.processes import start
from machine.waiting import Overdue, wait_until
from real_kafka.download import BrokerError, kafka_jars
from real_kafka.files import compose_version, whole_or_not_at_all
from real_kafka.set_up import class_cache, compose_settings, java, java_environment, last_words, set_up

# For brokers that live for minutes. With Kafka's defaults, the first group creates 50 logs of committed offsets, and
# the controller writes twice a second that nothing has happened.
SMALL = {"KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": 3, "KAFKA_METADATA_MAX_IDLE_INTERVAL_MS": 10_000}
# For brokers that are killed. With Kafka's defaults, a controller counts a killed broker as alive for 9 s more.
FORGET_THE_KILLED_SOON = {**SMALL, "KAFKA_BROKER_SESSION_TIMEOUT_MS": 2000, "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": 500}


_given = set()  # the ports that `free_port` has returned: their brokers may not listen yet


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses: another one each time.

    It is below the ports that systems give to outgoing connections. So while the broker is down, no client takes the
    port or connects to itself.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(BrokerError):
            check_free(port)
            if port not in _given:
                _given.add(port)
                return port


def check_free(port: int) -> None:
    """Raise BrokerError if a server cannot listen on this port of 127.0.0.1 now."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        message = f"Port {port} is in use: another Kafka (docker compose stop, or Ctrl+C there), or a program."
        raise BrokerError(message) from None


class Broker:
    """One Kafka broker on 127.0.0.1. As a context manager, it starts on entry and is closed on exit.

    Start it from a thread that outlives it.

    Args:
        port: of the clients' listener; by default a free one.
        directory: where its data and its output are; by default a temporary one, which `close` deletes.
        settings: KAFKA_… variables that add to those of docker-compose.yml or replace them.
        version: of Kafka, such as "4.3.1"; by default docker-compose.yml's.
    """

    def __init__(self, port=None, directory=None, settings=None, version=None):
        self.port = port or free_port()
        self.controller_port = free_port()  # where a cluster's brokers talk to each other
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self.voters = f"1@127.0.0.1:{self.controller_port}"  # controller.quorum.voters: a cluster's brokers
        self.settings = settings or {}
        self.version = version or compose_version()
        self.process = None  # the Java process, a subprocess.Popen, from `start` to `stop` or `kill`
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="kafka-")
        self.directory = Path(directory or self._temporary.name)
        self.output = self.directory / "kafka.log"  # what Kafka has printed since its start

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
        """Start it, with the data that it had; with `wait`, return only when it is ready.

        Raises:
            BrokerError: the port is in use; Kafka could not be downloaded, ended, or did not answer within 60 s.
        """
        check_free(self.port)
        settings = {**compose_settings(), **self.settings}
        heap = settings.pop("KAFKA_HEAP_OPTS").split()
        jars = kafka_jars(self.version)
        prepared = set_up(jars, settings)
        if not (self.directory / "data").exists():
            shutil.copytree(prepared / "data", self.directory / "data")
        addresses = {
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.quorum.voters": self.voters,
        }
        command = [*java(jars), *heap, "kafka.Kafka", str(prepared / "config" / "server.properties")]
        for name, value in addresses.items():
            command += ["--override", f"{name}={value}"]
        with open(self.output, "wb") as output:
            self.process = start(command, cwd=self.directory, env=java_environment(), stdout=output, stderr=output)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when it answers clients, and has joined its cluster if it has one; raise BrokerError as `start`."""
        try:
            wait_until("Kafka to answer", self.is_ready, every=0.05)
        except Overdue:
            raise BrokerError(f"Kafka did not answer within 60 s; its output is in {self.output}.") from None

    def is_ready(self) -> bool:
        """Tell whether it answers clients; raise BrokerError if it has ended."""
        if self.process.poll() is not None or self._disk_is_full():  # on a full disk it may run on and say nothing
            raise BrokerError(f"Kafka ended while it was starting. {self.why_it_ended()}")
        return b"Kafka Server started" in self.output.read_bytes()

    def why_it_ended(self) -> str:
        """Return why it ended by itself, and what to do."""
        if self._disk_is_full():
            return f"The disk of {self.directory} is full."
        kept = f"If a crash has damaged its data, --fresh starts without them. From {self.output}: "
        return ("" if self._temporary else kept) + last_words(self.output.read_bytes())

    def _disk_is_full(self):
        return shutil.disk_usage(self.directory).free < 2**16

    def stop(self) -> None:
        """Shut it down cleanly (SIGTERM), but kill it after 30 s. Its data stay."""
        if self.process:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.kill()

    def kill(self) -> None:
        """Kill it (SIGKILL), like a crash. Its data stay."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wipe(self) -> None:
        """Stop it, and delete its messages and offsets, as `docker compose down -v` does."""
        self.stop()
        check_free(self.port)  # raises BrokerError: another Kafka may be using these data
        shutil.rmtree(self.directory / "data", ignore_errors=True)

    def close(self) -> None:
        """Kill it, and delete its directory if that is a temporary one."""
        self.kill()
        if self._temporary:
            self._temporary.cleanup()


def make_class_cache() -> None:
    """Have Java save Kafka's classes as one start loads them, which halves the time of later starts (JEP 514).

    It is for the tests, which start dozens of brokers: saving takes longer than one start gains. A Java that cannot use
    the file starts as usual. Raises BrokerError as `Broker.start` does.
    """
    cache = class_cache(kafka_jars(compose_version()))
    if not cache.exists():
        with whole_or_not_at_all(cache) as made:
            heap = f"{compose_settings()['KAFKA_HEAP_OPTS']} -XX:AOTCacheOutput={made}"
            with Broker(settings={"KAFKA_HEAP_OPTS": heap}) as broker:
                broker.process.terminate()
                broker.process.wait()  # Java saves them now; on a busy machine that takes longer than `stop` waits


@contextlib.contextmanager
def cluster():
    """Yield the three brokers of a cluster, or raise BrokerError. Each topic has three copies; acks="all" needs two."""
    settings = {
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093,2@localhost:9093,3@localhost:9093",  # ports: Broker.voters
        "KAFKA_DEFAULT_REPLICATION_FACTOR": 3,
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": 3,
        "KAFKA_MIN_INSYNC_REPLICAS": 2,
        **FORGET_THE_KILLED_SOON,
    }
    brokers = [Broker(settings={**settings, "KAFKA_NODE_ID": number}) for number in (1, 2, 3)]
    with contextlib.ExitStack() as stack:
        for broker in brokers:
            stack.callback(broker.close)
            broker.voters = ",".join(f"{n}@127.0.0.1:{each.controller_port}" for n, each in enumerate(brokers, 1))
            broker.start(wait=False)
        for broker in brokers:
            broker.wait_until_ready()
        yield brokers
