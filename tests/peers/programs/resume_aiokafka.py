"""aiokafka as its README writes a consumer: `async for`. Commits are automatic."""

import asyncio
import os

from aiokafka import AIOKafkaConsumer


async def consume():
    consumer = AIOKafkaConsumer(
        os.environ["KAFKA_TOPIC"],
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=os.environ["KAFKA_GROUP_ID"],
        group_instance_id=os.environ.get("KAFKA_GROUP_INSTANCE_ID"),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    count = 0
    async with consumer:
        async for message in consumer:
            print(message.partition, message.offset, flush=True)
            count += 1
            if count == 5 and os.environ.get("AFTER_FIVE") == "hang":
                await asyncio.sleep(3600)
            if count == 5 and os.environ.get("AFTER_FIVE") == "end":
                break


asyncio.run(consume())
