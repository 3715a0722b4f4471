"""The pages: README.md is short, and what a page quotes from a script is what the scripts print in a real run."""

import re
import textwrap

import pytest

from real_kafka.brokers import SMALL, Broker
from real_kafka.files import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "tests").glob("*.md"))]
OF_OTHER_PROGRAMS = "Kafka is ready on|Port 9092 is in use|Group … is Stable|ImportError: "
AS_IN_THE_README = {"KAFKA_TOPIC": "stock-market", "KAFKA_GROUP_ID": "stock-group1"}


def quotes_of(page) -> set[str]:
    """Return the lines that a page quotes: in a block with the script's name, in a text with a capital letter."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:\^C)?(\[(?:Consumer|Producer)\d\] .*?)(?: +◀── .*)?$", text, re.MULTILINE)
    spans = re.findall(r"`([A-Z][A-Za-z]*[:.]? [^`]+)`", text)
    return {quote for quote in blocks + spans if not re.match(OF_OTHER_PROGRAMS, quote)}


def is_printed(quote, lines) -> bool:
    """Tell whether one of the lines is the quoted one, but for its numbers, and the name of an error."""
    pattern = re.escape(quote).replace("…", ".+")
    pattern = re.sub(r"\d+", r"\\d+", re.sub(r"\w+Error", r"\\w+Error", pattern))
    return any(re.fullmatch(pattern, line.text if quote.startswith("[") else line.said) for line in lines)


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 1300
    paragraphs = [line for line in text.splitlines() if not line.startswith(("|", "!"))]
    assert max(len(textwrap.wrap(line, 100)) for line in paragraphs) <= 6


def anchors_of(page) -> set[str]:
    headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_link_from_page_to_page_is_broken():
    for page in PAGES:
        for name, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
            target = (page.parent / name) if name else page
            assert target.exists(), f"{page.name}: {name}"
            assert not anchor or anchor in anchors_of(target), f"{page.name}: {name}#{anchor}"


@pytest.fixture(scope="module")
def broker():
    with Broker(settings=SMALL) as broker:
        yield broker


@pytest.fixture
def bootstrap_servers(broker):
    return broker.bootstrap_servers


def test_what_a_page_quotes_is_what_the_scripts_print(start, kafka, broker):
    """One run goes through all that the pages tell of. Each line is waited for, and so is known to be printed."""
    started = []

    def run(name, **settings):
        started.append(start(name, **{**AS_IN_THE_README, **settings}))
        return started[-1]

    consumer = run("consumer1")
    consumer.wait_for("Waiting for topic")
    producer = run("producer1")
    consumer.wait_for_messages(3)
    consumer.interrupt()
    sent = producer.wait_for_messages(len(producer.messages()) + 3)
    kafka.delete_before("stock-market", sent[-1].offset)
    first_copy = run("consumer1")
    first_copy.wait_for("Resuming")
    consumer = run("consumer1")
    first_copy.wait()
    run("consumer2").wait_for("Waiting for group")
    kafka.commit("another-group", "stock-market", 1_000_000)
    run("consumer1", KAFKA_GROUP_ID="another-group").wait_for("Going back")
    kafka.create_topic("small")
    kafka.configure("small", max_message_bytes=50)
    assert run("producer2", KAFKA_TOPIC="small").wait() == 1
    with kafka.admin() as admin:
        admin.create_partitions({"stock-market": 2})
    joining_again = consumer.wait_for("other partitions").at
    consumer.wait_for("Received", since=joining_again)
    broker.kill()
    consumer.wait_for("Waiting: ")
    producer.wait_for("Waiting to store")
    producer.interrupt()
    run("consumer1").wait()

    lines = [line for script in started for line in [*script.output, *script.errors]]
    quotes = {quote: page.name for page in PAGES for quote in quotes_of(page)}
    assert len(quotes) > 10
    assert {quote: page for quote, page in quotes.items() if not is_printed(quote, lines)} == {}
