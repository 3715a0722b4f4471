#!/usr/bin/env bash
# A share group hands out released messages one by one in the end, then drops them.
#
# Guess:   A released batch comes again as a batch, and messages that failed too often end in a dead-letter
#          topic or an error.
# Happens: From the fourth delivery on batches are halved, and at the last one each message comes alone. After
#          five deliveries (group.share.delivery.count.limit) they are gone without a word to anybody, and the
#          group goes on behind them.
# Matters: To workers in a share group whose database is away for a moment: released five times, a message is
#          lost.
# Seen:    2026-11-29, with confluent-kafka 2.16.1 (librdkafka 2.16.0, where share groups are a preview), Apache
#          Kafka 4.3.1, Python 3.11:
#
#   saw: ten messages, each released each time: batches of [10, 10, 10, 5, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1]
#   saw: then nothing for 30 s; the last delivery of each was its number [5]
#   saw: the next message that is sent: offset [10]

source "$(dirname "$0")/lib/kafka.sh"
python_with confluent-kafka==2.16.1
start_kafka
"$PYTHON" - <<'PY'
import os

from confluent_kafka import AcknowledgeType, Producer, ShareConsumer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic
from finding import expect, saw, wait_for

KAFKA = {"bootstrap.servers": os.environ["KAFKA"]}
admin = AdminClient(KAFKA)
admin.create_topics([NewTopic("ticks", 1, 1)])["ticks"].result()
earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
group = ConfigResource("GROUP", "workers", incremental_configs=[earliest])
admin.incremental_alter_configs([group])[group].result()
producer = Producer(KAFKA)
for number in range(10):
    producer.produce("ticks", str(number))
producer.flush()

worker = ShareConsumer({**KAFKA, "group.id": "workers", "share.acknowledgement.mode": "explicit", "log_level": 3})
worker.subscribe(["ticks"])
batches, delivered = [], {}
while batch := wait_for(lambda: list(worker.poll(1.0)), 30):
    batches.append(len(batch))
    for message in batch:
        expect(message.error() is None, f"an error comes instead of a message: {message.error()}")
        delivered[message.offset()] = message.delivery_count()
        worker.acknowledge(message, AcknowledgeType.RELEASE)  # "again, please"
    worker.commit_sync()
saw(f"ten messages, each released each time: batches of {batches}")
saw(f"then nothing for 30 s; the last delivery of each was its number {sorted(set(delivered.values()))}")
producer.produce("ticks", "10")
producer.flush()
batch = wait_for(lambda: list(worker.poll(1.0)))
saw(f"the next message that is sent: offset {[message.offset() for message in batch]}")
expect(batches[:3] == [10, 10, 10] and max(batches[3:]) <= 5 and batches[-1] == 1, "batches do not shrink")
expect(set(delivered.values()) == {5} and len(delivered) == 10, "a message is not given up after five deliveries")
PY
