"""Measure what other clients have committed after five of ten messages; print a Markdown table. Two minutes.

    PYTHONPATH=tests .venv/bin/python -m peers.five_of_ten

Each client has its default settings, except for where a new group starts. It ends cleanly after the fifth message, or
it is killed ten seconds after it, while it still handles that message.
"""

import os
import subprocess
import sys
import time
from importlib.metadata import version

from peers.clients import KAFKAJS, NODE_FOLDER, install_kafkajs
from real_kafka.brokers import Broker
from real_kafka.client import Kafka

TOPIC = "ten-messages"
# Each prints "five" after the fifth message. Then it ends if END is set, or stays in its handler.
PROGRAMS = {
    "kafka-python, iterating": """
from kafka import KafkaConsumer
consumer = KafkaConsumer(TOPIC, bootstrap_servers=SERVERS, group_id=GROUP, auto_offset_reset="earliest")
for message in consumer:
    if handled():
        break
consumer.close()
""",
    "confluent-kafka, poll()": """
from confluent_kafka import Consumer
consumer = Consumer({"bootstrap.servers": SERVERS, "group.id": GROUP, "auto.offset.reset": "earliest"})
consumer.subscribe([TOPIC])
while True:
    if consumer.poll(0.1) and handled():
        break
consumer.close()
""",
    "aiokafka, async for": """
import asyncio
from aiokafka import AIOKafkaConsumer
async def main():
    where = dict(bootstrap_servers=SERVERS, group_id=GROUP, auto_offset_reset="earliest")
    async with AIOKafkaConsumer(TOPIC, **where) as consumer:
        async for message in consumer:
            if await asyncio.to_thread(handled):
                break
asyncio.run(main())
""",
    "kafkajs, eachMessage": """
const { Kafka, logLevel } = require("kafkajs");
const { TOPIC, SERVERS, GROUP, END } = process.env;
const consumer = new Kafka({ brokers: [SERVERS], logLevel: logLevel.NOTHING }).consumer({ groupId: GROUP });
let count = 0;
(async () => {
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({ eachMessage: async () => {
    if (++count < 5) return;
    console.log("five");
    if (END) consumer.disconnect();
    else await new Promise((done) => setTimeout(done, 60000));
  } });
})();
""",
}
HEAD = """
import itertools, os, time
TOPIC, SERVERS, GROUP, END = (os.environ[name] for name in ("TOPIC", "SERVERS", "GROUP", "END"))
numbers = itertools.count(1)
def handled():
    if next(numbers) < 5:
        return False
    print("five", flush=True)
    time.sleep(0 if END else 60)
    return True
"""


def committed_after(peer, kafka, servers, end) -> str:
    """Run a client's program until it ends or, without `end`, kill it; return what its group has committed."""
    group = f"{peer.partition(',')[0]}-{'ended' if end else 'killed'}"
    command = ["node", "-e", PROGRAMS[peer]] if "kafkajs" in peer else [sys.executable, "-c", HEAD + PROGRAMS[peer]]
    settings = {"TOPIC": TOPIC, "SERVERS": servers, "GROUP": group, "END": end}
    settings["NODE_PATH"] = str(NODE_FOLDER / "node_modules")
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "five\n"
        if not end:
            time.sleep(10)
            process.kill()
        process.wait(60)
    return str(kafka.committed(group, TOPIC).get(0, "none"))


def main() -> None:
    install_kafkajs()
    print("| client | ended cleanly | killed |\n| --- | ---: | ---: |")
    with Broker() as broker:
        kafka = Kafka(broker.bootstrap_servers)
        kafka.send(TOPIC, *(b"%d" % number for number in range(10)))
        for peer in PROGRAMS:
            library = peer.partition(",")[0]
            name = f"{library} {KAFKAJS.partition('@')[2] if library == 'kafkajs' else version(library)}"
            figures = [committed_after(peer, kafka, broker.bootstrap_servers, end) for end in ("yes", "")]
            print(f"| {peer.replace(library, name)} | {' | '.join(figures)} |", flush=True)
        kafka.close()


if __name__ == "__main__":
    main()
