"""confluent-kafka, as its README writes a consumer: poll, print. Ctrl+C closes it. Commits are automatic.

With the argument "batches", it takes up to 500 messages at once and prints them together: its fastest loop in Python.
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
        # It waits for 500 messages or for the whole timeout. So that is how late a live message may come.
        messages = consumer.consume(500, timeout=0.1)
        lines = [f"Received: {m.value().decode()} (partition {m.partition()}, offset {m.offset()})" for m in messages]
        if lines:
            print("\n".join(lines), flush=True)


settings = {"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": os.environ["KAFKA_GROUP_ID"]}
consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
try:
    batches() if "batches" in sys.argv else poll()
except KeyboardInterrupt:
    consumer.close()
