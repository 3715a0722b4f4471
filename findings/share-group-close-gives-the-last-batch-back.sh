#!/usr/bin/env bash
# ShareConsumer.close() gives back what the last poll() returned.
#
# Guess:   In implicit mode close() accepts what was delivered, as its documentation's "commits pending
#          acknowledgements" sounds.
# Happens: Only the next poll() or commit_sync() accepts a batch. After close() all of it is delivered again, to
#          the next worker.
# Matters: To workers that end after their last batch: its work is done twice. commit_sync() before close()
#          prevents it.
# Seen:    2026-11-29, with confluent-kafka 2.16.1 (librdkafka 2.16.0, where share groups are a preview), Apache
#          Kafka 4.3.1, Python 3.11:
#
#   saw: poll() and close(): [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1)]
#   saw: again: [(0, 2), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (7, 2), (8, 2), (9, 2)]
#   saw: and again, after commit_sync() and close(): []

source "$(dirname "$0")/lib/kafka.sh"
python_with confluent-kafka==2.16.1
start_kafka
"$PYTHON" - <<'PY'
import os

from confluent_kafka import Producer, ShareConsumer
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


def work(what, commit=False, patience=30):
    worker = ShareConsumer({**KAFKA, "group.id": "workers", "log_level": 3})
    worker.subscribe(["ticks"])
    batch = wait_for(lambda: list(worker.poll(1.0)), patience)
    if commit:
        worker.commit_sync()
    worker.close()
    saw(f"{what}: {[(message.offset(), message.delivery_count()) for message in batch]}")
    return len(batch)


first = work("poll() and close()")
second = work("again", commit=True)
third = work("and again, after commit_sync() and close()", patience=15)
expect(first == 10 and third == 0, "commit_sync() does not accept a batch")
expect(second == 10, "close() accepts the batch that the last poll() returned")
PY
