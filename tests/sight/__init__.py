"""What there is to see: what has happened since the last snapshot, the lanes, the film."""
