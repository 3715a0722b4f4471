"""kafka-python's own console consumer, `python -m kafka.consumer`, which prints only values.

In a terminal, each line appears at once. Here, too, each line is written at once, although the output is a file.
"""

import os
import sys

from kafka.cli.consumer import run_cli

sys.stdout.reconfigure(line_buffering=True)
servers, topic, group = (os.environ[f"KAFKA_{name}"] for name in ("BOOTSTRAP_SERVERS", "TOPIC", "GROUP_ID"))
sys.exit(run_cli(["-b", servers, "-t", topic, "-g", group, "-C", "auto_offset_reset=earliest"]))
