"""A setting that cannot work ends the script with one line that says what is wrong, and status 1."""

import contextlib
import socket
import socketserver
import ssl
import sys
import threading

from real_kafka.brokers import Broker
from real_kafka.files import ROOT

PRODUCER, CONSUMER = ["producer1"], ["consumer1"]  # the other two differ in names alone
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
                looked_for_kafka = 8 if error.startswith(UNABLE) else 0  # for at least so many seconds
                assert script.errors[0].at > script.started + looked_for_kafka


def test_any_argument_tells_what_the_script_does_and_its_settings(start):
    for script in (start("producer1", "--help"), start("consumer1", "--from-beginning")):
        assert script.wait() == 1
        assert not script.output
        assert "Settings, read from the environment:" in [line.text for line in script.errors]


class Tls(socketserver.BaseRequestHandler):
    """It speaks TLS alone, as many clusters do: what is no TLS is answered with an alert."""

    def handle(self):
        with contextlib.suppress(OSError):  # an SSLError is one: the handshake fails, as it must
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
    """All at once, since each tries for eight seconds. None may name port 9092, where somebody's Kafka may listen."""
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tls) as tls,
        socket.create_server(("127.0.0.1", 0)) as mute,
        Broker(settings=ASKS_FOR_A_PASSWORD) as protected,
    ):
        threading.Thread(target=tls.serve_forever, daemon=True).start()
        ports = tls.server_address[1], mute.getsockname()[1], protected.port
        addresses = [f"localhost:{port}" for port in ports]
        started = {address: [start(name, bootstrap_servers=address) for name in BOTH] for address in addresses}
        for address, reason in zip(addresses, ("wants TLS", "no answer in time"), strict=False):
            watch = start(
                "watch", command=[sys.executable, str(ROOT / "tests" / "watch.py")], bootstrap_servers=address
            )
            watch.wait_for(f"Waiting for Kafka .*{address.rpartition(':')[2]}:? {reason}", limit=10)
        for address, scripts in started.items():
            for script in scripts:
                with subtests.test(address, script=script.name):
                    assert the_error_of(script) == f"{UNABLE} {address}"
        tls.shutdown()


def test_blanks_around_a_setting_are_no_part_of_it(start, kafka, topic):
    """A .env file that was written on Windows ends each line with a carriage return."""
    kafka.send(topic, b"tick")
    start("consumer1", KAFKA_GROUP_ID=f" {topic}\r", KAFKA_TOPIC=f"{topic} \r", KAFKA_AUTO_OFFSET_RESET="earliest\r")
    kafka.wait_until_committed(topic, topic, {0: 1})
