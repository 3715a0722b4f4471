"""This machine: its processes, its signals, and waiting for what they do."""
