"""What the scripts printed and what Kafka has, as plain data, and what follows from it. Pure: no Kafka, no clock."""
