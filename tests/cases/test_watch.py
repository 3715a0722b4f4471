"""watch.py shows what Kafka says, through stops, outages and losses. It only looks."""

import contextlib
import logging
import re
import signal
import sys

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from machine.waiting import wait_until
from real_kafka.brokers import SMALL, Broker
from real_kafka.client import Kafka
from real_kafka.files import ROOT
from running.terminal import Terminal

WATCH = [sys.executable, str(ROOT / "tests" / "watch.py")]
TOPIC, GROUP = "stock-market", "stock-group1"
ACLS_DECIDE = {
    "KAFKA_AUTHORIZER_CLASS_NAME": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND": "true",
}
OTHERS = ResourcePattern(ResourceType.TOPIC, TOPIC)


def test_a_session_by_hand_is_told_as_kafka_has_it(start):
    """The README's "Watch offset-resume", and what the experiments add."""
    with contextlib.closing(Broker(settings=SMALL | ACLS_DECIDE)) as broker:
        kafka, settings = Kafka(broker.bootstrap_servers), {"KAFKA_TOPIC": TOPIC, "KAFKA_GROUP_ID": GROUP}
        settings |= {"bootstrap_servers": broker.bootstrap_servers, "SEND_INTERVAL_SECONDS": "0.2"}
        with Terminal(WATCH, KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers) as terminal:
            terminal.shows(r"topic stock-market at \S+  Waiting for Kafka \(\w+\)\.")
            broker.start()
            terminal.shows("Kafka answers")
            told = start("watch", command=["nohup", *WATCH], **settings)
            told.wait_for(r"^\d\d:\d\d:\d\d  Topic stock-market does not exist: waiting for it to be created\.$")
            told.send(signal.SIGHUP)
            with kafka.admin() as admin:
                assert not admin.list_topics()  # though this broker creates a topic when a client asks for it
            start("producer1", **settings)
            told.wait_for(r"Topic stock-market exists\.")
            consumer_is_stopped(start("consumer1", **settings), told, terminal, kafka)
            with kafka.admin() as admin:
                admin.alter_group_offsets(GROUP, {TopicPartition(TOPIC, 0): OffsetAndMetadata(2, "", -1)})
            told.wait_for(r"Group stock-group1 is rewound on stock-market-0: \d+ → 2\.")
            kafka.delete_before(TOPIC, 7)
            told.wait_for(r"Deleted: offsets 2 to 6 of stock-market-0, which group stock-group1 had still to read\.")
            start("consumer1", **settings)
            told.wait_for(r"Group stock-group1 has caught up on stock-market-0: committed \d+\.")
            kafka_is_restarted(told, terminal, kafka, broker)
            with kafka.admin() as admin:
                admin.create_partitions({TOPIC: 2})
                terminal.shows("── stock-market-1 ─")
                admin.delete_topics([TOPIC])  # the producer goes on, so Kafka creates it again
            told.wait_for("The log was wiped: topic stock-market begins anew")
            assert told.interrupt() == terminal.interrupt() == 0
        with kafka.admin() as admin:
            assert {group["group_id"] for group in admin.list_groups()} == {GROUP}
            assert set(admin.list_topics()) == {TOPIC, "__consumer_offsets"}
            admin.create_acls([ACL("User:other", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, OTHERS)])
        refused = start("watch", command=WATCH, **settings)
        refused.wait_for(r"Kafka refuses to tell \(TopicAuthorizationFailedError\)", limit=10)
    assert not told.errors
    assert "\x1b" not in told.text()
    written = terminal.written.decode()
    assert written.rindex("\x1b[?1049l") > written.rindex("\x1b[?1049h")  # the screen is as it was
    assert "Traceback" not in written


def consumer_is_stopped(consumer, told, terminal, kafka):
    told.wait_for("consumer1 joined group stock-group1 and holds stock-market-0")
    consumer.wait_for_messages(5)
    screen = terminal.shows(r"stock-group1 ━*▲ +committed (\d+), lag \d+\b[\s\S]*held by consumer1")
    assert 0 <= int(screen[1]) <= kafka.committed(GROUP, TOPIC)[0]
    assert consumer.interrupt() == 0
    at = kafka.committed(GROUP, TOPIC)[0]
    told.wait_for(rf"stock-group1 has committed nothing on stock-market-0 since \S+: committed {at}, lag now \d+\. ")
    terminal.shows(rf"▲┄+ +committed {at}, lag \d+\b[\s\S]*; nothing committed for \d+ s: lag \+\d+$")
    over = told.wait_for("consumer1 is no longer a member of group stock-group1: nobody reads stock-market-0 for it")
    assert over.at > consumer.output[-1].at + 3  # after seven seconds: neither at once, nor Kafka's own 45
    terminal.shows(rf"committed {at}, lag \d+\b[\s\S]*no member holds it; nothing committed for \d+ s: lag")


def kafka_is_restarted(told, terminal, kafka, broker):
    broker.stop()
    told.wait_for(rf"Waiting for Kafka \(\w+\)\. {broker.bootstrap_servers}: \[Errno \d+\] Connection refused\.$")
    terminal.shows(
        r"topic stock-market at \S+  Waiting for Kafka \(\w+\)\.[\s\S]*^── stock-market-0, as last seen at \d"
    )
    broker.start()
    told.wait_for(r"Kafka answers\.$")
    end = kafka.offsets(TOPIC)[0].end
    wait_until("commits since", lambda: kafka.committed(GROUP, TOPIC)[0], lambda offset: offset > end)
    told_since = told.text().partition("Waiting for Kafka")[2]
    assert not re.search("not exist|begins|over|joined", told_since), told_since


def test_it_only_looks(kafka, topic, start, caplog):
    """The client logs each request that it sends. None of them changes anything."""
    kafka.send(topic, b"tick")
    start("consumer1", KAFKA_GROUP_ID=topic)
    kafka.wait_until_committed(topic, topic, {0: 1})
    kafka.snapshot(topic)  # the first one also connects
    with caplog.at_level(logging.DEBUG, "kafka.protocol.parser"):
        assert kafka.snapshot(topic).groups[topic].committed == {0: 1}
    sent = {type(record.args[-1]).__name__ for record in caplog.records if "Sending request" in record.msg}
    asking = ("Metadata", "ListOffsets", "ListGroups", "FindCoordinator", "OffsetFetch", "DescribeGroups")
    assert {"OffsetFetchRequest"} < sent <= {f"{name}Request" for name in asking}


COMES_BACK = """
import os
from kafka import KafkaConsumer
settings = {"group_id": os.environ["KAFKA_GROUP_ID"], "group_instance_id": "consumer1", "client_id": "consumer1"}
servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
consumer = KafkaConsumer(os.environ["KAFKA_TOPIC"], bootstrap_servers=servers, session_timeout_ms=7000, **settings)
while True:
    consumer.poll(timeout_ms=500)
"""


def test_a_member_that_reads_another_topic_of_its_group_holds_no_partition(kafka, topic, start):
    """A static member that comes back is assigned what it had before, whatever it subscribes to now."""
    for name in (topic, f"{topic}-other"):
        kafka.create_topic(name)
    start("consumer1", KAFKA_GROUP_ID=topic)
    kafka.wait_until_committed(topic, topic, {0: 0})
    [first] = kafka.snapshot(topic).group(topic).members
    assert (first.client_id, first.partitions, first.reads) == ("consumer1", {0}, True)
    start("consumer1", command=[sys.executable, "-c", COMES_BACK], KAFKA_GROUP_ID=topic, KAFKA_TOPIC=f"{topic}-other")
    seen = []

    def holder_of_the_other():
        seen.extend(kafka.snapshot(topic, [topic]).group(topic).members)
        return kafka.snapshot(f"{topic}-other").group(topic).holder(0)

    wait_until("it to hold the other topic", holder_of_the_other, every=0)
    turned = [member for member in seen if member.member_id != first.member_id]
    assert turned
    assert not any(member.reads or member.partitions for member in turned)


@pytest.mark.needs("bash", "head")
def test_it_ends_quietly_when_its_reader_is_gone(kafka, topic, start):
    command = ["bash", "-o", "pipefail", "-c", f"{WATCH[0]} {WATCH[1]} | head -n 1"]
    gone = start("watch", command=command)
    gone.wait_for("does not exist")
    kafka.create_topic(topic)
    assert gone.wait() == 0
    assert not gone.errors
