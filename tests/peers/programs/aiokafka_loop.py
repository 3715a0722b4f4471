"""aiokafka, as its README writes a consumer: `async for`, print. Ctrl+C stops it. Commits are automatic."""

import asyncio
import os

from aiokafka import AIOKafkaConsumer


async def consume():
    consumer = AIOKafkaConsumer(
        os.environ["KAFKA_TOPIC"],
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=os.environ["KAFKA_GROUP_ID"],
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for message in consumer:
            value, partition, offset = message.value.decode(), message.partition, message.offset
            print(f"Received: {value} (partition {partition}, offset {offset})", flush=True)
    finally:
        await consumer.stop()


asyncio.run(consume())
