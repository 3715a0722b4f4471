"""The judge catches a fault that is put into a copy of a script, in real runs of it, and names it."""

import sys

import pytest

from evidence.judge import assert_sound
from evidence.scripts import runs
from local_kafka.files import ROOT
from local_kafka.waiting import wait_until

TICKS = [b'{"tick":%d}' % number for number in range(10)]
SHOW = "            show(messages)\n            progress.note_printed(messages)\n"


@pytest.fixture
def start_broken(start, tmp_path):
    """A function that starts a copy of a script in which texts are replaced; they must be there."""

    def run(name, edits, **settings):
        source = (ROOT / f"{name}.py").read_text(encoding="utf-8")
        for text, replacement in edits.items():
            assert text in source
            source = source.replace(text, replacement)
        copy = tmp_path / f"{name}.py"
        copy.write_text(source, encoding="utf-8")
        return start(name, command=[sys.executable, str(copy)], **settings)

    return run


def verdict(scripts, log) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_sound(runs(scripts), log)
    return str(caught.value)


def test_commit_before_print_is_an_unseen_message(start, start_broken, kafka, topic):
    kafka.send(topic, *TICKS)
    hurried = "            progress.note_printed(messages)\n            progress.commit(consumer)\n"
    slow = "            time.sleep(30)\n            show(messages)\n"
    broken = start_broken("consumer1", {SHOW: hurried + slow})
    wait_until(lambda: kafka.committed(f"{topic}-consumer1", topic).get(0) == 10)
    broken.kill()
    second = start("consumer1")
    second.wait_for("Resuming")
    second.interrupt()
    assert "unseen: " in verdict([broken, second], kafka.whole_log(topic))


def test_a_skipped_message_is_a_poll_skip(start_broken, kafka, topic):
    kafka.send(topic, *TICKS)
    broken = start_broken("consumer1", {"        for m in batch\n": "        for m in batch if m.offset != 3\n"})
    broken.wait_for_messages(9)
    broken.interrupt()
    assert "poll skip: consumer1, partition 0, offset 3" in verdict([broken], kafka.whole_log(topic))


def test_a_message_printed_twice_is_a_nonmonotonic_poll(start_broken, kafka, topic):
    kafka.send(topic, *TICKS)
    twice = "        for m in batch\n        for _ in range(1 + (m.offset == 3))\n"
    broken = start_broken("consumer1", {"        for m in batch\n": twice})
    broken.wait_for_messages(11)
    broken.interrupt()
    assert "nonmonotonic poll: consumer1, partition 0, offset 3" in verdict([broken], kafka.whole_log(topic))


def test_a_report_before_the_acknowledgement_is_a_lost_write(start_broken, kafka, topic):
    kafka.create_topic(topic)
    edits = {
        'acks="all",': 'acks="all", linger_ms=60_000,',  # it would be sent in a minute
        "stored = future.get(timeout=0.2)": 'stored = type("Guess", (), {"partition": 0, "offset": 0})',
    }
    broken = start_broken("producer1", edits, SEND_INTERVAL_SECONDS="60")
    broken.wait_for_messages(1)
    broken.kill()
    assert "lost write: producer1, partition 0, offset 0" in verdict([broken], kafka.whole_log(topic))


def test_messages_that_came_before_the_placing_are_unplaced(start, start_broken, kafka, topic):
    kafka.send(topic, *TICKS[:5])
    first = start("consumer1")
    first.wait_for("Caught up")
    first.interrupt()
    kafka.send(topic, *TICKS[5:])
    guard = "            if assignment.is_new or not is_member(consumer):\n"
    broken = start_broken("consumer1", {guard: "            if False:\n"})
    broken.wait_for_messages(5)
    broken.wait_for("Resuming")
    broken.interrupt()
    assert "unplaced: consumer1" in verdict([first, broken], kafka.whole_log(topic))


def test_a_placing_without_a_seek_leaves_all_unseen(start_broken, kafka, topic):
    """The client has no position of its own for a new group, and says so again and again."""
    kafka.send(topic, *TICKS)
    broken = start_broken("consumer1", {"        consumer.seek(tp, starts[tp])\n": ""})
    broken.wait_until(lambda: broken.text().count("Starting at the earliest") > 3)
    broken.interrupt()
    assert "offsets 0 to 9" in verdict([broken], kafka.whole_log(topic))


def test_a_loss_that_is_not_told_is_unseen(start, start_broken, kafka, topic):
    kafka.send(topic, *TICKS[:2])
    first = start("consumer1")
    first.wait_for("Caught up")
    first.interrupt()
    kafka.send(topic, *TICKS[2:])
    earlier = kafka.log(topic)
    kafka.delete_before(topic, 7)
    broken = start_broken("consumer1", {'        say(f"LOST: ': '        str(f"LOST: '})
    broken.wait_for_messages(3)
    broken.interrupt()
    told = verdict([first, broken], kafka.whole_log(topic, earlier))
    assert "unseen: " in told
    assert "offsets 2 to 6" in told
