"""confluent-kafka as its README writes a consumer: poll, print; Ctrl+C closes it. Commits are automatic."""

import os

from confluent_kafka import Consumer

consumer = Consumer(
    {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": os.environ["KAFKA_GROUP_ID"],
        "auto.offset.reset": "earliest",
    }
)
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
try:
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            print(f"Consumer error: {message.error()}", flush=True)
            continue
        value, partition, offset = message.value().decode(), message.partition(), message.offset()
        print(f"Received: {value} (partition {partition}, offset {offset})", flush=True)
except KeyboardInterrupt:
    pass
finally:
    consumer.close()
