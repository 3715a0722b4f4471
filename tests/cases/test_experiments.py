"""EXPERIMENTS.md, done as the page says: its own commands, run by a shell in one story, show what it says one sees."""

import re
import subprocess
import sys

import pytest

from machine.processes import now
from machine.waiting import wait_until
from real_kafka.brokers import SMALL, Broker, free_port
from real_kafka.files import ROOT

PAGE = (ROOT / "tests" / "EXPERIMENTS.md").read_text(encoding="utf-8")
TOPIC, GROUP = "stock-market", "stock-group1"
GENEROUS = 35  # seconds: on a busy machine, yet less than Kafka's own 45 for a session and 300 for new partitions


@pytest.fixture(scope="module")
def bootstrap_servers():
    with Broker(settings=SMALL) as broker:
        yield broker.bootstrap_servers


def written(beginning) -> str:
    """Return the page's only command, or output, that begins like this."""
    [found] = {text for text in re.findall(r"`([^`\n]+)`", PAGE) if text.startswith(beginning)}
    return found


def in_bash(command, port) -> list[str]:
    """Return how a shell runs a command of the page with this Python, and with the Kafka on this port."""
    [kadm] = re.findall(r"^kadm\(\) .*", PAGE, re.MULTILINE)
    script = f"cd {ROOT}\n{kadm}\n{command}"
    return ["bash", "-c", script.replace(".venv/bin/python", sys.executable).replace(":9092", f":{port}")]


@pytest.fixture
def do(start, kafka):
    """A function that does a command of the page: it returns a script that it has started, or what was printed."""
    port = kafka.bootstrap_servers[0].rpartition(":")[2]
    usual = {"KAFKA_TOPIC": "", "KAFKA_GROUP_ID": "", "SEND_INTERVAL_SECONDS": "0.2"}

    def do(command):
        if script := re.search(r"(\w+)\.py$", command):
            return start(script[1], command=in_bash(f"exec env {command}", port), **usual)
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 60}
        return subprocess.run(in_bash(command, port), check=False, **how).stdout.strip()

    return do


CONSUMER1 = ".venv/bin/python consumer1.py"


def test_each_experiment_shows_what_the_page_says(do, start, kafka):
    nowhere = start("kadm", command=in_bash("kadm groups list", free_port()))  # it looks for Kafka meanwhile
    producer, consumer = do(".venv/bin/python producer1.py"), do(CONSUMER1)
    consumer.wait_for_messages(10)
    rewind = written("kadm groups reset-offsets")
    assert do(rewind).endswith(f"Group {GROUP} is Stable, expecting Empty or Dead!")
    consumer.interrupt()
    assert f"'offset': {kafka.committed(GROUP, TOPIC)[0]}}}" in do(written("kadm groups list-offsets"))
    a_group_is_rewound(do, kafka, rewind)
    new_groups_come_and_go(do, kafka)
    messages_are_deleted(do, kafka)
    a_partition_is_added(do)
    producer.interrupt()
    two_share_a_topic(do, kafka)
    assert nowhere.wait() == 1
    assert nowhere.errors[0].at > nowhere.started + 25  # silent for about half a minute
    assert "KafkaTimeoutError: " in nowhere.errors[-1].text


def take_out(do, group):
    """Take consumer1 out of its group; tell whether it was in it: on a busy machine its session may be over."""
    answer = do(written("kadm groups remove-members").replace(GROUP, group))
    assert answer in ("{'consumer1': 'NoError'}", "{'consumer1': 'UnknownMemberIdError'}")
    return "NoError" in answer


def a_group_is_rewound(do, kafka, rewind):
    for place, first in (("-s earliest", 0), (written("--to-offset"), 7)):
        take_out(do, GROUP)
        do(rewind.replace("-s earliest", place))
        consumer = do(CONSUMER1)
        assert consumer.wait_for_messages(3)[:3] == kafka.messages(TOPIC)[first : first + 3]
        consumer.interrupt()
    assert "'error': 'NoError'" in do(rewind.replace(GROUP, "misspelt"))
    assert "'group_id': 'misspelt'" in do("kadm groups list")


def new_groups_come_and_go(do, kafka):
    consumer = do(written("KAFKA_GROUP_ID=new .venv"))
    assert consumer.wait_for_messages(10)[:10] == kafka.messages(TOPIC)[:10]
    delete = written("kadm groups delete")
    assert do(delete) == "{'new': 'NonEmptyGroupError'}"
    consumer.interrupt()
    take_out(do, "new")
    assert do(delete) == written("{'new'")
    end = kafka.offsets(TOPIC)[0].end
    consumer = do(written("KAFKA_GROUP_ID=new2 "))
    assert consumer.wait_for_messages(1)[0].offset >= end
    consumer.interrupt()


def messages_are_deleted(do, kafka):
    next_one = kafka.committed(GROUP, TOPIC)[0]
    wait_until("some messages", lambda: kafka.offsets(TOPIC)[0].end, lambda end: end > next_one + 2)
    do(written("kadm partitions delete-records"))
    first = kafka.offsets(TOPIC)[0].first
    consumer = do(CONSUMER1)
    consumer.wait_for(f"Resuming partition 0 at offset {first}: ")
    assert consumer.output[0].said == f"LOST: offsets {next_one} to {first - 1} of partition 0. Kafka has deleted them."
    consumer.interrupt()


def a_partition_is_added(do):
    consumer, add = do(CONSUMER1), written("kadm partitions create")
    consumer.wait_for("Received")
    do(add)
    assert "InvalidPartitionsError" in do(add.replace(":2", ":1")).splitlines()[-1]  # no way back
    joining_again = consumer.wait_for("has other partitions now", limit=GENEROUS).at
    for partition in (0, 1):
        consumer.wait_for(f"Received.*partition {partition}", since=joining_again)
    assert take_out(do, GROUP)  # amid its work
    waiting = consumer.wait_for(r"Waiting: \w+Error\.$").at
    consumer.wait_for("Received", since=waiting)
    consumer.interrupt()


def two_share_a_topic(do, kafka):
    """Seven seconds after one has stopped, the other has both; had it left its group, that would be at once."""
    do(written("kadm topics create -t shared"))
    names = "producer1", "consumer1", "consumer2", "tests/watch"
    _, first, second, watch = [do(f"{written('KAFKA_TOPIC=shared')} .venv/bin/python {name}.py") for name in names]

    def shares():
        return sorted(sorted(member.partitions) for member in kafka.snapshot("shared").group("shared").members)

    wait_until("a partition for each", shares, [[0], [1]])
    given = first.wait_for("Received", since=now()).event.partition
    first.interrupt()
    stopped = first.output[-1].at
    taken_over = second.wait_for(f"Received.*partition {given}", limit=GENEROUS, since=stopped)
    assert taken_over.at > stopped + 3
    watch.wait_for("consumer2 now holds shared-0, shared-1")
