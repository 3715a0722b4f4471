"""A cluster of three brokers: the scripts and the log survive the loss of any one broker."""

import re

import pytest
from kafka.admin import NewTopic

from real_kafka.brokers import cluster
from running.scripts import end_and_judge


@pytest.fixture(scope="module")
def three_brokers():
    """A cluster of three brokers that keep three copies of everything."""
    with cluster() as brokers:
        yield brokers


@pytest.fixture
def bootstrap_servers(three_brokers):
    """Where the three brokers listen. Those that the last test killed are started again."""
    for broker in three_brokers:
        if broker.process is None:
            broker.start()
    return ",".join(broker.bootstrap_servers for broker in three_brokers)


def test_a_cluster_of_three_loses_nothing_while_its_brokers_are_killed_in_turn(start, kafka, three_brokers, topic):
    kafka.create_topic(topic, partitions=3)
    names = "producer1", "producer2", "consumer1", "consumer2"
    scripts = [start(name, SEND_INTERVAL_SECONDS="0.2") for name in names]
    for script in scripts:
        script.wait_for_messages(5)
    may_repeat = 0  # for each kill: what was stored soon after it, and was not committed before
    for broker in three_brokers:
        may_repeat -= min(sum(kafka.committed(consumer.group, topic).values()) for consumer in scripts[2:])
        broker.kill()
        for script in scripts:
            script.wait_for_messages(len(script.messages()) + 5, limit=120)
        may_repeat += sum(log.end for log in kafka.offsets(topic).values())
        if broker is not three_brokers[-1]:
            broker.start()
    end_and_judge(scripts, kafka, topic, repeats=may_repeat)


def test_a_partition_without_a_leader_is_waited_for(start, kafka, three_brokers, topic):
    """Its only copy is on a broker that is gone. A consumer that starts waits for it; one that runs goes on."""
    copies = {number: [number + 1] for number in range(3)}  # {partition: ids of the brokers that have it}
    with kafka.admin() as admin:
        admin.create_topics([NewTopic(topic, replica_assignments=copies)])
        admin.wait_for_topics([topic])
    for partition in copies:
        kafka.send(topic, b"tick", partition=partition)
    three_brokers[2].kill()
    consumer = start("consumer1")
    consumer.wait_for(r"Waiting: \w+Error\.", limit=120)
    assert not consumer.messages()
    three_brokers[2].start()
    consumer.wait_for_messages(3, limit=120)
    assert not consumer.errors
    waits = re.findall("Waiting: .*", consumer.text())
    assert sorted(waits) == sorted(set(waits))  # no line comes twice
    assert consumer.text().count("No committed offset") == 3
    three_brokers[2].kill()
    kafka.send(topic, b"tick", partition=0)
    consumer.wait_for_messages(4, limit=120)


def test_a_tick_waits_until_enough_brokers_have_a_copy_of_its_partition(start, kafka, three_brokers, topic):
    """Two copies are not enough for this topic; for another one, as usual, they are."""
    for name in (topic, f"{topic}-usual"):
        kafka.create_topic(name)
    kafka.configure(topic, min_insync_replicas=3)
    three_brokers[2].kill()
    producer = start("producer1")
    producer.wait_for(rf"Waiting to store a tick in topic {topic}: KafkaTimeoutError\.", limit=120)
    start("producer2", KAFKA_TOPIC=f"{topic}-usual").wait_for_messages(20, limit=120)
    assert not producer.messages()
    three_brokers[2].start()
    end_and_judge([producer], kafka, topic)
