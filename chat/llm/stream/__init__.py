"""Turns the bytes of an answer into stream events, under time limits."""
