"""A setting that cannot work ends the script with status 1 and one line that says what is wrong."""

import contextlib
import socket
import socketserver
import ssl
import sys
import threading

from real_kafka.brokers import SMALL, Broker
from real_kafka.files import ROOT

PRODUCER, CONSUMER = ["producer1"], ["consumer1"]  # the other two differ only in names
BOTH = PRODUCER + CONSUMER
UNABLE = "KafkaTimeoutError: Unable to bootstrap from"
RESET = "KAFKA_AUTO_OFFSET_RESET must be earliest or latest."
INTERVAL = "SEND_INTERVAL_SECONDS must be 0 or more, such as 2 or 0.5."
REFUSED = [
    (BOTH, "bootstrap_servers", "localhost:1", f"{UNABLE} localhost:1"),  # no server
    (BOTH, "bootstrap_servers", "no-such-host.invalid:1", f"{UNABLE} no-such-host.invalid:1"),
    (BOTH, "bootstrap_servers", "localhost:kafka", "invalid literal for int() with base 10: 'kafka'"),
    (BOTH, "KAFKA_TOPIC", "stock market", 'Topic name "stock market" is illegal'),
    (CONSUMER, "KAFKA_AUTO_OFFSET_RESET", "first", RESET),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "two", INTERVAL),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "-1", INTERVAL),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "nan", INTERVAL),
    (PRODUCER, "SEND_INTERVAL_SECONDS", "inf", INTERVAL),
]


def the_error_of(script) -> str:
    """Return the single line on stderr of a script that ends with status 1, without the script's name."""
    assert script.wait() == 1, script.text()
    assert not script.messages()
    [error] = script.errors
    return error.said


def test_a_setting_that_cannot_work_is_refused(start, subtests):
    started = [[start(name, **{setting: value}) for name in names] for names, setting, value, _ in REFUSED]
    for (_, setting, value, error), scripts in zip(REFUSED, started, strict=True):
        for script in scripts:
            with subtests.test(f"{setting}={value}", script=script.name):
                assert the_error_of(script).startswith(error)
                looked_for_kafka = 8 if error.startswith(UNABLE) else 0  # for at least so many seconds
                assert script.errors[0].at > script.started + looked_for_kafka


def test_with_any_argument_a_script_tells_what_it_does_and_its_settings(start):
    for script in (start("producer1", "--help"), start("consumer1", "--from-beginning")):
        assert script.wait() == 1
        assert not script.output
        assert "Settings, read from the environment:" in [line.text for line in script.errors]


class Tls(socketserver.BaseRequestHandler):
    """Speaks only TLS, as many clusters do. It answers anything else with an alert."""

    def handle(self):
        with contextlib.suppress(OSError):  # an SSLError, too: the handshake must fail
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(self.request, server_side=True)


ASKS_FOR_A_PASSWORD = {
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_SASL_ENABLED_MECHANISMS": "PLAIN",
    "KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL": "PLAIN",
    "KAFKA_LISTENER_NAME_PLAINTEXT_PLAIN_SASL_JAAS_CONFIG": (
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b" user_a="b";'
    ),
}


def test_a_port_where_something_else_listens_ends_the_scripts_soon(start, subtests):
    """All at once, because each tries for eight seconds. None may name port 9092: somebody's Kafka may listen there."""
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tls) as tls,
        socket.create_server(("127.0.0.1", 0)) as mute,
        Broker(settings=SMALL | ASKS_FOR_A_PASSWORD) as protected,
    ):
        threading.Thread(target=tls.serve_forever, daemon=True).start()
        ports = tls.server_address[1], mute.getsockname()[1], protected.port
        addresses = [f"localhost:{port}" for port in ports]
        started = {address: [start(name, bootstrap_servers=address) for name in BOTH] for address in addresses}
        for address, reason in zip(addresses, ("wants TLS", "no answer in time"), strict=False):
            command = [sys.executable, str(ROOT / "tests" / "watch.py")]
            watch = start("watch", command=command, bootstrap_servers=address)
            watch.wait_for(f"Waiting for Kafka .*{address.rpartition(':')[2]}:? {reason}", limit=10)
        for address, scripts in started.items():
            for script in scripts:
                with subtests.test(address, script=script.name):
                    assert the_error_of(script) == f"{UNABLE} {address}"
                    assert script.errors[0].at - script.started < 25  # kafka-python's default is 30 s
        tls.shutdown()


def test_blanks_around_a_setting_are_ignored(start, kafka, topic):
    """In a .env file written on Windows, each line ends with a carriage return."""
    kafka.send(topic, b"tick")
    start("consumer1", KAFKA_GROUP_ID=f" {topic}\r", KAFKA_TOPIC=f"{topic} \r", KAFKA_AUTO_OFFSET_RESET="earliest\r")
    kafka.wait_until_committed(topic, topic, {0: 1})
    start("producer1", SEND_INTERVAL_SECONDS=" 0.5\r").wait_for("Sent")
