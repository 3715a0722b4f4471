"""The demonstration: its story, the stage it is played on, its account and its picture."""
