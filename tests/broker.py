"""Run a real Apache Kafka without Docker.

It is the Kafka of docker-compose.yml: the image's version, with the settings of the file's environment block, set up by
the code that the image runs at its start (kafka.docker.KafkaDockerWrapper). Its jars come from Maven Central, once, and
its Java runtime comes from PyPI, so it needs no Docker, Java or Maven. It shares this machine's network, as a container
does not, so it listens only on 127.0.0.1. It runs in the foreground, and Ctrl+C stops it.
"""

import argparse
import contextlib
import sys

from machine.processes import on_ending
from real_kafka.brokers import Broker, BrokerError
from real_kafka.files import CACHE, compose_version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="start empty: forget messages and offsets of earlier runs")
    parser.add_argument("--port", type=int, default=9092, help="the port of 127.0.0.1 (default: 9092)")
    help_text = f"a Kafka version, with messages of its own (default: docker-compose.yml's, {compose_version()})"
    parser.add_argument("--version", default=compose_version(), help=help_text)
    options = parser.parse_args()

    on_ending(lambda _: sys.exit())
    directory = CACHE / f"data-{options.version}-{options.port}"  # older versions cannot read newer data
    broker = Broker(options.port, directory, version=options.version)
    try:
        if options.fresh:
            broker.wipe()
        print("Starting Kafka.", flush=True)
        broker.start()
        ready = f"Kafka is ready on {broker.bootstrap_servers}. Ctrl+C stops it; its messages stay for the next start."
        print(ready, flush=True)
        status = broker.process.wait()
        sys.exit(f"broker.py: Kafka ended by itself (status {status}). {broker.why_it_ended()}")
    except OSError as error:
        sys.exit(f"broker.py: {error}. Kafka needs room on a disk to write on, and a Java that may run (no noexec).")
    except (BrokerError, OverflowError) as error:  # such as a port above 65535
        sys.exit(f"broker.py: {error}")
    finally:
        with contextlib.suppress(OSError):  # the terminal may be gone
            if broker.process and broker.process.poll() is None:
                print("Stopping Kafka.", flush=True)
        broker.stop()


if __name__ == "__main__":
    main()
