"""What there is to see: a look at Kafka, what has happened since the last look, the lanes, the film."""
