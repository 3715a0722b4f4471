#!/usr/bin/env bash
# A producer with a message to send connects a thousand times a second where connections are closed at once.
#
# Guess:   reconnect_backoff_ms grows from 50 ms up to 30 s, whatever ends the connection.
# Happens: With nothing to send it does. With a message to send, each connection that was accepted counts as a
#          success and resets the backoff.
# Matters: To producers behind a port proxy or load balancer whose Kafka is still starting.
# Witness: When this changes, tests/README.md's "A storm of reconnects" can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: no message to send: 9 connections a second
#   saw: one message to send: 498 connections a second

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import signal
import socket
import sys
import threading
import time

from finding import expect, saw, wait_for
from kafka import KafkaProducer

KAFKA, KAFKA_PID = os.environ["KAFKA"], int(os.environ["KAFKA_PID"])
producer = KafkaProducer(bootstrap_servers=KAFKA)
producer.send("ticks", b"1").get(timeout=60)
os.kill(KAFKA_PID, signal.SIGKILL)


def listen():
    try:
        return socket.create_server(("127.0.0.1", int(KAFKA.split(":")[1])))
    except OSError:
        return None  # Kafka's port is not free yet


def accept_and_close():
    while True:
        connection, address = server.accept()
        connection.close()
        connections.append(address)


server, connections = wait_for(listen), []
threading.Thread(target=accept_and_close, daemon=True).start()


def connections_a_second():
    time.sleep(5)
    before = len(connections)
    time.sleep(10)
    return (len(connections) - before) / 10


idle = connections_a_second()
saw(f"no message to send: {idle:.0f} connections a second")
producer.send("ticks", b"2")
pending = connections_a_second()
saw(f"one message to send: {pending:.0f} connections a second")
expect(pending > 4 * idle, "a producer with a message to send backs off where connections are closed at once")
sys.stdout.flush()
os._exit(0)  # the message can't be sent any more
PY
