"""The archive format: its declaration, and how conversations are written in it."""
