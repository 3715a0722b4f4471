"""confluent-kafka as its README writes a consumer: poll, print; Ctrl+C closes it. Commits are automatic.

With the argument "batches" it takes up to 500 messages at once and prints them in one go: its fastest loop in Python.
"""

import os
import sys

from confluent_kafka import Consumer


def poll():
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            print(f"Consumer error: {message.error()}", flush=True)
            continue
        value, partition, offset = message.value().decode(), message.partition(), message.offset()
        print(f"Received: {value} (partition {partition}, offset {offset})", flush=True)


def batches():
    while True:
        lines = []
        # It waits for all 500 or for the time to be over, so the time is how late a live message may come.
        for message in consumer.consume(500, timeout=0.1):
            value, partition, offset = message.value().decode(), message.partition(), message.offset()
            lines.append(f"Received: {value} (partition {partition}, offset {offset})")
        if lines:
            print("\n".join(lines), flush=True)


settings = {"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": os.environ["KAFKA_GROUP_ID"]}
consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
try:
    batches() if "batches" in sys.argv else poll()
except KeyboardInterrupt:
    consumer.close()
