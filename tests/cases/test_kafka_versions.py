"""The oldest and the newest Kafka that the README names: the main path works on both."""

import pytest

from shared.broker import Broker
from shared.judge import assert_sound
from shared.scripts import end_and_judge, runs

OLDEST, NEWEST = "3.9.1", "4.4.0"


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def bootstrap_servers(request):
    with Broker(version=request.param) as broker:
        yield broker.bootstrap_servers


def test_stop_kill_and_resume_work_on_this_version(start, kafka, topic):
    producers = [start("producer1"), start("producer2")]
    ended = [start("consumer1"), start("consumer2")]
    for consumer, end in zip(ended, ("interrupt", "kill"), strict=True):
        consumer.wait_for_messages(20)
        getattr(consumer, end)()
    resumed = [start("consumer1"), start("consumer2")]
    for consumer in resumed:
        consumer.wait_for("Resuming")
    end_and_judge([*producers, *resumed], kafka, topic)
    one_poll = 200  # after kill -9, what was printed and not yet committed comes again
    assert_sound(runs([*producers, *ended, *resumed]), kafka.whole_log(topic), repeats=one_poll)
