"""EXPERIMENTS.md, done as the page says: its own commands, run by a shell in one story, show what it says one sees."""

import re
import subprocess
import sys

import pytest

from machine.waiting import wait_until
from real_kafka.brokers import Broker, free_port
from real_kafka.files import ROOT

PAGE = (ROOT / "tests" / "EXPERIMENTS.md").read_text(encoding="utf-8")
COMMANDS = set(re.findall(r"`([^`\n]+)`", PAGE))
TOPIC, GROUP = "stock-market", "stock-group1"
WATCH = [sys.executable, str(ROOT / "tests" / "watch.py")]
GENEROUS = 35  # seconds: on a busy machine, yet less than Kafka's own 45 for a session and 300 for new partitions


@pytest.fixture(scope="module")
def bootstrap_servers():
    with Broker() as broker:
        yield broker.bootstrap_servers


def written(beginning) -> str:
    """Return the page's only command that begins like this."""
    [found] = [command for command in COMMANDS if command.startswith(beginning)]
    return found


def here(command, port) -> list[str]:
    """Return how a shell runs a command of the page with this Python, and with the Kafka on this port."""
    [kadm] = re.findall(r"^kadm\(\) .*", PAGE, re.MULTILINE)
    script = f"{kadm}\n{command}"
    return ["bash", "-c", script.replace(".venv/bin/python", sys.executable).replace(":9092", f":{port}")]


class Person:
    """Somebody who does what the page says, on this Kafka."""

    def __init__(self, start, kafka):
        self._start, self._kafka, self._port = start, kafka, kafka.bootstrap_servers[0].rpartition(":")[2]

    def starts(self, command):
        """Start a script as the page does, `.venv/bin/python` before its name; its topic and group are the page's."""
        name = re.search(r"(\w+)\.py$", command)[1]
        usual = {"KAFKA_TOPIC": "", "KAFKA_GROUP_ID": "", "SEND_INTERVAL_SECONDS": "0.2"}
        return self._start(name, command=here(f"cd {ROOT}; exec env {command}", self._port), **usual)

    def consumer1(self):
        return self.starts(".venv/bin/python consumer1.py")

    def runs(self, command) -> str:
        """Run a command to its end; return what it has printed."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 60}
        return subprocess.run(here(command, self._port), check=False, **how).stdout.strip()

    def takes_out(self, group):
        command = written("kadm groups remove-members").replace(GROUP, group)
        assert self.runs(command) == "{'consumer1': 'NoError'}"


@pytest.fixture
def person(start, kafka):
    return Person(start, kafka)


def test_each_experiment_shows_what_the_page_says(person, start, kafka):
    nowhere = start("kadm", command=here("kadm groups list", free_port()))  # it looks for Kafka while all else goes on
    producer, consumer = person.starts(".venv/bin/python producer1.py"), person.consumer1()
    consumer.wait_for_messages(10)
    consumer.interrupt()
    assert f"'offset': {kafka.committed(GROUP, TOPIC)[0]}}}" in person.runs(written("kadm groups list-offsets"))
    a_group_is_rewound(person, kafka)
    new_groups_come_and_go(person, kafka)
    messages_are_deleted(person, kafka)
    a_partition_is_added(person)
    producer.interrupt()
    two_share_a_topic(person, kafka)
    assert nowhere.wait() == 1
    assert nowhere.errors[0].at > nowhere.started + 25  # silent for about half a minute
    assert "KafkaTimeoutError: " in nowhere.errors[-1].text


def a_group_is_rewound(person, kafka):
    rewind = written("kadm groups reset-offsets")
    assert person.runs(rewind).endswith(f"Group {GROUP} is Stable, expecting Empty or Dead!")
    for place, first in (("-s earliest", 0), (written("--to-offset"), 7)):
        person.takes_out(GROUP)
        person.runs(rewind.replace("-s earliest", place))
        consumer = person.consumer1()
        assert consumer.wait_for_messages(3)[:3] == kafka.messages(TOPIC)[first : first + 3]
        consumer.interrupt()
    misspelt = rewind.replace(GROUP, "misspelt")
    assert "'error': 'NoError'" in person.runs(misspelt)
    assert "'group_id': 'misspelt'" in person.runs("kadm groups list")


def new_groups_come_and_go(person, kafka):
    consumer, end = person.starts(written("KAFKA_GROUP_ID=new .venv")), kafka.offsets(TOPIC)[0].end
    assert consumer.wait_for_messages(end)[:end] == kafka.messages(TOPIC)[:end]
    consumer.interrupt()
    delete = written("kadm groups delete")
    assert person.runs(delete) == "{'new': 'NonEmptyGroupError'}"
    person.takes_out("new")
    assert person.runs(delete) == written("{'new'")
    end = kafka.offsets(TOPIC)[0].end
    consumer = person.starts(written("KAFKA_GROUP_ID=new2 "))
    assert consumer.wait_for_messages(1)[0].offset >= end
    consumer.interrupt()


def messages_are_deleted(person, kafka):
    next_one = kafka.committed(GROUP, TOPIC)[0]
    wait_until("some messages", lambda: kafka.offsets(TOPIC)[0].end, lambda end: end > next_one + 2)
    person.runs(written("kadm partitions delete-records"))
    first = kafka.offsets(TOPIC)[0].first
    assert first > next_one + 2
    consumer = person.consumer1()
    consumer.wait_for(f"Resuming partition 0 at offset {first}: ")
    assert consumer.output[0].said == f"LOST: offsets {next_one} to {first - 1} of partition 0. Kafka has deleted them."
    consumer.interrupt()


def a_partition_is_added(person):
    consumer, add = person.consumer1(), written("kadm partitions create")
    consumer.wait_for("Received")
    person.runs(add)
    assert "InvalidPartitionsError" in person.runs(add.replace(":2", ":1")).splitlines()[-1]
    joining_again = consumer.wait_for("has other partitions now", limit=GENEROUS).at
    for partition in (0, 1):
        consumer.wait_for(f"Received.*partition {partition}", since=joining_again)
    person.takes_out(GROUP)
    taken_out = consumer.wait_for(r"Waiting: \w+Error\.$")
    consumer.wait_for("Received", since=taken_out.at)
    consumer.interrupt()


def two_share_a_topic(person, kafka):
    """Seven seconds after one has stopped, the other has both; if it had left its group, that would be at once."""
    person.runs(written("kadm topics create -t shared"))
    names = "producer1", "consumer1", "consumer2", "tests/watch"
    commands = [f"{written('KAFKA_TOPIC=shared')} .venv/bin/python {name}.py" for name in names]
    _, first, second, watch = map(person.starts, commands)

    def shares():
        return sorted(sorted(member.partitions) for member in kafka.snapshot("shared").group("shared").members)

    wait_until("a partition for each", shares, [[0], [1]])
    [given] = {message.partition for message in first.wait_for_messages(1)}
    first.interrupt()
    stopped = first.output[-1].at
    taken_over = second.wait_for(f"Received.*partition {given}", limit=GENEROUS, since=stopped)
    assert taken_over.at > stopped + 3
    watch.wait_for("consumer2 now holds shared-0, shared-1")
