"""watch.py shows and tells what Kafka says, through stops, outages and losses; and it only looks."""

import logging
import re
import sys

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import MemberToRemove

from evidence.kafka_itself import Kafka
from evidence.terminal import Terminal
from local_kafka.brokers import Broker, free_port
from local_kafka.files import ROOT
from machine.waiting import wait_until

WATCH = [sys.executable, str(ROOT / "tests" / "watch.py")]
TOPIC, GROUP = "stock-market", "stock-group1"


@pytest.fixture
def watch(start):
    """A function that starts watch.py without a terminal."""
    return lambda *arguments, **settings: start("watch", command=[*WATCH, *arguments], KAFKA_GROUP_ID="", **settings)


def test_a_session_by_hand_is_told_as_kafka_has_it(start, watch):
    """As the README's "Watch offset-resume" and what follows it."""
    with Broker() as broker, Terminal(WATCH, KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers) as terminal:
        kafka, servers = Kafka(broker.bootstrap_servers), {"bootstrap_servers": broker.bootstrap_servers}
        settings = {**servers, "KAFKA_TOPIC": TOPIC, "KAFKA_GROUP_ID": GROUP, "SEND_INTERVAL_SECONDS": "0.2"}
        told = watch(**servers, KAFKA_TOPIC=TOPIC)
        waits_for_the_topic(told, terminal, kafka)
        start("producer1", **settings)
        told.wait_for(r"Topic stock-market is there\.")
        consumer_is_stopped(start("consumer1", **settings), told, terminal, kafka)
        is_rewound_and_loses(told, kafka)
        start("consumer1", **settings)
        told.wait_for(
            r"stock-group1 has caught up on stock-market-0: committed 2 → \d+, 5 of them deleted before that\."
        )
        survives_an_outage(told, terminal, kafka, broker)
        has_partitions_added_and_is_wiped(told, terminal, kafka)
        assert told.interrupt() == terminal.interrupt() == 0
        with kafka.admin() as admin:
            assert {group["group_id"] for group in admin.list_groups()} == {GROUP}
            assert set(admin.list_topics()) == {TOPIC, "__consumer_offsets"}
    assert not told.errors
    assert "\x1b" not in told.text()
    written = terminal.written.decode()
    assert "\x1b[?25h" in written[-40:]  # the cursor is shown again
    assert written.rindex("\x1b[?1049l") > written.rindex("\x1b[?1049h")  # and the screen as it was
    assert "Traceback" not in written


def waits_for_the_topic(told, terminal, kafka):
    told.wait_for(r"^\d\d:\d\d:\d\d  Topic stock-market does not exist: waiting for it to be created\.$")
    terminal.shows("Topic stock-market does not exist")
    with kafka.admin() as admin:
        assert not admin.list_topics()  # though this broker creates any that a client asks for in the usual way


def consumer_is_stopped(consumer, told, terminal, kafka):
    told.wait_for("consumer1 joined stock-group1 and holds stock-market-0")
    consumer.wait_for_messages(5)
    screen = terminal.shows(
        r"stock-group1 ━*▲ +committed (\d+), lag \d+\b[\s\S]*held by consumer1 while its session lasts"
    )
    assert 0 <= int(screen[1]) <= kafka.committed(GROUP, TOPIC)[0]
    assert consumer.interrupt() == 0
    at = kafka.committed(GROUP, TOPIC)[0]
    told.wait_for(rf"stock-group1 commits nothing on stock-market-0 since \S+: committed {at}, lag \d+\. Its consumer")
    terminal.shows(rf"▲┄+ +committed {at}, lag \d+\b[\s\S]*; lag \+\d+ since \d\d:\d\d:\d\d")
    with kafka.admin() as admin:  # it would come to its end in a few seconds
        admin.remove_group_members(GROUP, [MemberToRemove(group_instance_id="consumer1")])
    told.wait_for("The session of consumer1 in stock-group1 is over: nobody reads stock-market-0 for it")
    terminal.shows(rf"committed {at}, lag \d+\b[\s\S]*no member; lag \+\d+ since")


def is_rewound_and_loses(told, kafka):
    with kafka.admin() as admin:
        admin.alter_group_offsets(GROUP, {TopicPartition(TOPIC, 0): OffsetAndMetadata(2, "", -1)})
    told.wait_for(r"stock-group1 is rewound on stock-market-0: \d+ → 2\.")
    kafka.delete_before(TOPIC, 7)
    told.wait_for(r"Deleted: offsets 2 to 6 of stock-market-0, which stock-group1 has not committed\.")


def survives_an_outage(told, terminal, kafka, broker):
    broker.stop()
    told.wait_for(r"  Kafka at \S+ does not answer \(\w+\): waiting for it\.$")
    terminal.shows(r"topic stock-market at \S+  Kafka does not answer")
    told_before = len(told.output)
    broker.start()
    told.wait_for(r"  Kafka answers again\.$")
    end = kafka.offsets(TOPIC)[0][1]
    wait_until(lambda: kafka.committed(GROUP, TOPIC)[0] > end)
    told_since = "\n".join(line.text for line in told.output[told_before:])
    assert not re.search("gone|any more|begins|over", told_since), told_since


def has_partitions_added_and_is_wiped(told, terminal, kafka):
    with kafka.admin() as admin:
        admin.create_partitions({TOPIC: 2})
        told.wait_for("Partitions were added to stock-market: 2 now, 1 before")
        terminal.shows("── stock-market-1 ─")
        admin.delete_topics([TOPIC])
    told.wait_for("The log was wiped: topic stock-market begins anew")  # the producer runs on and has it made again


def test_it_only_looks(kafka, topic, start, caplog):
    """The client notes each request that it writes to the broker: none of them changes anything."""
    kafka.send(topic, b"tick")
    start("consumer1", KAFKA_GROUP_ID=topic)
    wait_until(lambda: kafka.committed(topic, topic) == {0: 1})
    kafka.snapshot(topic)  # the first one also connects
    with caplog.at_level(logging.DEBUG, "kafka.protocol.parser"):
        assert kafka.snapshot(topic).groups[topic].committed == {0: 1}
    sent = {type(record.args[-1]).__name__ for record in caplog.records if "Sending request" in record.msg}
    asking = ("Metadata", "ListOffsets", "ListGroups", "FindCoordinator", "OffsetFetch", "DescribeGroups")
    assert {"OffsetFetchRequest"} < sent <= {f"{name}Request" for name in asking}


def test_a_member_that_reads_another_topic_of_its_group_holds_no_partition(kafka, topic, start):
    """Kafka gives a static member that comes back what it held before, whatever it has subscribed to now."""
    for name in (topic, f"{topic}-other"):
        kafka.create_topic(name)
    start("consumer1", KAFKA_GROUP_ID=topic)
    [first] = wait_until(lambda: [each for each in kafka.snapshot(topic).group(topic).members if each.partitions])
    assert (first.client_id, first.partitions, first.reads) == ("consumer1", {0}, True)
    start("consumer1", KAFKA_GROUP_ID=topic, KAFKA_TOPIC=f"{topic}-other")
    seen = []

    def reads_the_other():
        seen.extend(kafka.snapshot(topic, [topic]).group(topic).members)
        return kafka.snapshot(f"{topic}-other").group(topic).holder(0)

    wait_until(reads_the_other, every=0)
    turned = [member for member in seen if member.member_id != first.member_id]
    assert turned
    assert not any(member.reads or member.partitions for member in turned)


def test_once_prints_what_kafka_has_of_all_groups_or_of_one_and_ends(kafka, topic, start, watch):
    """A name that would steer the terminal is made visible."""
    kafka.send(topic, *[b"tick"] * 10)
    group = f"{topic}\x1b[2J[red]"
    start("consumer1", KAFKA_GROUP_ID=group)
    start("consumer2")
    wait_until(lambda: kafka.committed(group, topic) == kafka.committed(f"{topic}-consumer2", topic) == {0: 10})
    rows = [
        ["PARTITION", "FIRST", "END", "GROUP", "COMMITTED", "LAG", "MEMBER"],
        [f"{topic}-0", "0", "10", f"{topic}\\x1b[2J[red]", "10", "0", "consumer1"],
        [f"{topic}-0", "0", "10", f"{topic}-consumer2", "10", "0", "consumer2"],
    ]
    everything, one = watch("--once"), watch("--once", "--group", f"{topic}-consumer2")
    assert everything.wait() == one.wait() == 0
    assert [line.text.split() for line in everything.output] == rows
    assert [line.text.split() for line in one.output] == [rows[0], rows[2]]


def test_without_a_topic_or_a_kafka_once_says_so_in_one_line_and_the_watch_waits(topic, watch):
    nowhere = f"127.0.0.1:{free_port()}"
    waiting, once = watch(bootstrap_servers=nowhere), watch("--once", bootstrap_servers=nowhere)
    missing, refused = watch("--once"), watch("--once", "--topic", "a b")
    assert missing.wait() == once.wait() == refused.wait() == 1
    assert missing.text() == f"watch.py: Topic {topic} does not exist."
    assert re.fullmatch(rf"watch\.py: Kafka at {nowhere} does not answer \(\w+\)\. Start it, or .*", once.text())
    assert "answers with InvalidTopicError" in refused.text()
    waiting.wait_for(rf"Kafka at {nowhere} does not answer \(\w+\): waiting for it\.")
    assert waiting.interrupt() == 0
    assert not waiting.errors


def test_a_reader_that_is_gone_ends_it_quietly(kafka, topic, start):
    command = ["bash", "-o", "pipefail", "-c", f"{WATCH[0]} {WATCH[1]} | head -n 1"]
    gone = start("watch", command=command)
    gone.wait_for("does not exist")
    kafka.create_topic(topic)
    assert gone.wait() == 0
    assert not gone.errors
