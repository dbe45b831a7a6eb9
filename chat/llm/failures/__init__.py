"""What a server means when it refuses a request: the kind of failure, and a sentence for people."""
