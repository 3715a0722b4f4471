"""A real Kafka: its download, its settings, brokers to start and stop, and a client that asks it."""
