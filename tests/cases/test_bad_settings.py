"""A setting that cannot work ends the script with one line that names it and what to do, and a status other than 0."""

import contextlib
import http.server
import socket
import socketserver
import ssl
import threading

import pytest

from evidence.scripts import Script

PRODUCERS, CONSUMERS = ["producer1", "producer2"], ["consumer1", "consumer2"]
ALL = PRODUCERS + CONSUMERS

REFUSED = {
    "address-without-port": (ALL, "KAFKA_BOOTSTRAP_SERVERS", "localhost"),
    "address-with-a-word-as-port": (ALL, "KAFKA_BOOTSTRAP_SERVERS", "localhost:kafka"),
    "address-of-a-web-page": (ALL, "KAFKA_BOOTSTRAP_SERVERS", "http://localhost:9092"),
    "address-empty": (ALL, "KAFKA_BOOTSTRAP_SERVERS", ""),
    "address-list-with-a-hole": (ALL, "KAFKA_BOOTSTRAP_SERVERS", "localhost:9092,,localhost:9093"),
    "topic-empty": (ALL, "KAFKA_TOPIC", ""),
    "topic-illegal": (ALL, "KAFKA_TOPIC", "stock market"),
    "topic-dots": (ALL, "KAFKA_TOPIC", ".."),
    "topic-too-long": (ALL, "KAFKA_TOPIC", "x" * 250),
    "group-empty": (CONSUMERS, "KAFKA_GROUP_ID", ""),
    "group-blank": (CONSUMERS, "KAFKA_GROUP_ID", " "),
    "reset-unknown": (CONSUMERS, "KAFKA_AUTO_OFFSET_RESET", "first"),
    "reset-empty": (CONSUMERS, "KAFKA_AUTO_OFFSET_RESET", ""),
    "interval-empty": (PRODUCERS, "SEND_INTERVAL_SECONDS", ""),
    "interval-no-number": (PRODUCERS, "SEND_INTERVAL_SECONDS", "two"),
    "interval-negative": (PRODUCERS, "SEND_INTERVAL_SECONDS", "-1"),
    "interval-nan": (PRODUCERS, "SEND_INTERVAL_SECONDS", "nan"),
    "interval-inf": (PRODUCERS, "SEND_INTERVAL_SECONDS", "inf"),
    "interval-huge": (PRODUCERS, "SEND_INTERVAL_SECONDS", "1e300"),
}


@pytest.mark.parametrize(("names", "setting", "value"), REFUSED.values(), ids=REFUSED.keys())
def test_a_setting_that_cannot_work_is_refused_at_once(names, setting, value):
    scripts = [Script(name, **{"bootstrap_servers": "localhost:1", setting: value}) for name in names]
    for script in scripts:
        assert script.wait() == 1
        assert not script.output
        assert len(script.errors) == 1
        assert setting in script.errors[0].text
        assert ": write " in script.errors[0].text


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def mute_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def tls_server():
    """A port that speaks TLS alone, as many clusters have it: what is no TLS is answered with an alert."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):  # an SSLError is one: the handshake fails, as it must
                context.wrap_socket(self.request, server_side=True)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def misled():
    """The scripts started with addresses where no Kafka is, all at once, since each tries for 8 s."""
    with web_server() as web, mute_server() as mute, tls_server() as tls:
        addresses = {
            "no-server": (ALL, "localhost:1"),
            "web-server": (["producer1", "consumer1"], f"localhost:{web}"),
            "mute-server": (["producer1", "consumer1"], f"localhost:{mute}"),
            "tls-server": (ALL, f"127.0.0.1:{tls}"),
            "no-such-host": (["producer1", "consumer1"], "no-such-host.invalid:9092"),
            "no-such-port": (["producer1", "consumer1"], "localhost:99999"),
            "no-host-name": (["producer1", "consumer1"], "a..b:9092"),
            "half-a-bracket": (["producer1", "consumer1"], "[::1:9092"),
        }
        scripts = {k: (address, [Script(name, address) for name in names]) for k, (names, address) in addresses.items()}
        yield scripts
        for _address, started in scripts.values():
            for script in started:
                script.kill()


@pytest.mark.parametrize(
    "kind",
    [
        "no-server",
        "web-server",
        "mute-server",
        "tls-server",
        "no-such-host",
        "no-such-port",
        "no-host-name",
        "half-a-bracket",
    ],
)
def test_an_address_where_no_kafka_answers_ends_the_scripts_soon(misled, kind):
    address, scripts = misled[kind]
    for script in scripts:
        assert script.wait(limit=60) == 1, script.text()
        assert not script.output
        assert len(script.errors) == 1
        assert f"KAFKA_BOOTSTRAP_SERVERS={address}: no Kafka answers there. Start it" in script.errors[0].text
        assert "uses no TLS and no password" in script.errors[0].text


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_argument_is_an_error(name):
    script = Script(name, "localhost:1", "--from-beginning")
    assert script.wait() != 0
    assert len(script.errors) == 1
    assert "--from-beginning" in script.errors[0].text
    assert "--help" in script.errors[0].text
