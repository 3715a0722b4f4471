"""A setting that cannot work ends the script with one line that says what is wrong, and status 1."""

import contextlib
import socket
import socketserver
import ssl
import threading

PRODUCER, CONSUMER = ["producer1"], ["consumer1"]  # the other two differ in names alone
BOTH = PRODUCER + CONSUMER
RESET = "KAFKA_AUTO_OFFSET_RESET={!r}: write earliest or latest."
INTERVAL = "SEND_INTERVAL_SECONDS={!r}: write seconds, as in 2 or 0.5."
REFUSED = [
    (BOTH, "KAFKA_TOPIC", "stock market", 'Topic name "stock market" is illegal'),
    (CONSUMER, "KAFKA_AUTO_OFFSET_RESET", "first", RESET.format("first")),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "two", INTERVAL.format("two")),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "-1", INTERVAL.format("-1")),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "nan", INTERVAL.format("nan")),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "1e300", INTERVAL.format("1e300")),
]


def the_error_of(script) -> str:
    """Return the one line on stderr, without the name before it, of a script that ends with status 1."""
    assert script.wait() == 1, script.text()
    assert not script.messages()
    assert len(script.errors) == 1, script.text()
    return script.errors[0].text.partition("] ")[2]


def test_a_setting_that_cannot_work_is_refused(start, subtests):
    started = [[start(name, **{setting: value}) for name in names] for names, setting, value, _ in REFUSED]
    for (_, setting, value, error), scripts in zip(REFUSED, started, strict=True):
        for script in scripts:
            with subtests.test(f"{setting}={value}", script=script.name):
                assert the_error_of(script).startswith(error)


def test_an_unknown_argument_is_refused(start):
    for script in [start(name, "--from-beginning") for name in BOTH]:
        assert the_error_of(script) == "No arguments, please: the first lines of this file tell the settings."


@contextlib.contextmanager
def tls_server():
    """Yield a port that speaks TLS alone, as many clusters have it: what is no TLS is answered with an alert."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):  # an SSLError is one: the handshake fails, as it must
                context.wrap_socket(self.request, server_side=True)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_address_where_no_kafka_answers_ends_the_scripts_soon(start, subtests):
    """All at once, since each tries for eight seconds. None may name port 9092, where somebody's Kafka may listen."""
    with tls_server() as tls, socket.create_server(("127.0.0.1", 0)) as mute:
        addresses = {
            "no server": "localhost:1",
            "TLS server": f"localhost:{tls}",
            "mute server": f"localhost:{mute.getsockname()[1]}",
            "address of a web page": "http://localhost:1",
            "no such host": "no-such-host.invalid:1",
            "word as port": "localhost:kafka",
        }
        started = {kind: [start(name, bootstrap_servers=at) for name in BOTH] for kind, at in addresses.items()}
        for kind, address in addresses.items():
            for script in started[kind]:
                with subtests.test(kind, script=script.name):
                    assert the_error_of(script) == (
                        f"No Kafka answers at {address}. Start it, or set KAFKA_BOOTSTRAP_SERVERS."
                    )
