"""confluent-kafka as its README writes a consumer: poll() in a loop. Commits are automatic."""

import os
import sys
import time

from confluent_kafka import Consumer

settings = {
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "group.id": os.environ["KAFKA_GROUP_ID"],
    "group.instance.id": os.environ.get("KAFKA_GROUP_INSTANCE_ID", ""),
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
}
consumer = Consumer({name: value for name, value in settings.items() if value})
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
count = 0
while True:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if message.error():
        print(f"Consumer error: {message.error()}", file=sys.stderr)
        continue
    print(message.partition(), message.offset(), flush=True)
    count += 1
    if count == 5 and os.environ.get("AFTER_FIVE") == "hang":
        time.sleep(3600)
    if count == 5 and os.environ.get("AFTER_FIVE") == "end":
        break
consumer.close()
