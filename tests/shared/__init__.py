"""What the commands of tests/ and the tests share. Nothing here is run by a person, and nothing here is a test."""
