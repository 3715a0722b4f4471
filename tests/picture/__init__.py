"""The picture of Kafka: drawn on a terminal by the watch, the demonstration and play.py, or filmed."""
