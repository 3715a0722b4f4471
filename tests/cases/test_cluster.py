"""A cluster of three brokers: the scripts and the log outlive the loss of any one of them."""

import pytest

from evidence.scripts import end_and_judge
from local_kafka.brokers import FORGET_THE_KILLED_SOON, cluster


@pytest.fixture
def three_brokers():
    """A cluster of three brokers that keep three copies of everything."""
    with cluster(3, FORGET_THE_KILLED_SOON) as brokers:
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
    for broker in three_brokers:
        broker.kill()
        for script in producers + consumers:
            script.wait_for_messages(len(script.messages()) + 20, limit=120)
        broker.start(wait=False)
        broker.wait_until_ready(brokers=3)
    end_and_judge([*producers, *consumers], kafka, topic)
