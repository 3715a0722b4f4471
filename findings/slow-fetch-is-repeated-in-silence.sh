#!/usr/bin/env bash
# On a slow line no message ever comes, and no error.
#
# Guess:   A slow line makes messages come slowly.
# Happens: request_timeout_ms counts for a whole fetch, up to max_partition_fetch_bytes (1 MB) for each
#          partition. If the line does not carry that in time, the fetch is dropped and begun anew, for ever.
#          Other requests are answered in time.
# Matters: To consumers far from their Kafka with a shorter request_timeout_ms: here 4 s at 100 kB/s.
# Witness: When this changes, consumer1.py's consumer may have a short request_timeout_ms, and needs no second client
#          for its questions.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: in 30 s: 0 messages, no error; 2.8 MB came from Kafka
#   saw: max_partition_fetch_bytes=100_000: 96 messages

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
slow=$("$PYTHON" "$LIB/finding.py" | cut -d' ' -f1)
start_kafka "advertised.listeners=PLAINTEXT://127.0.0.1:$slow"
SLOW=$slow "$PYTHON" - <<'PY'
import os
import socket
import threading
import time

from finding import expect, saw
from kafka import KafkaConsumer, KafkaProducer

RATE = 100_000  # bytes a second from Kafka to the clients, once `slow` is set
slow = threading.Event()
sent = []  # bytes on the slow line


def pump(source, target, limited):
    while data := source.recv(RATE // 20):
        target.sendall(data)
        if limited and slow.is_set():
            sent.append(len(data))
            time.sleep(len(data) / RATE)


def line(server):
    while True:
        client, _ = server.accept()
        kafka = socket.create_connection(os.environ["KAFKA"].split(":"))
        threading.Thread(target=pump, args=(client, kafka, False), daemon=True).start()
        threading.Thread(target=pump, args=(kafka, client, True), daemon=True).start()


threading.excepthook = lambda _: None  # a line ends when its client does
address = ("127.0.0.1", int(os.environ["SLOW"]))
threading.Thread(target=line, args=(socket.create_server(address),), daemon=True).start()
producer = KafkaProducer(bootstrap_servers="{}:{}".format(*address))
for _ in range(2000):
    producer.send("ticks", bytes(1000))
producer.flush()
slow.set()


def read(**settings):
    consumer = KafkaConsumer(
        "ticks",
        bootstrap_servers="{}:{}".format(*address),
        group_id=None,
        auto_offset_reset="earliest",
        request_timeout_ms=4000,
        **settings,
    )
    end, count = time.monotonic() + 30, 0
    while time.monotonic() < end and not count:
        count = sum(map(len, consumer.poll(timeout_ms=1000).values()))
    return count


before = sum(sent)
count = read()
saw(f"in 30 s: {count} messages, no error; {(sum(sent) - before) / 1e6:.1f} MB came from Kafka")
expect(count == 0, "a fetch that takes longer than request_timeout_ms brings messages")
count = read(max_partition_fetch_bytes=100_000)
saw(f"max_partition_fetch_bytes=100_000: {count} messages")
expect(count > 0, "smaller fetches bring nothing either")
PY
