#!/usr/bin/env bash
# asyncio.wait_for(consumer.poll(…)) loses messages, and commits them.
#
# Guess:   A poll() that was cancelled has taken nothing, as aiokafka's getone().
# Happens: confluent-kafka's AIOConsumer runs poll() in a thread, which goes on after the cancellation. The
#          message that it takes is thrown away, and the next commit() passes it.
# Matters: To asyncio programs that put a time limit around poll(), or cancel a task that waits in it. A limit
#          given to poll() itself is safe.
# Seen:    2026-11-29, with confluent-kafka 2.16.1, aiokafka 0.14.0, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: AIOConsumer: 0 of 3 messages came; committed: 4, the end of the log
#   saw: aiokafka's getone(): 3 of 3

source "$(dirname "$0")/lib/kafka.sh"
python_with confluent-kafka==2.16.1 aiokafka==0.14.0
start_kafka
"$PYTHON" - <<'PY'
import asyncio
import contextlib
import os

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.aio import AIOConsumer
from finding import expect, saw

KAFKA = os.environ["KAFKA"]
producer = Producer({"bootstrap.servers": KAFKA})


def send(*values):
    for value in values:
        producer.produce("ticks", value)
    producer.flush()


async def read(poll):
    """Wait for messages, a second at a time; three are sent while it waits."""
    values = []
    for second in range(12):
        if second in (3, 6, 7):
            send(f"sent in second {second}")
        with contextlib.suppress(asyncio.TimeoutError):
            message = await asyncio.wait_for(poll(), timeout=1)
            values.append(message.value() if callable(message.value) else message.value)
    return values


async def with_confluent():
    consumer = AIOConsumer({"bootstrap.servers": KAFKA, "group.id": "a", "auto.offset.reset": "earliest"})
    await consumer.subscribe(["ticks"])
    while await consumer.poll(1.0) is None:
        pass
    values = await read(lambda: consumer.poll(5.0))
    await consumer.commit()
    [place] = await consumer.committed([TopicPartition("ticks", 0)])
    await consumer.close()
    return values, place.offset


async def with_aiokafka():
    consumer = AIOKafkaConsumer("ticks", bootstrap_servers=KAFKA, group_id="b", auto_offset_reset="earliest")
    await consumer.start()
    for _ in range(4):  # what is there already
        await consumer.getone()
    values = await read(consumer.getone)
    await consumer.stop()
    return values


send("first")
values, place = asyncio.run(with_confluent())
saw(f"AIOConsumer: {len(values)} of 3 messages came; committed: {place}, the end of the log")
others = asyncio.run(with_aiokafka())
saw(f"aiokafka's getone(): {len(others)} of 3")
expect(len(others) == 3, "aiokafka loses messages, too")
expect(len(values) < 3 and place == 4, "AIOConsumer loses nothing when poll() is cancelled")
PY
