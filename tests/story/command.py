"""How the demonstration and play.py begin and end."""

import contextlib
import logging
import subprocess
import sys

from kafka.errors import KafkaError
from rich.console import Console

from machine.processes import on_ending
from real_kafka.brokers import FORGET_THE_KILLED_SOON, Broker
from real_kafka.download import BrokerError, kafka_jars
from real_kafka.files import compose_version
from story.account import verdict
from story.stage import Stage
from story.view import table_of

# A Kafka that is killed has deleted messages again, unless it has written down where its log starts: every minute.
SETTINGS = {**FORGET_THE_KILLED_SOON, "KAFKA_LOG_FLUSH_START_OFFSET_CHECKPOINT_INTERVAL_MS": 200}
WHY = (
    "Why no message went missing without a word: Kafka keeps a message in its log, read or not, until it is deleted. "
    "The committed offset is where a consumer group reads on, and a consumer commits it only after it has printed the "
    "message. So a stop, a crash or an outage can make it print a message again, but it skips none that Kafka still "
    "has. It reports as LOST what was deleted from its group's committed offset on."
)


@contextlib.contextmanager
def stage_for(pace, tell, show):
    """Say that Kafka starts, start it, yield a Stage on it, and end both."""
    kafka_jars(compose_version())  # a download shows its own progress
    with Console(stderr=True).status("Starting Kafka."), contextlib.ExitStack() as stack:
        broker = stack.enter_context(Broker(settings=SETTINGS))
        stage = stack.enter_context(contextlib.closing(Stage(broker, pace, tell, show)))
        on_ending(stage.end_soon)  # an exception amid a question to Kafka may be lost in the client
        both = stack.pop_all()
    with both:
        yield stage


def run_command(name, run) -> None:
    """Exit with the status that run() returns. An error becomes one line. A signal ends everything that was started."""
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # the picture tells of an outage
    on_ending(sys.exit)
    try:
        status = run()
    except SystemExit:
        print(f"{name}: Stopped. What it had started is gone.", file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader is gone, as in `| head`
        status = 1
    except (BrokerError, KafkaError, AssertionError, OSError, subprocess.SubprocessError) as error:
        status = f"{name}: {' / '.join(str(error).splitlines())}"
    sys.exit(status)


def tell_account(console, steps, runs, faults) -> int:
    """Print why no message went missing, the table of these Steps and Runs, and the verdict. Return the exit status."""
    title = "What Kafka stored, compared with what each consumer printed:"
    for text in ("", WHY, "", title, table_of(steps, runs), "", verdict(runs, faults)):
        console.print(text, highlight=False)
    return 1 if faults else 0
