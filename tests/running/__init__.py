"""Run programs as a person does: the four scripts as processes, and a command in a terminal."""
