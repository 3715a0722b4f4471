"""kafka-python as its documentation writes a consumer: iterating. Commits are automatic."""

import os
import time

from kafka import KafkaConsumer

consumer = KafkaConsumer(
    os.environ["KAFKA_TOPIC"],
    bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    group_id=os.environ["KAFKA_GROUP_ID"],
    group_instance_id=os.environ.get("KAFKA_GROUP_INSTANCE_ID"),
    auto_offset_reset="earliest",
    isolation_level="read_committed",
)
for count, message in enumerate(consumer, 1):
    print(message.partition, message.offset, flush=True)
    if count == 5 and os.environ.get("AFTER_FIVE") == "hang":
        time.sleep(3600)
    if count == 5 and os.environ.get("AFTER_FIVE") == "end":
        break
consumer.close()
