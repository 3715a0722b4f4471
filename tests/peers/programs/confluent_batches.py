"""confluent-kafka, taking up to 500 messages at once and printing them in one go: its fastest loop in Python."""

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
        # It waits for all 500 or for the time to be over, so the time is how late a live message may come.
        lines = []
        for message in consumer.consume(500, timeout=0.1):
            if message.error():
                lines.append(f"Consumer error: {message.error()}")
                continue
            value, partition, offset = message.value().decode(), message.partition(), message.offset()
            lines.append(f"Received: {value} (partition {partition}, offset {offset})")
        if lines:
            print("\n".join(lines), flush=True)
except KeyboardInterrupt:
    pass
finally:
    consumer.close()
