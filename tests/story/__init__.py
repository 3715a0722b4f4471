"""The demonstration: its steps and what they do."""
