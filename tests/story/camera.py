"""What is to be seen of a Stage now, for the terminal; and the camera that films it."""

import threading
import time

from evidence.lines import Placed
from sight.film import Film
from sight.picture import GroupView, PartitionView
from story.account import CONSUMERS, PRODUCERS, events
from story.screen import COLOURS, Screen, ScriptView, View
from story.steps import STEPS

COLUMNS, ROWS = 100, 26  # an image of 824 pixels' width: GitHub shows it as large as it is
EVERY = 0.25  # seconds from one frame to the next
LONGEST = 19  # seconds; a film that took longer on a busy machine plays a little faster


def screen_of(stage) -> Screen:
    """Return the screen as it is now."""
    chapter = stage.chapters[-1] if stage.chapters else None
    heading = f"Step {len(stage.chapters)} of {len(STEPS)}: {chapter.title}" if chapter else ""
    lookout = stage.lookout
    scripts = {
        name: ScriptView(
            name,
            stage.states[name],
            stage.lines(name),
            chapter.began if chapter else 0,
        )
        for name in stage.scripts
    }
    view = View(
        heading=heading,
        sentence=stage.sentence,
        note=stage.note,
        partition=PartitionView(stage.topic, 0, lookout.log.first, lookout.log.end),
        groups=[group_of(stage, name) for name in CONSUMERS],
        colours={
            message.offset: COLOURS[name]
            for name in PRODUCERS
            for script in stage.scripts[name]
            for message in script.messages()
        },
        away=stage.away,
        scripts=scripts,
    )
    return Screen(view)


def group_of(stage, name) -> GroupView:
    """Return a consumer's group as Kafka has it, and where it says it resumed in this step."""
    began = stage.chapters[-1].began if stage.chapters else 0
    latest = [line for line in stage.lines(name) if line.at >= began]
    placed = [event for event in events(latest, Placed) if event.reset is None]
    return GroupView(
        name,
        stage.lookout.committed.get(name),
        trend=stage.lookout.trend(name),
        style=COLOURS[name],
        resumed=placed[-1].offset if placed else None,
    )


class Camera(threading.Thread):
    """Films the screen while `rolls` is true, from the first commits on.

    Attributes:
        film: the Film so far; its time is that of the story, without what was not filmed.
    """

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.rolls = stage, False
        self.film, self.seconds = Film(COLUMNS, ROWS), 0.0
        self.over = threading.Event()

    def run(self):
        before = time.monotonic()
        while not self.over.wait(EVERY):
            now = time.monotonic()
            if self.rolls and len(self.stage.lookout.committed) == len(CONSUMERS):
                self.film.take(screen_of(self.stage), self.seconds)
                self.seconds += now - before
            before = now

    def svg(self) -> str:
        return self.film.svg(
            title="consumer1 is stopped; started again, it resumes at its committed offset",
            description="The topic's log as a row of messages, and on it the committed offset of "
            "each group: both consumers read along; consumer1 is stopped, and its lag grows; "
            "started again, it goes on where it had stopped and catches up; killed and started "
            "again, it does so too. Filmed from a real run of tests/demo.py.",
            end=self.seconds,
            seconds=min(self.seconds, LONGEST),
        )
