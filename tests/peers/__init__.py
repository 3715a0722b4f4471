"""The rooms of benchmark.py: consumer1.py beside other clients' consumers. Nothing here is run by a person."""
