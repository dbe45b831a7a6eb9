"""From the bytes of an answer to stream events, under time limits."""
