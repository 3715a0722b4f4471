"""Scripts as processes, their lines read back, what Kafka itself has, and the judge of both."""
