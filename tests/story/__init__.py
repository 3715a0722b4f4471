"""The scripts on a Kafka of their own: what can be done to them, the demonstration, and the account at the end."""
