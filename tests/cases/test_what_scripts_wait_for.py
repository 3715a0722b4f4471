"""A script says what it waits for, and that is true: a topic, a group, an acknowledgement, another client's session."""

import re
import sys
import time

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from real_kafka.brokers import SMALL, Broker
from real_kafka.client import Kafka

TICKS = [b'{"tick":%d}' % number for number in range(10)]


@pytest.fixture(scope="module")
def bootstrap_servers():
    """Where a broker listens that creates no topic by itself and has access control, as many clusters do."""
    settings = {
        **SMALL,
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_AUTHORIZER_CLASS_NAME": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND": "true",
    }
    with Broker(settings=settings) as broker:
        yield broker.bootstrap_servers


def test_a_missing_topic_is_named_and_waited_for(start, kafka, topic):
    producer, consumer, impatient = start("producer1"), start("consumer1"), start("consumer2")
    for waiting in (consumer, impatient):
        waiting.wait_for(f"Waiting for topic {topic}: it does not exist, or this client may not read it.")
    assert impatient.interrupt() == 0
    producer.wait_for(rf"Waiting to store a tick in topic {topic}: KafkaTimeoutError\.")
    kafka.create_topic(topic)
    for script in (producer, consumer):
        script.wait_for_messages(10)
        assert not script.errors
    assert consumer.text().count("Waiting for topic") == 1
    assert producer.text().count("Waiting") == 1


def test_a_deleted_topic_is_waited_for_and_the_new_one_is_read_from_its_start(start, kafka, topic):
    """A restarted consumer leads its group and does not know it (KIP-814). Its commit fails, so it begins anew."""
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS[:3])
    consumers = [start(name) for name in ("consumer1", "consumer2")]
    for consumer in consumers:
        consumer.wait_for_messages(3)
    consumers.pop().interrupt()
    consumers.append(start("consumer2"))
    consumers[1].wait_for("Resuming")
    deleted = time.monotonic()
    with kafka.admin() as admin:
        admin.delete_topics([topic])
    for consumer in consumers:
        group = f"group {consumer.group} to give this consumer a partition"
        consumer.wait_for(f"Waiting for (topic {topic}: it does not exist|{group})", since=deleted)
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS)
    for consumer in consumers:
        consumer.until("the new topic's messages", lambda c=consumer: c.messages()[-10:], kafka.messages(topic))


def test_a_group_without_a_coordinator_is_waited_for(start, topic):
    """One broker cannot keep three copies of Kafka's own topic for groups, so no group gets a coordinator."""
    with Broker(settings={**SMALL, "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": 3}) as broker:
        Kafka(broker.bootstrap_servers).send(topic, *TICKS)
        consumer = start("consumer1", bootstrap_servers=broker.bootstrap_servers)
        consumer.wait_for(r"Waiting: KafkaTimeoutError\.")
        assert consumer.interrupt() == 0


def test_a_topic_that_may_not_be_read_is_not_called_missing(start, kafka, topic):
    """Kafka leaves it out of its answer, like a topic that does not exist."""
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS)
    pattern = ResourcePattern(ResourceType.TOPIC, topic)
    denied = ACL("User:*", "*", ACLOperation.ALL, ACLPermissionType.DENY, pattern)
    with kafka.admin() as admin:
        admin.create_acls([denied])
        consumer = start("consumer1")
        consumer.wait_for(f"Waiting for topic {topic}: it does not exist, or this client may not read it.")
        admin.delete_acls([denied])
        assert consumer.wait_for_messages(10) == kafka.messages(topic)
        admin.create_acls([denied])
        consumer.wait_for(r"Waiting: TopicAuthorizationFailedError\.")
        admin.delete_acls([denied])
    kafka.send(topic, *TICKS)
    consumer.until("the ten last", lambda: consumer.messages()[-10:], kafka.messages(topic)[10:])


STRANGER = """
import os, time
from confluent_kafka import Consumer
group = {"group.id": os.environ["KAFKA_GROUP_ID"], "partition.assignment.strategy": "cooperative-sticky"}
consumer = Consumer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "session.timeout.ms": 9000, **group})
consumer.subscribe([os.environ["KAFKA_TOPIC"]])
while True:
    consumer.poll(0.1)
    if consumer.assignment():
        print("joined", flush=True)
"""


def test_a_killed_member_with_another_assignor_is_waited_for(start, kafka, topic):
    """Like a kafkajs original after Ctrl+C. Until its session is over, Kafka lets in no other assignor."""
    kafka.create_topic(topic)
    kafka.send(topic, *TICKS)
    stranger = start("consumer1", command=[sys.executable, "-c", STRANGER])
    stranger.wait_for("joined")
    stranger.kill()
    consumer = start("consumer1")
    consumer.wait_for(r"Waiting: InconsistentGroupProtocolError\.")
    assert consumer.wait_for_messages(10) == kafka.messages(topic)


AHEAD = """
ahead = int((time.time() + %d) * 1000)
script.KafkaProducer.send = functools.partialmethod(script.KafkaProducer.send, timestamp_ms=ahead)
"""


def test_a_tick_that_kafka_refuses_is_named(start, start_changed, kafka, topic, subtests):
    """It is too large, or the topic may not be written to, or Kafka's clock is more than an hour behind."""
    for name in ("small", "forbidden", "usual"):
        kafka.create_topic(f"{topic}-{name}")
    kafka.configure(f"{topic}-small", max_message_bytes=50)
    pattern = ResourcePattern(ResourceType.TOPIC, f"{topic}-forbidden")
    with kafka.admin() as admin:
        admin.create_acls([ACL("User:*", "*", ACLOperation.WRITE, ACLPermissionType.DENY, pattern)])
    usual = {"KAFKA_TOPIC": f"{topic}-usual"}
    refused = {
        "MessageSizeTooLargeError": start("producer1", KAFKA_TOPIC=f"{topic}-small"),
        "TopicAuthorizationFailedError": start("producer1", KAFKA_TOPIC=f"{topic}-forbidden"),
        "InvalidTimestampError": start_changed("producer1", AHEAD % 3700, **usual),
    }
    for error, producer in refused.items():
        with subtests.test(error):
            assert producer.wait() == 1
            assert len(producer.errors) == 1
            assert re.search(rf'Kafka refuses this tick \(.*{error}.*"symbol":"AAPL"', producer.errors[0].text)
            assert not producer.messages()
    start_changed("producer1", AHEAD % 3500, **usual).wait_for_messages(1)


def test_a_script_connects_to_the_address_that_kafka_advertises_whoever_listens_there(start, topic):
    """First nobody, then another Kafka: the ticks go there without a word."""
    with Broker(settings=SMALL) as here, Broker(settings=SMALL) as there:
        there.stop()
        here.stop()
        here.bootstrap_servers = there.bootstrap_servers  # what it advertises
        here.start()
        producer = start("producer1", bootstrap_servers=f"127.0.0.1:{here.port}")
        producer.wait_for(rf"Waiting to store a tick in topic {topic}: KafkaTimeoutError\.")
        there.start()
        producer.wait_for_messages(3)
        assert Kafka(there.bootstrap_servers).messages(topic)[:3] == producer.messages()[:3]
