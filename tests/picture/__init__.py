"""The picture of Kafka that the watch and the demonstration draw on a terminal, and film."""
