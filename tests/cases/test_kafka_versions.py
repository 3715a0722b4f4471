"""The oldest and the newest Kafka that the README names: the main path works on both."""

import pytest

from evidence.judge import assert_sound
from evidence.scripts import end_and_judge, runs
from local_kafka.brokers import Broker
from machine.waiting import wait_until

OLDEST, NEWEST = "3.9.1", "4.4.0"


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def bootstrap_servers(request):
    with Broker(version=request.param) as broker:
        yield broker.bootstrap_servers


def test_stop_kill_and_resume_work_on_this_version(start, kafka, topic):
    producers = [start("producer1"), start("producer2")]
    ended = [start("consumer1"), start("consumer2")]
    ended[0].wait_for_messages(20)
    ended[0].interrupt()
    ended[1].wait_for_messages(20)
    wait_until(lambda: kafka.committed(ended[1].group, topic))
    ended[1].kill()
    begin = {consumer.group: kafka.committed(consumer.group, topic) for consumer in ended}
    uncommitted = ended[1].messages()[-1].offset + 1 - begin[ended[1].group][0]
    resumed = [start("consumer1"), start("consumer2")]
    for consumer in resumed:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *resumed], kafka, topic, begin=begin)
    assert_sound(runs([*producers, *ended, *resumed]), kafka.whole_log(topic), repeats=uncommitted)
