"""What the demonstration concludes. Pure, no Kafka: test_demo.py has a real run."""

import pytest

from evidence.history import Log, Run
from evidence.lines import Line, Message, Resuming, Started
from story.account import Step, account, verdict

STORED = [Message(0, offset, "tick") for offset in range(8)]
START = Started(0, "earliest")


@pytest.mark.parametrize(
    ("resumed", "says"),
    [
        (3, "Verdict: no message went missing unreported. 8 were sent and stored;"),
        (2, "Verdict: FAILED: consumer1 in step 2 repeated offset 2."),
        (5, "Verdict: FAILED: unseen: group stock-group1, partition 0, offset 4: "),
    ],
)
def test_uncommitted_messages_may_come_again_and_anything_else_is_a_fault(resumed, says):
    """Two steps of four messages each; in the second, consumer1 was killed when its committed offset was 3."""
    steps = [Step(1, "", "", began=0, ended=1), Step(2, "", "", began=1, may_repeat={"consumer1": 3})]
    runs = [
        Run(name, [Line(at, "", event) for event in events], group)
        for at, name, group, *events in (
            (0, "producer1", None, *STORED[:4]),
            (1, "producer1", None, *STORED[4:]),
            (0, "consumer1", "stock-group1", START, *STORED[:4]),
            (1, "consumer1", "stock-group1", Resuming(0, resumed, 8 - resumed), *STORED[resumed:]),
            (1, "consumer2", "stock-group2", START, *STORED),
        )
    ]
    assert says in verdict(runs, account(steps, runs, Log(STORED)))
