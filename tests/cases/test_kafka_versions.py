"""The oldest and the newest Kafka that the README names: the main path works on both."""

import pytest

from shared.broker import Broker
from shared.scripts import end_and_judge

OLDEST, NEWEST = "3.9.1", "4.4.0"


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def bootstrap_servers(request):
    with Broker(version=request.param) as broker:
        yield broker.bootstrap_servers


def test_stop_kill_and_resume_work_on_this_version(start, kafka, topic):
    producers = [start("producer1"), start("producer2")]
    consumers = [start("consumer1"), start("consumer2")]
    for consumer, end in zip(consumers, ("interrupt", "kill"), strict=True):
        consumer.wait_for_messages(20)
        getattr(consumer, end)()
    consumers = [start("consumer1"), start("consumer2")]
    for consumer in consumers:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *consumers], kafka, topic)
