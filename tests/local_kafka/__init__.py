"""A real Kafka without Docker: its download, its settings from docker-compose.yml, start, stop, wipe."""
