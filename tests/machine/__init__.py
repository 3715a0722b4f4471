"""This machine: its processes and signals, and waiting for a condition."""
