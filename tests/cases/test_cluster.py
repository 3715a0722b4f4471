"""A cluster of three brokers: the scripts and the log outlive the loss of any one of them."""

import pytest
from kafka.admin import NewTopic

from evidence.scripts import end_and_judge
from local_kafka.brokers import cluster


@pytest.fixture(scope="module")
def three_brokers():
    """A cluster of three brokers that keep three copies of everything."""
    with cluster() as brokers:
        yield brokers


@pytest.fixture
def bootstrap_servers(three_brokers):
    return ",".join(broker.bootstrap_servers for broker in three_brokers)


def test_a_cluster_of_three_loses_nothing_while_its_brokers_are_killed_in_turn(start, kafka, three_brokers, topic):
    kafka.create_topic(topic, partitions=3)
    producers = [start(name, SEND_INTERVAL_SECONDS="0.05") for name in ("producer1", "producer2")]
    consumers = [start(name) for name in ("consumer1", "consumer2")]
    for script in producers + consumers:
        script.wait_for_messages(20)
    may_repeat = dict.fromkeys(consumers, 0)  # what was printed around each kill, and not committed before
    for broker in three_brokers:
        for consumer in consumers:
            may_repeat[consumer] -= sum(kafka.committed(consumer.group, topic).values())
        broker.kill()
        for script in producers + consumers:
            script.wait_for_messages(len(script.messages()) + 20, limit=120)
        for consumer in consumers:
            may_repeat[consumer] += len({message.place for message in consumer.messages()})
        broker.start()
    end_and_judge([*producers, *consumers], kafka, topic, repeats=max(may_repeat.values()))


def test_a_partition_without_a_leader_is_waited_for(start, kafka, three_brokers, topic):
    """Its only copy is on a broker that is gone: a consumer that starts waits for it, one that runs goes on."""
    copies = {number: [number + 1] for number in range(3)}  # {partition: the ids of the brokers that have it}
    with kafka.admin() as admin:
        admin.create_topics([NewTopic(topic, replica_assignments=copies)])
        admin.wait_for_topics([topic])
    for partition in copies:
        kafka.send(topic, b"tick", partition=partition)
    three_brokers[2].kill()
    consumer = start("consumer1")
    consumer.wait_for(r"Waiting for Kafka \(KafkaTimeoutError\)\.", limit=120)
    three_brokers[2].start()
    consumer.wait_for_messages(3, limit=120)
    assert not consumer.errors
    assert consumer.text().count("KafkaTimeoutError") == 1
    assert consumer.text().count("No committed offset") == 3
    three_brokers[2].kill()
    kafka.send(topic, b"tick", partition=0)
    consumer.wait_for_messages(4, limit=120)
    three_brokers[2].start()
