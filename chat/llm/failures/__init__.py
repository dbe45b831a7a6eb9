"""Interprets a model server's refusal: its kind, what it teaches, and a sentence for people."""
