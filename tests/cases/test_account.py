"""The demonstration's verdict: it passes a good history, and fails each kind of bad one."""

import pytest

from evidence.judge import Log
from evidence.lines import Line, Message
from story.account import Chapter, Past, Record, Repeats, account, faults, verdict

SENT = {offset: f"v{offset}" for offset in range(8)}


def line(at, text):
    return Line(at, text)


def received(name, at, *offsets):
    return [line(at, f"[{name}] Received: v{o} (partition 0, offset {o})") for o in offsets]


def resuming(name, at, offset):
    return line(at, f"[{name}] Resuming stock-market-0 at offset {offset}: 2 offsets behind")


def history(**changes):
    """Return a Record of two steps: consumer1 is killed in the second, and prints offset 3 again.

    In each step four messages are sent. Changes replace consumer1's two runs, or the chapters.
    """
    sent = [line(1 if o < 4 else 11, f"[Broker1] Sent: v{o} (partition 0, offset {o})") for o in SENT]
    first = changes.get("first", [resuming("Consumer1", 1, 0), *received("Consumer1", 2, 0, 1, 2, 3)])
    second = changes.get("second", [resuming("Consumer1", 12, 3), *received("Consumer1", 12.5, 3, 4, 5, 6, 7)])
    other = [
        resuming("Consumer2", 1, 0),
        *received("Consumer2", 2, 0, 1, 2, 3),
        *received("Consumer2", 12, 4, 5, 6, 7),
    ]
    chapters = changes.get("chapters") or [
        Chapter("all run", 0, 4, {"consumer1": 3, "consumer2": 4}),
        Chapter(
            "killed",
            10,
            8,
            {"consumer1": changes.get("committed", 8), "consumer2": 8},
            restarts={"consumer1": 11.5},
            repeats=changes.get("repeats", {"consumer1": Repeats(range(3, 4), "in flight")}),
            losses=changes.get("losses", {}),
        ),
    ]
    scripts = {
        "producer1": [Past(sent)],
        "producer2": [],
        "consumer1": [Past(first, killed=True), Past(second)],
        "consumer2": [Past(other)],
    }
    messages = [Message(0, offset, value) for offset, value in SENT.items()]
    kept = changes.get("kept", 0)
    log = changes.get("log", Log(messages[kept:], {0: kept}, messages))
    return Record(chapters, scripts, log)


def judged(record):
    return faults(record, account(record))


def test_the_account_of_a_good_history_has_its_figures():
    rows = account(history())
    first, _, second, other = rows
    assert (first.sent, first.received, first.lag, first.wait) == (4, 4, 1, None)
    assert (second.sent, second.received, second.repeated, second.missing) == (4, 5, [3], [])
    assert (second.lag, second.wait) == (0, 1.0)
    assert (other.consumer, other.received, other.wait) == ("consumer2", 4, None)


def test_a_good_history_passes():
    record = history()
    rows = account(record)
    assert faults(record, rows) == []
    assert verdict(record, rows, []) == (
        "Verdict: no message went missing. 8 were sent and stored; each consumer received each once, "
        "except for 1 that consumer1 read again (in flight)."
    )


def test_a_bad_history_fails():
    record = history(second=[resuming("Consumer1", 12, 3), *received("Consumer1", 12.5, 3, 4, 6, 7)])
    rows = account(record)
    wrong = faults(record, rows)
    assert verdict(record, rows, wrong).startswith("Verdict: FAILED: ")


SKIP = [resuming("Consumer1", 12, 3), *received("Consumer1", 12.5, 3, 4, 6, 7)]
AGAIN = [resuming("Consumer1", 12, 2), *received("Consumer1", 12.5, 2, 3, 4, 5, 6, 7)]
WRONG = [resuming("Consumer1", 12, 3), *received("Consumer1", 12.5, 3, 4, 5, 6, 7, 8)]
SHORT = [resuming("Consumer1", 12, 3), *received("Consumer1", 12.5, 3, 4, 5)]
LOST = line(12, "[Consumer1] LOST: retention deleted up to 2 messages, offsets 4 to 5 of stock-market-0")
AFTER_LOSS = [LOST, resuming("Consumer1", 12, 6), *received("Consumer1", 12.5, 6, 7)]
UNSAID = AFTER_LOSS[1:]
LOSS = {"consumer1": range(4, 6)}
REWOUND = {"consumer1": Repeats(range(4), "rewound", all=True)}
ALL_AGAIN = [resuming("Consumer1", 12, 0), *received("Consumer1", 12.5, *SENT)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"second": SKIP}, "consumer1 in step 2 missed offset 5, deleted were none"),
        ({"second": AGAIN}, "consumer1 in step 2 repeated offset 2"),
        ({"repeats": {}}, "consumer1 in step 2 repeated offset 3"),
        ({"second": WRONG}, "phantom: consumer1, partition 0, offset 8: printed, but not in the log"),
        ({"second": SHORT}, "unseen: group consumer1, partition 0, offsets 6 to 7"),
        ({"committed": 6, "second": SHORT}, "consumer1 ended 2 offsets behind"),
        ({"repeats": REWOUND}, "consumer1 in step 2 read 1 of 4 messages again"),
        ({"second": AFTER_LOSS}, "reported as LOST were offsets 4 to 5"),
        ({"second": UNSAID, "losses": LOSS, "kept": 6}, "reported as LOST were none"),
        ({"losses": LOSS}, "consumer1 in step 2 missed none, deleted were offsets 4 to 5"),
        ({"log": Log([], {0: 0}, [])}, "lost write: producer1"),
    ],
)
def test_what_must_not_be_is_found_and_said(changes, fault):
    assert fault in "; ".join(judged(history(**changes)))


def test_what_a_step_allows_is_no_fault():
    assert judged(history(second=AFTER_LOSS, losses=LOSS, kept=6, repeats={})) == []
    assert judged(history(second=ALL_AGAIN, repeats=REWOUND)) == []
