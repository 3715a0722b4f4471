"""watch.py shows and tells what Kafka says, through stops, kills, outages and losses; and it only looks."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import UnknownTopicOrPartitionError

from evidence.kafka_itself import Kafka
from evidence.listening import Listening
from evidence.scripts import Script
from local_kafka.brokers import Broker, free_port
from local_kafka.files import ROOT
from local_kafka.waiting import wait_until
from sight.observer import Observer

if sys.platform != "win32":
    import pty

    import pyte

WATCH = [sys.executable, str(ROOT / "tests" / "watch.py")]
ASKING = {2: "ListOffsets", 3: "Metadata", 9: "OffsetFetch", 10: "FindCoordinator", 15: "DescribeGroups"}
ASKING |= {16: "ListGroups", 18: "ApiVersions"}
TICKS = [b"tick"] * 10


class Terminal:
    """watch.py in a pseudo-terminal of 80 columns and 24 lines, and what its screen shows."""

    def __init__(self, servers, topic):
        self.screen = pyte.Screen(80, 24)
        self.raw, self._stream = b"", pyte.ByteStream(self.screen)
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        environment |= {"KAFKA_BOOTSTRAP_SERVERS": servers, "KAFKA_TOPIC": topic, "PYTHONIOENCODING": "utf-8"}
        self.process = subprocess.Popen(
            WATCH, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._ours = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                return
            if not data:
                return
            self.raw += data
            self._stream.feed(data)

    def text(self):
        return "\n".join(self.screen.display)

    def wait_for(self, pattern, limit=60):
        """Return the match of a regular expression in what the screen shows."""
        try:
            return wait_until(lambda: re.search(pattern, self.text()), limit)
        except AssertionError:
            raise AssertionError(f"{pattern!r} did not come:\n{self.text()}") from None

    def end(self, number=signal.SIGINT):
        """End it; return its status and all that it has written."""
        self.process.send_signal(number)
        status = self.process.wait(30)
        self._reader.join(10)
        os.close(self._ours)
        return status, self.raw.decode()


def watch(servers, topic, *arguments, **settings):
    """Start watch.py without a terminal."""
    return Script("watch", servers, command=[*WATCH, *arguments], KAFKA_TOPIC=topic, **settings)


class Scene:
    """A hand-run session on a Kafka of its own: the scripts, and watch.py with and without a terminal."""

    def __init__(self, broker):
        self.broker, self.kafka, self.topic = broker, Kafka(broker.bootstrap_servers), "stock-market"
        self.started = []
        self.lines = self.keep(watch(broker.bootstrap_servers, self.topic))
        self.terminal = Terminal(broker.bootstrap_servers, self.topic)

    def keep(self, script):
        self.started.append(script)
        return script

    def start(self, name):
        return self.keep(Script(name, self.broker.bootstrap_servers, SEND_INTERVAL_SECONDS="0.3"))

    def told(self, pattern):
        """Wait until a line that was not waited for before matches; return the match."""
        found = self.lines.wait_until(
            lambda: next(
                (
                    (place + 1, match)
                    for place, line in enumerate(self.lines.output)
                    if place >= self.seen and (match := re.search(pattern, line.text))
                ),
                None,
            )
        )
        self.seen, match = found
        return match

    seen = 0

    def committed(self):
        return self.kafka.committed("stock-group1", self.topic)[0]

    def until_empty(self):
        wait_until(lambda: not self.kafka.members("stock-group1"), limit=30)

    def close(self):
        for script in self.started:
            script.kill()
        if self.terminal.process.poll() is None:
            self.terminal.end(signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")
def test_a_session_by_hand_is_told_as_kafka_has_it():
    """One long story, as the steps of the README's "Watch offset-resume": each step needs the one before."""
    with Broker() as broker, closing(Scene(broker)) as scene:
        waits_for_the_topic(scene)
        consumer = runs(scene)
        consumer = stops_and_resumes(scene, consumer)
        consumer = is_killed_and_comes_back(scene, consumer)
        loses_and_rewinds(scene, consumer)
        survives_an_outage(scene)
        ends_cleanly(scene)


def waits_for_the_topic(scene):
    scene.told(r"^\d\d:\d\d:\d\d  Topic stock-market does not exist: waiting for it to be created\.$")
    scene.terminal.wait_for("the topic does not exist")
    with scene.kafka.admin() as admin:
        assert not admin.list_topics()


def runs(scene):
    scene.start("producer1").wait_for_messages(1)
    consumer = scene.start("consumer1")
    scene.told("Topic stock-market is there: 1 partition")
    scene.told("consumer1 joined stock-group1")
    scene.terminal.wait_for("held by consumer1")
    consumer.wait_for_messages(len(consumer.messages()) + 10)  # it is seen to read at the producer's pace
    screen = scene.terminal.wait_for(r"stock-group1 ━*▲ +committed (\d+), lag \d+\b[\s\S]*held by consumer1")
    assert 0 <= int(screen[1]) <= scene.committed()
    return consumer


def stops_and_resumes(scene, consumer):
    assert consumer.interrupt() == 0
    at = scene.committed()
    gathered = scene.told(r"stock-group1 committed \d+ → (\d+) on stock-market-0")
    growing = scene.told(r"lag of stock-group1 on stock-market-0 grows since \S+: its consumer stopped, or is slower")
    assert int(gathered[1]) == at, growing
    scene.terminal.wait_for(rf"▲┄+ +committed {at}, lag \d+ ↑[\s\S]*; the lag grows")
    scene.told("The session of consumer1 in stock-group1 is over: nobody reads stock-market-0 for it")
    scene.until_empty()
    scene.terminal.wait_for(rf"committed {at}, lag \d+ ↑[\s\S]*no member: its messages wait; the lag grows")
    consumer = scene.start("consumer1")
    scene.told("consumer1 joined stock-group1 and holds stock-market-0")
    caught_up = scene.told(r"stock-group1 has caught up on stock-market-0: committed (\d+) → (\d+)\.")
    assert int(caught_up[1]) == at
    assert at < int(caught_up[2]) <= scene.committed()
    return consumer


def is_killed_and_comes_back(scene, consumer):
    consumer.kill()
    consumer = scene.start("consumer1")
    scene.told("consumer1 joined stock-group1 again and holds stock-market-0")
    consumer.wait_for_messages(3)
    return consumer


def loses_and_rewinds(scene, consumer):
    assert consumer.interrupt() == 0
    at = scene.committed()
    scene.until_empty()
    with scene.kafka.admin() as admin:
        admin.alter_group_offsets("stock-group1", {TopicPartition(scene.topic, 0): OffsetAndMetadata(2, "", -1)})
    rewound = scene.told(r"stock-group1 is rewound on stock-market-0: (\d+) → 2\.")
    assert int(rewound[1]) == at
    scene.kafka.delete_before(scene.topic, 7)
    scene.told("Deleted up to offset 6 of stock-market-0, by retention or by hand: stock-group1 has not read 2 to 6")
    assert scene.kafka.offsets(scene.topic)[0][0] == 7
    consumer = scene.start("consumer1")
    consumer.wait_for("LOST: .*offsets 2 to 6 of")
    scene.told("stock-group1 has caught up on stock-market-0: committed 2 → ")


def survives_an_outage(scene):
    scene.broker.stop()
    scene.told(r"  Kafka does not answer: waiting for it\.$")
    scene.terminal.wait_for("Kafka does not answer[\\s\\S]*log .* Kafka does not answer")
    told_before = len(scene.lines.output)
    scene.broker.start()
    scene.told(r"  Kafka answers again\.$")
    end = scene.kafka.offsets(scene.topic)[0][1]
    wait_until(lambda: scene.committed() > end)
    scene.terminal.wait_for(r"▲ +committed \d+, lag \d+\b")
    wrong = [
        line.text for line in scene.lines.output[told_before:] if re.search("gone|any more|begins|over", line.text)
    ]
    assert not wrong


def ends_cleanly(scene):
    status, written = scene.terminal.end()
    assert status == 0
    assert written.endswith("\x1b[?25h") or "\x1b[?25h" in written[-40:]
    assert written.rindex("\x1b[?1049l") > written.rindex("\x1b[?1049h")
    assert "Traceback" not in written
    scene.lines.send(signal.SIGTERM)
    assert scene.lines.wait() == 0
    assert not scene.lines.errors
    assert "\x1b" not in scene.lines.text()
    with scene.kafka.admin() as admin:
        assert {group["group_id"] for group in admin.list_groups()} == {"stock-group1"}
        assert set(admin.list_topics()) == {"stock-market", "__consumer_offsets"}


def test_fifty_partitions_are_asked_about_in_as_few_requests_as_one(kafka, topic):
    """And no request is one that changes anything."""
    kafka.create_topic(topic, partitions=50)
    kafka.create_topic(f"{topic}-1")
    counts = []
    for name in (topic, f"{topic}-1"):
        with Listening() as listening:
            observer = Observer(kafka.bootstrap_servers[0], name, proxy_url=listening.url)
            with closing(observer):
                observer.look()
                first = len(listening.keys)
                for _ in range(3):
                    look = observer.look()
                counts.append(Counter(ASKING[key] for key in listening.keys[first:]))
    assert len(look.logs) == 1
    assert counts[0]["ListOffsets"] == counts[1]["ListOffsets"] == 6
    assert all(sum(count.values()) <= 7 * 3 + 3 for count in counts)


def test_a_topic_that_does_not_exist_is_not_created(kafka, topic):
    """Though this broker creates any that a client asks for in the usual way."""
    with closing(Observer(kafka.bootstrap_servers[0], topic)) as observer:
        assert not observer.look().logs
    with kafka.admin() as admin:
        assert topic not in admin.list_topics()
        with pytest.raises(UnknownTopicOrPartitionError):
            admin.list_partition_offsets({TopicPartition(topic, 0): 0})


def test_names_from_kafka_steer_no_terminal(kafka, topic):
    kafka.send(topic, *TICKS)
    name = f"{topic}\x1b[2J[red]"
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, group_id=name)) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(3, "", -1)})
    table = watch(kafka.bootstrap_servers[0], topic, "--once")
    assert table.wait() == 0
    assert "\x1b" not in table.text()
    assert f"{topic}\\x1b[2J[red]  3          7    -" in table.text()


def test_once_prints_what_kafka_has_and_ends(kafka, topic, start):
    kafka.send(topic, *TICKS)
    consumer = start("consumer1")
    consumer.wait_for_messages(10)
    wait_until(lambda: kafka.committed(f"{topic}-consumer1", topic) == {0: 10})
    table = watch(kafka.bootstrap_servers[0], topic, "--once")
    assert table.wait() == 0
    heading, row = (line.text.split() for line in table.output)
    assert heading == ["PARTITION", "FIRST", "END", "GROUP", "COMMITTED", "LAG", "MEMBER"]
    assert row == [f"{topic}-0", "0", "10", f"{topic}-consumer1", "10", "0", "consumer1"]


@pytest.mark.parametrize("option", ["--group", "KAFKA_GROUP_ID"])
def test_a_group_that_is_chosen_is_shown_alone(kafka, topic, option):
    kafka.send(topic, *TICKS)
    for name in ("a", "b"):
        with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, group_id=f"{topic}-{name}")) as one:
            one.assign([TopicPartition(topic, 0)])
            one.commit({TopicPartition(topic, 0): OffsetAndMetadata(3, "", -1)})
    arguments = ["--group", f"{topic}-b"] if option == "--group" else []
    settings = {} if arguments else {option: f"{topic}-b"}
    table = watch(kafka.bootstrap_servers[0], topic, "--once", *arguments, **settings)
    assert table.wait() == 0
    assert [line.text.split()[3] for line in table.output[1:]] == [f"{topic}-b"]


def test_once_without_a_topic_or_a_kafka_says_so_in_one_line(kafka, topic):
    missing = watch(kafka.bootstrap_servers[0], topic, "--once")
    nowhere = watch(f"127.0.0.1:{free_port()}", topic, "--once")
    assert missing.wait() == nowhere.wait() == 1
    assert missing.text() == f"watch.py: Topic {topic} does not exist."
    assert re.fullmatch(r"watch\.py: 127\.\S+: no Kafka answers there\. .*", nowhere.text())


def test_a_kafka_that_is_not_there_yet_is_waited_for_and_ctrl_c_still_ends_it(topic):
    nowhere = watch(f"127.0.0.1:{free_port()}", topic)
    nowhere.wait_for(r"No Kafka answers at 127\.0\.0\.1:\d+: waiting for it\.")
    assert nowhere.interrupt() == 0
    assert not nowhere.errors


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's pipe")
def test_a_reader_that_is_gone_ends_it_quietly(kafka, topic):
    command = ["bash", "-o", "pipefail", "-c", f"{WATCH[0]} {WATCH[1]} | head -n 1"]
    gone = Script("watch", kafka.bootstrap_servers[0], command=command, KAFKA_TOPIC=topic)
    assert gone.wait() == 0
    assert not gone.errors


@pytest.mark.parametrize("arguments", [("--bootstrap-servers", "nowhere"), ("--topic", "a b")])
def test_an_option_that_cannot_be_used_is_refused_in_a_sentence(arguments):
    refused = Script("watch", "127.0.0.1:9092", command=[*WATCH, *arguments])
    assert refused.wait() == 2
    assert refused.errors[-1].text.startswith("watch.py: error: ")
