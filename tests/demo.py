"""See why no message goes missing: one minute, a real Kafka, the four scripts stopped and killed.

    python tests/demo.py                  on a terminal a live picture, otherwise (pipe,
                                          CI) the same story as plain lines
    python tests/demo.py --fast           the same with shorter pauses
    python tests/demo.py --picture FILE   also film the first four steps, as an animated SVG:
                                          tests/demo.svg is one

Nothing is simulated: each number is read from the scripts' lines or from Kafka. The Kafka is the
demonstration's own, with free ports and temporary data; it needs no Docker. At the end a table
compares, for each step, what Kafka stored with what each consumer printed. The exit status is 0
only if nothing was missing, and nothing repeated, that should not be. Ctrl+C ends the
demonstration, its scripts and its Kafka at once.
"""

import os
import signal
import sys

from local_kafka.processes import ENDING, ignore_ending, on_ending


def end_at_once(number, _frame):
    os._exit(128 + number)


on_ending(end_at_once)  # while the rest is imported: nothing runs yet that would have to be ended

import argparse
import contextlib
import logging
import re
import subprocess
import tempfile
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from local_kafka.brokers import Broker
from local_kafka.download import BrokerError
from story.account import account, faults, verdict
from story.camera import Camera, screen_of
from story.screen import table
from story.stage import FAST, FOR_A_FILM, TO_READ_ALONG, Stage
from story.steps import play

WHY = (
    "Why no message went missing: Kafka keeps a message in its log, read or not, until retention "
    "deletes it. The committed offset is where a consumer group reads on, and a consumer commits "
    "it only after it has printed the message. So a stop, a crash or an outage can make it read a "
    "message again, but never skip one."
)


class Stopped(BaseException):
    """Ctrl+C, SIGTERM or SIGHUP came: a BaseException, which nothing takes for an error."""


def stop(number, _frame):
    ignore_ending()
    raise Stopped(number)


def start_broker(console, live, stack) -> Broker:
    """Start a Kafka of our own, with progress; it is gone when the stack is unwound."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        console=console,
        transient=True,
        disable=not live,
    )
    task = bar.add_task("Starting Kafka", total=None)
    told = []

    def progress(done, total):
        text = f"Downloading Kafka, this once: {done // 1_000_000} of about {total // 1_000_000} MB"
        bar.update(task, description=text, completed=done, total=total)
        if not live and (not told or done - told[-1] > total / 4):
            told.append(done)
            print(text, flush=True)

    if not live:
        print("Starting Kafka.", flush=True)
    with bar:
        with signals_held():  # what has to be deleted is known from the moment it is there
            broker = Broker(progress=progress)
            stack.callback(broker.close)
        broker.start()
    return broker


@contextlib.contextmanager
def signals_held():
    """Let a signal wait until this is done; where that can't be had, as on Windows, it does not."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(options, console, live) -> int:
    """Play the story and give the account; return the exit status."""
    with contextlib.ExitStack() as stack:
        stack.callback(ignore_ending)
        broker = None
        if options.bootstrap_servers:
            KafkaAdminClient(bootstrap_servers=options.bootstrap_servers, bootstrap_timeout_ms=8000).close()
        else:
            broker = start_broker(console, live, stack)
        servers = options.bootstrap_servers or broker.bootstrap_servers
        stage = Stage(servers, broker, pace(options), tell_nobody if live else tell)
        stack.callback(end, stage)
        show(stage, options.picture, console if live else None)
        record = stage.record()
        rows = account(record)
        wrong = faults(record, rows)
        figures = table(rows, record.chapters, console.width)
        for part in ("", figures, "", WHY, "", verdict(record, rows, wrong)):
            console.print(part, highlight=False, soft_wrap=not live and isinstance(part, str))
    return 1 if wrong else 0


def pace(options):
    if options.fast:
        return FAST
    return FOR_A_FILM if options.picture else TO_READ_ALONG


def tell(line):
    print(line, flush=True)


def tell_nobody(_line):
    pass  # the live picture tells it


def end(stage):
    ignore_ending()
    if left := stage.close():
        complain(left)


def show(stage, picture, console) -> None:
    """Play the story: live on this console, if there is one; filmed, if `picture` is a file."""
    with contextlib.ExitStack() as stack:
        camera = Camera(stage) if picture else None
        if camera:
            camera.start()
            stack.callback(camera.over.set)
        if console:
            live = Live(
                get_renderable=lambda: screen_of(stage),
                console=console,
                screen=True,
                refresh_per_second=5,
            )
            stack.enter_context(live)
        play(stage, camera)
    if camera:
        camera.join()
        Path(picture).write_text(camera.svg(), "utf-8")


def address(text) -> str:
    if not re.fullmatch(r"[^\s/,]+:\d{1,5}(,[^\s/,]+:\d{1,5})*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write host:port, as in 127.0.0.1:9092")
    return text


def picture_file(text) -> str:
    if not Path(text).absolute().parent.is_dir() or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} can't be written: name a file in a directory that exists")
    return text


def complain(line) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"demo.py: {line}", file=sys.stderr, flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="shorter pauses: for tests, not for reading along")
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        type=address,
        help="use a Kafka that runs already: with a topic and groups of the demonstration's own, "
        "deleted afterwards; the step that stops Kafka is left out",
    )
    parser.add_argument(
        "--picture",
        metavar="FILE",
        type=picture_file,
        help="write a film of the first four steps there, as an animated SVG",
    )
    return parser.parse_args()


def main() -> int:
    options = read_options()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # for a terminal that lacks a letter
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # its warnings during the outage are no news
    tempfile.gettempdir()  # writes a file to find out: not later, where Ctrl+C could leave that
    live = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    console = Console() if live else Console(force_terminal=False, color_system=None, width=120)
    on_ending(stop)
    try:
        return run(options, console, live)
    except Stopped as stopped:
        complain("Stopped. Its scripts and its Kafka are gone.")
        return 128 + stopped.args[0]
    except BrokenPipeError:  # the reader is gone, as in `| head`
        return 1
    except (BrokerError, AssertionError, OSError, subprocess.TimeoutExpired) as error:
        complain(" / ".join(str(error).splitlines()))
    except KafkaError as error:
        where = options.bootstrap_servers or "the demonstration"
        complain(f"Kafka at {where} fails: {type(error).__name__}.")
    return 1


if __name__ == "__main__":
    status = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)  # not a second later: threads that still ask Kafka are not waited for
