"""Kafka's jars from Maven Central, downloaded once."""

import contextlib
import shutil
from pathlib import Path

from local_kafka.files import CACHE, whole_or_not_at_all


class BrokerError(Exception):
    """The broker cannot run here. The message is one line for a person: what is wrong and what to do."""


def kafka_jars(version) -> Path:
    """Return the folder with the jars of a version of Kafka, such as "4.3.1", downloaded if they are not here yet.

    Raises:
        BrokerError: the download failed.
    """
    jars = CACHE / f"kafka-{version}"
    if not jars.exists():
        with whole_or_not_at_all(jars) as folder:
            folder.mkdir()
            download(version, folder)
    return jars


def download(version, folder) -> None:
    """Download Kafka's jars into this folder, by way of a Maven repository beside it."""
    import requests
    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate
    from jgo.util import http
    from rich.console import Console
    from rich.progress import FileSizeColumn, Progress

    @contextlib.contextmanager
    def one_file(_name, _size):
        yield lambda size: progress.advance(task, size)

    resolver = PythonResolver(progress_callback=one_file)
    context = MavenContext(resolver=resolver, repo_cache=folder.parent / "repository", timeout=60)
    wanted = [("org.apache.kafka", "kafka_2.13", version), ("org.slf4j", "slf4j-simple", "1.7.36")]
    # Only what has come, since Maven Central tells the size of one jar at a time.
    progress = Progress("{task.description}", FileSizeColumn(), console=Console(stderr=True))
    task = progress.add_task("Downloading Kafka from Maven Central, this once, about 46 MB:", total=None)
    try:
        # jgo 3.2.0 opens a connection for each of its 254 questions: 18 s for a download of 1 s. A session keeps one.
        with progress, requests.Session() as http.requests:
            # The resolver alone: jgo.build() would fetch a whole JDK as well, to sort the jars into modules.
            inputs, others = resolver.resolve(
                [context.create_dependency(Coordinate(*names, scope="compile")) for names in wanted]
            )
            for dependency in [*inputs, *others]:
                if dependency.scope in ("compile", "runtime"):
                    shutil.copy(dependency.artifact.resolve(), folder)
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise BrokerError(
            f"Kafka {version} could not be downloaded ({type(error).__name__}): Maven Central must be reached, "
            "once, and have this version. Behind a proxy set HTTPS_PROXY, then start again."
        ) from error
