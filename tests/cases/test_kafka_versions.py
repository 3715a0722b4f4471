"""The main path works on the oldest and on the newest Kafka that the pages name."""

import pytest

from evidence.judge import assert_sound
from real_kafka.brokers import SMALL, Broker
from running.scripts import end_and_judge, printed_by

OLDEST, NEWEST = "3.9.1", "4.4.0"


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def bootstrap_servers(request):
    with Broker(settings=SMALL, version=request.param) as broker:
        yield broker.bootstrap_servers


def test_stop_kill_and_resume_work_on_this_version(start, kafka, topic):
    producer, stopped = start("producer1"), start("consumer1")
    stopped.wait_for_messages(20)
    assert stopped.interrupt() == 0
    killed = start("consumer1")
    killed.wait_for_messages(20)
    killed.kill()
    committed = kafka.committed(killed.group, topic)
    uncommitted = killed.messages()[-1].offset + 1 - committed[0]
    resumed = start("consumer1", judged_by=kafka)
    resumed.wait_for("Resuming")
    end_and_judge([producer, resumed], kafka, topic)
    assert_sound(printed_by([producer, stopped, killed, resumed]), kafka.log(topic), repeats=uncommitted)
