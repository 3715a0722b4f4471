"""Kafka's jars from Maven Central, downloaded once."""

import contextlib
import shutil
from pathlib import Path

from real_kafka.files import CACHE, whole_or_not_at_all


class BrokerError(Exception):
    """The broker cannot run here. The message is one line for people: what is wrong, and what to do."""


def kafka_jars(version) -> Path:
    """Return the folder with the jars of a Kafka version, such as "4.3.1". Raise BrokerError if the download fails."""
    jars = CACHE / f"kafka-{version}"
    if not jars.exists():
        with whole_or_not_at_all(jars) as folder:
            folder.mkdir()
            download(version, folder)
    return jars


def download(version, folder) -> None:
    """Download Kafka's jars into this folder. The Maven repository for that is beside it."""
    import truststore

    truststore.inject_into_ssl()  # trust what the system trusts, as pip does: a company's proxy may open TLS
    import requests
    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate
    from jgo.util import http
    from rich.console import Console
    from rich.progress import FileSizeColumn, Progress, SpinnerColumn, TimeElapsedColumn

    failed = f"Kafka {version} could not be downloaded from Maven Central"

    class Session(requests.Session):
        """Makes jgo's requests. jgo would go on without a file that it cannot get. A BrokerError stops it."""

        waits = 0

        def request(self, *args, **how):
            try:
                answer = super().request(*args, **{**how, "stream": False})  # nothing can fail after this
            except requests.RequestException as error:
                untrusted, cause = isinstance(error, requests.exceptions.SSLError), error
                while cause.__context__:
                    cause = cause.__context__
                advice = "If your network opens TLS, REQUESTS_CA_BUNDLE must name the file with its certificate."
                advice = advice if untrusted else "Behind a proxy, HTTPS_PROXY must name it."
                raise BrokerError(f"{failed} ({cause}). {advice}") from error
            self.waits = self.waits + 1 if answer.status_code == 429 else 0
            said = f"{answer.status_code} {answer.reason}"
            if answer.status_code not in (200, 404, 429) or self.waits > 3:
                raise BrokerError(f"{failed}, which answers {said}. Try again later.")
            if self.waits:  # jgo does the waiting, and cannot read a date
                asked = answer.headers.get("Retry-After", "")
                answer.headers["Retry-After"] = seconds = asked if asked.isdigit() else "60"
                progress.print(f"Maven Central asks to wait ({said}): {seconds} s.")
            return answer

    @contextlib.contextmanager
    def one_file(_name, _size):
        yield lambda size: progress.advance(task, size)

    resolver = PythonResolver(progress_callback=one_file)
    context = MavenContext(resolver=resolver, repo_cache=folder.parent / "repository", timeout=(10, 60))
    wanted = [("org.apache.kafka", "kafka_2.13", version), ("org.slf4j", "slf4j-simple", "1.7.36")]
    # It shows only what has come, because Maven Central gives the sizes one jar at a time.
    columns = "{task.description}", FileSizeColumn(), SpinnerColumn(), TimeElapsedColumn()
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task("Downloading Kafka from Maven Central, this once, about 46 MB:", total=None)
    try:
        # jgo 3.2.0 opens a connection for each of its 254 requests: 18 s for a download of 1 s. A session keeps one.
        with progress, Session() as http.requests:
            # Use only the resolver: jgo.build() would also fetch a whole JDK, to sort the jars into modules.
            inputs, others = resolver.resolve(
                [context.create_dependency(Coordinate(*names, scope="compile")) for names in wanted]
            )
            for dependency in [*inputs, *others]:
                if dependency.scope in ("compile", "runtime"):
                    shutil.copy(dependency.artifact.resolve(), folder)
    except (RuntimeError, ValueError) as error:
        raise BrokerError(f"{failed} ({error}). Is there such a version?") from error
